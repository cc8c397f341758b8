from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given

from kdtab.losses.correlation import (
    dist_over_batch,
    inter_class_correlation,
    intra_class_correlation_over_batch,
)
from loss_cases import drawn_pair, graded_pairs
from loss_oracles import intra_class_twin
from tensor_strategies import LogitPair


@given(pair=graded_pairs())
def test_the_correlation_over_rows_is_what_its_formula_says(pair: LogitPair) -> None:
    rows = torch.cat([pair.student, pair.student + torch.eye(pair.student.shape[1])[:1]])
    said = torch.cat([pair.teacher, pair.teacher - torch.eye(pair.teacher.shape[1])[:1]])
    found = intra_class_correlation_over_batch(rows, said, temperature=2.0)
    expected = intra_class_twin(rows.numpy(), said.numpy(), 2.0)
    assert found.item() == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_the_whole_is_the_weighted_sum_of_its_parts() -> None:
    pair = drawn_pair(rows=6)
    found = dist_over_batch(
        pair.student, pair.teacher, temperature=2.0, inter_weight=2.0, intra_weight=0.5
    )
    inter = inter_class_correlation(pair.student, pair.teacher, temperature=2.0).mean()
    intra = intra_class_correlation_over_batch(pair.student, pair.teacher, temperature=2.0)
    torch.testing.assert_close(found, 2 * inter + intra / 2)


def test_the_gradient_is_that_of_finite_differences() -> None:
    pair = drawn_pair(rows=5)
    student = pair.student.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda logits: dist_over_batch(logits, pair.teacher, temperature=2.0), student
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_probabilities_that_are_all_equal_have_no_correlation_and_no_gradient(
    dtype: torch.dtype,
) -> None:
    student = torch.full((4, 3), 0.7, dtype=dtype, requires_grad=True)
    teacher = drawn_pair(rows=4, classes=3).teacher.to(dtype)
    found = dist_over_batch(student, teacher, temperature=1.0)
    found.backward()
    assert found.item() == 2.0
    assert student.grad is not None
    assert bool((student.grad == 0).all())


def test_probabilities_in_the_opposite_order_lose_most() -> None:
    said = torch.tensor([[2.0, 0.0]], dtype=torch.float64)
    found = inter_class_correlation(said.flip(1), said, temperature=1.0)
    np.testing.assert_allclose(found.numpy(), [2.0])
