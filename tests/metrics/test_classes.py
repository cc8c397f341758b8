"""Figures of each class against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.metrics.classes import (
    average_precision_from_logits,
    class_counts_from_logits,
    f1_from_logits,
)
from kdtab.metrics.logits import (
    balanced_accuracy_from_logits,
    brier_scores_from_logits,
    kl_divergences_from_logits,
    log_probabilities,
)
from oracles import kl_divergence_twin, softmax_twin
from strategies import logits as any_logits


@st.composite
def scored(draw: st.DrawFn) -> tuple[FloatArray, IntArray]:
    """Two to five classes, one to thirty rows, ties among the scores."""
    width, rows = draw(st.integers(2, 5)), draw(st.integers(1, 30))
    cells = st.one_of(st.sampled_from([0.0, 1.0, 60.0, -60.0]), st.floats(-9, 9, width=16))
    drawn = draw(st.lists(cells, min_size=rows * width, max_size=rows * width))
    codes = draw(st.lists(st.integers(0, width - 1), min_size=rows, max_size=rows))
    return np.array(drawn).reshape(rows, width), np.array(codes, dtype=np.int64)


@given(scored())
def test_counts_are_those_of_going_row_by_row(rows: tuple[FloatArray, IntArray]) -> None:
    logits, classes = rows
    chosen = [list(row).index(max(row)) for row in logits]
    for code, counts in enumerate(class_counts_from_logits(logits, classes)):
        pairs = [(a == code, b == code) for a, b in zip(classes, chosen, strict=True)]
        assert counts.rows == sum(a for a, _ in pairs)
        assert counts.chosen == sum(b for _, b in pairs)
        assert counts.right == sum(a and b for a, b in pairs)


@given(scored())
def test_the_mean_recall_is_the_balanced_accuracy(rows: tuple[FloatArray, IntArray]) -> None:
    recalls = [item.recall for item in class_counts_from_logits(*rows) if item.rows]
    assert np.mean(recalls) == pytest.approx(balanced_accuracy_from_logits(*rows))


@given(scored())
def test_f1_is_that_of_scikit_learn(rows: tuple[FloatArray, IntArray]) -> None:
    logits, classes = rows
    chosen = logits.argmax(axis=1)
    found = f1_from_logits(logits, classes)
    if logits.shape[1] > 2:
        assert found == pytest.approx(f1_score(classes, chosen, average="macro", zero_division=0))
    elif (classes == 1).any() or (chosen == 1).any():
        assert found == pytest.approx(f1_score(classes, chosen, zero_division=0))
    else:
        assert math.isnan(found)


@given(scored())
def test_average_precision_is_that_of_scikit_learn(rows: tuple[FloatArray, IntArray]) -> None:
    logits, classes = rows
    found = average_precision_from_logits(logits, classes)
    if logits.shape[1] > 2:
        scores, present = log_probabilities(logits), sorted(set(classes.tolist()))
        areas = [average_precision_score(classes == code, scores[:, code]) for code in present]
        assert found == pytest.approx(np.mean(areas))
    elif (classes == 1).any():
        margin = logits[:, 1] - logits[:, 0]
        assert found == pytest.approx(average_precision_score(classes, margin))
    else:
        assert math.isnan(found)


@given(st.integers(2, 5), st.lists(st.integers(0, 1), min_size=1, max_size=20))
def test_a_constant_answer_has_the_average_precision_of_the_share(
    width: int, codes: list[int]
) -> None:
    classes = np.array(codes)
    found = average_precision_from_logits(np.zeros((len(codes), width)), classes)
    shares = [float(np.mean(classes == code)) for code in ([1] if width == 2 else set(codes))]
    if width == 2 and not classes.any():
        assert math.isnan(found)
    else:
        assert found == pytest.approx(np.mean(shares))


@given(scored())
def test_brier_scores_are_those_of_scikit_learn(rows: tuple[FloatArray, IntArray]) -> None:
    logits, classes = rows
    shares = softmax_twin(logits)
    expected = brier_score_loss(
        classes,
        shares[:, 1] if logits.shape[1] == 2 else shares,
        labels=range(logits.shape[1]),
    )
    assert brier_scores_from_logits(logits, classes).mean() == pytest.approx(expected, abs=1e-12)


@given(st.data())
def test_the_divergence_is_the_twins_and_never_below_zero(data: st.DataObject) -> None:
    teacher = data.draw(any_logits())
    student = data.draw(any_logits(*teacher.shape))
    found = kl_divergences_from_logits(teacher, student)
    expected = kl_divergence_twin(student, teacher, 1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert (found >= 0).all()
    assert (kl_divergences_from_logits(teacher, teacher + 1.0) <= 1e-9).all()


def test_a_class_that_the_teacher_rules_out_contributes_nothing() -> None:
    teacher = np.array([[0.0, -math.inf]])
    assert kl_divergences_from_logits(teacher, np.zeros((1, 2)))[0] == pytest.approx(math.log(2))


def test_an_always_negative_answer_on_a_rare_class_has_high_accuracy_and_no_f1() -> None:
    classes = np.array([0] * 99 + [1])
    logits = np.tile([1.0, 0.0], (100, 1))
    assert f1_from_logits(logits, classes) == 0.0
    assert average_precision_from_logits(logits, classes) == pytest.approx(0.01)


def test_classes_without_rows_have_no_share() -> None:
    (first, second) = class_counts_from_logits(np.zeros((0, 2)), np.zeros(0, dtype=np.int64))
    assert math.isnan(first.recall)
    assert math.isnan(second.precision)
    assert math.isnan(second.f1)
    assert math.isnan(f1_from_logits(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)))
    assert math.isnan(average_precision_from_logits(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)))
