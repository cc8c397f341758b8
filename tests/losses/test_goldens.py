"""Numbers that any right implementation gives, computed with numpy alone in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from kdtab.losses.hard import class_weights, cross_entropy_from_logits
from kdtab.losses.reduce import weighted_mean
from kdtab.losses.soft import (
    kl_divergence_from_log_probabilities,
    kl_divergence_from_logits,
    log_probabilities_from_probabilities,
    log_probabilities_from_votes,
    tempered_log_probabilities,
)

TOLERANCE = 1e-8
STUDENT = torch.tensor([[1, 2, 0.5], [0.2, -0.3, 1.5]], dtype=torch.float64)
TEACHER = torch.tensor([[2, 1, 0.1], [0, 0.5, 3]], dtype=torch.float64)
LABELS = torch.tensor([0, 2])


def close(found: Tensor, expected: npt.ArrayLike, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_allclose(found.detach().numpy(), np.asarray(expected), rtol=0, atol=tolerance)


@pytest.mark.requirement("REQ-KD17")
def test_the_mean_cross_entropy_of_the_golden_logits() -> None:
    close(weighted_mean(cross_entropy_from_logits(STUDENT, LABELS)), 0.9137521452)


@pytest.mark.requirement("REQ-KD17")
@pytest.mark.parametrize(
    ("temperature", "mean", "rows"),
    [
        (1.0, 0.2691005497, [0.4244805798, 0.1137205195]),
        (2.0, 0.3096630621, [0.4078197769, 0.2115063473]),
        (4.0, 0.3130372166, [0.3841598440, 0.2419145892]),
    ],
)
def test_the_tempered_divergence_of_the_golden_logits(
    temperature: float, mean: float, rows: list[float]
) -> None:
    losses = kl_divergence_from_logits(STUDENT, TEACHER, temperature=temperature)
    close(losses, rows)
    close(losses.mean(), mean)


@pytest.mark.requirement("REQ-KD17")
def test_the_gradient_of_the_golden_logits() -> None:
    student = STUDENT.clone().requires_grad_()
    kl_divergence_from_logits(student, TEACHER, temperature=1.0).mean().backward()
    assert student.grad is not None
    close(
        student.grad,
        [[-0.21388862, 0.19304937, 0.02083925], [0.07277863, 0.02122132, -0.09399995]],
    )


def test_a_very_high_temperature_compares_centred_logits() -> None:
    loss = kl_divergence_from_logits(STUDENT, TEACHER, temperature=1000.0).mean()
    close(loss, 0.2972222222, tolerance=2e-4)


def test_the_weighted_mean_of_the_golden_divergences() -> None:
    losses = kl_divergence_from_logits(STUDENT, TEACHER, temperature=1.0)
    close(weighted_mean(losses, torch.tensor([1.0, 3.0], dtype=torch.float64)), 0.1914105346)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_opposite_logits_of_sixty_are_exact_in_every_float_type(dtype: torch.dtype) -> None:
    student = torch.tensor([[60.0, 0.0, -60.0]], dtype=dtype, requires_grad=True)
    teacher = torch.tensor([[-60.0, 0.0, 60.0]], dtype=dtype)
    loss = kl_divergence_from_logits(student, teacher, temperature=1.0).mean()
    loss.backward()
    assert student.grad is not None
    assert loss.item() == 120.0
    assert student.grad.tolist() == [[1.0, 0.0, -1.0]]


@pytest.mark.requirement("REQ-T09")
def test_a_forest_that_is_sure_stays_sure_when_tempered() -> None:
    sure = log_probabilities_from_probabilities(torch.tensor([[1.0, 0.0]], dtype=torch.float64))
    close(tempered_log_probabilities(sure, temperature=2.0).exp(), [[1.0, 0.0]])
    loss = kl_divergence_from_log_probabilities(
        torch.zeros(1, 2, dtype=torch.float64),
        tempered_log_probabilities(sure, temperature=2.0),
        temperature=2.0,
    )
    close(loss, [4 * np.log(2)])


def test_a_smoothed_forest_of_120_trees() -> None:
    votes = log_probabilities_from_votes(torch.tensor([[1.0, 0.0]], dtype=torch.float64), trees=120)
    close(votes.exp(), [[0.9958677686, 0.0041322314]])
    close(tempered_log_probabilities(votes, temperature=2.0).exp(), [[0.9394825, 0.0605175]], 2e-7)


def test_class_weights_of_the_golden_labels() -> None:
    np.testing.assert_allclose(
        class_weights(np.array([0, 0, 1, 2]), 3), [0.66667, 1.33333, 1.33333], atol=1e-5
    )
