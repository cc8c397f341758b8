from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from kdtab.data.arrays import Float32Array, IntArray
from kdtab.teachers.forest import (
    TREE_TEACHER_ALPHA,
    TREE_TEACHER_TEMPERATURE,
    forest_log_probabilities,
    forest_values,
)

ROWS = 1_500
"""Enough noise that trees of another depth or number say something else."""


def noisy_rows(seed: int = 0, rows: int = ROWS) -> tuple[Float32Array, IntArray]:
    drawn = np.random.default_rng(seed)
    return drawn.standard_normal((rows, 4)).astype(np.float32), drawn.integers(0, 3, rows)


@pytest.mark.requirement("REQ-T09")
def test_the_seed_asks_for_temperature_two_and_half_and_half() -> None:
    assert (TREE_TEACHER_TEMPERATURE, TREE_TEACHER_ALPHA) == (2.0, 0.5)


@pytest.mark.requirement("REQ-T09")
def test_a_classification_forest_has_120_trees_of_depth_8() -> None:
    inputs, classes = noisy_rows()
    forest = RandomForestClassifier(n_estimators=120, max_depth=8, random_state=5)
    expected = forest.fit(inputs, classes).predict_proba(inputs)
    said = forest_log_probabilities(inputs, classes, class_count=3, random_seed=5)
    np.testing.assert_allclose(np.exp(said), expected, rtol=1e-5)
    assert said.dtype == np.float32


@pytest.mark.requirement("REQ-T09")
def test_a_regression_forest_has_120_trees_of_depth_10() -> None:
    inputs, _ = noisy_rows()
    targets = np.random.default_rng(1).standard_normal((ROWS, 1)).astype(np.float32)
    forest = RandomForestRegressor(n_estimators=120, max_depth=10, random_state=5)
    expected = forest.fit(inputs, targets.ravel()).predict(inputs).reshape(-1, 1)
    said = forest_values(inputs, targets, random_seed=5)
    np.testing.assert_allclose(said, expected, rtol=1e-5, atol=1e-6)
    assert said.shape == (ROWS, 1)
    assert said.dtype == np.float32


@pytest.mark.requirement("REQ-T09", "REQ-T01", "AC-T01")
def test_the_same_seed_says_the_same_and_another_seed_something_else() -> None:
    inputs, classes = noisy_rows(rows=300)
    first, again, other = (
        forest_log_probabilities(inputs, classes, class_count=3, random_seed=seed)
        for seed in (5, 5, 6)
    )
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@settings(max_examples=5)
@given(absent=st.sets(st.integers(0, 4), max_size=4), seed=st.integers(0, 2**32 - 1))
def test_a_class_without_rows_has_probability_zero_and_the_others_keep_their_places(
    absent: set[int], seed: int
) -> None:
    present = np.array(sorted(set(range(5)) - absent))
    inputs, drawn = noisy_rows(seed % 7, rows=40)
    classes = present[drawn % len(present)]
    said = forest_log_probabilities(inputs, classes, class_count=5, random_seed=seed)
    assert np.isneginf(said[:, sorted(absent)]).all()
    np.testing.assert_allclose(np.exp(said).sum(axis=1), 1.0, rtol=1e-5)
    forest = RandomForestClassifier(n_estimators=120, max_depth=8, random_state=seed)
    expected = forest.fit(inputs, classes).predict_proba(inputs)
    columns = [int(code) for code in present if (classes == code).any()]
    np.testing.assert_allclose(np.exp(said[:, columns]), expected, rtol=1e-5, atol=1e-7)


def test_a_vote_that_nobody_gave_is_minus_infinity_and_not_smoothed() -> None:
    inputs = np.array([[0.0], [1.0]] * 20, dtype=np.float32)
    classes = np.array([0, 1] * 20)
    said = forest_log_probabilities(inputs, classes, class_count=2, random_seed=0)
    assert said[0].tolist() == [0.0, -np.inf]
