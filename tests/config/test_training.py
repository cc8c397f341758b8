from __future__ import annotations

import pytest
from pydantic import ValidationError

from kdtab.config.base import parse_config
from kdtab.config.reporting import ReportOptions
from kdtab.config.training import TrainingConfig
from kdtab.errors.issue import explain


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
