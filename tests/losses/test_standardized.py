from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.losses.soft import tempered_log_probabilities
from kdtab.losses.standardized import (
    standardized_kl_divergence_from_logits,
    standardized_logits,
)
from loss_cases import graded_pairs
from loss_oracles import standardized_twin
from tensor_strategies import LogitPair


@given(pair=graded_pairs())
def test_standardised_logits_are_what_their_formula_says(pair: LogitPair) -> None:
    found = standardized_logits(pair.student).numpy()
    np.testing.assert_allclose(found, standardized_twin(pair.student.numpy()), atol=1e-7)


@given(pair=graded_pairs(), scale=st.floats(0.5, 8.0))
def test_the_scale_of_the_logits_is_not_taught(pair: LogitPair, scale: float) -> None:
    varied = pair.teacher + torch.arange(pair.teacher.shape[1])
    before = standardized_kl_divergence_from_logits(pair.student, varied, temperature=2.0)
    after = standardized_kl_divergence_from_logits(pair.student, varied * scale, temperature=2.0)
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-6)


def test_equal_logits_have_a_finite_gradient() -> None:
    student = torch.zeros(1, 3, requires_grad=True)
    teacher = torch.tensor([[1.0, 2.0, 3.0]])
    standardized_kl_divergence_from_logits(student, teacher, temperature=2.0).sum().backward()
    assert student.grad is not None
    assert bool(student.grad.isfinite().all())


def test_two_standardised_logits_say_the_same_in_every_row() -> None:
    rows = torch.tensor([[0.0, 1.0], [-3.0, 5.0], [0.2, 0.3]], dtype=torch.float64)
    said = tempered_log_probabilities(standardized_logits(rows), temperature=2.0).exp()
    np.testing.assert_allclose(said[:, 1].numpy(), 0.6698, atol=1e-4)
    with pytest.raises(AssertionError, match="same in every row"):
        standardized_kl_divergence_from_logits(rows, rows, temperature=2.0)
