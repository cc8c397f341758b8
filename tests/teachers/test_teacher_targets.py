"""From a teacher's outputs to what a student's loss takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.data.arrays import FloatArray
from kdtab.data.outputs import TeacherOutputs
from kdtab.data.scale import TargetScaler
from kdtab.errors.teachers import ClassesDiffer, TaskMismatch
from kdtab.teachers.targets import soft_targets
from strategies import finite_floats, logits, matrices

NAMES = ("a", "b", "c", "d", "e")


def shares_of(scores: FloatArray) -> FloatArray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: FloatArray = raised / raised.sum(axis=1, keepdims=True)
    return shares


@given(scores=logits(), data=st.data(), trees=st.sampled_from([None, 1, 120]))
def test_permuted_classes_give_the_same_soft_targets(
    scores: FloatArray, data: st.DataObject, trees: int | None
) -> None:
    names = NAMES[: scores.shape[1]]
    order = data.draw(st.permutations(range(len(names))))
    turned = tuple(names[place] for place in order)
    for kind, values in (("logits", scores), ("probabilities", shares_of(scores))):
        one = TeacherOutputs(kind, names, values, trees)  # type: ignore[arg-type]  # one of the kinds
        other = TeacherOutputs(kind, turned, values[:, order], trees)  # type: ignore[arg-type]  # one of the kinds
        np.testing.assert_array_equal(
            soft_targets(one, names, None).unwrap(), soft_targets(other, names, None).unwrap()
        )


@given(scores=logits())
def test_probabilities_become_finite_logs(scores: FloatArray) -> None:
    names, shares = NAMES[: scores.shape[1]], shares_of(scores)
    plain = soft_targets(TeacherOutputs("probabilities", names, shares), names, None).unwrap()
    np.testing.assert_allclose(plain, np.log(np.maximum(shares, 1e-7)), rtol=1e-6, atol=1e-7)
    votes = soft_targets(TeacherOutputs("probabilities", names, shares, 120), names, None).unwrap()
    smoothed = (120 * shares + 1 / len(names)) / 121
    np.testing.assert_allclose(votes, np.log(smoothed), rtol=1e-6, atol=1e-7)
    assert plain.dtype == votes.dtype == np.float32


def test_a_unanimous_forest_of_120_trees_is_not_infinitely_sure() -> None:
    """The golden number of a forest's row (1, 0)."""
    said = TeacherOutputs("probabilities", ("a", "b"), np.array([[1.0, 0.0]]), trees=120)
    shares = np.exp(soft_targets(said, ("a", "b"), None).unwrap())
    np.testing.assert_allclose(shares, [[0.9958677686, 0.0041322314]], rtol=1e-6)


@given(scores=logits())
def test_logits_that_float32_can_hold_are_cast_and_no_more(scores: FloatArray) -> None:
    names = NAMES[: scores.shape[1]]
    made = soft_targets(TeacherOutputs("logits", names, scores), names, None).unwrap()
    np.testing.assert_array_equal(made, scores.astype(np.float32))


def test_logits_beyond_float32_keep_their_softmax() -> None:
    scores = np.array([[1e300, 1e300, -1e300], [1.0, 2.0, 3.0], [-1e300, -1e300 * 1.5, 1e308]])
    made = soft_targets(TeacherOutputs("logits", NAMES[:3], scores), NAMES[:3], None).unwrap()
    assert np.isfinite(made).all()
    expected = [[0.5, 0.5, 0], shares_of(scores[1:2])[0], [0, 0, 1]]
    np.testing.assert_allclose(shares_of(made.astype(np.float64)), expected, rtol=1e-6)


def test_an_exact_zero_among_log_probabilities_stays_one() -> None:
    said = TeacherOutputs("log_probabilities", ("a", "b"), np.array([[0.0, -np.inf]]))
    assert soft_targets(said, ("b", "a"), None).unwrap().tolist() == [[-np.inf, 0.0]]


@given(values=matrices(max_columns=1), mean=finite_floats(), scale=st.floats(1e-3, 1e3))
def test_values_are_scaled_as_the_student_is_trained(
    values: FloatArray, mean: float, scale: float
) -> None:
    scaler = TargetScaler(mean=mean, scale=scale)
    made = soft_targets(TeacherOutputs("values", (), values), (), scaler).unwrap()
    assert np.isfinite(made).all()
    largest = float(np.finfo(np.float32).max)
    expected = np.clip(scaler.transform(values), -largest, largest)
    np.testing.assert_array_equal(made, expected.astype(np.float32))
    plain = soft_targets(TeacherOutputs("values", (), values), (), None).unwrap()
    np.testing.assert_array_equal(plain, np.clip(values, -largest, largest).astype(np.float32))


def test_a_class_on_one_side_is_an_error_or_a_declared_zero() -> None:
    said = TeacherOutputs("probabilities", ("a", "c"), np.array([[0.4, 0.6]]))
    issue = soft_targets(said, ("a", "b"), None).failure().first
    assert issue == ClassesDiffer(only_teacher=("c",), only_table=("b",))
    made = soft_targets(said, ("a", "b"), None, missing="zero").unwrap()
    np.testing.assert_allclose(np.exp(made), [[1.0, 1e-7]], rtol=1e-5)


@pytest.mark.requirement("REQ-KD07")
def test_values_are_no_classes() -> None:
    values = TeacherOutputs("values", (), np.zeros((1, 1)))
    issue = soft_targets(values, ("a",), None).failure().first
    assert issue == TaskMismatch(requested="classification", teacher="regression")
    classes = TeacherOutputs("logits", ("a",), np.zeros((1, 1)))
    assert isinstance(soft_targets(classes, (), None).failure().first, TaskMismatch)
