"""Weights of an ensemble, fitted on labels that are out of fold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.results import Checked
from kdtab.teachers.crossfit import Labelling
from kdtab.teachers.mixture import mixed_labelling, mixture_weights

SEEDS = st.integers(0, 10_000)
MEMBERS = st.integers(1, 4)


def answers(seed: int, members: int, rows: int = 30) -> tuple[list[FloatArray], IntArray]:
    drawn = np.random.default_rng(seed)
    return [drawn.dirichlet([0.5] * 3, rows) for _ in range(members)], drawn.integers(0, 3, rows)


def values(seed: int, members: int, rows: int = 30) -> tuple[list[FloatArray], FloatArray]:
    drawn = np.random.default_rng(seed)
    truth = drawn.standard_normal(rows)
    return [truth[:, None] + drawn.normal(0, 1 + k, (rows, 1)) for k in range(members)], truth


def log_loss(outputs: list[FloatArray], weights: FloatArray, codes: IntArray) -> float:
    mixture = np.tensordot(weights, np.stack(outputs), axes=1)
    return float(-np.log(np.maximum(mixture[np.arange(len(codes)), codes], 1e-9)).mean())


def squared_loss(outputs: list[FloatArray], weights: FloatArray, truth: FloatArray) -> float:
    return float(((np.tensordot(weights, np.stack(outputs), axes=1)[:, 0] - truth) ** 2).mean())


@given(seed=SEEDS, members=MEMBERS)
def test_weights_lie_on_the_simplex(seed: int, members: int) -> None:
    said, codes = answers(seed, members)
    spoken, truth = values(seed, members)
    for weights in (
        mixture_weights(said, codes, task="classification"),
        mixture_weights(spoken, truth, task="regression"),
    ):
        assert weights.shape == (members,)
        assert (weights >= 0).all()
        assert weights.sum() == pytest.approx(1.0)


@given(seed=SEEDS, members=MEMBERS, others=st.integers(0, 1_000))
def test_no_other_weights_fit_the_targets_better(seed: int, members: int, others: int) -> None:
    other = np.random.default_rng(others).dirichlet([0.7] * members)
    said, codes = answers(seed, members)
    best = mixture_weights(said, codes, task="classification")
    assert log_loss(said, best, codes) <= log_loss(said, other, codes) + 1e-4
    spoken, truth = values(seed, members)
    best = mixture_weights(spoken, truth, task="regression")
    assert squared_loss(spoken, best, truth) <= squared_loss(spoken, other, truth) + 1e-9


def test_a_member_that_knows_everything_gets_all_the_weight() -> None:
    said, codes = answers(1, 2)
    said[1] = np.eye(3)[codes]
    assert mixture_weights(said, codes, task="classification").round(6).tolist() == [0, 1]
    spoken, truth = values(1, 2)
    spoken[1] = truth[:, None]
    assert mixture_weights(spoken, truth, task="regression").round(6).tolist() == [0, 1]


def test_equal_members_are_mixed_without_a_fault() -> None:
    said, truth = values(1, 1)
    assert mixture_weights(said * 3, truth, task="regression").sum() == pytest.approx(1.0)


def test_a_weight_of_one_equals_that_teacher_to_the_bit_and_the_other_is_not_asked() -> None:
    def refused(rows: Float32Array) -> Checked[FloatArray]:
        raise AssertionError

    said, _ = answers(5, 2)
    first = Labelling(said[0], lambda rows: Success(rows.astype(np.float64)), "out_of_fold")
    other = Labelling(said[1], refused, "out_of_fold")
    mixture = mixed_labelling([first, other], np.array([1.0, 0.0]))
    assert mixture.outputs.tobytes() == said[0].tobytes()
    rows = np.ones((2, 3), dtype=np.float32)
    assert mixture.says(rows).unwrap().tobytes() == rows.astype(np.float64).tobytes()
