"""Bundle files: records in, records out; nothing is executed, imported or opened but the file."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from returns.result import Result, Success

from kdtab.config.manifest import (
    FORMAT_VERSION,
    KINDS,
    MANIFESTS,
    canonical_json,
    manifest_fields,
)
from kdtab.disk.atomic import write_bytes
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
    BundleContradiction,
    BundleCorrupt,
    BundleForeign,
    BundleKindUnknown,
    BundleMissing,
    BundleNotReadable,
    BundleTooLarge,
    BundleTooNew,
)
from kdtab.errors.issue import Issues
from kdtab.record import BundleRecord, contradictions
from kdtab.results import fail

MOST_BYTES = 2 * 2**30
MOST_HEADER_BYTES = 64 * 2**20
MOST_VERSION = 10**6
LENGTH_BYTES = 8
# Without O_NONBLOCK, opening a pipe that took the file's place would wait for ever.
OPEN_OLD = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
Value = TypeVar("Value")


def read_record(path: str | os.PathLike[str]) -> Result[BundleRecord, Issues]:
    """The record in a bundle file (REQ-KD02, REQ-T22).

    Args:
        path: A regular file, or a link to one. Its suffix does not matter.

    Returns:
        The record, its arrays read-only; or `BundleMissing`, `BundleNotReadable`, `BundleForeign`,
        `BundleTooLarge`, `BundleTooNew`, `BundleKindUnknown`, `BundleCorrupt`.

    Example:
        >>> read_record("no such file").failure().first
        BundleMissing(path='no such file')
    """
    shown = os.fspath(path)
    return _content(shown).bind(lambda content: decode_record(shown, content))


def write_record(path: str | os.PathLike[str], record: BundleRecord) -> Result[None, Issues]:
    """Write a record as one file, whole or not at all.

    Args:
        path: Where; what is there already is replaced.
        record: What to store.

    Returns:
        None; or `BundleContradiction` for a record that could not be read again, `BundleTooLarge`,
        or what the disk refuses.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> from kdtab.record import TableManifest
        >>> record = BundleRecord(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ), {})
        >>> write_record("t.kdtab", record).failure().first.reason
        'its preprocessing steps are [], they must be vectorize, impute, scale'
    """
    reasons = contradictions(record)
    if reasons:
        return fail(*(BundleContradiction(reason=reason) for reason in reasons))
    content = encode_record(record)
    header_bytes = int.from_bytes(content[:LENGTH_BYTES], "little")
    for size, most in ((len(content), MOST_BYTES), (header_bytes, MOST_HEADER_BYTES)):
        if size > most:
            return fail(BundleTooLarge(path=os.fspath(path), size=size, most=most))
    return write_bytes(path, content)


def encode_record(record: BundleRecord) -> bytes:
    """The one content of the file that a record has.

    Args:
        record: A record without contradictions.

    Returns:
        A safetensors file: the header's length, the header, the arrays' bytes.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> from kdtab.record import TableManifest
        >>> encode_record(BundleRecord(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ), {}))[8:35]
        b'{"__metadata__":{"kdtab":"{'
    """
    places = places_of(record.arrays)
    data = data_of(record.arrays, places)
    fields = manifest_fields(record.manifest)
    signed = fields | {"sha256": digest_of(fields, places, data)}
    return header_of(canonical_json(signed), places) + data


def decode_record(path: str, content: bytes) -> Result[BundleRecord, Issues]:
    r"""The record in a file's content, of which every byte is what kdtab would have written.

    Args:
        path: The file, for messages.
        content: The whole file.

    Returns:
        The record, its arrays read-only views on the content; or the issues of `read_record`.

    Example:
        >>> decode_record("t.kdtab", b"PK\x05\x06").failure().first
        BundleForeign(path='t.kdtab', found='an empty zip archive')
    """
    return (
        _opened(path, content).bind(_of_known_format).bind(_located).bind(_verified).bind(_recorded)
    )


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


def _content(path: str) -> Result[bytes, Issues]:
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):
            return _irregular(path, mode)
        with os.fdopen(os.open(path, OPEN_OLD), "rb") as file:
            return _whole(path, file)
    except (FileNotFoundError, NotADirectoryError):
        return fail(BundleMissing(path=path))
    except OSError as error:
        return fail(BundleNotReadable(path=path, reason=error.strerror or str(error)))
    except ValueError:
        return fail(BundleNotReadable(path=path, reason="no file can have this name"))


def _whole(path: str, file: BinaryIO) -> Result[bytes, Issues]:
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode):
        return _irregular(path, found.st_mode)
    if found.st_size > MOST_BYTES:
        return fail(BundleTooLarge(path=path, size=found.st_size, most=MOST_BYTES))
    content = file.read(found.st_size + 1)
    if len(content) != found.st_size:
        return _corrupt(path, "it changed while it was read")
    return Success(content)


def _irregular(path: str, mode: int) -> Result[bytes, Issues]:
    found = "a folder" if stat.S_ISDIR(mode) else "a pipe, a device or a socket"
    return fail(BundleForeign(path=path, found=found))


def _opened(path: str, content: bytes) -> Result[_Opened, Issues]:
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    end = LENGTH_BYTES + length
    if content[LENGTH_BYTES : LENGTH_BYTES + 1] != b"{" or length > MOST_HEADER_BYTES:
        return fail(BundleForeign(path=path, found=describe_foreign(content)))
    if end > len(content):
        return _corrupt(path, f"its header needs {end:,} bytes, the file has {len(content):,}")
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


def _of_known_format(opened: _Opened) -> Result[_Opened, Issues]:
    version, kind = opened.manifest.get("format_version"), opened.manifest.get("kind")
    if type(version) is not int or not 1 <= version <= MOST_VERSION:
        return _corrupt(opened.path, "its format_version is no version number")
    if version > FORMAT_VERSION:
        return fail(BundleTooNew(path=opened.path, found=version, known=FORMAT_VERSION))
    if not isinstance(kind, str):
        return _corrupt(opened.path, "it does not say of which kind it is")
    if kind not in KINDS:
        return fail(BundleKindUnknown(path=opened.path, found=kind, known=KINDS))
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
        return _corrupt(opened.path, reason)
    if header_of(canonical_json(opened.manifest), places) != opened.header:
        return _corrupt(opened.path, "its header is not spelled as kdtab spells it")
    return Success(located)


def _verified(located: _Located) -> Result[_Located, Issues]:
    opened = located.opened
    digest = digest_of(opened.manifest, located.places, opened.data)
    if opened.manifest.get("sha256") != digest:
        return _corrupt(opened.path, "its checksum differs, so some byte is not what was saved")
    return Success(located)


def _recorded(located: _Located) -> Result[BundleRecord, Issues]:
    opened, places = located.opened, located.places
    arrays = arrays_in(places, opened.data)
    if places_of(arrays) != places:
        return _corrupt(opened.path, "its arrays are not in the order of a bundle")
    fields = {name: value for name, value in opened.manifest.items() if name != "sha256"}
    try:
        manifest = MANIFESTS.validate_json(canonical_json(fields))
    except ValidationError as error:
        return _corrupt(opened.path, *(_manifest_reason(detail) for detail in error.errors()[:8]))
    record = BundleRecord(manifest, arrays)
    reasons = contradictions(record)
    return _corrupt(opened.path, *reasons) if reasons else Success(record)


def _manifest_reason(detail: ErrorDetails) -> str:
    field = ".".join(str(part) for part in detail["loc"])
    return f"its field {quoted(field)} is refused ({quoted(detail['msg'])})"


def _corrupt(path: str, *reasons: str) -> Result[Value, Issues]:
    return fail(*(BundleCorrupt(path=path, reason=reason) for reason in reasons))
