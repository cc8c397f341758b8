"""How a bundle lies in bytes: a safetensors file whose every byte is decided by its content.

The safetensors library would write and read the same format, but the order of its header is its
own affair and may change, while equal bundles must be equal bytes under every version; and it
ignores what a bundle must refuse (other spellings of the same header, unknown metadata).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import NoReturn, TypeGuard

import numpy as np
from returns.result import Result, Success

from kdtab.config.manifest import canonical_json
from kdtab.errors.base import quoted
from kdtab.errors.bundles import BundleCorrupt
from kdtab.errors.issue import Issues
from kdtab.record import Array
from kdtab.results import collect, fail

DTYPES: dict[str, str] = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8"}
CODES: dict[str, str] = {"float16": "F16", "float32": "F32", "float64": "F64", "int64": "I64"}
METADATA = "__metadata__"
METADATA_KEY = "kdtab"
ALIGNMENT = 8
MOST_AXES = 8
MOST_ALONG_AXIS = 2**31 - 1
MOST_DEPTH = 32


@dataclass(frozen=True)
class Place:
    """Where an array's bytes lie, counted from the end of the header.

    Example:
        >>> Place("scale/mean", "F64", (2,), begin=0, end=16).end
        16
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def places_of(arrays: Mapping[str, Array]) -> tuple[Place, ...]:
    """The places of arrays: wide elements first, then by name, without gaps.

    Args:
        arrays: float16, float32, float64 or int64, by name.

    Returns:
        One place each; offsets are multiples of the element size, as safetensors wants.

    Raises:
        KeyError: On another dtype; `contradictions` finds it before.

    Example:
        >>> [place.name for place in places_of({"a": np.zeros(1, np.float32), "b": np.zeros(1)})]
        ['b', 'a']
    """
    places: list[Place] = []
    begin = 0
    for name in sorted(arrays, key=lambda name: (-arrays[name].itemsize, name)):
        array = arrays[name]
        end = begin + array.nbytes
        places.append(Place(name, CODES[array.dtype.name], array.shape, begin, end))
        begin = end
    return tuple(places)


def header_of(manifest_text: str, places: Sequence[Place]) -> bytes:
    """The header's bytes, its length in front, padded with blanks to a multiple of eight.

    Args:
        manifest_text: The manifest, checksum included, as canonical JSON.
        places: Where the arrays lie.

    Returns:
        All bytes of the file before the first array.

    Example:
        >>> len(header_of("{}", ())) % 8
        0
    """
    table = {place.name: _entry(place) for place in places}
    text = json.dumps({METADATA: {METADATA_KEY: manifest_text}} | table, separators=(",", ":"))
    padded = text.encode("ascii") + b" " * (-len(text) % ALIGNMENT)
    return len(padded).to_bytes(8, "little") + padded


def digest_of(
    manifest_fields: Mapping[str, object], places: Sequence[Place], data: bytes | memoryview
) -> str:
    """The checksum: sha256 over the manifest without its checksum, the array table and the bytes.

    Args:
        manifest_fields: The manifest as JSON values; a field `sha256` is left out.
        places: Where the arrays lie.
        data: The bytes of all arrays.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> digest_of({"kind": "table"}, (), b"") == digest_of({"kind": "table", "sha256": "?"}, (), b"")
        True
    """
    fields = {name: value for name, value in manifest_fields.items() if name != "sha256"}
    table = [[place.name, _entry(place)] for place in places]
    digest = hashlib.sha256(f"{canonical_json(fields)}\n{canonical_json(table)}\n".encode("ascii"))
    digest.update(data)
    return digest.hexdigest()


def strict_json(path: str, text: str | bytes) -> Result[Mapping[str, object], Issues]:
    """A JSON object without duplicate keys, NaN, infinity or bottomless nesting.

    Args:
        path: The file, for messages.
        text: What stands in the file.

    Returns:
        The object's values by name, or `BundleCorrupt`.

    Example:
        >>> strict_json("t.kdtab", '{"a": 1}').unwrap()
        {'a': 1}
        >>> strict_json("t.kdtab", '{"a": 1, "a": 2}').failure().first.reason
        'its header has the same key twice'
    """
    try:
        value = json.loads(
            text, object_pairs_hook=_distinct, parse_constant=_no_constant, parse_float=_finite
        )
    except _RefusedError as refused:
        return fail(BundleCorrupt(path=path, reason=str(refused)))
    except (ValueError, RecursionError):
        return fail(BundleCorrupt(path=path, reason="its header is no JSON"))
    if not isinstance(value, dict) or _is_deep(value):
        return fail(BundleCorrupt(path=path, reason="its header is no JSON object of a bundle"))
    return Success(value)


def places_in(path: str, header: Mapping[str, object]) -> Result[tuple[Place, ...], Issues]:
    """The places that a header names, checked one by one and together.

    Args:
        path: The file, for messages.
        header: The header as JSON values.

    Returns:
        The places in the order of the header, without gaps or overlaps, or `BundleCorrupt` for
        each that is wrong.

    Example:
        >>> header = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
        >>> places_in("t.kdtab", header).unwrap()[0].end
        8
        >>> places_in("t.kdtab", {"a": 7}).failure().first.reason
        "array 'a' is not described by dtype, shape and data_offsets"
    """
    named = [(name, entry) for name, entry in header.items() if name != METADATA]
    return collect(_place(path, name, entry) for name, entry in named).bind(
        lambda places: _without_gaps(path, places)
    )


def arrays_in(places: Sequence[Place], data: memoryview) -> dict[str, Array]:
    """The arrays themselves, as read-only views on the bytes.

    Args:
        places: Checked places that cover the bytes exactly.
        data: All bytes after the header.

    Returns:
        Arrays by name, in the machine's byte order.

    Example:
        >>> place = Place("a", "F32", (2,), begin=0, end=8)
        >>> arrays_in((place,), memoryview(bytes(8)))["a"].tolist()
        [0.0, 0.0]
    """
    return {place.name: _array(place, data) for place in places}


def data_of(arrays: Mapping[str, Array], places: Sequence[Place]) -> bytes:
    """The bytes of all arrays, little-endian, one after the other.

    Args:
        arrays: Arrays by name.
        places: Their order.

    Returns:
        What follows the header.

    Example:
        >>> arrays = {"a": np.ones(1, np.float32)}
        >>> data_of(arrays, places_of(arrays)).hex()
        '0000803f'
    """
    return b"".join(
        np.asarray(arrays[place.name], dtype=DTYPES[place.dtype]).tobytes() for place in places
    )


def _entry(place: Place) -> dict[str, object]:
    return {
        "dtype": place.dtype,
        "shape": list(place.shape),
        "data_offsets": [place.begin, place.end],
    }


def _place(path: str, name: str, entry: object) -> Result[Place, Issues]:
    reason = _entry_problem(entry)
    if reason is not None or not isinstance(entry, dict):
        return fail(BundleCorrupt(path=path, reason=f"array {quoted(name)} {reason}"))
    begin, end = entry["data_offsets"]
    return Success(Place(name, entry["dtype"], tuple(entry["shape"]), begin, end))


def _entry_problem(entry: object) -> str | None:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        return "is not described by dtype, shape and data_offsets"
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        return f"has a dtype that is none of {', '.join(DTYPES)}"
    if not _is_counts(shape) or len(shape) > MOST_AXES:
        return "has a shape that no array has"
    if any(not 1 <= length <= MOST_ALONG_AXIS for length in shape):
        return "has a shape that no array has"
    if not _is_counts(offsets) or len(offsets) != 2:
        return "has offsets that are not two byte positions"
    if offsets[1] - offsets[0] != prod(shape) * np.dtype(DTYPES[dtype]).itemsize:
        return "has offsets that do not fit its shape"
    return None


def _without_gaps(path: str, places: tuple[Place, ...]) -> Result[tuple[Place, ...], Issues]:
    begin = 0
    for place in places:
        if place.begin != begin:
            reason = f"array {quoted(place.name)} does not begin where the one before it ends"
            return fail(BundleCorrupt(path=path, reason=reason))
        begin = place.end
    return Success(places)


def _array(place: Place, data: memoryview) -> Array:
    flat = np.frombuffer(data[place.begin : place.end], dtype=DTYPES[place.dtype])
    shaped: Array = flat.reshape(place.shape).astype(flat.dtype.newbyteorder("="), copy=False)
    shaped.setflags(write=False)
    return shaped


def _is_counts(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


class _RefusedError(ValueError):
    """JSON that says more than one thing, or what no number says."""


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise _RefusedError("its header has the same key twice")
    return dict(pairs)


def _no_constant(constant: str) -> NoReturn:
    raise _RefusedError(f"its header holds {constant}")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if isfinite(number) else _no_constant("a number beyond all floats")


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [child for parent in level for child in _children(parent)]
    return bool(level)


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
