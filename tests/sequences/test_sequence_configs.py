"""Seed 001's config: five fields, their defaults and rules; and what a file's record compares."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

import kdtab
from kdtab.config.base import parse_config, revise
from kdtab.config.sequences import DistillationConfig, SequenceColumns, TrajectoryRequest
from kdtab.config.trajectories import COMPARED, differing_keys, example_record
from kdtab.errors.issue import explain


def test_the_five_fields_and_their_defaults() -> None:
    config = DistillationConfig(teacher_model_path="/path/to/teacher.soen")
    assert config.model_dump() == {
        "teacher_model_path": "/path/to/teacher.soen",
        "distillation_data_path": None,
        "subset_fraction": 1.0,
        "max_samples": None,
        "batch_size": 32,
    }
    assert kdtab.DistillationConfig is DistillationConfig


def test_a_path_may_be_a_path() -> None:
    config = DistillationConfig(distillation_data_path=Path("d.hdf5"))
    assert config.distillation_data_path == Path("d.hdf5")


def test_one_of_the_two_paths_must_be_provided() -> None:
    issue = parse_config(DistillationConfig, {}).failure().first
    said = explain(issue)
    assert said.startswith("teacher_model_path or distillation_data_path must be provided")
    with pytest.raises(ValueError, match="must be provided"):
        DistillationConfig()


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.0000001, float("nan"), float("inf"), True, "1"])
def test_a_fraction_is_above_zero_and_at_most_one(fraction: object) -> None:
    fields = {"teacher_model_path": "t", "subset_fraction": fraction}
    found = parse_config(DistillationConfig, fields).failure()
    assert [getattr(issue, "name", None) for issue in found] == ["subset_fraction"]


@pytest.mark.parametrize("name", ["max_samples", "batch_size"])
@pytest.mark.parametrize("value", [0, -1, 1.5])
def test_counts_are_positive(name: str, value: object) -> None:
    found = parse_config(DistillationConfig, {"teacher_model_path": "t", name: value}).failure()
    assert [getattr(issue, "name", None) for issue in found] == [name]


def test_a_config_is_frozen() -> None:
    config = DistillationConfig(teacher_model_path="t")
    with pytest.raises(ValidationError):
        config.batch_size = 1  # type: ignore[misc]  # that it raises is the point


def test_a_range_has_two_ends_in_order() -> None:
    alone = parse_config(TrajectoryRequest, {"scale_min": -1.0}).failure().first
    assert explain(alone).startswith("scale_min stands without scale_max")
    swapped = parse_config(TrajectoryRequest, {"scale_min": 1.0, "scale_max": 1.0}).failure().first
    assert explain(swapped).startswith("scale_min must be below scale_max (1.0)")


def test_a_stride_needs_a_window_and_groups_one_source() -> None:
    assert "needs a window" in explain(parse_config(SequenceColumns, {"stride": 2}).failure().first)
    both = {"split_column": "s", "test_size": 0.1}
    assert "names the groups" in explain(parse_config(SequenceColumns, both).failure().first)


@pytest.mark.parametrize("name", COMPARED)
def test_every_field_of_a_request_but_the_batch_size_is_compared(name: str) -> None:
    other: dict[str, object] = {
        "subset_fraction": 0.5,
        "max_samples": 3,
        "target_seq_len": 9,
        "resampling": "endpoints",
        "scale_min": -1.0,
        "scale_max": 1.0,
        "seed": 7,
        "columns": SequenceColumns(window=3),
    }
    fields = {"scale_min": -2.0, "scale_max": 2.0} if name.startswith("scale") else {}
    request = parse_config(TrajectoryRequest, fields).unwrap()
    record = revise(example_record(), request=request).unwrap()
    asked = revise(request, **{name: other[name]}).unwrap()
    found = differing_keys(record, asked, teacher_fingerprint="t-1", source_sha256="0" * 64)
    assert [key for key, _, _ in found] == [name]
    assert not differing_keys(record, asked, teacher_fingerprint=None, source_sha256=None, names=())


def test_teacher_and_source_are_compared_where_they_are_known() -> None:
    found = differing_keys(
        example_record(), TrajectoryRequest(), teacher_fingerprint="t-2", source_sha256="1" * 64
    )
    assert [key for key, _, _ in found] == ["teacher_fingerprint", "source_sha256"]
