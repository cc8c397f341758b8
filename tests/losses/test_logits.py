from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from kdtab.losses.hard import cross_entropy_from_logits
from kdtab.losses.logits import (
    binary_kl_divergence_from_logits,
    logit_squared_error,
    multilabel_kl_divergence_from_logits,
    teacher_label_cross_entropy,
)
from loss_oracles import binary_kl_twin
from tensor_strategies import LogitPair, logit_pairs, logit_values, temperatures

pairs_of_logits = st.lists(st.tuples(logit_values, logit_values), min_size=1, max_size=6)


@given(pairs=pairs_of_logits, temperature=temperatures)
def test_one_logit_says_what_two_say(pairs: list[tuple[float, float]], temperature: float) -> None:
    student, teacher = torch.tensor(pairs, dtype=torch.float64).unbind(dim=1)
    found = binary_kl_divergence_from_logits(student, teacher, temperature=temperature)
    expected = binary_kl_twin(student.numpy(), teacher.numpy(), temperature)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)
    column = binary_kl_divergence_from_logits(
        student[:, None], teacher[:, None], temperature=temperature
    )
    assert torch.equal(column, found)


@given(pairs=pairs_of_logits, temperature=temperatures)
def test_many_labels_are_the_mean_of_each(
    pairs: list[tuple[float, float]], temperature: float
) -> None:
    student, teacher = torch.tensor(pairs, dtype=torch.float64).unbind(dim=1)
    each = binary_kl_divergence_from_logits(student, teacher, temperature=temperature)
    together = multilabel_kl_divergence_from_logits(
        student[None], teacher[None], temperature=temperature
    )
    torch.testing.assert_close(together, each.mean()[None], rtol=1e-9, atol=1e-9)


def test_two_logits_are_not_one() -> None:
    with pytest.raises(AssertionError, match="one logit"):
        binary_kl_divergence_from_logits(torch.zeros(2, 2), torch.zeros(2, 2), temperature=1.0)


def test_a_sure_teacher_of_one_logit_is_a_label() -> None:
    sure = torch.tensor([torch.inf, -torch.inf])
    student = torch.tensor([0.3, -1.2], requires_grad=True)
    found = binary_kl_divergence_from_logits(student, sure, temperature=1.0)
    expected = functional.binary_cross_entropy_with_logits(
        student, torch.tensor([1.0, 0.0]), reduction="none"
    )
    torch.testing.assert_close(found, expected)
    found.sum().backward()
    assert student.grad is not None
    assert bool(student.grad.isfinite().all())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_opposite_logits_of_sixty_are_exact_in_every_float_type(dtype: torch.dtype) -> None:
    student = torch.tensor([60.0], dtype=dtype, requires_grad=True)
    teacher = torch.tensor([-60.0], dtype=dtype)
    found = binary_kl_divergence_from_logits(student, teacher, temperature=1.0)
    found.sum().backward()
    assert found.item() == 60.0
    assert student.grad is not None
    assert student.grad.item() == 1.0


def test_the_gradient_of_one_logit_is_that_of_finite_differences() -> None:
    student = torch.tensor([0.3, -1.2], dtype=torch.float64, requires_grad=True)
    teacher = torch.tensor([1.0, -0.5], dtype=torch.float64)
    for loss in (binary_kl_divergence_from_logits, multilabel_kl_divergence_from_logits):
        assert torch.autograd.gradcheck(
            lambda logits, loss=loss: loss(logits, teacher, temperature=2.0), student
        )


@given(pair=logit_pairs())
def test_the_squared_error_of_logits_is_divided_by_classes_and_rows(pair: LogitPair) -> None:
    found = logit_squared_error(pair.student, pair.teacher).mean()
    torch.testing.assert_close(found, functional.mse_loss(pair.student, pair.teacher))


def test_logits_of_other_shapes_do_not_broadcast() -> None:
    with pytest.raises(AssertionError, match="same rows"):
        logit_squared_error(torch.zeros(3, 2), torch.zeros(3, 1))


@given(pair=logit_pairs())
def test_the_choice_of_the_teacher_is_a_label(pair: LogitPair) -> None:
    chosen = pair.teacher.argmax(dim=1)
    torch.testing.assert_close(
        teacher_label_cross_entropy(pair.student, pair.teacher),
        cross_entropy_from_logits(pair.student, chosen),
    )
