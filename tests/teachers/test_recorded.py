"""Recorded scores as teachers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients import client_frame, teacher_of
from kdtab.disk.frames import write_frame
from kdtab.errors.answers import ScoreKeysUnusable, ScoresAbsent, ScoresUnclear
from kdtab.errors.columns import ColumnMissing
from kdtab.errors.issue import explain
from kdtab.errors.tables import FileMissing
from kdtab.errors.teachers import TeacherOutputsInvalid
from kdtab.recipes.predict import predict_frame
from kdtab.teachers.hints import TeacherHints
from kdtab.teachers.network import NetworkTeacher
from kdtab.teachers.recorded import RecordedTeacher, recorded_teacher

IDS = [10, 11, 12, 13, 14]
NO = np.array([0.9, 0.8, 0.5, 0.3, 0.1])
SCORES = pl.DataFrame({"id": IDS, "probability_no": NO, "probability_yes": 1 - NO})


@given(order=st.permutations(range(5)), rows=st.lists(st.integers(0, 4), unique=True))
def test_scores_find_their_rows_whatever_the_order_and_the_batch(
    order: list[int], rows: list[int]
) -> None:
    teacher = recorded_teacher(SCORES[order]).unwrap()
    asked = pl.DataFrame({"id": [IDS[row] for row in rows]}, schema={"id": pl.Int64})
    spoken = teacher.outputs(asked).unwrap()
    np.testing.assert_array_equal(spoken.values[:, 0], NO[rows])
    assert teacher.info.fingerprint == recorded_teacher(SCORES).unwrap().info.fingerprint


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_predict_wrote_is_a_teacher(tmp_path: Path, suffix: str) -> None:
    bundle, frame = teacher_of(), client_frame().with_row_index("id")
    scores = predict_frame(bundle, frame, "cpu").unwrap().with_columns(frame["id"])
    path = tmp_path / f"scores.{suffix}"
    write_frame(path, scores).unwrap()
    spoken = recorded_teacher(path).bind(lambda found: found.outputs(frame[::-1])).unwrap()
    logits = NetworkTeacher(bundle).outputs(frame[::-1]).unwrap().values
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(spoken.values, expected, rtol=1e-5)


@pytest.mark.parametrize("key", [pl.Int8, pl.Float64, pl.String])
def test_a_key_is_its_value_whatever_its_type(key: type[pl.DataType]) -> None:
    asked = pl.DataFrame({"id": IDS}).cast(key)
    spoken = recorded_teacher(SCORES).bind(lambda found: found.outputs(asked)).unwrap()
    np.testing.assert_array_equal(spoken.values[:, 0], NO)


def named(frame: pl.DataFrame, **hints: object) -> RecordedTeacher:
    return recorded_teacher(frame, TeacherHints(**hints)).unwrap()  # type: ignore[arg-type]  # by name


def test_columns_are_classes_when_they_are_named() -> None:
    frame = pl.DataFrame({"row": [1], "yes": [0.2], "no": [0.8], "comment": ["x"]})
    teacher = named(frame, classes=("no", "yes"), key="row")
    assert teacher.outputs(frame).unwrap().values.tolist() == [[0.8, 0.2]]
    only = named(frame.drop("comment"), task="classification", key="row")
    assert only.info.classes == ("yes", "no")


def test_values_and_logits_are_recorded_too() -> None:
    assert named(pl.DataFrame({"id": [1], "prediction": ["2.5"]})).scores.tolist() == [[2.5]]
    only = named(pl.DataFrame({"id": [1], "score": [7]}), task="regression", key="id")
    assert only.outputs(pl.DataFrame({"id": [1]})).unwrap().kind == "values"
    logits = named(SCORES, output_kind="logits")
    assert logits.info.output_kind == "logits"


def test_rows_without_a_score_are_counted() -> None:
    asked = pl.DataFrame({"id": [10, 7, 8]})
    issue = named(SCORES).outputs(asked).failure().first
    assert isinstance(issue, ScoresAbsent)
    assert (issue.count, issue.rows, issue.example) == (2, 3, "7")
    assert explain(issue).startswith("2 of 3 rows have no score")


@pytest.mark.parametrize(
    ("keys", "missing", "repeated"),
    [([10, 10, 11, 11, 11], 0, 2), ([10, None, None], 2, 0), ([None, 10, 10], 1, 1)],
)
def test_missing_and_repeated_keys_are_counted_on_both_sides(
    keys: list[int | None], missing: int, repeated: int
) -> None:
    asked = pl.DataFrame({"id": keys})
    of_table = named(SCORES).outputs(asked).failure().first
    scores = asked.with_columns(prediction=pl.lit(1.0))
    of_scores = recorded_teacher(scores).failure().first
    for issue in (of_table, of_scores):
        assert isinstance(issue, ScoreKeysUnusable)
        assert (issue.missing, issue.repeated) == (missing, repeated)


def test_unusable_scores_are_counted() -> None:
    bad = SCORES.with_columns(probability_no=pl.Series([None, 0.8, 0.6, 0.3, 0.1]))
    reasons = [
        issue.reason
        for issue in recorded_teacher(bad).failure()
        if isinstance(issue, TeacherOutputsInvalid)
    ]
    assert reasons[0].startswith("1 of 5 rows are NaN or infinite, the first is row 1")
    assert reasons[1].startswith("1 of 5 rows do not sum to one, the first is row 3")


@pytest.mark.parametrize(
    ("frame", "hints", "reason"),
    [
        (SCORES.with_columns(row=1), TeacherHints(), "which column is the key?"),
        (SCORES.drop("id"), TeacherHints(), "a column that names each row"),
        (pl.DataFrame({"id": [1], "a": [1.0]}), TeacherHints(), "pass classes"),
        (SCORES, TeacherHints(task="regression", key="id"), "no column 'prediction'"),
        (pl.DataFrame({"a": [1.0]}), TeacherHints(classes=("a", "b")), "no column for 'b'"),
    ],
)
def test_what_cannot_be_told_is_asked_for(
    frame: pl.DataFrame, hints: TeacherHints, reason: str
) -> None:
    issue = recorded_teacher(frame, hints).failure().first
    assert isinstance(issue, ScoresUnclear)
    assert reason in issue.reason


def test_a_key_or_file_that_is_not_there_is_named() -> None:
    asked = TeacherHints(key="ids")
    assert isinstance(recorded_teacher(SCORES, asked).failure().first, ColumnMissing)
    issue = named(SCORES).outputs(pl.DataFrame({"ids": [1]})).failure().first
    assert issue == ColumnMissing(name="id", role="key", columns=("ids",))
    assert isinstance(recorded_teacher("none.parquet").failure().first, FileMissing)
