"""What passes the gate, and what the verdict says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kdtab.metrics.bootstrap import Interval
from kdtab.metrics.retention import Gain, Retained, TeacherNotBetter, TooFewRows
from kdtab.report.verdict import gate, headline, verdict_sentence
from report_cases import class_summary, value_summary

REPORT = class_summary(rows=30)
KEPT = Retained(0.9, Interval(0.5, 1.2), 0.1, Interval(0.05, 0.2))
UNDEFINED = (
    TeacherNotBetter(0.0, Interval(-0.1, 0.1)),
    TeacherNotBetter(-0.5, Interval(-0.9, -0.1)),
    TooFewRows(3, 20),
    None,
)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_share_passes_where_it_reaches_the_least_one(allowed: bool) -> None:
    report = replace(REPORT, gain=KEPT)
    assert gate(report, 0.9, allowed)
    assert not gate(report, 0.91, allowed)


@pytest.mark.parametrize("gain", UNDEFINED)
def test_what_is_undefined_passes_only_where_that_is_allowed(gain: Gain | None) -> None:
    report = replace(REPORT, gain=gain)
    assert not gate(report, -1.0)
    assert gate(report, 1.0, allow_undefined=True)


@pytest.mark.parametrize("gain", [KEPT, *UNDEFINED])
def test_every_verdict_has_a_headline_and_a_sentence_of_its_own(gain: Gain | None) -> None:
    report = replace(REPORT, gain=gain)
    others = [replace(REPORT, gain=other) for other in (KEPT, *UNDEFINED) if other != gain]
    assert headline(report) not in [headline(other) for other in others]
    assert verdict_sentence(report).endswith(".")


def test_a_number_is_given_only_where_there_is_one() -> None:
    assert headline(replace(REPORT, gain=KEPT)) == "90 % of the teacher’s gain retained"
    assert "50.0 % to 120.0 %" in verdict_sentence(replace(REPORT, gain=KEPT))
    for gain in UNDEFINED:
        assert "retained" not in headline(replace(REPORT, gain=gain))


def test_the_loss_is_named() -> None:
    assert "log loss" in verdict_sentence(class_summary())
    assert "mean squared error" in verdict_sentence(value_summary())
