"""Losses of rows that lack a label or a teacher's word, against numpy one number at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.losses.gradients import (
    LOG_OF_ZERO,
    cross_entropy_with_gradient,
    divergence_with_gradient,
    mean_square_with_gradient,
)
from kdtab.losses.rowgradients import (
    cross_entropies_with_gradients,
    divergences_with_gradients,
    has_label,
    squares_with_gradients,
)
from kdtab.losses.soft import tempered_log_probabilities
from oracles import cross_entropy_twin, kl_divergence_twin, kl_gradient_twin, softmax_twin
from strategies import logits

CLASSES = 4


@st.composite
def rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Student and teacher logits, and which rows are known."""
    student = draw(logits(classes=CLASSES))
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    teacher = generator.normal(0, 3, student.shape)
    known = np.array(draw(st.lists(st.booleans(), min_size=len(student), max_size=len(student))))
    return student, teacher, known


@given(drawn=rows(), seed=st.integers(0, 99))
def test_the_cross_entropy_of_a_row_is_that_of_the_twin_and_nothing_without_a_label(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray], seed: int
) -> None:
    student, _, known = drawn
    labels = np.random.default_rng(seed).integers(0, CLASSES, len(student))
    found, slope = cross_entropies_with_gradients(
        torch.from_numpy(student), torch.from_numpy(np.where(known, labels, -1))
    )
    expected = np.where(known, cross_entropy_twin(student, labels), 0.0)
    gradient = (softmax_twin(student) - np.eye(CLASSES)[labels]) * known[:, None]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(slope.numpy(), gradient, rtol=1e-6, atol=1e-9)


@given(drawn=rows(), temperature=st.sampled_from([0.5, 1.0, 3.0]))
def test_the_divergence_of_a_row_is_that_of_the_twin_and_nothing_without_a_word(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray], temperature: float
) -> None:
    student, teacher, known = drawn
    told = tempered_log_probabilities(torch.from_numpy(teacher), temperature=temperature)
    told[torch.from_numpy(~known)] = float("nan")
    found, slope = divergences_with_gradients(
        torch.from_numpy(student), told, temperature=temperature
    )
    expected = np.where(known, kl_divergence_twin(student, teacher, temperature), 0.0)
    gradient = kl_gradient_twin(student, teacher, temperature) * known[:, None]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(slope.numpy(), gradient, rtol=1e-6, atol=1e-7)


def test_a_squared_error_without_a_target_is_nothing() -> None:
    values = torch.tensor([[3.0], [5.0]])
    losses, slope = squares_with_gradients(values, torch.tensor([[1.0], [float("nan")]]))
    assert losses.tolist() == [4.0, 0.0]
    assert slope.tolist() == [[4.0], [0.0]]


def test_a_probability_of_zero_adds_nothing() -> None:
    told = torch.tensor([[0.0, LOG_OF_ZERO]])
    losses, slope = divergences_with_gradients(torch.zeros(1, 2), told, temperature=1.0)
    assert losses.tolist() == pytest.approx([np.log(2)])
    assert slope.tolist() == [[-0.5, 0.5]]


def test_where_all_is_known_the_mean_is_that_of_the_usual_losses() -> None:
    drawn = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(7, CLASSES, generator=drawn) for _ in range(2))
    labels = torch.randint(0, CLASSES, (7,), generator=drawn)
    told = tempered_log_probabilities(teacher, temperature=2.0)
    values, targets = student[:, :1], teacher[:, :1]
    pairs = [
        (
            cross_entropies_with_gradients(student, labels),
            cross_entropy_with_gradient(student, labels),
        ),
        (
            divergences_with_gradients(student, told, temperature=2.0),
            divergence_with_gradient(student, told, temperature=2.0),
        ),
        (squares_with_gradients(values, targets), mean_square_with_gradient(values, targets)),
    ]
    for (losses, slopes), (mean, slope) in pairs:
        torch.testing.assert_close(losses.mean(), mean)
        torch.testing.assert_close(slopes / 7, slope)


def test_half_precision_is_computed_in_single() -> None:
    losses, _ = cross_entropies_with_gradients(
        torch.zeros(1, 2, dtype=torch.bfloat16), torch.tensor([0])
    )
    assert losses.dtype == torch.float32
    assert losses.item() == pytest.approx(np.log(2), rel=1e-6)


def test_no_label_is_minus_one_or_not_a_number() -> None:
    assert has_label(torch.tensor([0, -1])).tolist() == [True, False]
    assert has_label(torch.tensor([[float("nan")], [0.0]])).tolist() == [False, True]
