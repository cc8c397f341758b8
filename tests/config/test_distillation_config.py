"""Objectives and pairs of layers in the config of a distillation, and in its file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from pydantic import TypeAdapter

from kdtab.cli.fields import parsed_run
from kdtab.config.base import parse_config
from kdtab.config.distillation import DistillConfig
from kdtab.config.layerpairs import LayerPairSpec
from kdtab.config.run import DistillRun, parse_run
from kdtab.errors.configs import FieldUnknown
from kdtab.errors.issue import explain
from objective_strategies import distill_configs, written

Fields = Mapping[str, object]


@given(config=distill_configs())
@pytest.mark.parametrize("suffix", [".toml", ".yaml"])
def test_a_config_comes_back_from_its_file(suffix: str, config: DistillConfig) -> None:
    plain = config.model_dump(mode="json", exclude_none=True)
    with tempfile.TemporaryDirectory() as folder:
        file = written({"target_column": "y", **plain}, suffix, Path(folder))
        run = parsed_run(DistillRun, str(file), {}).unwrap()
    assert run.distill == config


@given(config=distill_configs())
def test_a_config_comes_back_from_the_json_of_a_bundle(config: DistillConfig) -> None:
    text = config.model_dump_json(exclude_none=True)
    assert TypeAdapter(DistillConfig).validate_json(text) == config


def test_without_an_objective_the_record_is_what_it_always_was() -> None:
    assert DistillConfig(alpha=0.3).model_dump_json(exclude_none=True) == (
        '{"temperature":2.0,"alpha":0.3}'
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"objectve": {}}, "unknown field 'objectve'. Did you mean 'objective'?"),
        (
            {"objective": {"loses": []}},
            "config file 'run.toml': unknown field 'objective.loses'. Did you mean 'losses'?",
        ),
        (
            {"objective": {"losses": [{"kind": "huber", "detla": 2.0}]}},
            "config file 'run.toml': unknown field 'objective.losses.0.huber.detla'. "
            "Did you mean 'delta'?",
        ),
        (
            {"objective": {"losses": [{"kind": "foward_kl"}]}},
            "config file 'run.toml': objective.losses.0.kind must be one of 'forward_kl', "
            "'reverse_kl', 'total_variation', ",
        ),
        (
            {"objective": {"balancer": {"weights": [0.5]}}},
            "config file 'run.toml': objective.balancer.kind is required",
        ),
        (
            {"objective": {"balancer": {"kind": "static", "weight": [0.5], "weights": []}}},
            "config file 'run.toml': unknown field 'objective.balancer.static.weight'. "
            "Did you mean 'weights'?",
        ),
        (
            {"objective": 3},
            "config file 'run.toml': objective must be a section of `name: value` lines, got '3'",
        ),
        (
            {"objective": {"temperature": {"kind": "linear", "start": 4, "end": 0, "steps": 9}}},
            "config file 'run.toml': objective.temperature must be above 0 at every step, "
            "got '(4.0, 0.0)'",
        ),
        (
            {"layers": [{"student": "head"}]},
            "config file 'run.toml': layers.0.teacher is required",
        ),
        (
            {"layers": [{"student": "a", "teacher": "b", "loss": "l2"}]},
            "config file 'run.toml': layers.0.loss must be 'squared_error', 'absolute_error', "
            "'cosine_distance', 'relational_distance_over_batch', 'relational_angle_over_batch', "
            "'similarity_preserving_over_batch' or 'probabilistic_transfer_over_batch', got 'l2'",
        ),
        ({"layers": {"student": "a"}}, "config file 'run.toml': layers must be a list, got "),
    ],
)
def test_a_mistake_inside_is_told_with_file_field_and_near_miss(
    fields: Fields, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written({"target_column": "y", **fields}, ".toml", tmp_path)
    issues = parsed_run(DistillRun, "run.toml", {}).failure()
    assert len(issues) == 1
    assert explain(issues.first).startswith(sentence)


STATIC: Fields = {"balancer": {"kind": "static", "weights": [0.5]}}
HALF: Fields = {"alpha": {"kind": "constant", "value": 0.5}}
COOLED: Fields = {"temperature": {"kind": "linear", "start": 4.0, "end": 1.0, "steps": 9}}
PAIR: Fields = {"student": "head", "teacher": "head"}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"alpha": 0.3, "objective": STATIC}, "alpha"),
        ({"alpha": 0.3, "objective": HALF}, "alpha"),
        ({"temperature": 3.0, "objective": COOLED}, "temperature"),
        ({"objective": STATIC, "layers": [{**PAIR, "weight": 2.0}]}, "layers.0.weight"),
        ({"layers": [PAIR, {**PAIR, "loss": "cosine_distance"}]}, "layers"),
        ({"layers": [{**PAIR, "weight": -1.0}]}, "layers.0.weight"),
    ],
)
def test_no_number_is_given_twice_and_then_passed_over(fields: Fields, name: str) -> None:
    issues = parse_config(DistillConfig, fields).failure()
    assert [getattr(issue, "name", None) for issue in issues] == [name]


@pytest.mark.parametrize(
    "fields",
    [
        {"accumulation": 4},
        {"accumulation_steps": 4},
        {"objective": {"accumulation": 4}},
    ],
)
def test_nothing_takes_an_accumulation_that_nothing_does(fields: Fields) -> None:
    issues = parse_run(DistillRun, {"target_column": "y", **fields}).failure()
    assert [type(issue) for issue in issues] == [FieldUnknown]


def test_a_pair_compares_squares_with_weight_one_by_default() -> None:
    pair = LayerPairSpec(student="a", teacher="b")
    assert (pair.loss, pair.weight) == ("squared_error", 1.0)
