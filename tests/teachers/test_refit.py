"""Estimators that are cloned and fitted on a table's raw rows, texts and all."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeAlias

import lightgbm
import numpy as np
import polars as pl
import pytest
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from kdtab.data.arrays import IntArray
from kdtab.errors.answers import TeacherCallFailed
from kdtab.errors.issue import explain
from kdtab.teachers.hints import TeacherHints
from kdtab.teachers.refit import RefitSays, can_be_refitted, estimator_refit
from kdtab.teachers.traits import ROW_KINDS, estimator_traits

ROWS = 90
CLASSES = ("high", "low")
Make: TypeAlias = Callable[[], object]


def frame() -> pl.DataFrame:
    drawn = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "city": [("Ulm", "Bern", "Köln", None)[at % 4] for at in range(ROWS)],
            "age": drawn.integers(18, 80, ROWS).astype(np.float64),
        }
    )


def codes() -> IntArray:
    return np.array([int(at % 4 == 1) for at in range(ROWS)])


def encoding_pipeline() -> object:
    texts = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((texts, ["city"]), remainder="passthrough")
    return make_pipeline(columns, LogisticRegression(max_iter=500))


MAKERS: dict[str, Make] = {
    "pipeline": encoding_pipeline,
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=5),
    "lightgbm": lambda: lightgbm.LGBMClassifier(
        n_estimators=10, min_child_samples=5, n_jobs=1, verbose=-1
    ),
    "xgboost": lambda: xgboost.XGBClassifier(n_estimators=10, enable_categorical=True, n_jobs=1),
}


def fitted(make: Make) -> RefitSays:
    model = make()
    assert can_be_refitted(model)
    refit = estimator_refit(model, ("city", "age"), CLASSES).unwrap()
    says = refit.fit(frame(), codes()).unwrap()
    assert isinstance(says, RefitSays)
    return says


@pytest.mark.parametrize("name", MAKERS)
def test_columns_of_text_are_learnt_from(name: str) -> None:
    said = fitted(MAKERS[name])(frame()).unwrap()
    assert said.shape == (ROWS, 2)
    assert (said.argmax(axis=1) == codes()).mean() > 0.95


@pytest.mark.parametrize("name", MAKERS)
def test_what_it_says_depends_neither_on_the_batch_nor_on_the_order(name: str) -> None:
    """A batch may lack a text: the codes of what is there would be others."""
    says, rows = fitted(MAKERS[name]), frame()
    whole = says(rows).unwrap()
    order = np.random.default_rng(1).permutation(ROWS)
    np.testing.assert_allclose(says(rows[order]).unwrap(), whole[order], rtol=1e-12)
    pieces = [says(rows[at : at + 3]).unwrap() for at in range(0, ROWS, 3)]
    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=1e-12)


def test_a_booster_of_codes_is_fitted_on_codes_and_speaks_of_names() -> None:
    own = xgboost.XGBClassifier(n_estimators=3, enable_categorical=True, n_jobs=1)
    turned = np.where(codes() == 1, 0, 1)
    own.fit(frame().select("age").to_pandas(), turned)
    refit = estimator_refit(own, ("city", "age"), CLASSES).unwrap()
    assert refit.columns == ("age",)
    says = refit.fit(frame(), codes()).unwrap()
    assert isinstance(says, RefitSays)
    assert says.teacher.info.classes == CLASSES


def test_texts_that_it_cannot_take_are_named_with_a_remedy() -> None:
    forest: object = RandomForestClassifier(3)
    assert can_be_refitted(forest)
    refit = estimator_refit(forest, ("city", "age"), CLASSES).unwrap()
    lost = refit.fit(frame(), codes()).failure().first
    assert isinstance(lost, TeacherCallFailed)
    assert "it was given texts or dates in 'city': encode them in a pipeline" in explain(lost)


class Copying:
    """Keeps a copy of what its constructor is given, as CatBoost does."""

    def __init__(self, features: list[str] | None = None) -> None:
        self.features = copy.copy(features)

    def get_params(self, deep: bool = True) -> dict[str, object]:
        return {"features": self.features}

    def fit(self, X: object, y: object) -> Copying:
        self.classes_ = np.array(CLASSES)
        return self

    def predict(self, X: object) -> object:
        raise AssertionError

    def predict_proba(self, X: pl.DataFrame) -> object:
        return np.full((len(X), 2), 0.5)


def test_an_estimator_that_scikit_learn_cannot_clone_is_made_again() -> None:
    original = Copying(["city"])
    refit = estimator_refit(original, ("city",), CLASSES).unwrap()
    says = refit.fit(frame(), codes()).unwrap()
    assert isinstance(says, RefitSays)
    clone = says.teacher.estimator
    assert isinstance(clone, Copying)
    assert clone is not original
    assert clone.features == ["city"]
    assert not hasattr(original, "classes_")


def test_libraries_that_polars_would_crash_are_never_given_it() -> None:
    hints = TeacherHints(classes=CLASSES)
    booster = estimator_traits(lightgbm.LGBMClassifier(), hints).unwrap()
    pipeline = estimator_traits(make_pipeline(lightgbm.LGBMClassifier()), hints).unwrap()
    assert booster.rows == ("pandas", "matrix")
    assert pipeline.rows == ROW_KINDS
