"""How results, mistakes and numbers look."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.cli.console import (
    aligned,
    exit_code,
    figure,
    issue_document,
    issue_lines,
    json_text,
)
from kdtab.cli.exits import Exit
from kdtab.errors.bundles import BundleMissing
from kdtab.errors.columns import ColumnMissing
from kdtab.errors.configs import FieldMissing
from kdtab.errors.issue import Issue, Issues
from kdtab.errors.tables import FileMissing, FolderMissing
from kdtab.errors.teachers import LabelEncoderMissing, LabelsUnknown, TaskMismatch
from kdtab.errors.training import LossNotFinite


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), min_size=1))
def test_a_table_has_one_printable_line_for_each_row(rows: list[tuple[str, ...]]) -> None:
    lines = aligned(rows).split("\n")
    assert len(lines) == len(rows) + 1
    assert all(line.isprintable() and line == line.rstrip() for line in lines)


@given(st.floats())
def test_a_number_takes_at_most_twelve_characters_below_a_million_millions(value: float) -> None:
    if math.isfinite(value) and 1e-4 <= abs(value) < 1e8:
        assert abs(float(figure(value).replace(",", "")) - value) <= 5e-4 * abs(value)
        assert len(figure(value)) <= 12


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_every_answer_is_json_that_any_reader_takes(value: object) -> None:
    def refuse(constant: str) -> object:
        raise AssertionError(constant)

    json.loads(json_text({"value": value}), parse_constant=refuse)


@pytest.mark.parametrize(
    ("issue", "code"),
    [
        (FieldMissing(name="target_column"), Exit.USAGE),
        (TaskMismatch(requested="regression", teacher="classification"), Exit.USAGE),
        (FileMissing(path="a.csv"), Exit.DATA),
        (ColumnMissing(name="a", role="target_column", columns=()), Exit.DATA),
        (LabelsUnknown(labels=("c",), rows=1, classes=("a",)), Exit.DATA),
        (BundleMissing(path="a.kdtab"), Exit.BUNDLE),
        (LabelEncoderMissing(), Exit.BUNDLE),
        (LossNotFinite(epoch=1, what="the loss"), Exit.TRAINING),
        (FolderMissing(path="a/b", folder="a"), Exit.DISK),
    ],
)
def test_the_first_issue_decides_the_exit_code(issue: Issue, code: Exit) -> None:
    later = LossNotFinite(epoch=9, what="a weight")
    assert exit_code(Issues((issue, later))) == code


def test_every_issue_is_a_line_and_an_object() -> None:
    issues = Issues((FileMissing(path="a\nb.csv"), FieldMissing(name="target_column")))
    assert issue_lines(issues) == (
        "error: no file at 'a\\nb.csv': check the path and its spelling\n"
        "error: target_column is required\n"
    )
    assert issue_document(issues) == {
        "error": [
            {
                "kind": "FileMissing",
                "message": "no file at 'a\\nb.csv': check the path and its spelling",
                "facts": {"path": "a\nb.csv"},
            },
            {
                "kind": "FieldMissing",
                "message": "target_column is required",
                "facts": {"name": "target_column"},
            },
        ]
    }
