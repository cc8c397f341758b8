from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.losses.divergences import (
    generalized_jensen_shannon_from_logits,
    gkd_jensen_shannon_from_logits,
    reverse_kl_divergence_from_logits,
    soft_cross_entropy_from_logits,
    total_variation_from_logits,
)
from kdtab.losses.soft import kl_divergence_from_logits
from loss_cases import drawn_pair
from tensor_strategies import LogitPair, logit_pairs, temperatures

ZERO = torch.tensor([[0.0, -torch.inf]], dtype=torch.float64)
EVEN = torch.zeros(1, 2, dtype=torch.float64)


@given(pair=logit_pairs(), temperature=temperatures)
def test_the_reverse_divergence_is_the_forward_one_with_sides_changed(
    pair: LogitPair, temperature: float
) -> None:
    found = reverse_kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature)
    changed = kl_divergence_from_logits(pair.teacher, pair.student, temperature=temperature)
    torch.testing.assert_close(found, changed, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("end", "near"), [(0.0, 1e-7), (1.0, 1 - 1e-7)])
def test_the_generalised_divergence_meets_both_ends_without_a_jump(end: float, near: float) -> None:
    pair = drawn_pair()
    at_end, beside = (
        generalized_jensen_shannon_from_logits(pair.student, pair.teacher, temperature=2.0, beta=b)
        for b in (end, near)
    )
    torch.testing.assert_close(beside, at_end, rtol=1e-5, atol=1e-6)
    forward = kl_divergence_from_logits(pair.student, pair.teacher, temperature=2.0)
    reverse = reverse_kl_divergence_from_logits(pair.student, pair.teacher, temperature=2.0)
    assert torch.equal(at_end, reverse if end else forward)


@pytest.mark.parametrize(("end", "near"), [(0.0, 1e-7), (1.0, 1 - 1e-7)])
def test_the_form_of_the_paper_jumps_at_both_ends(end: float, near: float) -> None:
    pair = drawn_pair()
    at_end, beside = (
        gkd_jensen_shannon_from_logits(pair.student, pair.teacher, temperature=2.0, beta=beta)
        for beta in (end, near)
    )
    assert bool((beside < 1e-4).all())
    expected = generalized_jensen_shannon_from_logits(
        pair.student, pair.teacher, temperature=2.0, beta=end
    )
    assert torch.equal(at_end, expected)


@given(pair=logit_pairs(), temperature=temperatures)
def test_the_middle_is_the_same_in_both_forms_and_from_both_sides(
    pair: LogitPair, temperature: float
) -> None:
    found = generalized_jensen_shannon_from_logits(
        pair.student, pair.teacher, temperature=temperature
    )
    others = [
        gkd_jensen_shannon_from_logits(pair.student, pair.teacher, temperature=temperature),
        generalized_jensen_shannon_from_logits(pair.teacher, pair.student, temperature=temperature),
    ]
    for other in others:
        torch.testing.assert_close(found, other, rtol=1e-9, atol=1e-9)
    most = math.log(2) * temperature**2
    assert bool((found <= most * (1 + 1e-9) + 1e-9).all())


def test_a_share_outside_of_zero_and_one_is_refused() -> None:
    with pytest.raises(AssertionError, match="share"):
        generalized_jensen_shannon_from_logits(EVEN, EVEN, temperature=1.0, beta=1.5)
    with pytest.raises(AssertionError, match="share"):
        gkd_jensen_shannon_from_logits(EVEN, EVEN, temperature=1.0, beta=-0.1)


@given(pair=logit_pairs(), temperature=temperatures)
def test_total_variation_is_bounded_by_the_temperature(pair: LogitPair, temperature: float) -> None:
    found = total_variation_from_logits(pair.student, pair.teacher, temperature=temperature)
    assert bool((found <= temperature * (1 + 1e-9)).all())


@given(pair=logit_pairs())
def test_total_variation_is_below_the_root_of_half_the_divergence(pair: LogitPair) -> None:
    """Pinsker's inequality."""
    distance = total_variation_from_logits(pair.student, pair.teacher, temperature=1.0)
    divergence = kl_divergence_from_logits(pair.student, pair.teacher, temperature=1.0)
    assert bool((distance <= (divergence.clamp(min=0) / 2).sqrt() + 1e-7).all())


@given(pair=logit_pairs(), temperature=temperatures)
def test_soft_cross_entropy_has_the_gradient_of_the_divergence(
    pair: LogitPair, temperature: float
) -> None:
    gradients = []
    for loss in (soft_cross_entropy_from_logits, kl_divergence_from_logits):
        student = pair.student.clone().requires_grad_()
        loss(student, pair.teacher, temperature=temperature).sum().backward()
        gradients.append(student.grad)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-9, atol=1e-9)


def test_an_exact_zero_of_the_teacher_is_infinite_from_behind_and_finite_from_before() -> None:
    assert reverse_kl_divergence_from_logits(EVEN, ZERO, temperature=1.0).item() == math.inf
    forward = soft_cross_entropy_from_logits(EVEN, ZERO, temperature=1.0)
    assert forward.item() == pytest.approx(math.log(2))


@given(beta=st.floats(0.01, 0.99))
def test_a_mixture_with_an_exact_zero_is_finite_and_so_is_its_gradient(beta: float) -> None:
    student = EVEN.clone().requires_grad_()
    found = generalized_jensen_shannon_from_logits(student, ZERO, temperature=1.0, beta=beta)
    found.sum().backward()
    assert student.grad is not None
    assert bool(found.isfinite().all())
    assert bool(student.grad.isfinite().all())
