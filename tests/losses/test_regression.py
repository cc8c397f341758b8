from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from kdtab.losses.hard import squared_error
from kdtab.losses.regression import (
    gaussian_negative_log_likelihood,
    huber_error,
    pinball_error,
    teacher_bounded_squared_error,
)
from loss_oracles import gaussian_twin, huber_twin, pinball_twin, teacher_bounded_twin

numbers = st.floats(-20, 20)
columns = st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=8)
LEVELS = (0.1, 0.5, 0.9)


def tensors(rows: list[tuple[float, float, float]]) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(rows, dtype=torch.float64)[:, [place]] for place in range(3))


@given(rows=columns, delta=st.floats(0.1, 10))
def test_huber_is_what_its_formula_says(
    rows: list[tuple[float, float, float]], delta: float
) -> None:
    values, targets, _ = tensors(rows)
    found = huber_error(values, targets, delta=delta)
    expected = huber_twin(values.numpy(), targets.numpy(), delta)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)


@given(rows=columns)
def test_a_wide_huber_is_half_the_squared_error(rows: list[tuple[float, float, float]]) -> None:
    values, targets, _ = tensors(rows)
    torch.testing.assert_close(
        huber_error(values, targets, delta=1e6), squared_error(values, targets) / 2
    )


@given(rows=columns)
def test_pinball_is_what_its_formula_says(rows: list[tuple[float, float, float]]) -> None:
    values, targets, _ = tensors(rows)
    quantiles = torch.cat([values - 1, values, values + 1], dim=1)
    found = pinball_error(quantiles, targets, quantiles=LEVELS)
    expected = pinball_twin(quantiles.numpy(), targets.numpy(), LEVELS)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)


@given(rows=columns)
def test_the_median_pays_half_of_the_absolute_error(
    rows: list[tuple[float, float, float]],
) -> None:
    values, targets, _ = tensors(rows)
    found = pinball_error(values, targets, quantiles=(0.5,)).mean()
    torch.testing.assert_close(found, functional.l1_loss(values, targets) / 2)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_the_best_value_of_pinball_is_the_quantile(level: float) -> None:
    targets = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None]
    candidates = torch.linspace(0, 1, 201, dtype=torch.float64)
    means = [
        pinball_error(value.expand(101, 1), targets, quantiles=(level,)).mean()
        for value in candidates
    ]
    best = candidates[int(torch.stack(means).argmin())]
    assert best.item() == pytest.approx(level, abs=0.011)


@given(rows=columns, margin=st.floats(0, 50))
def test_the_bound_is_what_its_formula_says(
    rows: list[tuple[float, float, float]], margin: float
) -> None:
    values, targets, teacher = tensors(rows)
    found = teacher_bounded_squared_error(values, targets, teacher, margin=margin)
    expected = teacher_bounded_twin(values.numpy(), targets.numpy(), teacher.numpy(), margin)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)


def test_a_student_better_than_its_teacher_feels_nothing() -> None:
    values = torch.tensor([[1.0], [3.0]], requires_grad=True)
    targets, teacher = torch.zeros(2, 1), torch.full((2, 1), 2.0)
    teacher_bounded_squared_error(values, targets, teacher).sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == [[0.0], [6.0]]


@given(rows=columns)
def test_the_likelihood_is_the_density_of_a_normal(
    rows: list[tuple[float, float, float]],
) -> None:
    values, targets, spread = tensors(rows)
    variances = spread.square() + 5
    found = gaussian_negative_log_likelihood(values, targets, variances)
    expected = gaussian_twin(values.numpy(), targets.numpy(), variances.numpy())
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(
        found.mean(), functional.gaussian_nll_loss(values, targets, variances, full=True)
    )


def test_a_variance_of_nothing_is_raised_and_stays_finite() -> None:
    values = torch.tensor([[1.0]], requires_grad=True)
    zero = torch.zeros(1, 1)
    found = gaussian_negative_log_likelihood(values, zero, zero, smallest_variance=0.01)
    found.sum().backward()
    assert values.grad is not None
    assert values.grad.item() == pytest.approx(100.0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_values_of_half_precision_are_computed_in_float32(dtype: torch.dtype) -> None:
    values, targets = torch.full((1, 1), 60.0, dtype=dtype), torch.full((1, 1), -60.0, dtype=dtype)
    found = [
        huber_error(values, targets),
        pinball_error(values, targets, quantiles=(0.5,)),
        teacher_bounded_squared_error(values, targets, targets),
        gaussian_negative_log_likelihood(values, targets, torch.ones(1, 1)),
    ]
    assert [loss.dtype for loss in found] == [torch.float32] * 4
    expected = [119.5, 60.0, 14400.0, 7200.9189]
    assert [loss.item() for loss in found] == pytest.approx(expected)


def test_every_gradient_is_that_of_finite_differences() -> None:
    values = torch.tensor([[0.3], [4.0]], dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    for loss in (
        huber_error,
        lambda v, y: pinball_error(v, y, quantiles=(0.3,)),
        lambda v, y: teacher_bounded_squared_error(v, y, y + 0.1),
        lambda v, y: gaussian_negative_log_likelihood(v, y, torch.full_like(y, 2.0)),
    ):
        assert torch.autograd.gradcheck(lambda v, loss=loss: loss(v, targets), values)


def test_nothing_broadcasts() -> None:
    column, row = torch.zeros(3, 1), torch.zeros(1, 3)
    with pytest.raises(AssertionError, match="broadcast"):
        huber_error(column, row)
    with pytest.raises(AssertionError, match="broadcast"):
        teacher_bounded_squared_error(column, column, row)
    with pytest.raises(AssertionError, match="broadcast"):
        gaussian_negative_log_likelihood(column, column, row)
    with pytest.raises(AssertionError, match="one value for each quantile"):
        pinball_error(column, column, quantiles=(0.1, 0.9))
