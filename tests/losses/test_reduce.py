from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.losses.reduce import replaced_rows, weighted_mean, weighted_sum
from oracles import weighted_mean_twin

rows = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(0.01, 1e3)), min_size=1, max_size=12)


@given(pairs=rows)
def test_the_weighted_mean_is_what_its_formula_says(pairs: list[tuple[float, float]]) -> None:
    values, weights = np.array(pairs).T
    found = weighted_mean(torch.from_numpy(values), torch.from_numpy(weights))
    assert found.item() == pytest.approx(weighted_mean_twin(values, weights), rel=1e-9, abs=1e-9)


@given(pairs=rows, at=st.integers(0, 12))
def test_the_sums_of_two_parts_join_to_those_of_the_whole(
    pairs: list[tuple[float, float]], at: int
) -> None:
    values, weights = torch.tensor(pairs, dtype=torch.float64).unbind(dim=1)
    joined = weighted_sum(values[:at], weights[:at]).joined(weighted_sum(values[at:], weights[at:]))
    torch.testing.assert_close(joined.mean, weighted_mean(values, weights), rtol=1e-9, atol=1e-9)


def test_without_weights_every_row_counts_once() -> None:
    values = torch.tensor([1.0, 2.0, 6.0])
    assert weighted_mean(values).item() == 3.0
    assert [number.item() for number in weighted_sum(values)] == [9.0, 3.0]


def test_a_row_of_weight_zero_counts_nothing() -> None:
    values = torch.tensor([1.0, 2.0, 600.0])
    assert weighted_mean(values, torch.tensor([1.0, 1.0, 0.0])).item() == 1.5


def test_no_weight_at_all_has_no_mean() -> None:
    assert weighted_mean(torch.tensor([1.0]), torch.tensor([0.0])).isnan()


def test_a_row_of_weight_zero_may_be_nan() -> None:
    values = torch.tensor([1.0, 3.0, float("nan")])
    assert weighted_mean(values, torch.tensor([1.0, 1.0, 0.0])).item() == 2.0


@given(known=st.lists(st.booleans(), min_size=1, max_size=6))
def test_unknown_rows_are_replaced_and_pass_no_gradient_on(known: list[bool]) -> None:
    mask = torch.tensor(known)
    values = torch.full((len(known), 2), 3.0, requires_grad=True)
    found = replaced_rows(torch.where(mask[:, None], values, torch.nan), mask, by=7.0)
    found.sum().backward()
    assert found[:, 0].tolist() == [3.0 if here else 7.0 for here in known]
    assert values.grad is not None
    assert values.grad[:, 0].tolist() == [float(here) for here in known]


def test_unknown_labels_stay_whole_numbers() -> None:
    labels = replaced_rows(torch.tensor([2, -1]), torch.tensor([True, False]))
    assert labels.dtype is torch.int64
    assert labels.tolist() == [2, 0]
