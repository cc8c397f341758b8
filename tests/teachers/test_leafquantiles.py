"""Quantiles from leaves, against the weights of their definition, row by row."""

from __future__ import annotations

import numpy as np
import pytest

from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.folds import Folds, fold_rows
from kdtab.teachers.kinds import Lessons
from kdtab.teachers.leafquantiles import (
    QUANTILE_KINDS,
    LeafQuantiles,
    QuantileKind,
    grown_quantiles,
    out_of_bag_quantiles,
    spoken_quantiles,
)
from kdtab.teachers.lesson import Lesson

LEVELS = (0.05, 0.25, 0.5, 0.9)
random = np.random.default_rng(0)
ROWS: Float32Array = random.normal(size=(120, 3)).astype(np.float32)
VALUES: FloatArray = ROWS[:, 0] + np.abs(ROWS[:, 1]) * random.normal(size=120)


def grown(kind: QuantileKind = "forest", trees: int = 11) -> LeafQuantiles:
    return grown_quantiles(kind, ROWS, VALUES, seed=0, trees=trees)


def quantiles_by_definition(
    forest: LeafQuantiles, row: Float32Array, trees: list[int]
) -> FloatArray:
    """Meinshausen's weights with a loop over trees and training rows, then a walk up the values."""
    weights = np.zeros(len(ROWS))
    for tree in trees:
        model, sample = (
            forest.forest.estimators_[tree],
            forest.forest.estimators_samples_[tree],
        )
        leaf, leaves = model.apply(row[None])[0], model.apply(ROWS)
        shared = [place for place in sample if leaves[place] == leaf]
        for place in shared:
            weights[place] += 1 / len(shared) / len(trees)
    order = np.argsort(VALUES, kind="stable")
    reached = np.cumsum(weights[order])
    return np.array([VALUES[order][np.argmax(reached >= level - 1e-9)] for level in LEVELS])


@pytest.mark.parametrize("kind", QUANTILE_KINDS)
def test_the_quantiles_are_those_of_the_definition(kind: QuantileKind) -> None:
    forest = grown(kind, trees=5)
    asked = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
    expected = [quantiles_by_definition(forest, row, [*range(5)]) for row in asked]
    np.testing.assert_array_equal(forest.quantiles(asked, LEVELS), expected)


def test_a_training_row_is_labelled_by_the_trees_that_did_not_see_it() -> None:
    forest = grown(trees=5)
    found = out_of_bag_quantiles(forest, ROWS, LEVELS, np.arange(120))
    for place in range(12):
        trees = [
            tree
            for tree, sample in enumerate(forest.forest.estimators_samples_)
            if place not in sample
        ]
        if trees:
            expected = quantiles_by_definition(forest, ROWS[place], trees)
            np.testing.assert_array_equal(found[place], expected)
        else:
            assert np.isnan(found[place]).all()


def test_its_own_value_has_no_say_in_the_label_of_a_row() -> None:
    """The forest sees one value far off; no other row's leaves hold it out of bag of that row."""
    values = VALUES.copy()
    values[7] = 1e6
    forest = grown_quantiles("forest", ROWS, values, seed=0, trees=40)
    honest = out_of_bag_quantiles(forest, ROWS, (0.5, 0.999), np.arange(120))
    assert honest[7].max() < 1e5
    assert forest.quantiles(ROWS[7:8], (0.999,))[0, 0] == 1e6


def test_rows_of_one_group_are_never_on_both_sides() -> None:
    forest = grown(trees=30)
    groups = np.arange(120) // 2
    pairs = out_of_bag_quantiles(forest, ROWS, LEVELS, groups)
    silent = np.asarray(np.isnan(pairs).any(axis=1))
    np.testing.assert_array_equal(silent.reshape(-1, 2)[:, 0], silent.reshape(-1, 2)[:, 1])
    alone = out_of_bag_quantiles(forest, ROWS, LEVELS, np.arange(120))
    assert not np.array_equal(pairs, alone)


def test_quantiles_rise_and_are_values_that_occurred() -> None:
    found = grown().quantiles(ROWS, tuple(np.linspace(0.01, 0.99, 21)))
    assert (np.diff(found, axis=1) >= 0).all()
    assert np.isin(found, VALUES).all()


def test_the_interval_follows_the_noise() -> None:
    """Values are much noisier where the second column is large."""
    drawn = np.random.default_rng(3)
    rows = drawn.uniform(-1, 1, size=(1_500, 2)).astype(np.float32)
    values = np.where(rows[:, 1] > 0, 3.0, 0.3) * drawn.normal(size=1_500)
    forest = grown_quantiles("forest", rows, values, seed=0, trees=50)
    said = out_of_bag_quantiles(forest, rows, (0.1, 0.9), np.arange(1_500))
    width = said[:, 1] - said[:, 0]
    assert width[rows[:, 1] > 0.2].mean() > 4 * width[rows[:, 1] < -0.2].mean()
    within = (said[:, 0] <= values) & (values <= said[:, 1])
    assert 0.7 < within.mean() < 0.9


def test_a_row_of_which_no_tree_speaks_has_no_quantiles() -> None:
    nobody = np.zeros((2, 11), dtype=np.bool_)
    nobody[1] = True
    found = grown().quantiles(ROWS[:2], LEVELS, asked=nobody)
    assert np.isnan(found[0]).all()
    assert not np.isnan(found[1]).any()


def folds_of(groups: np.ndarray) -> Folds:
    return fold_rows(np.zeros(120, np.int64), groups, count=3, seed=0).unwrap()


def test_tied_rows_are_labelled_by_folds_and_only_a_policy_labels_in_sample() -> None:
    lesson = Lesson("regression", 1)
    plain = Lessons(lesson, ROWS, VALUES, folds_of(np.arange(120)))
    tied = Lessons(lesson, ROWS, VALUES, folds_of(np.arange(120)), bags=False)
    twins = Lessons(lesson, ROWS, VALUES, folds_of(np.arange(120) // 2))
    told = Lessons(lesson, ROWS, VALUES, folds_of(np.arange(120)), policy="in_sample")
    methods = [
        spoken_quantiles("forest", one, LEVELS, trees=12).method
        for one in (plain, tied, twins, told)
    ]
    assert methods == ["out_of_bag", "out_of_fold", "out_of_fold", "in_sample"]


def test_the_teacher_of_a_fold_never_saw_it() -> None:
    values = VALUES.copy()
    values[7] = 1e6
    lessons = Lessons(Lesson("regression", 1), ROWS, values, folds_of(np.arange(120)), bags=False)
    said = spoken_quantiles("extra_trees", lessons, (0.5, 0.999), trees=12)
    assert said.training[7].max() < 1e5
    assert not np.isnan(said.training).any()
