"""Weights from a safetensors file of any origin, as torch tensors; nothing is unpickled."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from math import prod
from typing import TypeGuard

import torch
from returns.result import Success
from torch import Tensor

from kdtab.disk.localfiles import read_local_file
from kdtab.disk.signatures import describe_foreign
from kdtab.errors.base import quoted
from kdtab.errors.taskteachers import TeacherWeightsBroken, TeacherWeightsForeign
from kdtab.results import Checked, fail

DTYPES: dict[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
LENGTH_BYTES = 8
MOST_HEADER_BYTES = 100_000_000
MOST_BYTES = 2**62
METADATA = "__metadata__"


def read_weights(path: str | os.PathLike[str]) -> Checked[Mapping[str, Tensor]]:
    """The tensors in a safetensors file, as any library writes it.

    Args:
        path: A local regular file.

    Returns:
        Tensors by name on the CPU, in memory of their own; or `TeacherWeightsForeign` (a pickle
        among them), `TeacherWeightsBroken` and the issues of `read_local_file`.

    Example:
        >>> read_weights("no such file.safetensors").failure().first
        FileMissing(path='no such file.safetensors')
    """
    named = os.fspath(path)
    return read_local_file(named).bind(lambda content: decode_weights(named, content))


def decode_weights(path: str, content: bytes) -> Checked[Mapping[str, Tensor]]:
    """The tensors in the content of a safetensors file.

    Args:
        path: The file, for messages.
        content: All of its bytes; nothing in them is trusted.

    Returns:
        As `read_weights`.

    Example:
        >>> header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
        >>> decode_weights("w", len(header).to_bytes(8, "little") + header + bytes(4)).unwrap()
        {'w': tensor([0.])}
    """
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    if content[LENGTH_BYTES : LENGTH_BYTES + 1] != b"{" or length > MOST_HEADER_BYTES:
        return fail(TeacherWeightsForeign(path=path, found=describe_foreign(content)))
    end = LENGTH_BYTES + length
    try:
        header = json.loads(content[LENGTH_BYTES:end])
    except (ValueError, RecursionError):
        return fail(TeacherWeightsBroken(path=path, reason="its header is no JSON"))
    if not isinstance(header, dict):
        return fail(TeacherWeightsBroken(path=path, reason="its header is no JSON object"))
    data = memoryview(content)[end:]
    entries = {name: entry for name, entry in header.items() if name != METADATA}
    wrong = tuple(name for name, entry in entries.items() if not _is_entry(entry, len(data)))
    if wrong:
        reason = f"its array {quoted(wrong[0])} is not described as what lies in the file"
        return fail(TeacherWeightsBroken(path=path, reason=reason))
    return Success({name: _tensor(entry, data) for name, entry in entries.items()})


def _is_entry(entry: object, size: int) -> bool:
    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= set(entry):
        return False
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        return False
    if not _is_counts(shape) or not _is_counts(offsets) or len(offsets) != 2:
        return False
    if prod(max(length, 1) for length in shape) > MOST_BYTES:  # of no element, and yet too long
        return False
    begin, end = offsets
    return begin <= end <= size and end - begin == prod(shape) * DTYPES[dtype].itemsize


def _is_counts(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _tensor(entry: Mapping[str, object], data: memoryview) -> Tensor:
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    assert isinstance(dtype, str)
    assert isinstance(shape, list)
    assert isinstance(offsets, list)
    own = bytearray(data[offsets[0] : offsets[1]])
    if not own:
        return torch.empty(shape, dtype=DTYPES[dtype])
    return torch.frombuffer(own, dtype=DTYPES[dtype]).reshape(shape)
