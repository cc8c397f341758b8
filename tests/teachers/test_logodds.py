"""Boosted trees on log-odds: scikit-learn's own rules for a classifier, and what soft labels do."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.ensemble import HistGradientBoostingRegressor

from kdtab.data.arrays import FloatArray
from kdtab.teachers.logodds import BoostedLogOdds

ROWS = np.random.default_rng(0).normal(size=(200, 3))


def soft_labels(classes: int) -> FloatArray:
    logits = ROWS @ np.random.default_rng(1).normal(size=(3, classes))
    shares = np.exp(logits)
    normed: FloatArray = shares / shares.sum(axis=1, keepdims=True)
    return normed


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_probabilities_sum_to_one_and_follow_the_teacher(classes: int) -> None:
    soft = soft_labels(classes)
    names = tuple("abcde"[:classes])
    model = BoostedLogOdds(max_iter=60, random_state=0).fit_soft(ROWS, soft, names)
    found = model.predict_proba(ROWS)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert np.abs(found - soft).mean() < 0.06
    assert model.predict(ROWS).tolist() == [names[code] for code in found.argmax(axis=1)]


def test_two_classes_are_one_regression_on_the_clipped_log_odds() -> None:
    soft = soft_labels(2)
    model = BoostedLogOdds(clip=0.1, random_state=0).fit_soft(ROWS, soft, ("a", "b"))
    clipped = np.clip(soft[:, 1], 0.1, 0.9)
    alone = HistGradientBoostingRegressor(max_iter=100, early_stopping=False, random_state=0)
    odds = alone.fit(ROWS, np.log(clipped / (1 - clipped))).predict(ROWS)
    assert len(model.boosters_) == 1
    np.testing.assert_allclose(model.predict_proba(ROWS)[:, 1], 1 / (1 + np.exp(-odds)))


def test_labels_are_shares_of_one_and_zero() -> None:
    labels = np.array(["yes", "no"])[(ROWS[:, 0] > 0).astype(int)]
    hard = BoostedLogOdds(max_iter=60, random_state=0).fit(ROWS, labels)
    soft = np.stack([labels == "no", labels == "yes"], axis=1).astype(np.float64)
    same = BoostedLogOdds(max_iter=60, random_state=0).fit_soft(ROWS, soft, ("no", "yes"))
    np.testing.assert_array_equal(hard.predict_proba(ROWS), same.predict_proba(ROWS))
    assert hard.classes_.tolist() == ["no", "yes"]


def test_a_weight_of_zero_is_a_row_that_is_not_there() -> None:
    labels = (ROWS[:, 0] > 0).astype(int)
    spoiled = np.concatenate([labels, 1 - labels])
    twice = np.concatenate([ROWS, ROWS])
    weights = np.repeat([1.0, 0.0], len(ROWS))
    weighted = BoostedLogOdds(min_samples_leaf=1).fit(twice, spoiled, sample_weight=weights)
    assert (weighted.predict(ROWS) == labels).mean() > 0.97


def test_it_is_a_classifier_that_scikit_learn_can_clone() -> None:
    model = BoostedLogOdds(max_iter=7, clip=0.05)
    assert clone(model).get_params() == model.get_params()
    assert is_classifier(model)
    assert not hasattr(clone(model.fit(ROWS, ROWS[:, 0] > 0)), "boosters_")


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_answers(seed: int) -> None:
    first, second = (
        BoostedLogOdds(max_iter=20, random_state=seed).fit_soft(
            ROWS, soft_labels(3), ("a", "b", "c")
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.predict_proba(ROWS), second.predict_proba(ROWS))


@pytest.mark.parametrize("rows", [[[np.nan, 0.0, 0.0]], [[np.inf, 0.0, 0.0]], [], [[0.0]]])
def test_rows_that_it_cannot_take_are_refused(rows: list[list[float]]) -> None:
    model = BoostedLogOdds(max_iter=2).fit(ROWS, ROWS[:, 0] > 0)
    with pytest.raises(ValueError, match=r"NaN|infinity|2D array|features"):
        model.predict(rows)
