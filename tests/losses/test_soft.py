from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from kdtab.losses.soft import (
    kl_divergence_from_log_probabilities,
    kl_divergence_from_logits,
    log_probabilities_from_probabilities,
    log_probabilities_from_votes,
    tempered_log_probabilities,
)
from oracles import (
    kl_divergence_twin,
    kl_gradient_twin,
    log_softmax_twin,
    powered_probabilities_twin,
)
from tensor_strategies import LogitPair, logit_pairs, probability_tables, temperatures


@pytest.mark.requirement("REQ-KD17")
@given(pair=logit_pairs(), temperature=temperatures)
def test_the_divergence_is_what_its_formula_says(pair: LogitPair, temperature: float) -> None:
    found = kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature)
    expected = kl_divergence_twin(pair.student.numpy(), pair.teacher.numpy(), temperature)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.requirement("REQ-KD17", "AC-KD17")
@given(pair=logit_pairs(), temperature=temperatures)
def test_the_mean_divergence_is_that_of_torch(pair: LogitPair, temperature: float) -> None:
    found = kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature).mean()
    expected = (
        functional.kl_div(
            torch.log_softmax(pair.student / temperature, dim=1),
            torch.softmax(pair.teacher / temperature, dim=1),
            reduction="batchmean",
        )
        * temperature**2
    )
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-7)


@given(pair=logit_pairs(), temperature=temperatures)
def test_the_gradient_is_the_difference_of_probabilities(
    pair: LogitPair, temperature: float
) -> None:
    student = pair.student.clone().requires_grad_()
    kl_divergence_from_logits(student, pair.teacher, temperature=temperature).sum().backward()
    assert student.grad is not None
    expected = kl_gradient_twin(pair.student.numpy(), pair.teacher.numpy(), temperature)
    np.testing.assert_allclose(student.grad.numpy(), expected, rtol=1e-9, atol=1e-9)


@given(pair=logit_pairs(), temperature=temperatures)
def test_no_divergence_is_negative(pair: LogitPair, temperature: float) -> None:
    found = kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature)
    assert bool((found >= -1e-9).all())


def test_inputs_of_half_precision_are_computed_in_float32() -> None:
    half = torch.tensor([[1.0, 2.0]], dtype=torch.bfloat16)
    assert kl_divergence_from_logits(half, half, temperature=2.0).dtype is torch.float32


@given(pair=logit_pairs(), temperature=temperatures)
def test_a_teacher_tempered_beforehand_gives_the_same_bits(
    pair: LogitPair, temperature: float
) -> None:
    spoken = tempered_log_probabilities(pair.teacher, temperature=temperature)
    found = kl_divergence_from_log_probabilities(pair.student, spoken, temperature=temperature)
    directly = kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature)
    assert torch.equal(found, directly)


@given(pair=logit_pairs(), temperature=temperatures)
def test_tempered_log_probabilities_are_what_their_formula_says(
    pair: LogitPair, temperature: float
) -> None:
    found = tempered_log_probabilities(pair.teacher, temperature=temperature)
    expected = log_softmax_twin(pair.teacher.numpy(), temperature)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.requirement("REQ-T09")
@given(probabilities=probability_tables(), temperature=temperatures)
def test_tempering_log_probabilities_is_a_power_renormalised(
    probabilities: Tensor, temperature: float
) -> None:
    spoken = log_probabilities_from_probabilities(probabilities)
    found = tempered_log_probabilities(spoken, temperature=temperature).exp()
    expected = powered_probabilities_twin(probabilities.numpy(), temperature)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)
    assert bool(((probabilities == 0) == (found == 0)).all())


@pytest.mark.requirement("REQ-T09")
@given(probabilities=probability_tables(), temperature=temperatures)
def test_exact_zeros_of_the_teacher_give_finite_losses_and_gradients(
    probabilities: Tensor, temperature: float
) -> None:
    spoken = log_probabilities_from_probabilities(probabilities)
    student = torch.linspace(-60, 60, probabilities.numel(), dtype=torch.float64)
    student = student.reshape(probabilities.shape).requires_grad_()
    losses = kl_divergence_from_logits(student, spoken, temperature=temperature)
    losses.sum().backward()
    expected = kl_divergence_twin(student.detach().numpy(), spoken.numpy(), temperature)
    np.testing.assert_allclose(losses.detach().numpy(), expected, rtol=1e-9, atol=1e-9)
    assert student.grad is not None
    assert bool(torch.isfinite(student.grad).all())


@given(probabilities=probability_tables(), trees=st.integers(1, 500))
def test_smoothed_votes_are_probabilities_without_a_zero(probabilities: Tensor, trees: int) -> None:
    found = log_probabilities_from_votes(probabilities, trees=trees).exp()
    classes = probabilities.shape[1]
    expected = (trees * probabilities.numpy() + 1 / classes) / (trees + 1)
    np.testing.assert_allclose(found.numpy(), expected)
    np.testing.assert_allclose(found.sum(dim=1).numpy(), 1.0)
    assert bool((found > 0).all())
