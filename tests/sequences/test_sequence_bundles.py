"""Bundles of sequence networks: one file of the same format, known by its content."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Success

from bundle_strategies import regression_bundle
from kdtab.bundle import to_record
from kdtab.config.sequencenetworks import GruLayer, SequenceSpec, sequence_spec
from kdtab.disk.bundles import encode_record, read_record
from kdtab.disk.sequencebundles import (
    decode_sequence_record,
    encode_sequence_record,
    read_sequence_record,
)
from kdtab.errors.bundles import BundleIssue, BundleOfOtherKind
from kdtab.errors.issue import explain
from kdtab.errors.sequenceteachers import NotSequenceBundle
from kdtab.models.sequences import (
    from_sequence_record,
    new_sequence_bundle,
    to_sequence_record,
)
from kdtab.record import SequenceRecord, sequence_contradictions
from kdtab.sequence_models import (
    load_sequence_model,
    save_sequence_model,
    sequence_model,
    sequence_states,
)
from kdtab.teachers.sequences import sequence_teacher

LAYERS = [
    {"type": "SingleDendrite", "dim": 3, "time_step": 0.5},
    {"type": "GRU", "dim": 2},
    {"type": "LSTM", "dim": 2},
    {"type": "BasicLayer", "dim": 2, "activation": "relu"},
]
MODEL = new_sequence_bundle(sequence_spec(LAYERS, 4).unwrap(), random_seed=1)
CONTENT = encode_sequence_record(to_sequence_record(MODEL).unwrap())
INPUTS = np.random.default_rng(0).normal(size=(3, 9, 4))


def test_a_model_comes_back_equal_to_the_bit_whatever_its_file_is_called(tmp_path: Path) -> None:
    for name in ("teacher.soen", "student.kdtab", "model"):
        save_sequence_model(MODEL, tmp_path / name)
        found = load_sequence_model(tmp_path / name)
        assert found.fingerprint == MODEL.fingerprint
        assert found.provenance == MODEL.provenance
        np.testing.assert_array_equal(
            sequence_states(found, INPUTS), sequence_states(MODEL, INPUTS)
        )


def test_equal_models_are_equal_bytes() -> None:
    again = from_sequence_record(to_sequence_record(MODEL).unwrap(), torch.device("cpu")).unwrap()
    assert encode_sequence_record(to_sequence_record(again).unwrap()) == CONTENT


@settings(max_examples=300)
@given(place=st.integers(0, len(CONTENT) - 1), flip=st.integers(1, 255))
def test_a_file_with_any_byte_changed_is_refused_with_a_sentence(place: int, flip: int) -> None:
    mutated = bytearray(CONTENT)
    mutated[place] ^= flip
    issues = decode_sequence_record("m.soen", bytes(mutated)).failure()
    assert all(isinstance(issue, BundleIssue) and explain(issue).isprintable() for issue in issues)


@given(end=st.integers(0, len(CONTENT) - 1))
def test_a_file_that_is_cut_off_is_refused(end: int) -> None:
    assert not isinstance(decode_sequence_record("m.soen", CONTENT[:end]), Success)


def test_each_reader_names_the_other_kind(tmp_path: Path) -> None:
    table, series = tmp_path / "table.soen", tmp_path / "series.kdtab"
    table.write_bytes(encode_record(to_record(regression_bundle()).unwrap()))
    series.write_bytes(CONTENT)
    assert read_record(series).failure().first == BundleOfOtherKind(
        path=str(series), found="sequence", wanted="table"
    )
    assert read_sequence_record(table).failure().first == BundleOfOtherKind(
        path=str(table), found="table", wanted="sequence"
    )
    assert sequence_teacher(table).failure().first == NotSequenceBundle(
        path=str(table), kind="table"
    )


def test_an_array_that_fits_no_layer_is_a_contradiction() -> None:
    record = to_sequence_record(MODEL).unwrap()
    arrays = {**record.arrays, "weights/layers.9.bias": np.zeros(1, np.float32)}
    arrays.pop("weights/layers.0.gain")
    found = sequence_contradictions(SequenceRecord(record.manifest, arrays))
    assert found == (
        "array 'weights/layers.0.gain' is missing",
        "array 'weights/layers.9.bias' belongs to nothing",
    )


def test_a_network_that_was_changed_is_not_saved(tmp_path: Path) -> None:
    model = sequence_model([{"type": "BasicLayer", "dim": 2}])
    model.network.layers.append(torch.nn.ReLU())
    with pytest.raises(RuntimeError, match="its network was changed since it was built"):
        save_sequence_model(model, tmp_path / "m.soen")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    model = sequence_model([{"type": "BasicLayer", "dim": 2}])
    with torch.no_grad():
        next(model.network.parameters()).fill_(float("nan"))
    with pytest.raises(RuntimeError, match="NaN"):
        save_sequence_model(model, tmp_path / "m.soen")


def test_a_spec_of_any_size_costs_nothing_before_it_is_believed() -> None:
    spec = SequenceSpec(input_dim=10_000_000, layers=(GruLayer(dim=65_536),) * 64)
    record = SequenceRecord(
        to_sequence_record(MODEL).unwrap().manifest.model_copy(update={"network": spec}), {}
    )
    assert len(sequence_contradictions(record)) == 256


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_bundle_teaches_in_either_backend(tmp_path: Path, backend: str) -> None:
    save_sequence_model(MODEL, tmp_path / "teacher.soen")
    teacher = sequence_teacher(tmp_path / "teacher.soen", "jax" if backend == "jax" else "torch")
    states = teacher.unwrap().states(INPUTS.astype(np.float32)).unwrap()
    assert teacher.unwrap().info.fingerprint == MODEL.fingerprint
    np.testing.assert_allclose(states, sequence_states(MODEL, INPUTS), atol=1e-5)
