from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given

from kdtab.losses.reduce import weighted_mean
from kdtab.losses.soft import kl_divergence_from_logits
from kdtab.tasks.logits import LOSS_TYPES, logit_distillation_loss
from tensor_strategies import LogitPair, logit_pairs, temperatures


@given(pair=logit_pairs(), temperature=temperatures)
def test_the_loss_of_a_batch_is_the_mean_of_the_losses_of_its_rows(
    pair: LogitPair, temperature: float
) -> None:
    student = pair.student.clone().requires_grad_()
    twin = pair.student.clone().requires_grad_()
    found = logit_distillation_loss(student, pair.teacher, loss_type="kl", temperature=temperature)
    rows = kl_divergence_from_logits(twin, pair.teacher, temperature=temperature)
    expected = weighted_mean(rows)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    found.backward()
    expected.backward()
    torch.testing.assert_close(student.grad, twin.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_a_teacher_that_rules_a_class_out_teaches_finitely(dtype: torch.dtype) -> None:
    student = torch.zeros(1, 3, dtype=dtype, requires_grad=True)
    teacher = torch.tensor([[0.0, 0.0, -math.inf]], dtype=dtype)
    loss = logit_distillation_loss(student, teacher, loss_type="kl", temperature=1.0)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(3 / 2), abs=1e-6)
    assert student.grad is not None
    assert student.grad.flatten().tolist() == pytest.approx([-1 / 6, -1 / 6, 1 / 3], abs=1e-2)


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_rows_are_all_leading_dimensions(loss_type: str) -> None:
    student, teacher = torch.randn(2, 4, 5, 3, dtype=torch.float64)
    known = next(name for name in LOSS_TYPES if name == loss_type)
    found = logit_distillation_loss(student, teacher, loss_type=known, temperature=2.0)
    flat = logit_distillation_loss(
        student.flatten(0, 1), teacher.flatten(0, 1), loss_type=known, temperature=2.0
    )
    torch.testing.assert_close(found, flat)
