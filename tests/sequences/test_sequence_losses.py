"""Losses between time courses: goldens, a slow oracle, masks, and both backends."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kdtab.config.timepooling import (
    AnyPooling,
    EwaPooling,
    FinalPooling,
    MaxPooling,
    MeanLastPooling,
    MeanPooling,
    MeanRangePooling,
    RmsPooling,
    WholeCourse,
)
from kdtab.data.timeweights import time_weights
from kdtab.losses.jaxsequences import jax_trajectory_loss
from kdtab.losses.sequences import aligned_states, trajectory_loss
from kdtab.metrics.trajectories import trajectory_error

Array = npt.NDArray[np.float64]
TEACHER = np.array([0.0, 1.0, 2.5, 4.25])[None, :, None]
STUDENT = np.array([0.0, 1.0, 2.4, 3.96])[None, :, None]

GOLDENS: list[tuple[AnyPooling, float, float]] = [
    (WholeCourse(), 0.023525, 1e-8),
    (MaxPooling(), 0.0841, 1e-8),
    (FinalPooling(), 0.0841, 1e-8),
    (MeanPooling(), 0.00950625, 1e-8),
    (RmsPooling(), 0.0215937675, 1e-6),
    (MeanLastPooling(n=2), 0.038025, 1e-8),
    (EwaPooling(min_weight=0.2), 0.0268474976, 1e-8),
]
poolings = st.one_of(
    st.sampled_from([WholeCourse(), MaxPooling(), MeanPooling(), RmsPooling(), FinalPooling()]),
    st.builds(MeanLastPooling, n=st.integers(1, 9)),
    st.builds(EwaPooling, min_weight=st.floats(0.01, 1)),
    st.tuples(st.integers(0, 6), st.integers(0, 6)).map(
        lambda ends: MeanRangePooling(first=min(ends), last=max(ends))
    ),
)
numbers = st.floats(-5, 5, width=32).map(lambda number: round(number, 3))


@st.composite
def courses(draw: st.DrawFn) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """Student, teacher [N, T + 1, D] and the inputs of each series that are its own."""
    series, steps, units = draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, 2))
    shape = (series, steps + 1, units)
    states = hnp.arrays(np.float64, shape, elements=numbers)
    lengths = hnp.arrays(np.int64, (series,), elements=st.integers(1, steps))
    return draw(states), draw(states), draw(lengths)


def pooled_slowly(course: Array, pooling: AnyPooling) -> Array:
    """One series of [S, D] to [D], case by case."""
    last = len(course) - 1
    match pooling:
        case MaxPooling():
            pooled = course.max(0)
        case RmsPooling():
            pooled = np.sqrt((course**2).mean(0))
        case FinalPooling():
            pooled = course[-1]
        case MeanLastPooling(n=n):
            pooled = course[-n:].mean(0)
        case MeanRangePooling(first=first, last=end):
            pooled = course[min(first, last) : end + 1].mean(0)
        case EwaPooling(min_weight=least):
            weights = np.array([least ** ((last - t) / last) for t in range(last + 1)])
            pooled = weights @ course / weights.sum()
        case _:
            pooled = course.mean(0)
    return np.asarray(pooled, dtype=np.float64)


def loss_slowly(student: Array, teacher: Array, pooling: AnyPooling, own: list[int]) -> float:
    """Series by series, each cut to its own states."""
    losses = []
    for row, length in enumerate(own):
        mine, theirs = student[row, :length], teacher[row, :length]
        if not isinstance(pooling, WholeCourse):
            mine, theirs = pooled_slowly(mine, pooling), pooled_slowly(theirs, pooling)
        losses.append(((mine - theirs) ** 2).mean())
    return float(np.mean(losses))


@pytest.mark.parametrize(("pooling", "expected", "tolerance"), GOLDENS)
def test_the_golden_losses_in_torch(pooling: AnyPooling, expected: float, tolerance: float) -> None:
    loss = trajectory_loss(torch.from_numpy(STUDENT), torch.from_numpy(TEACHER), pooling)
    assert loss.item() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(("pooling", "expected", "tolerance"), GOLDENS)
def test_the_golden_losses_in_jax(pooling: AnyPooling, expected: float, tolerance: float) -> None:
    weights = time_weights(pooling, np.array([4]), 4)
    with jax.enable_x64(True):
        loss = jax_trajectory_loss(
            jnp.array(STUDENT), jnp.array(TEACHER), pooling, jnp.array(weights)
        )
    assert float(loss) == pytest.approx(expected, abs=tolerance)


@given(case=courses(), pooling=poolings)
def test_the_loss_is_that_of_the_slow_oracle_with_series_of_different_length(
    case: tuple[Array, Array, npt.NDArray[np.int64]], pooling: AnyPooling
) -> None:
    student, teacher, lengths = case
    loss = trajectory_loss(
        torch.from_numpy(student), torch.from_numpy(teacher), pooling, torch.from_numpy(lengths)
    )
    expected = loss_slowly(student, teacher, pooling, (lengths + 1).tolist())
    assert loss.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(case=courses(), pooling=poolings)
def test_what_lies_behind_the_end_of_a_series_changes_nothing(
    case: tuple[Array, Array, npt.NDArray[np.int64]], pooling: AnyPooling
) -> None:
    student, teacher, lengths = case
    filled = student.copy()
    filled[np.arange(student.shape[1]) > lengths[:, None]] = 1e6
    losses = [
        trajectory_loss(
            torch.from_numpy(states), torch.from_numpy(teacher), pooling, torch.from_numpy(lengths)
        ).item()
        for states in (student, filled)
    ]
    assert losses[0] == losses[1]


@given(case=courses(), pooling=poolings)
def test_a_student_that_is_its_teacher_has_no_loss_and_no_gradient(
    case: tuple[Array, Array, npt.NDArray[np.int64]], pooling: AnyPooling
) -> None:
    teacher = torch.from_numpy(case[1])
    student = teacher.clone().requires_grad_()
    loss = trajectory_loss(student, teacher, pooling)
    loss.backward()
    assert loss.item() == 0
    assert student.grad is not None
    assert not student.grad.any()


def test_states_without_the_moment_zero_are_compared_without_it() -> None:
    student, teacher = torch.from_numpy(STUDENT), torch.from_numpy(TEACHER[:, 1:])
    assert trajectory_loss(student, teacher).item() == pytest.approx(0.0941 / 3, abs=1e-12)


@pytest.mark.parametrize("shape", [(1, 2, 1), (1, 5, 1), (1, 4, 2), (2, 4, 1), (4, 1), (1, 3, 2)])
def test_any_other_mismatch_is_an_error_that_shows_both_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"time courses differ: \[1, 4, 1\] against"):
        aligned_states(torch.zeros(1, 4, 1), torch.zeros(shape))


@pytest.mark.parametrize("lengths", [[0], [4], [1, 1]])
def test_lengths_that_no_series_can_have_are_an_error(lengths: list[int]) -> None:
    course = torch.zeros(1, 4, 1)
    with pytest.raises(ValueError, match=r"lengths are \[1\] from 1 to 3"):
        trajectory_loss(course, course, lengths=torch.tensor(lengths))


@given(pooling=poolings, lengths=st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_the_weights_of_a_series_sum_to_one_and_end_with_it(
    pooling: AnyPooling, lengths: list[int]
) -> None:
    weights = time_weights(pooling, np.array(lengths), 7)
    np.testing.assert_allclose(weights.sum(1), 1)
    assert not weights[np.arange(7) >= np.array(lengths)[:, None]].any()


def test_the_rms_of_silence_has_no_gradient_instead_of_an_infinite_one() -> None:
    student = torch.zeros(1, 3, 1, requires_grad=True)
    trajectory_loss(student, torch.ones(1, 3, 1), RmsPooling()).backward()
    assert student.grad is not None
    assert not student.grad.any()


def test_a_student_that_only_knows_the_mean_explains_nothing() -> None:
    teacher = np.random.default_rng(0).normal(size=(5, 8, 2)).astype(np.float32)
    mean = np.broadcast_to(teacher.mean((0, 1)), teacher.shape)
    error = trajectory_error(mean, teacher, np.full(5, 8))
    assert error.explained == pytest.approx(0, abs=1e-6)
    assert error.mse == pytest.approx(teacher.var((0, 1)).mean(), rel=1e-6)
