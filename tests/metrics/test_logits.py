"""Metrics against slow twins: pairs, loops and definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.metrics.logits import (
    accuracy_from_logits,
    auc_from_logits,
    balanced_accuracy_from_logits,
    class_agreement,
    log_losses_from_logits,
    log_probabilities,
)
from kdtab.metrics.numbers import mean_absolute_error, r_squared, root_mean_squared_error
from oracles import auc_twin, cross_entropy_twin, log_softmax_twin, softmax_twin

logit_cells = st.one_of(
    st.floats(-80, 80), st.sampled_from([0.0, -0.0, 1e4, -1e4, 1e-300, 3.0, 3.0])
)
numbers = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.7e9, 1.7e9 + 0.5, -1e-9]))


@st.composite
def scored(draw: st.DrawFn, classes: int | None = None) -> tuple[FloatArray, IntArray]:
    """One to eight rows of logits with their true classes."""
    width = classes or draw(st.integers(1, 5))
    rows = draw(st.integers(1, 8))
    cells = draw(st.lists(logit_cells, min_size=rows * width, max_size=rows * width))
    codes = draw(st.lists(st.integers(0, width - 1), min_size=rows, max_size=rows))
    return np.array(cells).reshape(rows, width), np.array(codes, dtype=np.int64)


@st.composite
def pairs_of_numbers(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    """Predictions and truths of one to eight rows."""
    rows = draw(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8))
    table = np.array(rows, dtype=np.float64)
    return table[:, 0].copy(), table[:, 1].copy()


@given(scored())
def test_log_probabilities_are_those_of_the_twin_and_sum_to_one(
    rows: tuple[FloatArray, IntArray],
) -> None:
    found = log_probabilities(rows[0])
    np.testing.assert_allclose(found, log_softmax_twin(rows[0]), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1.0, rtol=1e-9)
    np.testing.assert_allclose(np.exp(found), softmax_twin(rows[0]), rtol=1e-9, atol=1e-12)


@given(scored())
def test_log_losses_are_the_twins_cross_entropies(rows: tuple[FloatArray, IntArray]) -> None:
    found = log_losses_from_logits(*rows)
    np.testing.assert_allclose(found, cross_entropy_twin(*rows), rtol=1e-9, atol=1e-9)


def test_float32_logits_are_measured_in_float64() -> None:
    logits = np.array([[30.0, 0.0]], dtype=np.float32)
    (loss,) = log_losses_from_logits(logits, np.array([0]))
    assert loss == pytest.approx(math.log1p(math.exp(-30)), rel=1e-6)
    assert log_probabilities(logits).dtype == np.float64


@pytest.mark.requirement("REQ-T15", "REQ-KD23")
@given(scored())
def test_accuracy_is_the_share_of_right_rows(rows: tuple[FloatArray, IntArray]) -> None:
    logits, classes = rows
    right = [list(row).index(max(row)) == code for row, code in zip(logits, classes, strict=True)]
    assert accuracy_from_logits(logits, classes) == pytest.approx(sum(right) / len(right))


@given(scored())
def test_balanced_accuracy_is_the_mean_recall_of_the_classes_that_occur(
    rows: tuple[FloatArray, IntArray],
) -> None:
    logits, classes = rows
    recalls = []
    for code in sorted(set(classes.tolist())):
        chosen = [list(row).index(max(row)) for row in logits[classes == code]]
        recalls.append(sum(found == code for found in chosen) / len(chosen))
    found = balanced_accuracy_from_logits(logits, classes)
    assert found == pytest.approx(sum(recalls) / len(recalls))


@given(scored(classes=2))
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: tuple[FloatArray, IntArray]) -> None:
    logits, classes = rows
    found = auc_from_logits(logits, classes)
    if len(set(classes.tolist())) < 2:
        assert found is None
    else:
        assert found == pytest.approx(auc_twin(logits[:, 1] - logits[:, 0], classes))


@given(scored(classes=2))
def test_auc_does_not_change_when_classes_and_logits_are_swapped(
    rows: tuple[FloatArray, IntArray],
) -> None:
    logits, classes = rows
    found, swapped = auc_from_logits(logits, classes), auc_from_logits(logits[:, ::-1], 1 - classes)
    assert found == (None if swapped is None else pytest.approx(swapped))


@pytest.mark.parametrize("classes", [1, 3])
def test_auc_is_for_two_classes(classes: int) -> None:
    assert auc_from_logits(np.zeros((2, classes)), np.array([0, classes - 1])) is None


@pytest.mark.requirement("REQ-T15", "REQ-KD23")
@given(pairs_of_numbers())
def test_errors_are_their_definitions(rows: tuple[FloatArray, FloatArray]) -> None:
    said, truth = rows
    gaps = [float(a) - float(b) for a, b in zip(said, truth, strict=True)]
    rmse = math.sqrt(math.fsum(gap * gap for gap in gaps) / len(gaps))
    assert root_mean_squared_error(said, truth) == pytest.approx(rmse, rel=1e-12)
    mae = math.fsum(map(abs, gaps)) / len(gaps)
    assert mean_absolute_error(said, truth) == pytest.approx(mae, rel=1e-12)


@given(pairs_of_numbers())
def test_r_squared_is_its_definition_and_one_for_the_truth(
    rows: tuple[FloatArray, FloatArray],
) -> None:
    said, truth = rows
    mean = truth.mean()
    spread = math.fsum((float(value) - mean) ** 2 for value in truth)
    if spread == 0:
        assert math.isnan(r_squared(said, truth))
        return
    gaps = math.fsum((float(a) - float(b)) ** 2 for a, b in zip(said, truth, strict=True))
    assert r_squared(said, truth) == pytest.approx(1 - gaps / spread, rel=1e-9, abs=1e-9)
    assert r_squared(truth, truth) == 1.0


@given(scored())
def test_agreement_is_symmetric_and_whole_with_oneself(
    rows: tuple[FloatArray, IntArray],
) -> None:
    logits, _ = rows
    turned = logits[:, ::-1]
    same = [
        list(a).index(max(a)) == list(b).index(max(b)) for a, b in zip(logits, turned, strict=True)
    ]
    assert class_agreement(logits, logits) == 1.0
    assert class_agreement(logits, turned) == pytest.approx(sum(same) / len(same))
    assert class_agreement(logits, turned) == class_agreement(turned, logits)


def test_no_rows_have_no_metric() -> None:
    logits, codes, values = np.zeros((0, 2)), np.zeros(0, dtype=np.int64), np.zeros(0)
    assert math.isnan(accuracy_from_logits(logits, codes))
    assert math.isnan(balanced_accuracy_from_logits(logits, codes))
    assert math.isnan(class_agreement(logits, logits))
    assert math.isnan(root_mean_squared_error(values, values))
    assert math.isnan(mean_absolute_error(values, values))
    assert math.isnan(r_squared(values, values))
    assert auc_from_logits(logits, codes) is None
