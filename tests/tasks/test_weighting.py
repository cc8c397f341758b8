from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.errors.configs import FieldInvalid
from kdtab.tasks.weighting import LossWeights, loss_weights, weighted_loss

positive = st.floats(1e-6, 1e6)
shares = st.floats(0, 1)


@given(distill=positive, task=positive)
def test_a_distillation_weight_makes_both_independent(distill: float, task: float) -> None:
    assert loss_weights(distill, task).unwrap() == LossWeights(task=task, distill=distill)
    assert loss_weights(distill, None).unwrap() == LossWeights(task=1.0, distill=distill)


@given(task=shares)
def test_a_task_weight_alone_leaves_the_rest_to_the_teacher(task: float) -> None:
    found = loss_weights(None, task).unwrap()
    assert (found.task, found.distill) == (task, 1 - task)


def test_no_weight_is_one_for_each() -> None:
    assert loss_weights(None, None).unwrap() == LossWeights(1.0, 1.0)


@given(distill=st.floats(allow_nan=True) | st.none(), task=st.floats(allow_nan=True) | st.none())
def test_whatever_is_accepted_is_finite_and_teaches(
    distill: float | None, task: float | None
) -> None:
    found = loss_weights(distill, task).value_or(None)
    if found is None:
        issues = loss_weights(distill, task).failure()
        assert all(isinstance(issue, FieldInvalid) for issue in issues)
    else:
        assert math.isfinite(found.task)
        assert math.isfinite(found.distill)
        assert min(found.task, found.distill) >= 0
        assert max(found.task, found.distill) > 0


@pytest.mark.parametrize("absent", [math.inf, math.nan])
def test_a_term_without_weight_is_not_even_multiplied(absent: float) -> None:
    there, gone = torch.tensor(2.0), torch.tensor(absent)
    assert weighted_loss(there, gone, LossWeights(3.0, 0.0)).item() == 6.0
    assert weighted_loss(gone, there, LossWeights(0.0, 3.0)).item() == 6.0
