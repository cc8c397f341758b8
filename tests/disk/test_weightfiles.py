from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Failure, Success
from safetensors.torch import save, save_file

from kdtab.disk.weightfiles import DTYPES, decode_weights, read_weights
from kdtab.errors.tables import FileMissing, PathIsUrl
from kdtab.errors.taskteachers import TeacherWeightsBroken, TeacherWeightsForeign

WEIGHTS = {
    str(dtype): (torch.arange(6).reshape(2, 3) % 2).to(dtype) for dtype in DTYPES.values()
} | {"empty": torch.zeros(0, 4), "one": torch.tensor(7), "bfloat": torch.randn(5).bfloat16()}


def test_what_the_safetensors_library_writes_is_read_to_the_bit(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "w.safetensors", metadata={"format": "pt"})
    found = read_weights(tmp_path / "w.safetensors").unwrap()
    assert found.keys() == WEIGHTS.keys()
    for name, tensor in WEIGHTS.items():
        assert found[name].dtype is tensor.dtype
        assert torch.equal(found[name], tensor)


def test_the_tensors_have_memory_of_their_own(tmp_path: Path) -> None:
    save_file({"w": torch.ones(3)}, tmp_path / "w.safetensors")
    content = (tmp_path / "w.safetensors").read_bytes()
    read_weights(tmp_path / "w.safetensors").unwrap()["w"].zero_()
    assert (tmp_path / "w.safetensors").read_bytes() == content


def test_a_missing_file_and_an_address_are_told() -> None:
    assert isinstance(read_weights("no such.safetensors").failure().first, FileMissing)
    assert isinstance(read_weights("https://a.b/w.safetensors").failure().first, PathIsUrl)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", TeacherWeightsForeign),
        (b"\x80\x04K\x01.", TeacherWeightsForeign),
        (b"PK\x03\x04" + bytes(60), TeacherWeightsForeign),
        ((2**62).to_bytes(8, "little") + b"{}", TeacherWeightsForeign),
        ((9).to_bytes(8, "little") + b"{not json", TeacherWeightsBroken),
        ((200_000).to_bytes(8, "little") + b'{"a":' * 40_000, TeacherWeightsBroken),
    ],
    ids=["empty", "pickle", "zip", "huge header", "no json", "bottomless"],
)
def test_what_is_no_safetensors_file_is_refused(content: bytes, kind: type[object]) -> None:
    assert isinstance(decode_weights("w", content).failure().first, kind)


@pytest.mark.parametrize(
    "entry",
    [
        7,
        {"dtype": "F32", "shape": [1]},
        {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": [0, 2**62, 2**62], "data_offsets": [0, 0]},
        {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]},
    ],
)
def test_an_entry_that_does_not_describe_its_bytes_is_refused(entry: object) -> None:
    header = json.dumps({"w": entry}).encode("ascii")
    content = len(header).to_bytes(8, "little") + header + bytes(4)
    assert isinstance(decode_weights("w", content).failure().first, TeacherWeightsBroken)


@given(place=st.integers(0, 400), byte=st.integers(0, 255), cut=st.integers(0, 400))
def test_a_changed_or_cut_file_is_read_or_refused_but_never_crashes(
    place: int, byte: int, cut: int
) -> None:
    content = bytearray(save({"a": torch.ones(2, 3), "b": torch.tensor([1, 2])}))
    content[place % len(content)] = byte
    found = decode_weights("w", bytes(content[: len(content) - cut % len(content)]))
    assert isinstance(found, Success | Failure)
