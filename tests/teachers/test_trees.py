"""Forests and boosted trees over encoded rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier

from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.scale import TargetScaler
from kdtab.teachers import boosting
from kdtab.teachers import trees as trees_module
from kdtab.teachers.boosting import boosted_fit
from kdtab.teachers.crossfit import Fit
from kdtab.teachers.lesson import Lesson
from kdtab.teachers.trees import ForestKind, forest_fit, out_of_bag

ROWS = 90
FORESTS = pytest.mark.parametrize("kind", ["forest", "extra_trees"])


def rows_of(seed: int = 0, classes: int = 3) -> tuple[Float32Array, IntArray, FloatArray]:
    drawn = np.random.default_rng(seed)
    rows = drawn.standard_normal((ROWS, 3)).astype(np.float32)
    values = rows[:, 0] * 3.0 + drawn.normal(0, 0.1, ROWS) + 100.0
    codes = np.digitize(rows[:, 0], np.linspace(-0.5, 0.5, classes - 1)).astype(np.int64)
    return rows, codes, values


def fits(lesson: Lesson) -> list[Fit[Float32Array]]:
    return [forest_fit("forest", lesson, trees=8), boosted_fit(lesson)]


@given(absent=st.sets(st.integers(0, 3), min_size=1, max_size=3))
@settings(max_examples=6)
def test_a_class_that_the_fitted_rows_lack_keeps_its_column(absent: set[int]) -> None:
    rows, codes, _ = rows_of(classes=4)
    seen = ~np.isin(codes, list(absent))
    for fit in fits(Lesson("classification", 4)):
        said = fit(rows[seen], codes[seen]).unwrap()(rows).unwrap()
        assert said.shape == (ROWS, 4)
        np.testing.assert_allclose(said.sum(axis=1), 1.0)
        assert (said[:, sorted(absent)] < 0.04).all()
        assert np.mean(said[seen].argmax(axis=1) == codes[seen]) > 0.8


def test_values_come_back_in_the_unit_of_the_target() -> None:
    rows, _, values = rows_of()
    scaler = TargetScaler(mean=float(values.mean()), scale=float(values.std()))
    for fit in fits(Lesson("regression", 1, scaler)):
        said = fit(rows, values).unwrap()(rows).unwrap()
        assert said.shape == (ROWS, 1)
        assert np.corrcoef(said[:, 0], values)[0, 1] > 0.9
        assert abs(said.mean() - values.mean()) < 0.5


def test_probabilities_of_a_forest_are_smoothed_by_one_vote() -> None:
    rows, codes, _ = rows_of()
    said = forest_fit("forest", Lesson("classification", 3), trees=8)(rows, codes).unwrap()(rows)
    forest = RandomForestClassifier(8, min_samples_leaf=3, random_state=0).fit(rows, codes)
    expected = (8 * forest.predict_proba(rows) + 1 / 3) / 9
    np.testing.assert_allclose(said.unwrap(), expected)


@FORESTS
def test_a_row_is_labelled_by_the_trees_that_saw_nothing_of_its_group(kind: ForestKind) -> None:
    rows, codes, _ = rows_of()
    groups = np.arange(ROWS) // 2
    lesson = Lesson("classification", 3, random_seed=4)
    said = out_of_bag(kind, lesson, rows, codes, groups, trees=6).outputs
    forest = trees_module._grown(kind, lesson, 6, rows, codes)
    for row in range(ROWS):
        shares, voters = np.zeros(3), 0
        every: list[object] = [*forest.estimators_]
        for tree, sample in zip(every, forest.estimators_samples_, strict=True):
            if groups[row] not in groups[sample]:
                assert isinstance(tree, DecisionTreeClassifier)
                shares += tree.predict_proba(rows[[row]])[0]
                voters += 1
        if voters:
            np.testing.assert_allclose(said[row], (shares + 1 / 3) / (voters + 1))
        else:
            assert np.isnan(said[row]).all()


def test_out_of_bag_values_are_those_of_scikit_learn() -> None:
    rows, _, values = rows_of()
    said = out_of_bag("forest", Lesson("regression", 1), rows, values, np.arange(ROWS), trees=40)
    forest = RandomForestRegressor(40, max_features=1 / 3, oob_score=True, random_state=0)
    expected = forest.fit(rows, values).oob_prediction_  # type: ignore[attr-defined]  # not in the stub
    np.testing.assert_allclose(said.outputs[:, 0], expected)


def test_rows_in_every_bag_are_left_unlabelled_and_no_others() -> None:
    rows, codes, _ = rows_of()
    labelling = out_of_bag(
        "forest", Lesson("classification", 3), rows, codes, np.arange(ROWS), trees=2
    )
    forest = trees_module._grown("forest", Lesson("classification", 3), 2, rows, codes)
    seen = [set(sample.tolist()) for sample in forest.estimators_samples_]
    assert np.flatnonzero(~labelling.labelled).tolist() == sorted(set.intersection(*seen))
    assert (~labelling.labelled).sum() > 10


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_same_seed_says_the_same_to_the_bit_and_another_something_else(task: str) -> None:
    rows, codes, values = rows_of()
    targets = codes if task == "classification" else values
    said = []
    for seed in (3, 3, 4):
        lesson = Lesson(
            "classification" if task == "classification" else "regression", 3, None, seed
        )
        lesson = lesson if task == "classification" else Lesson("regression", 1, None, seed)
        labelling = out_of_bag("forest", lesson, rows, targets, np.arange(ROWS), trees=9)
        boosted = boosted_fit(lesson)(rows, targets).unwrap()(rows).unwrap()
        said.append((labelling.outputs.tobytes(), boosted.tobytes()))
    assert said[0] == said[1]
    assert said[0][0] != said[2][0]


@given(rows=st.integers(1, 3), classes=st.integers(1, 2))
@settings(max_examples=6)
def test_a_handful_of_rows_is_enough_for_an_answer(rows: int, classes: int) -> None:
    inputs = np.arange(rows, dtype=np.float32)[:, None]
    codes = np.arange(rows) % classes
    for fit in fits(Lesson("classification", 3)):
        said = fit(inputs, codes).unwrap()(inputs).unwrap()
        np.testing.assert_allclose(said.sum(axis=1), 1.0)
    for fit in fits(Lesson("regression", 1)):
        assert np.isfinite(fit(inputs, codes.astype(np.float64)).unwrap()(inputs).unwrap()).all()


def test_boosted_trees_tell_many_classes_apart() -> None:
    drawn = np.random.default_rng(0)
    codes = np.repeat(np.arange(14), 30)
    rows = (codes[:, None] + drawn.normal(0, 0.1, (len(codes), 1))).astype(np.float32)
    said = boosted_fit(Lesson("classification", 14))(rows, codes).unwrap()(rows).unwrap()
    assert np.mean(said.argmax(axis=1) == codes) > 0.95


def test_boosting_that_runs_away_is_fitted_again_at_half_the_pace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, codes, _ = rows_of()
    honest, paces = boosting._training_loss, [0.0]

    def running_away(model: object, *rest: object) -> float:
        paces.append(model.learning_rate)  # type: ignore[attr-defined]  # a booster
        return 14.1 if len(paces) < 4 else honest(model, *rest)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(boosting, "_training_loss", running_away)
    boosted_fit(Lesson("classification", 3))(rows, codes).unwrap()
    assert paces[1:] == [0.1, 0.05, 0.025]
