from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.losses.corrected import (
    label_corrected_kl_divergence,
    label_corrected_log_probabilities,
)
from kdtab.losses.hard import cross_entropy_from_logits
from kdtab.losses.soft import kl_divergence_from_logits
from loss_cases import graded_pairs
from loss_oracles import label_corrected_twin
from tensor_strategies import LogitPair, temperatures

thresholds = st.one_of(st.sampled_from([0.0, 0.2, 0.9, 1.0]), st.floats(0, 1))


@given(pair=graded_pairs(), temperature=temperatures, threshold=thresholds)
def test_it_is_what_its_formula_says(pair: LogitPair, temperature: float, threshold: float) -> None:
    found = label_corrected_kl_divergence(
        pair.student, pair.teacher, pair.labels, temperature=temperature, threshold=threshold
    )
    expected = label_corrected_twin(
        pair.student.numpy(), pair.teacher.numpy(), pair.labels.numpy(), temperature, threshold
    )
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-7, atol=1e-7)


@given(pair=graded_pairs(), temperature=temperatures, threshold=thresholds)
def test_the_corrected_teacher_is_a_distribution_whose_label_leads(
    pair: LogitPair, temperature: float, threshold: float
) -> None:
    found = label_corrected_log_probabilities(
        pair.teacher, pair.labels, temperature=temperature, threshold=threshold
    ).exp()
    torch.testing.assert_close(found.sum(1), torch.ones(len(found), dtype=torch.float64))
    wanted = pair.labels[:, None]
    own = found.gather(1, wanted)
    others = found.scatter(1, wanted, -1.0).max(1, keepdim=True).values
    said = torch.softmax(pair.teacher / temperature, 1)
    wrong = said.gather(1, wanted) < said.max(1, keepdim=True).values
    lead = (own - others)[wrong]
    torch.testing.assert_close(lead, torch.full_like(lead, threshold), rtol=0, atol=1e-12)
    assert bool((own >= others - 1e-12).all())


@given(pair=graded_pairs(), temperature=temperatures)
def test_a_teacher_that_is_right_needs_no_correction(pair: LogitPair, temperature: float) -> None:
    labels = pair.teacher.argmax(1)
    found = label_corrected_kl_divergence(
        pair.student, pair.teacher, labels, temperature=temperature, threshold=0.0
    )
    plain = kl_divergence_from_logits(pair.student, pair.teacher, temperature=temperature)
    torch.testing.assert_close(found, plain, rtol=1e-9, atol=1e-9)


@given(pair=graded_pairs())
def test_the_largest_threshold_is_the_label_alone(pair: LogitPair) -> None:
    found = label_corrected_kl_divergence(
        pair.student, pair.teacher, pair.labels, temperature=1.0, threshold=1.0
    )
    expected = cross_entropy_from_logits(pair.student, pair.labels)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("label", [0, 1])
def test_a_teacher_that_is_certain_has_a_finite_loss_and_gradient(label: int) -> None:
    student = torch.tensor([[0.5, -0.5]], dtype=torch.float64, requires_grad=True)
    certain = torch.tensor([[0.0, -torch.inf]], dtype=torch.float64)
    found = label_corrected_kl_divergence(
        student, certain, torch.tensor([label]), temperature=2.0, threshold=0.2
    )
    found.sum().backward()
    assert student.grad is not None
    assert bool(student.grad.isfinite().all())
    said = label_corrected_log_probabilities(
        certain, torch.tensor([label]), temperature=2.0, threshold=0.2
    ).exp()
    expected = [[1.0, 0.0]] if label == 0 else [[0.4, 0.6]]
    torch.testing.assert_close(said, torch.tensor(expected, dtype=torch.float64))


def test_a_class_that_is_as_likely_as_the_likeliest_is_right_wherever_it_stands() -> None:
    tied = torch.zeros(2, 2, dtype=torch.float64)
    found = label_corrected_log_probabilities(
        tied, torch.tensor([0, 1]), temperature=1.0, threshold=0.2
    ).exp()
    expected = torch.tensor([[0.7, 0.3], [0.3, 0.7]], dtype=torch.float64)
    torch.testing.assert_close(found, expected)


def test_no_gradient_reaches_the_teacher() -> None:
    teacher = torch.zeros(1, 3, requires_grad=True)
    student = torch.zeros(1, 3, requires_grad=True)
    label_corrected_kl_divergence(
        student, teacher, torch.tensor([1]), temperature=1.0
    ).sum().backward()
    assert teacher.grad is None


def test_a_threshold_above_one_is_refused() -> None:
    with pytest.raises(AssertionError, match="difference of two probabilities"):
        label_corrected_log_probabilities(
            torch.zeros(1, 2), torch.tensor([0]), temperature=1.0, threshold=1.2
        )
