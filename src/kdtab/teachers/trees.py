"""Forests and boosted trees over the columns as the student's network sees them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from returns.result import Success
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from kdtab.config.training import Task
from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.scale import TargetScaler
from kdtab.results import Checked
from kdtab.teachers.crossfit import Fit, Labelling, Says, Targets
from kdtab.teachers.forest import IN_ORDER

TREES = 200
SPLIT_COLUMNS = 1 / 3
"""Share of the columns that a regression tree looks at for a split; all of them are slow and no better."""
LEAF_ROWS = 3
FEW_CLASSES = 10
"""Up to these, leaves of one row are too coarse for probabilities (adult .323, so .307 nats)."""
ROUNDS = 100
LEARNING_RATE = 0.1
MANY_CLASSES = 13
"""A round grows a tree for each class; above this, half as many rounds learn twice as fast."""
FEWEST_BOOSTED_ROWS = 2

ForestKind: TypeAlias = Literal["forest", "extra_trees"]
ForestModel: TypeAlias = (
    RandomForestClassifier | RandomForestRegressor | ExtraTreesClassifier | ExtraTreesRegressor
)
Regressor = RandomForestRegressor | ExtraTreesRegressor | DecisionTreeRegressor
Tree: TypeAlias = DecisionTreeClassifier | DecisionTreeRegressor


@dataclass(frozen=True)
class Lesson:
    """What a kind of teacher is fitted for.

    Attributes:
        task: Classification or regression.
        class_count: C; 1 for regression.
        target_scaler: Unit of the fit and unit of the target; None: the same.
        random_seed: Seed of every random choice.

    Example:
        >>> Lesson("classification", 3).random_seed
        0
    """

    task: Task
    class_count: int
    target_scaler: TargetScaler | None = None
    random_seed: int = 0

    def scaled(self, targets: Targets) -> Targets:
        """Targets in the unit of the fit.

        Args:
            targets: [N] class codes, or values in the target's unit.

        Returns:
            [N] codes as they are, or scaled values.

        Example:
            >>> scaler = TargetScaler(mean=1.0, scale=2.0)
            >>> Lesson("regression", 1, scaler).scaled(np.array([5.0])).tolist()
            [2.0]
        """
        if self.task == "classification" or self.target_scaler is None:
            return targets
        return self.target_scaler.transform(targets.astype(np.float64))

    def unscaled(self, values: FloatArray) -> FloatArray:
        """Values in the target's unit.

        Args:
            values: [·] in the unit of the fit.

        Returns:
            [N, 1] float64.

        Example:
            >>> scaler = TargetScaler(mean=1.0, scale=2.0)
            >>> Lesson("regression", 1, scaler).unscaled(np.array([2.0])).tolist()
            [[5.0]]
        """
        column = np.asarray(values, dtype=np.float64).reshape(-1, 1)
        scaler = self.target_scaler
        return column if scaler is None else scaler.inverse_transform(column)


def forest_fit(kind: ForestKind, lesson: Lesson, *, trees: int = TREES) -> Fit[Float32Array]:
    """How a forest of deep trees is fitted.

    Args:
        kind: Breiman's random forest, or extremely randomised trees.
        lesson: What for.
        trees: B.

    Returns:
        A function that fits one. Its probabilities are smoothed by one vote shared by all classes,
        (B · p + 1 / C) / (B + 1), so that none of them is 0.

    Example:
        >>> x, y = np.array([[0.0], [1.0]] * 30, dtype=np.float32), np.array([0, 1] * 30)
        >>> says = forest_fit("forest", Lesson("classification", 2), trees=9)(x, y).unwrap()
        >>> says(x[:1]).unwrap().tolist()
        [[0.95, 0.05]]
    """

    def fit(rows: Float32Array, targets: Targets) -> Checked[Says[Float32Array]]:
        return Success(_forest_says(_grown(kind, lesson, trees, rows, targets), lesson, trees))

    return fit


def out_of_bag(
    kind: ForestKind,
    lesson: Lesson,
    rows: Float32Array,
    targets: Targets,
    groups: IntArray,
    *,
    trees: int = TREES,
) -> Labelling[Float32Array]:
    """One forest that labels its own training rows, each by the trees that did not see it.

    Each tree is grown on a bootstrap sample. A row is labelled by the trees whose sample holds
    neither it nor a row of its group; with B_i such trees the probabilities are
    (Σ votes + 1 / C) / (B_i + 1). Alone in its group a row is without any with probability 0.63^B.

    Args:
        kind: Which forest.
        lesson: What for.
        rows: [N, D] the training rows.
        targets: [N] their targets.
        groups: [N] rows of one number are never on both sides.
        trees: B.

    Returns:
        The labelling; NaN for the rows that are in every tree's sample.

    Example:
        >>> x, y = np.array([[0.0], [1.0]] * 8, dtype=np.float32), np.array([0, 1] * 8)
        >>> said = out_of_bag("forest", Lesson("classification", 2), x, y, np.arange(16), trees=2)
        >>> int(said.labelled.sum()) < 16
        True
    """
    forest = _grown(kind, lesson, trees, rows, targets)
    votes = np.zeros((len(rows), lesson.class_count))
    voters = np.zeros(len(rows))
    _, numbers = np.unique(groups, return_inverse=True)
    every: list[Tree] = [*forest.estimators_]
    for tree, sample in zip(every, forest.estimators_samples_, strict=True):
        seen = np.zeros(int(numbers.max()) + 1, dtype=np.bool_)
        seen[numbers[sample]] = True
        outside = np.flatnonzero(~seen[numbers])
        if len(outside):
            votes[outside] += _answers(tree, forest, lesson, rows[outside])
            voters[outside] += 1
    outputs = _from_votes(votes, voters[:, np.newaxis], lesson)
    outputs[voters == 0] = np.nan
    return Labelling(outputs, _forest_says(forest, lesson, trees), "out_of_bag")


def boosted_fit(lesson: Lesson) -> Fit[Float32Array]:
    """How boosted trees are fitted: scikit-learn's histogram gradient boosting.

    Args:
        lesson: What for.

    Returns:
        A function that fits them. Rows of one class alone give a teacher that is sure of it.

    Example:
        >>> x = np.linspace(0, 1, 80, dtype=np.float32)[:, None]
        >>> says = boosted_fit(Lesson("regression", 1))(x, x[:, 0].astype(float)).unwrap()
        >>> round(float(says(x[-1:]).unwrap()[0, 0]), 1)
        1.0
    """

    def fit(rows: Float32Array, targets: Targets) -> Checked[Says[Float32Array]]:
        if lesson.task == "classification":
            return Success(_boosted_classes(lesson, rows, targets.astype(np.int64)))
        return Success(_boosted_values(lesson, rows, targets))

    return fit


def _grown(
    kind: ForestKind, lesson: Lesson, trees: int, rows: Float32Array, targets: Targets
) -> ForestModel:
    forest: ForestModel
    if lesson.task == "classification":
        classifier = RandomForestClassifier if kind == "forest" else ExtraTreesClassifier
        forest = classifier(
            trees,
            min_samples_leaf=LEAF_ROWS if lesson.class_count <= FEW_CLASSES else 1,
            bootstrap=True,
            n_jobs=-1,
            random_state=lesson.random_seed,
        )
    else:
        regressor = RandomForestRegressor if kind == "forest" else ExtraTreesRegressor
        forest = regressor(
            trees,
            bootstrap=True,
            max_features=SPLIT_COLUMNS,
            n_jobs=-1,
            random_state=lesson.random_seed,
        )
    return forest.fit(rows, lesson.scaled(targets)).set_params(**IN_ORDER)


def _forest_says(forest: ForestModel, lesson: Lesson, trees: int) -> Says[Float32Array]:
    def says(rows: Float32Array) -> Checked[FloatArray]:
        votes = _answers(forest, forest, lesson, rows) * trees
        return Success(_from_votes(votes, np.full((len(rows), 1), trees), lesson))

    return says


def _answers(
    model: ForestModel | Tree, forest: ForestModel, lesson: Lesson, rows: Float32Array
) -> FloatArray:
    """[N, C] shares of the votes, or [N, 1] values in the unit of the fit."""
    if isinstance(forest, Regressor) or isinstance(model, Regressor):
        return np.asarray(model.predict(rows), dtype=np.float64).reshape(-1, 1)
    return _aligned(model.predict_proba(rows), forest.classes_, lesson.class_count)


def _from_votes(votes: FloatArray, voters: FloatArray, lesson: Lesson) -> FloatArray:
    if lesson.task == "regression":
        return lesson.unscaled(votes / np.maximum(voters, 1))
    smoothed: FloatArray = (votes + 1 / lesson.class_count) / (voters + 1)
    return smoothed


def _aligned(shares: FloatArray, codes: IntArray, class_count: int) -> FloatArray:
    """A class that the fitted rows lack gets its column, with probability 0."""
    every: FloatArray = np.zeros((len(shares), class_count))
    every[:, codes.astype(np.int64)] = shares
    return every


def _boosted_classes(lesson: Lesson, rows: Float32Array, codes: IntArray) -> Says[Float32Array]:
    present = np.unique(codes)
    if len(present) < 2:
        return _constant(_aligned(np.ones((1, len(present))), present, lesson.class_count))
    pace = 2 if len(present) > MANY_CLASSES else 1
    with _few_threads():
        model = HistGradientBoostingClassifier(
            learning_rate=LEARNING_RATE * pace,
            max_iter=ROUNDS // pace,
            min_samples_leaf=_boosted_leaf(len(rows)),
            early_stopping=False,
            random_state=lesson.random_seed,
        ).fit(rows, codes)

    def says(asked: Float32Array) -> Checked[FloatArray]:
        with _few_threads():
            shares = model.predict_proba(asked)
        return Success(_aligned(shares, model.classes_, lesson.class_count))

    return says


def _boosted_values(lesson: Lesson, rows: Float32Array, values: Targets) -> Says[Float32Array]:
    if len(rows) < FEWEST_BOOSTED_ROWS:
        return _constant(values.astype(np.float64).reshape(1, 1))
    with _few_threads():
        model = HistGradientBoostingRegressor(
            learning_rate=LEARNING_RATE / 2,
            max_iter=3 * ROUNDS,
            min_samples_leaf=_boosted_leaf(len(rows)),
            early_stopping=False,
            random_state=lesson.random_seed,
        ).fit(rows, lesson.scaled(values))

    def says(asked: Float32Array) -> Checked[FloatArray]:
        with _few_threads():
            predicted = model.predict(asked)
        return Success(lesson.unscaled(predicted))

    return says


def _boosted_leaf(rows: int) -> int:
    """scikit-learn's 20, and a twentieth of fewer than 400 rows, or small tables grow no tree."""
    return min(20, max(1, rows // 20))


def _constant(answer: FloatArray) -> Says[Float32Array]:
    return lambda rows: Success(np.repeat(answer, len(rows), axis=0))


def _few_threads() -> threadpool_limits:
    """Half of the cores: threads that wait here spin, and on a busy machine two are far slower."""
    return threadpool_limits(max(1, (os.cpu_count() or 1) // 2), user_api="openmp")
