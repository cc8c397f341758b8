"""What every bundle file is, whatever its kind: a checked manifest and checked arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from returns.result import Result, Success

from kdtab.config.manifest import FORMAT_VERSION, KINDS, canonical_json
from kdtab.disk.atomic import write_bytes
from kdtab.disk.bundlebytes import MOST_BYTES, bundle_content, corrupt
from kdtab.disk.layout import (
    METADATA,
    METADATA_KEY,
    Place,
    arrays_in,
    data_of,
    digest_of,
    header_of,
    places_in,
    places_of,
    strict_json,
)
from kdtab.disk.signatures import describe_foreign
from kdtab.errors.base import quoted
from kdtab.errors.bundles import (
    BundleForeign,
    BundleKindUnknown,
    BundleOfOtherKind,
    BundleTooLarge,
    BundleTooNew,
)
from kdtab.errors.issue import Issues
from kdtab.record import Array
from kdtab.results import fail

MOST_HEADER_BYTES = 64 * 2**20
MOST_VERSION = 10**6
LENGTH_BYTES = 8
MOST_REASONS = 8
BundleKind: TypeAlias = Literal["table", "sequence"]
Manifest = TypeVar("Manifest")


@dataclass(frozen=True, eq=False)
class BundleParts:
    """What a file holds, its checksum verified and its manifest not yet parsed.

    Attributes:
        path: The file, for messages.
        manifest_text: The manifest without its checksum, as canonical JSON.
        arrays: By name, read-only.

    Example:
        >>> BundleParts("t.kdtab", "{}", {}).path
        't.kdtab'
    """

    path: str
    manifest_text: str
    arrays: Mapping[str, Array]


def read_parts(path: str | os.PathLike[str], kind: BundleKind) -> Result[BundleParts, Issues]:
    """The parts of a bundle file of one kind.

    Args:
        path: A regular file, or a link to one. Its suffix does not matter.
        kind: Which kind of model is wanted.

    Returns:
        The parts; or the issues of a file that is absent, foreign, broken, or of another kind.

    Example:
        >>> read_parts("no such file", "table").failure().first
        BundleMissing(path='no such file')
    """
    shown = os.fspath(path)
    return bundle_content(shown).bind(lambda content: decode_parts(shown, content, kind))


def decode_parts(path: str, content: bytes, kind: BundleKind) -> Result[BundleParts, Issues]:
    r"""The parts in a file's content, of which every byte is what kdtab would have written.

    Args:
        path: The file, for messages.
        content: The whole file.
        kind: Which kind of model is wanted.

    Returns:
        The parts, arrays read-only views on the content; or the issues of `read_parts`.

    Example:
        >>> decode_parts("t.kdtab", b"PK\x05\x06", "table").failure().first
        BundleForeign(path='t.kdtab', found='an empty zip archive')
    """
    return (
        _opened(path, content)
        .bind(lambda opened: _of_known_format(opened, kind))
        .bind(_located)
        .bind(_verified)
        .bind(_parts)
    )


def encode_parts(fields: Mapping[str, object], arrays: Mapping[str, Array]) -> bytes:
    """The one content of the file that a manifest and arrays have.

    Args:
        fields: The manifest as JSON values, without its checksum.
        arrays: float32, float64 or int64, by name.

    Returns:
        A safetensors file: the header's length, the header, the arrays' bytes.

    Example:
        >>> encode_parts({"kind": "table"}, {})[8:35]
        b'{"__metadata__":{"kdtab":"{'
    """
    places = places_of(arrays)
    data = data_of(arrays, places)
    signed = {**fields, "sha256": digest_of(fields, places, data)}
    return header_of(canonical_json(signed), places) + data


def write_content(path: str | os.PathLike[str], content: bytes) -> Result[None, Issues]:
    """Write a bundle's content as one file, whole or not at all.

    Args:
        path: Where; what is there already is replaced.
        content: As `encode_parts` gives it.

    Returns:
        None; or `BundleTooLarge`, or what the disk refuses.

    Example:
        >>> write_content("no-such-folder/t.kdtab", encode_parts({}, {})).failure().first
        FolderMissing(path='no-such-folder/t.kdtab', folder='no-such-folder')
    """
    header_bytes = int.from_bytes(content[:LENGTH_BYTES], "little")
    for size, most in ((len(content), MOST_BYTES), (header_bytes, MOST_HEADER_BYTES)):
        if size > most:
            return fail(BundleTooLarge(path=os.fspath(path), size=size, most=most))
    return write_bytes(path, content)


def manifest_of(parts: BundleParts, manifests: TypeAdapter[Manifest]) -> Result[Manifest, Issues]:
    """The manifest of a bundle, field by field checked.

    Args:
        parts: As `decode_parts` gives them.
        manifests: Every version that this kdtab reads.

    Returns:
        The manifest, or `BundleCorrupt` for the first fields that are refused.

    Example:
        >>> parts = BundleParts("a.kdtab", '{"version": "one"}', {})
        >>> manifest_of(parts, TypeAdapter(dict[str, int])).failure().first.reason[:30]
        "its field 'version' is refused"
    """
    try:
        return Success(manifests.validate_json(parts.manifest_text))
    except ValidationError as error:
        details = error.errors()[:MOST_REASONS]
        return corrupt(parts.path, *(_reason(detail) for detail in details))


def _reason(detail: ErrorDetails) -> str:
    field = ".".join(str(part) for part in detail["loc"])
    return f"its field {quoted(field)} is refused ({quoted(detail['msg'])})"


@dataclass(frozen=True)
class _Opened:
    path: str
    header: bytes
    data: memoryview
    entries: Mapping[str, object]
    manifest_text: str
    manifest: Mapping[str, object]


@dataclass(frozen=True)
class _Located:
    opened: _Opened
    places: tuple[Place, ...]


def _opened(path: str, content: bytes) -> Result[_Opened, Issues]:
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    end = LENGTH_BYTES + length
    if content[LENGTH_BYTES : LENGTH_BYTES + 1] != b"{" or length > MOST_HEADER_BYTES:
        return fail(BundleForeign(path=path, found=describe_foreign(content)))
    if end > len(content):
        return corrupt(path, f"its header needs {end:,} bytes, the file has {len(content):,}")
    header, data = content[:end], memoryview(content)[end:]
    return strict_json(path, header[LENGTH_BYTES:]).bind(
        lambda entries: _with_manifest(path, header, data, entries)
    )


def _with_manifest(
    path: str, header: bytes, data: memoryview, entries: Mapping[str, object]
) -> Result[_Opened, Issues]:
    metadata = entries.get(METADATA)
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        return fail(BundleForeign(path=path, found="a safetensors file of another program"))
    return strict_json(path, text).map(
        lambda manifest: _Opened(path, header, data, entries, text, manifest)
    )


def _of_known_format(opened: _Opened, wanted: BundleKind) -> Result[_Opened, Issues]:
    version, kind = opened.manifest.get("format_version"), opened.manifest.get("kind")
    if type(version) is not int or not 1 <= version <= MOST_VERSION:
        return corrupt(opened.path, "its format_version is no version number")
    if version > FORMAT_VERSION:
        return fail(BundleTooNew(path=opened.path, found=version, known=FORMAT_VERSION))
    if not isinstance(kind, str):
        return corrupt(opened.path, "it does not say of which kind it is")
    if kind not in KINDS:
        return fail(BundleKindUnknown(path=opened.path, found=kind, known=KINDS))
    if kind != wanted:
        return fail(BundleOfOtherKind(path=opened.path, found=kind, wanted=wanted))
    return Success(opened)


def _located(opened: _Opened) -> Result[_Located, Issues]:
    return places_in(opened.path, opened.entries).bind(
        lambda places: _as_written(_Located(opened, places))
    )


def _as_written(located: _Located) -> Result[_Located, Issues]:
    opened, places = located.opened, located.places
    needed = places[-1].end if places else 0
    if needed != len(opened.data):
        reason = f"its arrays need {needed:,} bytes, {len(opened.data):,} are there"
        return corrupt(opened.path, reason)
    if header_of(canonical_json(opened.manifest), places) != opened.header:
        return corrupt(opened.path, "its header is not spelled as kdtab spells it")
    return Success(located)


def _verified(located: _Located) -> Result[_Located, Issues]:
    opened = located.opened
    digest = digest_of(opened.manifest, located.places, opened.data)
    if opened.manifest.get("sha256") != digest:
        return corrupt(opened.path, "its checksum differs, so some byte is not what was saved")
    return Success(located)


def _parts(located: _Located) -> Result[BundleParts, Issues]:
    opened, places = located.opened, located.places
    arrays = arrays_in(places, opened.data)
    if places_of(arrays) != places:
        return corrupt(opened.path, "its arrays are not in the order of a bundle")
    fields = {name: value for name, value in opened.manifest.items() if name != "sha256"}
    return Success(BundleParts(opened.path, canonical_json(fields), arrays))
