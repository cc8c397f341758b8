"""Every fold's teacher sees the rows of the others, and the last one all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.folds import fold_rows
from kdtab.errors.training import NoValidBatch
from kdtab.results import Checked, fail
from kdtab.teachers.crossfit import Says, Targets, cross_fit, fit_in_sample, fold_labels


class Memory:
    """A teacher that repeats the target of each row that it saw, and says −1 of all others."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    def fit(self, rows: Float32Array, targets: Targets) -> Checked[Says[Float32Array]]:
        known = dict(zip(rows[:, 0].tolist(), targets.tolist(), strict=True))
        self.seen.append([int(row) for row in known])

        def says(asked: Float32Array) -> Checked[FloatArray]:
            return Success(np.array([[known.get(row, -1.0)] for row in asked[:, 0].tolist()]))

        return Success(says)


def numbered(size: int) -> Float32Array:
    return np.arange(size, dtype=np.float32)[:, None]


def half_numbers(size: int) -> FloatArray:
    return np.arange(size, dtype=np.float64) + 0.5


@given(size=st.integers(2, 40), count=st.integers(2, 6), seed=st.integers(0, 99))
def test_a_memory_has_nothing_to_repeat_out_of_fold(size: int, count: int, seed: int) -> None:
    memory, rows = Memory(), numbered(size)
    folds = fold_rows(np.zeros(size, dtype=np.int64), np.arange(size), count=count, seed=seed)
    labelling = cross_fit(memory.fit, rows, half_numbers(size), folds.unwrap()).unwrap()
    assert (labelling.outputs == -1).all()
    assert (labelling.says(rows).unwrap()[:, 0] == half_numbers(size)).all()
    assert memory.seen[-1] == list(range(size))
    assert len(memory.seen) == len(folds.unwrap().fits) + 1


def test_in_sample_it_repeats_all() -> None:
    rows, targets = numbered(5), half_numbers(5)
    labelling = fit_in_sample(Memory().fit, rows, targets).unwrap()
    assert labelling.outputs[:, 0].tolist() == targets.tolist()
    assert labelling.method == "in_sample"


def test_rows_without_a_fold_are_left_unlabelled() -> None:
    folds = fold_rows(
        np.zeros(8, dtype=np.int64), np.arange(8), count=3, seed=0, times=np.arange(8.0)
    ).unwrap()
    labelling = cross_fit(Memory().fit, numbered(8), np.zeros(8), folds).unwrap()
    assert labelling.labelled.tolist() == [part >= 0 for part in folds.parts]
    assert not labelling.labelled.all()


def test_a_fit_that_fails_ends_it_with_its_issue() -> None:
    calls = []

    def broken(rows: Float32Array, targets: Targets) -> Checked[Says[Float32Array]]:
        calls.append(len(rows))
        return fail(NoValidBatch(rows=len(rows), batch_size=1))

    folds = fold_rows(np.zeros(6, dtype=np.int64), np.arange(6), count=3, seed=0).unwrap()
    lost = cross_fit(broken, numbered(6), np.zeros(6), folds)
    assert isinstance(lost.failure().first, NoValidBatch)
    assert len(calls) == 1


def test_each_fit_is_told_before_it_begins() -> None:
    memory, told = Memory(), []

    def heard(detail: str) -> None:
        told.append((detail, len(memory.seen)))

    folds = fold_rows(np.zeros(6, dtype=np.int64), np.arange(6), count=2, seed=0).unwrap()
    cross_fit(memory.fit, numbered(6), np.zeros(6), folds, heard).unwrap()
    assert told == [("fold 1 of 2", 0), ("fold 2 of 2", 1), ("all training rows", 2)]


def test_the_teacher_of_all_rows_is_fitted_when_somebody_asks_for_it() -> None:
    memory = Memory()
    folds = fold_rows(np.zeros(6, dtype=np.int64), np.arange(6), count=2, seed=0).unwrap()
    labels = fold_labels(memory.fit, numbered(6), half_numbers(6), folds).unwrap()
    assert len(memory.seen) == 2
    assert labels.finished().unwrap().outputs.tolist() == labels.outputs.tolist()
    assert memory.seen[2] == list(range(6))
