"""Flat fields sorted into the configs of a run."""

from __future__ import annotations

import pytest

from kdtab.config.base import FrozenConfig
from kdtab.config.run import DistillRun, ReadRun, TrainRun, parse_run, run_parts
from kdtab.errors.configs import FieldInvalid, FieldMissing, FieldUnknown


@pytest.mark.parametrize(
    "parts", [run_parts(TrainRun), run_parts(DistillRun), run_parts(ReadRun)], ids=len
)
def test_no_two_configs_of_a_run_share_a_name(parts: dict[str, type[FrozenConfig]]) -> None:
    names = [name for part in parts.values() for name in part.model_fields]
    assert len(names) == len(set(names))


def test_every_part_of_a_run_is_a_config() -> None:
    assert list(run_parts(DistillRun)) == list(DistillRun.model_fields)


def test_fields_find_their_config() -> None:
    fields = {"target_column": "y", "alpha": 0.1, "separator": ";", "exclude_columns": ["a"]}
    run = parse_run(DistillRun, fields).unwrap()
    assert (run.training.target_column, run.distill.alpha) == ("y", 0.1)
    assert (run.reading.separator, run.columns.exclude_columns) == (";", ("a",))
    assert run.compute.device is None


def test_every_mistake_of_every_config_is_found_at_once() -> None:
    fields = {"epochs": 0, "max_categories": 0, "device": 3, "sheet": "x"}
    found = parse_run(TrainRun, fields).failure().every
    assert [type(issue) for issue in found] == [
        FieldUnknown, FieldMissing, FieldInvalid, FieldInvalid, FieldInvalid,
    ]  # fmt: skip


def test_a_field_of_distillation_is_unknown_to_training() -> None:
    found = parse_run(TrainRun, {"target_column": "y", "temperature": 2.0}).failure().first
    assert isinstance(found, FieldUnknown)
    assert found.name == "temperature"
