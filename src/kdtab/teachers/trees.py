"""Forests over the columns as the student's network sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np
from returns.result import Success

from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.results import Checked
from kdtab.teachers.crossfit import Fit, Labelling, Says, Targets
from kdtab.teachers.forest import IN_ORDER
from kdtab.teachers.lesson import Lesson, aligned_shares

if TYPE_CHECKING:  # scikit-learn is imported where a forest is grown: that takes a second
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        ExtraTreesRegressor,
        RandomForestClassifier,
        RandomForestRegressor,
    )
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    Classifier: TypeAlias = RandomForestClassifier | ExtraTreesClassifier
    Regressor: TypeAlias = RandomForestRegressor | ExtraTreesRegressor
    ForestModel: TypeAlias = Classifier | Regressor
    Tree: TypeAlias = DecisionTreeClassifier | DecisionTreeRegressor

TREES = 200
SPLIT_COLUMNS = 1 / 3
"""Share of the columns that a regression tree looks at for a split; all of them are slow and no better."""
LEAF_ROWS = 3
FEW_CLASSES = 10
"""Up to these, leaves of one row are too coarse for probabilities (adult .323, so .307 nats)."""
ForestKind: TypeAlias = Literal["forest", "extra_trees"]


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
        return Success(_ForestSays(_grown(kind, lesson, trees, rows, targets), lesson, trees))

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
    return Labelling(outputs, _ForestSays(forest, lesson, trees), "out_of_bag")


def _grown(
    kind: ForestKind, lesson: Lesson, trees: int, rows: Float32Array, targets: Targets
) -> ForestModel:
    from sklearn import ensemble

    forest: ForestModel
    if lesson.task == "classification":
        classifier = (
            ensemble.RandomForestClassifier if kind == "forest" else ensemble.ExtraTreesClassifier
        )
        forest = classifier(
            trees,
            min_samples_leaf=LEAF_ROWS if lesson.class_count <= FEW_CLASSES else 1,
            bootstrap=True,
            n_jobs=-1,
            random_state=lesson.random_seed,
        )
    else:
        regressor = (
            ensemble.RandomForestRegressor if kind == "forest" else ensemble.ExtraTreesRegressor
        )
        forest = regressor(
            trees,
            bootstrap=True,
            max_features=SPLIT_COLUMNS,
            n_jobs=-1,
            random_state=lesson.random_seed,
        )
    return forest.fit(rows, lesson.scaled(targets)).set_params(**IN_ORDER)


@dataclass(frozen=True)
class _ForestSays:
    forest: ForestModel
    lesson: Lesson
    trees: int

    def __call__(self, rows: Float32Array) -> Checked[FloatArray]:
        votes = _answers(self.forest, self.forest, self.lesson, rows) * self.trees
        return Success(_from_votes(votes, np.full((len(rows), 1), self.trees), self.lesson))


def _answers(
    model: ForestModel | Tree, forest: ForestModel, lesson: Lesson, rows: Float32Array
) -> FloatArray:
    """[N, C] shares of the votes, or [N, 1] values in the unit of the fit."""
    if lesson.task == "regression":
        return np.asarray(model.predict(rows), dtype=np.float64).reshape(-1, 1)
    votes = cast("Classifier", model).predict_proba(rows)
    return aligned_shares(votes, cast("Classifier", forest).classes_, lesson.class_count)


def _from_votes(votes: FloatArray, voters: FloatArray, lesson: Lesson) -> FloatArray:
    if lesson.task == "regression":
        return lesson.unscaled(votes / np.maximum(voters, 1))
    smoothed: FloatArray = (votes + 1 / lesson.class_count) / (voters + 1)
    return smoothed
