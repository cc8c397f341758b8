"""Which estimators can be students, and how they are told of soft labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV  # type: ignore[import-untyped]  # stubtest cannot import the package
from sklearn.neighbors import (  # type: ignore[import-untyped]  # of no use to the package
    KNeighborsClassifier,
    KNeighborsRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from kdtab.data.arrays import FloatArray
from kdtab.errors.estimators import (
    EstimatorFailed,
    EstimatorNotUnderstood,
    EstimatorTaskOther,
    EstimatorWithoutWeights,
)
from kdtab.errors.issue import explain
from kdtab.teachers.logodds import BoostedLogOdds
from kdtab.teachers.pupils import Pupil, checked_pupil

ROWS = np.random.default_rng(0).normal(size=(200, 3))
CODES = (ROWS[:, 0] > 0).astype(np.int64)
NAMES = ("no", "yes")


def pupil_of(estimator: object, classes: tuple[str, ...] = NAMES, seed: int = 0) -> Pupil:
    return Pupil(checked_pupil(estimator, None).unwrap(), classes, seed)


def smooth_shares() -> FloatArray:
    yes = 1 / (1 + np.exp(-2 * ROWS[:, 0]))
    return np.stack([1 - yes, yes], axis=1)


@pytest.mark.parametrize(
    "make",
    [
        DecisionTreeClassifier,
        LogisticRegression,
        HistGradientBoostingClassifier,
        lambda: make_pipeline(StandardScaler(), LogisticRegression()),
        BoostedLogOdds,
        lambda: RandomForestClassifier(n_estimators=5),
    ],
)
def test_every_classifier_with_weights_moves_toward_the_teacher(make: Callable[[], object]) -> None:
    """Labels are sure of everything; the teacher is not, and neither is a student of it."""
    pupil = pupil_of(make())
    soft = smooth_shares()
    taught = pupil.taught(ROWS, soft, CODES, 0.0).unwrap().outputs(ROWS).unwrap()
    alone = pupil.alone(ROWS, CODES).unwrap().outputs(ROWS).unwrap()
    assert np.abs(taught - soft).mean() < np.abs(alone - soft).mean()
    np.testing.assert_allclose(taught.sum(axis=1), 1.0)


def test_a_deep_tree_of_soft_labels_says_what_the_teacher_says() -> None:
    pupil = pupil_of(DecisionTreeClassifier())
    taught = pupil.taught(ROWS, smooth_shares(), CODES, 0.25).unwrap().outputs(ROWS).unwrap()
    np.testing.assert_allclose(taught, 0.25 * np.eye(2)[CODES] + 0.75 * smooth_shares())


def test_a_linear_student_of_values_learns_their_mix() -> None:
    truth, said = ROWS @ [1.0, 2.0, 3.0], ROWS @ [3.0, 2.0, 1.0]
    pupil = pupil_of(LinearRegression(), ())
    fitted = pupil.taught(ROWS, said[:, np.newaxis], truth, 0.25).unwrap()
    assert isinstance(fitted.estimator, LinearRegression)
    np.testing.assert_allclose(fitted.outputs(np.eye(3)).unwrap()[:, 0], [2.5, 2.0, 1.5])


def test_rows_without_a_teacher_keep_their_label() -> None:
    silent = np.full((200, 2), np.nan)
    pupil = pupil_of(DecisionTreeClassifier())
    taught, alone = (
        fitted.unwrap().outputs(ROWS).unwrap()
        for fitted in (pupil.taught(ROWS, silent, CODES, 0.0), pupil.alone(ROWS, CODES))
    )
    np.testing.assert_array_equal(taught, alone)


def test_a_class_that_no_row_has_gets_no_probability() -> None:
    pupil = pupil_of(DecisionTreeClassifier(), ("a", "no", "yes"))
    said = pupil.alone(ROWS, CODES + 1).unwrap().outputs(ROWS).unwrap()
    assert said.shape == (200, 3)
    assert not said[:, 0].any()


def test_a_classifier_without_probabilities_is_sure() -> None:
    fitted = pupil_of(LinearSVC()).alone(ROWS, CODES).unwrap()
    assert not fitted.gives_probabilities
    said = fitted.outputs(ROWS).unwrap()
    assert np.isin(said, (0.0, 1.0)).all()
    assert (said.argmax(axis=1) == CODES).mean() > 0.95


def test_the_estimator_that_was_given_stays_unfitted_and_its_seed_open() -> None:
    tree = DecisionTreeClassifier(max_features=1)
    first, second = (
        pupil_of(tree, seed=5).alone(ROWS, CODES).unwrap().outputs(ROWS).unwrap() for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
    assert getattr(tree, "random_state", 0) is None
    assert not hasattr(tree, "tree_")


def test_a_seed_that_is_set_is_kept() -> None:
    forest = RandomForestClassifier(n_estimators=2, random_state=11)
    fitted = pupil_of(make_pipeline(StandardScaler(), forest), seed=5).alone(ROWS, CODES).unwrap()
    _, inner = vars(fitted.estimator)["steps"][-1]
    assert inner.random_state == 11


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(),
        GridSearchCV(DecisionTreeClassifier(), {"max_depth": [1, 2]}),
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
    ],
)
def test_a_classifier_without_weights_is_refused_by_name(estimator: object) -> None:
    [issue] = checked_pupil(estimator, "classification").failure().every
    assert issue == EstimatorWithoutWeights(estimator=type(estimator).__name__)
    assert type(estimator).__name__ in explain(issue)


@pytest.mark.parametrize("thing", ["a tree", DecisionTreeClassifier, None, 7, StandardScaler()])
def test_what_is_no_estimator_is_refused_by_name(thing: object) -> None:
    [issue] = checked_pupil(thing, None).failure().every
    assert isinstance(issue, EstimatorNotUnderstood)


def test_a_regressor_needs_no_weights_and_a_regression() -> None:
    assert checked_pupil(KNeighborsRegressor(), "regression").unwrap() is not None
    [issue] = checked_pupil(DecisionTreeRegressor(), "classification").failure().every
    assert issue == EstimatorTaskOther(
        estimator="DecisionTreeRegressor", predicts="regression", task="classification"
    )


def test_what_an_estimator_raises_is_a_value() -> None:
    broken = DecisionTreeClassifier(max_depth=-3)
    [issue] = pupil_of(broken).alone(ROWS, CODES).failure().every
    assert isinstance(issue, EstimatorFailed)
    assert "max_depth" in issue.reason
    assert explain(issue).startswith("the student 'DecisionTreeClassifier' failed: ")
