"""Means and gradients without a graph, against the graph of the losses that they are the mean of."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kdtab.losses.gradients import (
    LOG_OF_ZERO,
    cross_entropy_with_gradient,
    divergence_with_gradient,
    mean_square_with_gradient,
)
from kdtab.losses.hard import cross_entropy_from_logits, squared_error
from kdtab.losses.reduce import weighted_mean
from kdtab.losses.soft import kl_divergence_from_logits, tempered_log_probabilities
from tensor_strategies import LogitPair, logit_pairs, temperatures

STUDENT = torch.tensor([[1, 2, 0.5], [0.2, -0.3, 1.5]], dtype=torch.float64)
TEACHER = torch.tensor([[2, 1, 0.1], [0, 0.5, 3]], dtype=torch.float64)


def followed(loss: Tensor, leaf: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(loss, leaf)
    return gradient


@pytest.mark.requirement("REQ-KD17")
@given(
    pair=logit_pairs(),
    smoothing=st.sampled_from([0.0, 0.05, 1.0]),
    weighted=st.booleans(),
    weights=st.lists(st.floats(0.1, 9.0), min_size=5, max_size=5),
)
def test_cross_entropy_is_that_of_the_graph(
    pair: LogitPair, smoothing: float, weighted: bool, weights: list[float]
) -> None:
    leaf = pair.student.clone().requires_grad_()
    of_classes = torch.tensor(weights[: leaf.shape[1]], dtype=torch.float64)
    losses = cross_entropy_from_logits(leaf, pair.labels, label_smoothing=smoothing)
    expected = weighted_mean(losses, of_classes[pair.labels] if weighted else None)
    loss, gradient = cross_entropy_with_gradient(
        pair.student,
        pair.labels,
        class_weights=of_classes if weighted else None,
        label_smoothing=smoothing,
    )
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(gradient, followed(expected, leaf), rtol=1e-9, atol=1e-12)


@pytest.mark.requirement("REQ-KD17")
@given(pair=logit_pairs(), temperature=temperatures)
def test_the_divergence_is_that_of_the_graph(pair: LogitPair, temperature: float) -> None:
    leaf = pair.student.clone().requires_grad_()
    expected = kl_divergence_from_logits(leaf, pair.teacher, temperature=temperature).mean()
    loss, gradient = divergence_with_gradient(
        pair.student,
        tempered_log_probabilities(pair.teacher, temperature=temperature),
        temperature=temperature,
    )
    torch.testing.assert_close(loss, expected.detach(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(gradient, followed(expected, leaf), rtol=1e-9, atol=1e-12)


@pytest.mark.requirement("REQ-KD18")
@given(rows=st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=5))
def test_the_mean_square_is_that_of_the_graph(rows: list[tuple[float, float]]) -> None:
    values, targets = torch.tensor(rows, dtype=torch.float64).split(1, dim=1)
    leaf = values.clone().requires_grad_()
    expected = squared_error(leaf, targets).mean()
    loss, gradient = mean_square_with_gradient(values, targets)
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(gradient, followed(expected, leaf))


@pytest.mark.requirement("REQ-KD17")
def test_the_golden_divergence_and_its_gradient() -> None:
    teacher = tempered_log_probabilities(TEACHER, temperature=1.0)
    loss, gradient = divergence_with_gradient(STUDENT, teacher, temperature=1.0)
    assert loss.item() == pytest.approx(0.2691005497, abs=1e-8)
    expected = [[-0.21388862, 0.19304937, 0.02083925], [0.07277863, 0.02122132, -0.09399995]]
    torch.testing.assert_close(gradient, torch.tensor(expected).double(), rtol=0, atol=1e-8)
    hard, _ = cross_entropy_with_gradient(STUDENT, torch.tensor([0, 2]))
    assert hard.item() == pytest.approx(0.9137521452, abs=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_large_logits_of_any_type_have_a_divergence_and_a_gradient(dtype: torch.dtype) -> None:
    student = torch.tensor([[60.0, 0.0, -60.0]], dtype=dtype)
    teacher = tempered_log_probabilities(-student, temperature=1.0)
    loss, gradient = divergence_with_gradient(student, teacher, temperature=1.0)
    assert loss.item() == pytest.approx(120.0)
    assert gradient.dtype is dtype
    torch.testing.assert_close(gradient.float(), torch.tensor([[1.0, 0.0, -1.0]]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_exact_zero_of_the_teacher_adds_nothing(dtype: torch.dtype) -> None:
    student = torch.tensor([[3000.0, -3000.0]], dtype=dtype)
    certain = torch.tensor([[0.0, LOG_OF_ZERO]], dtype=dtype)
    loss, gradient = divergence_with_gradient(student, certain, temperature=2.0)
    assert loss.item() == 0.0
    assert not bool(gradient.any())


def test_the_logits_are_left_as_they_were() -> None:
    student, teacher = STUDENT.clone(), tempered_log_probabilities(TEACHER, temperature=2.0)
    kept = teacher.clone()
    divergence_with_gradient(student, teacher, temperature=2.0)
    divergence_with_gradient(student, teacher, temperature=1.0)
    cross_entropy_with_gradient(student, torch.tensor([0, 2]))
    assert torch.equal(student, STUDENT)
    assert torch.equal(teacher, kept)
