"""Tensors of any kind with a manifest, as one safetensors file; nothing in it is executed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from pydantic import ValidationError
from returns.result import Result, Success

from kdtab.config.lessons import ModelManifest
from kdtab.config.manifest import canonical_json
from kdtab.disk.atomic import write_bytes
from kdtab.disk.layout import METADATA, METADATA_KEY, Place, digest_of, header_of, strict_json
from kdtab.disk.localfiles import read_local_file
from kdtab.errors.base import quoted
from kdtab.errors.bundles import BundleCorrupt
from kdtab.errors.conversions import StateForeign
from kdtab.errors.issue import Issue, Issues
from kdtab.results import Checked, Value, collect, fail

# Bytes of one element, by the name that safetensors has for its type.
WIDTHS: dict[str, int] = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}
LENGTH_BYTES = 8
MOST_HEADER_BYTES = 64 * 2**20


@dataclass(frozen=True)
class StoredTensor:
    r"""The numbers of one tensor as bytes.

    Attributes:
        dtype: One of `WIDTHS`.
        shape: Lengths; zeros are allowed.
        data: Little-endian, the last axis fastest.

    Example:
        >>> StoredTensor("I8", (2,), b"\x01\x02").shape
        (2,)
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes | memoryview


@dataclass(frozen=True)
class StoredModel:
    """All that a file holds.

    Attributes:
        manifest: What it says of itself.
        tensors: By name.

    Example:
        >>> StoredModel(ModelManifest(kdtab_version="0", lesson=None), {}).tensors
        {}
    """

    manifest: ModelManifest
    tensors: Mapping[str, StoredTensor]


def write_model(path: str | os.PathLike[str], stored: StoredModel) -> Checked[None]:
    """Write a state as one file, whole or not at all; equal states give equal bytes.

    Args:
        path: Where; what is there already is replaced.
        stored: What to keep.

    Returns:
        None, or what the disk refuses.

    Example:
        >>> stored = StoredModel(ModelManifest(kdtab_version="0", lesson=None), {})
        >>> write_model("no such folder/a.safetensors", stored).failure().first.folder
        'no such folder'
    """
    return write_bytes(path, encoded_model(stored))


def read_model(path: str | os.PathLike[str]) -> Checked[StoredModel]:
    """The state in a file.

    Args:
        path: A regular file.

    Returns:
        The state, its bytes as they were written; or `FileMissing` and its kin, `StateForeign`.

    Example:
        >>> read_model("no such file").failure().first
        FileMissing(path='no such file')
    """
    shown = os.fspath(path)
    return read_local_file(path).bind(lambda content: decoded_model(shown, content))


def encoded_model(stored: StoredModel) -> bytes:
    """The one content of the file that a state has.

    Args:
        stored: What to keep.

    Returns:
        A safetensors file: the header's length, the header, the bytes.

    Example:
        >>> encoded_model(StoredModel(ModelManifest(kdtab_version="0", lesson=None), {}))[8:31]
        b'{"__metadata__":{"kdtab'
    """
    order = sorted(stored.tensors, key=lambda name: (-WIDTHS[stored.tensors[name].dtype], name))
    places: list[Place] = []
    for name in order:
        tensor, begin = stored.tensors[name], places[-1].end if places else 0
        places.append(Place(name, tensor.dtype, tensor.shape, begin, begin + len(tensor.data)))
    data = b"".join(stored.tensors[name].data for name in order)
    fields = stored.manifest.model_dump(mode="json")
    signed = fields | {"sha256": digest_of(fields, places, data)}
    return header_of(canonical_json(signed), places) + data


def decoded_model(path: str, content: bytes) -> Checked[StoredModel]:
    """The state in a file's content, of which every byte is what kdtab would have written.

    Args:
        path: The file, for messages.
        content: The whole file.

    Returns:
        The state, or `StateForeign`.

    Example:
        >>> decoded_model("a.bin", b"PK").failure().first
        StateForeign(path='a.bin', reason='it is no safetensors file of kdtab')
    """
    end = LENGTH_BYTES + int.from_bytes(content[:LENGTH_BYTES], "little")
    opens = content[LENGTH_BYTES : LENGTH_BYTES + 1] == b"{"
    if not opens or end > min(len(content), MOST_HEADER_BYTES):
        return _foreign(path, "it is no safetensors file of kdtab")
    header, data = content[:end], memoryview(content)[end:]
    return Result.do(
        stored
        for entries in _json(path, header[LENGTH_BYTES:])
        for text in _manifest_text(path, entries)
        for fields in _json(path, text)
        for places in _places(path, entries, len(data))
        for _ in _as_written(path, header, fields, places, data)
        for stored in _stored(path, fields, places, data)
    )


def _json(path: str, text: str | bytes) -> Checked[Mapping[str, object]]:
    return strict_json(path, text).alt(lambda issues: Issues(tuple(map(_own_words, issues))))


def _own_words(issue: Issue) -> Issue:
    if isinstance(issue, BundleCorrupt):
        return StateForeign(path=issue.path, reason=issue.reason)
    return issue


def _manifest_text(path: str, entries: Mapping[str, object]) -> Checked[str]:
    metadata = entries.get(METADATA)
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if isinstance(text, str):
        return Success(text)
    return _foreign(path, "it is a safetensors file of another program")


def _places(path: str, entries: Mapping[str, object], size: int) -> Checked[tuple[Place, ...]]:
    named = {name: entry for name, entry in entries.items() if name != METADATA}
    return collect(_place(path, name, entry) for name, entry in named.items()).bind(
        lambda places: _without_gaps(path, places, size)
    )


def _place(path: str, name: str, entry: object) -> Checked[Place]:
    match entry:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(begin), int(end)]}:
            lengths = [length for length in shape if type(length) is int and length >= 0]
            fits = len(lengths) == len(shape) and dtype in WIDTHS
            if fits and end - begin == prod(lengths) * WIDTHS[dtype]:
                return Success(Place(name, dtype, tuple(lengths), begin, end))
        case _:
            pass
    return _foreign(path, f"its tensor {quoted(name)} is not described as safetensors does")


def _without_gaps(path: str, places: tuple[Place, ...], size: int) -> Checked[tuple[Place, ...]]:
    begins = [0, *(place.end for place in places)]
    if begins == [*(place.begin for place in places), size]:
        return Success(places)
    return _foreign(path, "its tensors do not lie one after the other to its end")


def _as_written(
    path: str,
    header: bytes,
    fields: Mapping[str, object],
    places: tuple[Place, ...],
    data: memoryview,
) -> Checked[None]:
    if header_of(canonical_json(fields), places) != header:
        return _foreign(path, "its header is not spelled as kdtab spells it")
    if fields.get("sha256") != digest_of(fields, places, data):
        return _foreign(path, "its checksum differs, so some byte is not what was saved")
    return Success(None)


def _stored(
    path: str, fields: Mapping[str, object], places: tuple[Place, ...], data: memoryview
) -> Checked[StoredModel]:
    plain = {name: value for name, value in fields.items() if name != "sha256"}
    try:
        manifest = ModelManifest.model_validate_json(canonical_json(plain))
    except ValidationError:
        return _foreign(path, "its manifest is none that this kdtab knows; a newer one may")
    tensors = {
        place.name: StoredTensor(place.dtype, place.shape, data[place.begin : place.end])
        for place in places
    }
    return Success(StoredModel(manifest, tensors))


def _foreign(path: str, reason: str) -> Result[Value, Issues]:
    return fail(StateForeign(path=path, reason=reason))
