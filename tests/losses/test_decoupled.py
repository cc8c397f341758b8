from __future__ import annotations

import pytest
import torch
from hypothesis import given

from kdtab.losses.decoupled import (
    decoupled_divergence_from_logits,
    decoupled_divergence_from_two_logits,
    non_target_class_divergence,
    target_class_divergence,
)
from kdtab.losses.soft import kl_divergence_from_logits
from loss_cases import graded_pairs
from tensor_strategies import LogitPair, temperatures


@given(pair=graded_pairs(), temperature=temperatures)
def test_the_parts_make_up_the_whole_divergence(pair: LogitPair, temperature: float) -> None:
    """KL = TCKD + (1 − p_y) · NCKD, which is why decoupling them changes something."""
    target = target_class_divergence(
        pair.student, pair.teacher, pair.labels, temperature=temperature
    )
    rest = non_target_class_divergence(
        pair.student, pair.teacher, pair.labels, temperature=temperature
    )
    said = torch.softmax(pair.teacher / temperature, 1).gather(1, pair.labels[:, None])[:, 0]
    whole = kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature)
    torch.testing.assert_close(target + (1 - said) * rest, whole, rtol=1e-9, atol=1e-9)


@given(pair=graded_pairs(), temperature=temperatures)
def test_of_two_classes_the_target_part_is_all(pair: LogitPair, temperature: float) -> None:
    student, teacher = pair.student[:, :2], pair.teacher[:, :2]
    labels = pair.labels.clamp(max=1)
    named = decoupled_divergence_from_two_logits(student, teacher, temperature=temperature)
    target = target_class_divergence(student, teacher, labels, temperature=temperature)
    torch.testing.assert_close(named, target, rtol=1e-9, atol=1e-9)
    rest = non_target_class_divergence(student, teacher, labels, temperature=temperature)
    assert bool((rest == 0).all())


def test_two_classes_are_refused_but_under_the_name_of_their_own() -> None:
    two = torch.zeros(1, 2)
    with pytest.raises(AssertionError, match="two classes"):
        decoupled_divergence_from_logits(two, two, torch.tensor([0]), temperature=1.0)
    with pytest.raises(AssertionError, match="two classes"):
        decoupled_divergence_from_two_logits(torch.zeros(1, 3), torch.zeros(1, 3), temperature=1.0)


def test_a_certain_teacher_gives_a_finite_gradient() -> None:
    student = torch.tensor([[0.5, -0.5, 0.1]], dtype=torch.float64, requires_grad=True)
    certain = torch.tensor([[0.0, -torch.inf, -5.0]], dtype=torch.float64)
    for label in (0, 2):
        found = target_class_divergence(
            student, certain, torch.tensor([label]), temperature=2.0
        ) + non_target_class_divergence(student, certain, torch.tensor([label]), temperature=2.0)
        found.sum().backward()
        assert bool(found.isfinite().all())
    assert student.grad is not None
    assert bool(student.grad.isfinite().all())
