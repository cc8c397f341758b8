from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from kdtab.losses.hard import class_weights, cross_entropy_from_logits, squared_error
from kdtab.losses.reduce import weighted_mean
from oracles import class_weights_twin, cross_entropy_twin
from tensor_strategies import LogitPair, logit_pairs


@pytest.mark.requirement("REQ-KD17")
@given(pair=logit_pairs(), smoothing=st.sampled_from([0.0, 0.05, 0.3]))
def test_cross_entropy_is_what_its_formula_says(pair: LogitPair, smoothing: float) -> None:
    found = cross_entropy_from_logits(pair.student, pair.labels, label_smoothing=smoothing)
    expected = cross_entropy_twin(pair.student.numpy(), pair.labels.numpy(), smoothing)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.requirement("REQ-KD17")
@given(pair=logit_pairs())
def test_mean_cross_entropy_is_that_of_torch(pair: LogitPair) -> None:
    found = weighted_mean(cross_entropy_from_logits(pair.student, pair.labels))
    torch.testing.assert_close(found, functional.cross_entropy(pair.student, pair.labels))


@given(
    pair=logit_pairs(),
    weights=st.lists(st.floats(0.1, 10.0), min_size=5, max_size=5),
)
def test_class_weighted_cross_entropy_is_that_of_torch(
    pair: LogitPair, weights: list[float]
) -> None:
    by_class = torch.tensor(weights[: pair.student.shape[1]], dtype=torch.float64)
    losses = cross_entropy_from_logits(pair.student, pair.labels)
    expected = torch.nn.CrossEntropyLoss(weight=by_class)(pair.student, pair.labels)
    torch.testing.assert_close(weighted_mean(losses, by_class[pair.labels]), expected)


@given(pair=logit_pairs(), shift=st.floats(-30, 30))
def test_a_constant_added_to_a_row_changes_no_cross_entropy(pair: LogitPair, shift: float) -> None:
    before = cross_entropy_from_logits(pair.student, pair.labels)
    after = cross_entropy_from_logits(pair.student + shift, pair.labels)
    torch.testing.assert_close(after, before, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_cross_entropy_of_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    logits = torch.tensor([[60.0, 0.0, -60.0]], dtype=dtype)
    loss = cross_entropy_from_logits(logits, torch.tensor([2]))
    assert loss.dtype is torch.float32
    assert loss.item() == 120.0


def test_a_label_that_no_class_has_is_an_error_and_never_nan() -> None:
    with pytest.raises((IndexError, RuntimeError)):
        cross_entropy_from_logits(torch.zeros(1, 2), torch.tensor([2]))
    with pytest.raises((IndexError, RuntimeError)):
        cross_entropy_from_logits(torch.zeros(1, 2), torch.tensor([-100]))


@pytest.mark.requirement("REQ-KD18")
@given(
    pairs=st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=9)
)
def test_mean_squared_error_is_that_of_torch(pairs: list[tuple[float, float]]) -> None:
    values, targets = torch.tensor(pairs, dtype=torch.float64).split(1, dim=1)
    found = weighted_mean(squared_error(values, targets))
    torch.testing.assert_close(found, functional.mse_loss(values, targets))


def test_squared_error_refuses_to_broadcast() -> None:
    with pytest.raises(AssertionError, match="broadcast"):
        squared_error(torch.zeros(3, 1), torch.zeros(3))


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_class_weights_are_what_their_formula_says(labels: list[int]) -> None:
    codes = np.array(labels, dtype=np.int64)
    np.testing.assert_allclose(class_weights(codes, 5), class_weights_twin(codes, 5))


@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_weighted_rows_count_as_many_as_there_are(labels: list[int]) -> None:
    codes = np.array(labels, dtype=np.int64)
    present = len(set(labels))
    total = float(np.array(class_weights(codes, 5))[codes].sum())
    assert total == pytest.approx(len(labels) * present / 5)


def test_a_class_without_rows_weighs_nothing() -> None:
    assert class_weights(np.array([0, 0]), 2) == (0.5, 0.0)
