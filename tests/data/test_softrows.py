"""Rows once for each class: the weighted log loss is the soft cross-entropy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.softrows import mixed_labels, mixed_values, soft_label_rows

alphas = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))


@st.composite
def labelled_tables(draw: st.DrawFn) -> tuple[FloatArray, FloatArray, IntArray]:
    """Rows that name themselves, distributions with exact zeros among them, and labels."""
    rows, classes = draw(st.integers(0, 12)), draw(st.integers(1, 5))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shares = random.random((rows, classes)) * (random.random((rows, classes)) < 0.7)
    shares[np.arange(rows), random.integers(0, classes, rows)] += 0.1
    shares /= shares.sum(axis=1, keepdims=True)
    return np.arange(rows, dtype=np.float64)[:, None], shares, random.integers(0, classes, rows)


@given(labelled_tables(), alphas, st.integers(0, 2**32 - 1))
def test_the_weighted_log_loss_of_the_rows_is_the_soft_cross_entropy(
    table: tuple[FloatArray, FloatArray, IntArray], alpha: float, seed: int
) -> None:
    inputs, soft, hard = table
    model = np.random.default_rng(seed).dirichlet(np.ones(soft.shape[1]), size=len(inputs))
    logs = np.log(np.maximum(model, 1e-300))
    hard_part = -logs[np.arange(len(hard)), hard].sum()
    soft_part = -(soft * logs).sum()
    rows, classes, weights = soft_label_rows(inputs, soft, hard, alpha)
    numbers = rows[:, 0].astype(int)
    found = -(weights * logs[numbers, classes]).sum()
    assert found == pytest.approx(alpha * hard_part + (1 - alpha) * soft_part)


@given(labelled_tables(), alphas)
def test_every_row_weighs_one_and_none_of_weight_zero_is_left(
    table: tuple[FloatArray, FloatArray, IntArray], alpha: float
) -> None:
    inputs, soft, hard = table
    rows, _, weights = soft_label_rows(inputs, soft, hard, alpha)
    assert (weights > 0).all()
    totals = np.bincount(rows[:, 0].astype(int), weights, minlength=len(inputs))
    np.testing.assert_allclose(totals, 1.0)


@given(labelled_tables())
def test_at_alpha_one_the_rows_are_the_table_itself(
    table: tuple[FloatArray, FloatArray, IntArray],
) -> None:
    inputs, soft, hard = table
    rows, classes, weights = soft_label_rows(inputs, soft, hard, 1.0)
    assert rows.tolist() == inputs.tolist()
    assert classes.tolist() == hard.tolist()
    assert weights.tolist() == [1.0] * len(hard)


@given(labelled_tables(), alphas)
def test_a_row_of_which_no_teacher_spoke_has_its_own_label_alone(
    table: tuple[FloatArray, FloatArray, IntArray], alpha: float
) -> None:
    inputs, soft, hard = table
    silent = np.full_like(soft, np.nan)
    rows, classes, weights = soft_label_rows(inputs, silent, hard, alpha)
    assert (rows.tolist(), classes.tolist()) == (inputs.tolist(), hard.tolist())
    assert weights.tolist() == [1.0] * len(hard)
    assert mixed_labels(silent, hard, alpha).sum() == len(hard)


def test_values_are_mixed_where_the_teacher_spoke() -> None:
    mixed = mixed_values(np.array([1.0, np.nan, 4.0]), np.array([3.0, 5.0, 0.0]), 0.25)
    assert mixed.tolist() == [1.5, 5.0, 3.0]


@given(
    st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1), alphas, st.floats(-9, 9)
)
def test_the_mixed_value_has_the_gradient_of_both_squared_errors(
    pairs: list[tuple[float, float]], alpha: float, answer: float
) -> None:
    soft, hard = np.array(pairs).T
    both = alpha * (answer - hard) + (1 - alpha) * (answer - soft)
    np.testing.assert_allclose(answer - mixed_values(soft, hard, alpha), both, atol=1e-9)


def test_rows_keep_their_type() -> None:
    rows, _, _ = soft_label_rows(
        np.zeros((2, 1), np.float32), np.full((2, 2), 0.5), np.array([0, 1]), 0.5
    )
    assert rows.dtype == np.float32
