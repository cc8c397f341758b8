"""Presets beside what a person gave, and the students that are tried."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from returns.result import Success

from kdtab.config.base import parse_config
from kdtab.config.choice import (
    WIDTHS,
    ChoiceOptions,
    candidate_variants,
    fixed_fields,
    preset_fields,
)
from kdtab.config.distillation import DistillConfig
from kdtab.config.presets import PRESET_NAMES, Preset, PresetName, preset
from kdtab.config.run import DistillRun, parse_run, run_parts
from kdtab.config.training import TrainingConfig


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_every_field_of_a_preset_is_one_of_a_run_and_valid(name: PresetName) -> None:
    run = parse_run(DistillRun, {"target_column": "y", **preset_fields(preset(name), {})})
    assert run.unwrap().training.target_column == "y"


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_what_a_person_gave_goes_first(name: PresetName) -> None:
    every = preset_fields(preset(name), {})
    for field in every:
        assert field not in preset_fields(preset(name), {field: "whatever"})


@pytest.mark.parametrize(
    "given",
    [
        {"epochs": 3},
        {"objective": {"alpha": {"kind": "constant", "value": 0.3}}},
        {"validation_size": 0.0},
        {"training_mode": "batch_ensemble"},
    ],
)
def test_no_field_contradicts_what_a_person_gave(given: dict[str, object]) -> None:
    fields = preset_fields(preset("standard"), given) | given | {"target_column": "y"}
    parts = run_parts(DistillRun)
    for config in (TrainingConfig, DistillConfig):
        own = {name: value for name, value in fields.items() if name in config.model_fields}
        assert isinstance(parse_config(config, own), Success)
    assert {"training", "distill"} <= set(parts)


def test_the_usual_student_is_the_first_and_none_is_there_twice() -> None:
    for choice in (
        ChoiceOptions(),
        ChoiceOptions(tune=True),
        ChoiceOptions(max_bytes=9, tune=True),
    ):
        found = candidate_variants(preset("standard"), choice)
        changes = [tuple(each.changes.items()) for each in found]
        assert len(set(changes)) == len(changes)
        assert changes[0] == ((("student_hidden_dim", WIDTHS[0]),) if choice.limited else ())


def test_tuning_tries_nothing_that_the_usual_student_has_already() -> None:
    tuned = ChoiceOptions(tune=True)
    alone = [each.changes for each in candidate_variants(Preset(), tuned)]
    assert alone == [{}, {"student_hidden_dim": 128}, {"student_hidden_dim": 512}]
    quick = [each.changes for each in candidate_variants(preset("quick"), tuned)]
    assert {"student_hidden_dim": 128} not in quick
    assert {"temperature": 2.0} in quick
    assert {"augment": 0.0} in quick


def test_a_limit_tries_widths_from_the_widest_down() -> None:
    found = candidate_variants(preset("standard"), ChoiceOptions(max_latency=20.0))
    widths = [each.student_hidden_dim for each in found]
    assert widths == sorted(WIDTHS, reverse=True)


def test_what_a_person_fixed_is_not_varied() -> None:
    choice = ChoiceOptions(tune=True)
    found = candidate_variants(preset("standard"), choice, fixed=fixed_fields({"alpha": 0.3}))
    assert all(each.alpha is None for each in found)
    assert any(each.student_hidden_dim for each in found)
    widths = candidate_variants(
        preset("standard"), ChoiceOptions(max_bytes=9), fixed=("student_hidden_dim",)
    )
    assert [each.changes for each in widths] == [{}]


def test_limits_are_above_zero() -> None:
    for field in ("max_bytes", "max_latency"):
        with pytest.raises(ValidationError):
            ChoiceOptions.model_validate({field: 0})
