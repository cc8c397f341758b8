from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from kdtab.config.base import parse_config
from kdtab.config.reporting import ReportOptions
from kdtab.config.training import TrainingConfig
from kdtab.errors.issue import explain
from kdtab.shell.budget import resolve_settings


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"test_size": 0.5, "validation_size": 0.5},
            "validation_size plus test_size must be below 1, or no row is left to train on, got '0.5'",
        ),
        (
            {"patience": 3},
            "patience needs a validation_size above 0, or there is no validation loss to wait for, "
            "got '3'",
        ),
    ],
)
def test_fields_that_are_fine_alone_may_disagree(fields: dict[str, object], sentence: str) -> None:
    found = parse_config(TrainingConfig, {"target_column": "y", **fields}).failure()
    assert [explain(issue) for issue in found] == [sentence]
    with pytest.raises(ValidationError):
        TrainingConfig.model_validate({"target_column": "y", **fields})


def test_numbers_of_numpy_are_numbers() -> None:
    config = TrainingConfig.model_validate(
        {"target_column": "y", "epochs": np.int64(3), "learning_rate": np.float32(0.5)}
    )
    assert (config.epochs, type(config.epochs)) == (3, int)
    assert (config.learning_rate, type(config.learning_rate)) == (0.5, float)
    assert TrainingConfig(target_column="y", epochs=3, learning_rate=0.5) == config


def test_the_precision_of_products_is_recorded_where_it_is_not_the_usual_one() -> None:
    usual, narrow = (
        TrainingConfig.model_validate({"target_column": "y", "matmul_precision": kind})
        for kind in ("float32", "bfloat16")
    )
    assert "matmul_precision" not in usual.model_dump()
    assert TrainingConfig.model_validate(narrow.model_dump()) == narrow != usual
    assert resolve_settings(narrow, 100, "classification").matmul_precision == "bfloat16"
    asked = {"target_column": "y", "matmul_precision": "float16"}
    assert len(parse_config(TrainingConfig, asked).failure()) == 1


@pytest.mark.parametrize("value", [True, np.bool_(True), "3", 3.5, None])
def test_what_is_no_whole_number_is_no_hidden_dim(value: object) -> None:
    found = parse_config(TrainingConfig, {"target_column": "y", "hidden_dim": value})
    assert len(found.failure()) == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"segments": ["sex"]}, "segments need a report to stand in, got \"['sex']\""),
        ({"allow_undefined": True}, "allow_undefined needs a min_gain, got 'True'"),
    ],
)
def test_report_options_without_what_they_are_for_are_refused(
    fields: dict[str, object], sentence: str
) -> None:
    found = parse_config(ReportOptions, fields).failure()
    assert [explain(issue) for issue in found] == [sentence]
