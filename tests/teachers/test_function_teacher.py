"""Functions of a frame as teachers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest

from kdtab.data.outputs import TeacherOutputs
from kdtab.errors.answers import TeacherCallFailed
from kdtab.errors.sources import TeacherClassesUnclear, TeacherTaskUnclear, TeacherUnnamed
from kdtab.errors.teachers import ClassesDiffer, TeacherOutputsInvalid
from kdtab.teachers.function import FunctionTeacher, function_teacher
from kdtab.teachers.hints import TeacherHints

FRAME = pl.DataFrame({"x": [0.25, 0.5]})
TWO = TeacherHints(classes=("no", "yes"))
EXPECTED = [[0.75, 0.25], [0.5, 0.5]]


def teacher_of(function: Callable[[pl.DataFrame], object]) -> FunctionTeacher:
    return function_teacher(function, TWO).unwrap()


@pytest.mark.parametrize(
    "function",
    [
        lambda frame: frame["x"],
        lambda frame: frame["x"].to_list(),
        lambda frame: np.stack([1 - frame["x"].to_numpy(), frame["x"].to_numpy()], axis=1),
        lambda frame: frame.select(yes=pl.col("x"), no=1 - pl.col("x")),
        lambda frame: frame.select(probability_yes=pl.col("x"), probability_no=1 - pl.col("x")),
        lambda frame: pd.DataFrame({"yes": frame["x"].to_list(), "no": [0.75, 0.5]}),
        lambda frame: pd.Series(frame["x"].to_list()),
        lambda frame: TeacherOutputs(
            "probabilities", ("yes", "no"), np.array([[0.25, 0.75], [0.5, 0.5]])
        ),
    ],
)
def test_an_answer_of_any_form_is_aligned_by_name(
    function: Callable[[pl.DataFrame], object],
) -> None:
    spoken = teacher_of(function).outputs(FRAME).unwrap()
    assert spoken.classes == ("no", "yes")
    np.testing.assert_allclose(spoken.values, EXPECTED)


def test_logits_stay_logits() -> None:
    hints = TeacherHints(classes=("no", "yes"), output_kind="logits")
    spoken = function_teacher(lambda _: [[3.0, -900.0]] * 2, hints).unwrap().outputs(FRAME).unwrap()
    assert (spoken.kind, spoken.values.tolist()) == ("logits", [[3.0, -900.0]] * 2)


def test_a_function_cannot_change_the_frame() -> None:
    def greedy(frame: pl.DataFrame) -> list[float]:
        frame.insert_column(0, pl.Series("more", [1, 2]))
        frame[0, "x"] = 9.0
        return [0.5, 0.5]

    before = FRAME.clone()
    teacher_of(greedy).outputs(FRAME).unwrap()
    assert FRAME.equals(before)


def test_no_rows_need_no_call() -> None:
    spoken = teacher_of(lambda frame: 1 / frame.height).outputs(FRAME.clear()).unwrap()
    assert spoken.values.shape == (0, 2)


def test_what_it_raises_is_said() -> None:
    issue = teacher_of(lambda frame: frame["y"]).outputs(FRAME).failure().first
    assert isinstance(issue, TeacherCallFailed)
    assert "ColumnNotFoundError" in issue.reason


@pytest.mark.parametrize("answer", [[0.5], [[0.5, 0.5]], "no", None, {"no": 1}, [0.5, "b"]])
def test_another_form_is_refused(answer: object) -> None:
    assert isinstance(
        teacher_of(lambda _: answer).outputs(FRAME).failure().first, TeacherOutputsInvalid
    )


def test_another_kind_or_class_than_promised_is_refused() -> None:
    logits = TeacherOutputs("logits", ("no", "yes"), np.zeros((2, 2)))
    assert isinstance(
        teacher_of(lambda _: logits).outputs(FRAME).failure().first, TeacherOutputsInvalid
    )
    other = pl.DataFrame({"no": [0.5, 0.5], "maybe": [0.5, 0.5]})
    issue = teacher_of(lambda _: other).outputs(FRAME).failure().first
    assert issue == ClassesDiffer(only_teacher=("maybe",), only_table=("yes",))


def test_the_fingerprint_follows_code_closure_and_globals() -> None:
    def scaled(by: float) -> Callable[[pl.DataFrame], object]:
        return lambda frame: frame["x"] * by

    one, again, other = (teacher_of(scaled(by)).info.fingerprint for by in (1.0, 1.0, 0.5))
    assert one == again != other


def test_what_is_not_said_is_asked_for() -> None:
    assert isinstance(function_teacher(len).failure().first, TeacherTaskUnclear)
    hints = TeacherHints(task="classification")
    assert isinstance(function_teacher(len, hints).failure().first, TeacherClassesUnclear)
    twice = TeacherHints(classes=("a", "a"))
    assert isinstance(function_teacher(len, twice).failure().first, TeacherClassesUnclear)
    rows = iter(letter for letter in "ab")
    unread = function_teacher(lambda frame: [rows, frame], TWO)
    assert isinstance(unread.failure().first, TeacherUnnamed)
