"""Size and latency against quality: what is drawn, and what is left out."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np

from kdtab.report.costs import cost_drawings
from kdtab.report.inputs import MeasuredRows, ModelOutputs
from kdtab.report.plots import draw_figures
from kdtab.report.side_by_side import summarize
from kdtab.report.summary import OtherStudent, Summary
from report_cases import HOSTILE, class_summary, value_summary

OTHERS = (
    OtherStudent("64 units", loss=0.4, parameters=900, bytes=4_000, p50=11e-6),
    OtherStudent("lost", loss=None, bytes=5_000, p50=12e-6),
)


def timed(summary: Summary) -> Summary:
    models = tuple(
        replace(model, p50=10 ** -(3 + place)) for place, model in enumerate(summary.models)
    )
    return replace(summary, models=models, others=OTHERS)


def test_what_is_known_of_two_models_is_drawn() -> None:
    assert [drawn.name for drawn in cost_drawings(timed(class_summary()))] == ["size", "latency"]
    assert [drawn.name for drawn in cost_drawings(timed(value_summary()))] == ["latency"]
    assert not cost_drawings(value_summary())


def test_students_that_were_fitted_too_are_named_and_one_without_a_loss_is_not() -> None:
    for drawn in cost_drawings(timed(class_summary())):
        assert ">64 units<" in drawn.svg
        assert ">lost<" not in drawn.svg
        assert "Hollow" in drawn.caption
    assert "Hollow" not in cost_drawings(class_summary())[0].caption


def test_costs_have_their_units() -> None:
    size, latency = cost_drawings(timed(class_summary()))
    assert "1 MB" in size.svg.replace("1.00 MB", "1 MB")
    assert "100 µs" in latency.svg


def test_a_page_has_both_figures_and_a_program_reads_the_students() -> None:
    summary = timed(class_summary())
    names = [drawn.name for drawn in draw_figures(summary).unwrap()]
    assert names[-3:] == ["size", "latency", "segments"]
    others = json.loads(json.dumps(summary.to_plain()))["others"]
    assert [other["name"] for other in others] == ["64 units", "lost"]


def test_a_name_is_a_text_and_cut() -> None:
    summary = replace(timed(class_summary()), others=(OtherStudent(HOSTILE * 9, 0.4, bytes=9),))
    (size, _) = cost_drawings(summary)
    assert "<script" not in size.svg
    assert len(size.svg) < 40_000


def test_the_loss_of_a_student_that_was_fitted_too_is_that_of_the_same_rows() -> None:
    rows = MeasuredRows("price", np.arange(40.0))
    said = [
        ModelOutputs(f"by {by}", "values", np.arange(40.0)[:, None] + by, bytes=9, p50=1e-5)
        for by in (0.0, 1.0, 3.0)
    ]
    (other,) = summarize(rows, *said[:2], others=said[2:]).others
    assert other == OtherStudent("by 3.0", loss=9.0, bytes=9, p50=1e-5)


def heights(svg: str, *texts: str) -> list[float]:
    """Where lines of text stand, in points from above."""
    every = re.findall(r'translate\([-0-9.]+ ([-0-9.]+)\)">([^<]*)</text>', svg)
    return [float(height) for text in texts for height, found in every if found == text]


def test_the_names_of_two_students_at_one_point_stand_apart() -> None:
    summary = class_summary()
    teacher, student, scratch = summary.models
    alike = replace(scratch, quality=student.quality, bytes=student.bytes)
    (size,) = cost_drawings(replace(summary, models=(teacher, student, alike)))
    below, above = heights(size.svg, "student", "scratch student")
    assert below - above > 15  # two lines of 8.5 points each
