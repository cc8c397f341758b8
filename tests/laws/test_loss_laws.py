"""Laws that hold for every teacher, student and label."""

from __future__ import annotations

from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kdtab.losses.hard import cross_entropy_from_logits
from kdtab.losses.reduce import weighted_mean
from kdtab.losses.soft import (
    kl_divergence_from_logits,
    log_probabilities_from_probabilities,
    tempered_log_probabilities,
)
from tensor_strategies import LogitPair, logit_pairs, probability_tables, temperatures

NEAR = 1e-9


def assert_near(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=NEAR, atol=NEAR)


@given(pair=logit_pairs(), temperature=temperatures, shift=st.floats(-30, 30))
def test_a_constant_added_to_a_row_changes_nothing(
    pair: LogitPair, temperature: float, shift: float
) -> None:
    before = kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature)
    student = kl_divergence_from_logits(pair.student + shift, pair.teacher, temperature=temperature)
    teacher = kl_divergence_from_logits(pair.student, pair.teacher + shift, temperature=temperature)
    assert_near(student, before)
    assert_near(teacher, before)


@given(pair=logit_pairs(), temperature=temperatures, random=st.randoms(use_true_random=False))
def test_classes_in_another_order_change_nothing(
    pair: LogitPair, temperature: float, random: Random
) -> None:
    order = list(range(pair.student.shape[1]))
    random.shuffle(order)
    before = kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature)
    after = kl_divergence_from_logits(
        pair.student[:, order], pair.teacher[:, order], temperature=temperature
    )
    assert_near(after, before)
    labels = torch.tensor([order.index(label) for label in pair.labels.tolist()])
    assert_near(
        cross_entropy_from_logits(pair.student[:, order], labels),
        cross_entropy_from_logits(pair.student, pair.labels),
    )


@given(pair=logit_pairs(), temperature=temperatures)
def test_rows_in_another_order_are_the_same_rows(pair: LogitPair, temperature: float) -> None:
    before = kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature)
    after = kl_divergence_from_logits(
        pair.student.flip(0), pair.teacher.flip(0), temperature=temperature
    )
    assert_near(after.flip(0), before)


@given(pair=logit_pairs(), temperature=temperatures)
def test_a_student_that_is_its_teacher_loses_nothing(pair: LogitPair, temperature: float) -> None:
    student = pair.teacher.clone().requires_grad_()
    losses = kl_divergence_from_logits(student, pair.teacher, temperature=temperature)
    losses.sum().backward()
    assert student.grad is not None
    assert bool((losses == 0).all())
    torch.testing.assert_close(student.grad, torch.zeros_like(student), rtol=0, atol=1e-9)


@given(pair=logit_pairs(), temperature=temperatures)
def test_logits_and_their_log_probabilities_say_the_same(
    pair: LogitPair, temperature: float
) -> None:
    spoken = torch.log_softmax(pair.teacher, dim=1)
    assert_near(
        kl_divergence_from_logits(pair.student, spoken, temperature=temperature),
        kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature),
    )


@given(pair=logit_pairs(), one=temperatures, other=temperatures)
def test_tempering_twice_is_tempering_by_the_product(
    pair: LogitPair, one: float, other: float
) -> None:
    twice = tempered_log_probabilities(
        tempered_log_probabilities(pair.teacher, temperature=one), temperature=other
    )
    once = tempered_log_probabilities(pair.teacher, temperature=one * other)
    torch.testing.assert_close(twice, once, rtol=1e-8, atol=1e-8)


@given(probabilities=probability_tables())
def test_temperature_one_leaves_probabilities_as_they_are(probabilities: Tensor) -> None:
    spoken = log_probabilities_from_probabilities(probabilities)
    tempered = tempered_log_probabilities(spoken, temperature=1.0)
    torch.testing.assert_close(tempered.exp(), probabilities)


@given(pair=logit_pairs())
def test_a_sure_teacher_is_a_label(pair: LogitPair) -> None:
    sure = torch.full_like(pair.student, -torch.inf)
    sure[torch.arange(len(sure)), pair.labels] = 0.0
    assert_near(
        kl_divergence_from_logits(pair.student, sure, temperature=1.0),
        cross_entropy_from_logits(pair.student, pair.labels),
    )


@pytest.mark.requirement("REQ-KD19")
@given(pair=logit_pairs())
def test_half_the_label_and_half_the_teacher_is_the_cross_entropy_to_their_middle(
    pair: LogitPair,
) -> None:
    """At temperature 1: ½ CE(y) + ½ KL(p ‖ q) = CE(½ y + ½ p, q) − ½ H(p)."""
    log_p = torch.log_softmax(pair.teacher, dim=1)
    log_q = torch.log_softmax(pair.student, dim=1)
    middle = log_p.exp() / 2
    middle[torch.arange(len(middle)), pair.labels] += 0.5
    entropy = -(log_p.exp() * log_p).sum(dim=1)
    expected = -(middle * log_q).sum(dim=1) - entropy / 2
    found = 0.5 * cross_entropy_from_logits(pair.student, pair.labels) + (
        0.5 * kl_divergence_from_logits(pair.student, pair.teacher, temperature=1.0)
    )
    assert_near(found, expected)


@given(pair=logit_pairs(), temperature=temperatures)
def test_single_precision_is_near_double_precision(pair: LogitPair, temperature: float) -> None:
    wide = kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature)
    narrow = kl_divergence_from_logits(
        pair.student.float(), pair.teacher.float(), temperature=temperature
    )
    scale = max(1.0, temperature**2)
    torch.testing.assert_close(narrow.double(), wide, rtol=1e-4, atol=1e-4 * scale)


@given(pair=logit_pairs())
def test_equal_weights_are_no_weights(pair: LogitPair) -> None:
    losses = cross_entropy_from_logits(pair.student, pair.labels)
    assert_near(weighted_mean(losses, torch.full_like(losses, 3.0)), weighted_mean(losses))
