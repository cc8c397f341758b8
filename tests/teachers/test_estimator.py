"""Fitted objects of scikit-learn's manner as teachers, with real libraries."""

from __future__ import annotations

from collections.abc import Callable

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV  # type: ignore[import-untyped]  # stubtest cannot import the package
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from kdtab.data.arrays import FloatArray
from kdtab.errors.answers import (
    TeacherCallFailed,
    TeacherColumnsAbsent,
    TeacherColumnsUncounted,
    TeacherRowsAmbiguous,
)
from kdtab.errors.issue import explain
from kdtab.errors.sources import (
    TeacherClassesUnclear,
    TeacherTaskOther,
    TeacherTaskUnclear,
    TeacherUnnamed,
    TeacherWithoutProbabilities,
)
from kdtab.errors.teachers import ClassesDiffer, TeacherOutputsInvalid
from kdtab.teachers import estimator as estimator_module
from kdtab.teachers.content import content_of
from kdtab.teachers.estimator import EstimatorTeacher, estimator_teacher
from kdtab.teachers.hints import TeacherHints
from kdtab.teachers.rows import pandas_rows, typed_frame

ROWS = 120


def mixed_frame() -> pl.DataFrame:
    drawn = np.random.default_rng(3)
    age = drawn.normal(40, 10, ROWS)
    city = drawn.choice(["Ulm", "Bern", "Wien"], ROWS)
    return pl.DataFrame({"note": ["x"] * ROWS, "age": age, "home city": city})


def labels_of(frame: pl.DataFrame) -> list[str]:
    is_old = (frame["age"] > 40) ^ (frame["home city"] == "Ulm")
    return ["yes" if old else "no" for old in is_old]


def pandas_of(frame: pl.DataFrame) -> pd.DataFrame:
    return pandas_rows(frame).unwrap()


def fitted_pipeline() -> object:
    frame = mixed_frame()
    encoder = make_column_transformer(
        (StandardScaler(), ["age"]), (OneHotEncoder(handle_unknown="ignore"), ["home city"])
    )
    pipeline = make_pipeline(encoder, LogisticRegression())
    return pipeline.fit(pandas_of(frame.drop("note")), labels_of(frame))


def forest(**knobs: object) -> RandomForestClassifier:
    frame = mixed_frame()
    made = RandomForestClassifier(n_estimators=7, random_state=0).set_params(**knobs)
    return made.fit(pandas_of(frame.select("age")), labels_of(frame))


def teacher_of(estimator: object, hints: TeacherHints | None = None) -> EstimatorTeacher:
    return estimator_teacher(estimator, hints or TeacherHints()).unwrap()


def said(estimator: object, frame: pl.DataFrame) -> FloatArray:
    return teacher_of(estimator).outputs(frame).unwrap().values


TEACHERS: dict[str, Callable[[], object]] = {
    "pipeline": fitted_pipeline,
    "forest": lambda: forest(n_jobs=2),
    "LightGBM": lambda: fitted_lightgbm(),
}


def fitted_lightgbm() -> lightgbm.LGBMClassifier:
    frame = mixed_frame()
    rows = pandas_of(frame.drop("note")).astype({"home city": "category"})
    made = lightgbm.LGBMClassifier(n_estimators=5, min_child_samples=5, verbose=-1)
    return made.fit(rows, np.array(labels_of(frame)))


@pytest.mark.parametrize("kind", sorted(TEACHERS))
@settings(max_examples=10)
@given(data=st.data())
def test_outputs_do_not_depend_on_the_batch_nor_on_the_order_of_rows(
    kind: str, data: st.DataObject
) -> None:
    frame, teacher = mixed_frame(), teacher_of(TEACHERS[kind]())
    whole = teacher.outputs(frame).unwrap().values
    order = np.array(data.draw(st.permutations(range(ROWS))))
    np.testing.assert_array_equal(teacher.outputs(frame[order]).unwrap().values, whole[order])
    start = data.draw(st.integers(0, ROWS - 1))
    rows = data.draw(st.integers(0, ROWS - start))
    part = teacher.outputs(frame.slice(start, rows)).unwrap().values
    np.testing.assert_allclose(part, whole[start : start + rows], rtol=1e-12)


def test_rows_beyond_a_chunk_follow_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = said(forest(), mixed_frame())
    monkeypatch.setattr(estimator_module, "CHUNK_ROWS", 7)
    np.testing.assert_array_equal(said(forest(), mixed_frame()), whole)


def test_a_pipeline_says_what_it_says_to_its_owner() -> None:
    pipeline, frame = fitted_pipeline(), mixed_frame()
    expected = pipeline.predict_proba(pandas_of(frame.drop("note")))  # type: ignore[attr-defined]  # a pipeline
    teacher = teacher_of(pipeline)
    np.testing.assert_allclose(teacher.outputs(frame).unwrap().values, expected)
    assert teacher.info.classes == ("no", "yes")
    assert teacher.info.output_kind == "probabilities"
    assert teacher.info.artifacts is None


def test_columns_are_found_by_name_in_any_order_among_others() -> None:
    frame = mixed_frame()
    turned = frame.select("home city", "age", pl.lit(1).alias("more"))
    np.testing.assert_array_equal(said(fitted_pipeline(), turned), said(fitted_pipeline(), frame))


def test_lightgbm_gets_its_categories_whatever_the_batch_holds() -> None:
    booster, frame = fitted_lightgbm(), mixed_frame()
    rows = pandas_of(frame.drop("note")).astype({"home city": "category"})
    expected = booster.predict_proba(rows)
    np.testing.assert_allclose(said(booster, frame), expected)
    np.testing.assert_allclose(said(booster, frame[5]), np.asarray(expected)[5:6])


def test_a_booster_of_lightgbm_needs_a_task_and_gives_the_second_class() -> None:
    booster, frame = fitted_lightgbm().booster_, mixed_frame()
    assert isinstance(estimator_teacher(booster).failure().first, TeacherTaskUnclear)
    hints = TeacherHints(task="classification", classes=("no", "yes"))
    spoken = estimator_teacher(booster, hints).bind(lambda found: found.outputs(frame)).unwrap()
    np.testing.assert_allclose(spoken.values, said(fitted_lightgbm(), frame))


def test_xgboost_on_encoded_labels_takes_the_given_names() -> None:
    frame = mixed_frame().select("age")
    codes = [int(label == "yes") for label in labels_of(mixed_frame())]
    booster = xgboost.XGBClassifier(n_estimators=3).fit(pandas_of(frame), codes)
    assert teacher_of(booster).info.classes == ("0", "1")
    teacher = teacher_of(booster, TeacherHints(classes=("no", "yes")))
    assert teacher.info.classes == ("no", "yes")
    spoken = teacher.outputs(frame).unwrap().values
    np.testing.assert_allclose(spoken, booster.predict_proba(pandas_of(frame)))


def test_a_search_is_its_best_estimator() -> None:
    frame = mixed_frame()
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2)
    search.fit(pandas_of(frame.select("age")), labels_of(frame))
    teacher = teacher_of(search)
    assert teacher.info.name == "GridSearchCV of LogisticRegression"
    assert teacher.info.fingerprint == teacher_of(search.best_estimator_).info.fingerprint
    expected = search.predict_proba(pandas_of(frame.select("age")))
    np.testing.assert_allclose(teacher.outputs(frame).unwrap().values, expected)


def test_a_model_without_names_takes_the_named_columns_in_order() -> None:
    matrix = np.column_stack([np.arange(20.0), np.zeros(20)])
    model = LinearRegression().fit(matrix, 2 * matrix[:, 0])
    frame = pl.DataFrame({"b": [0.0], "a": [3.0], "c": ["x"]})
    hints = TeacherHints(columns=("a", "b"))
    spoken = teacher_of(model, hints).outputs(frame).unwrap()
    np.testing.assert_allclose(spoken.values, [[6.0]])
    issue = teacher_of(model).outputs(frame).failure().first
    assert issue == TeacherColumnsUncounted(teacher="LinearRegression", expected=2, found=3)


def test_a_forest_is_counted_in_trees_and_keeps_its_threads() -> None:
    made = forest(n_jobs=2)
    assert teacher_of(made).outputs(mixed_frame()).unwrap().trees == 7
    assert made.set_params().get_params()["n_jobs"] == 2  # type: ignore[attr-defined]  # of every estimator


@pytest.mark.parametrize("dtype", [bool, int, float, str])
def test_classes_have_the_texts_of_labels(dtype: type) -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], np.array([0, 1]).astype(dtype))
    expected = ("false", "true") if dtype is bool else ("0", "1")
    assert teacher_of(model).info.classes == expected


def test_no_rows_give_no_outputs() -> None:
    assert said(fitted_pipeline(), mixed_frame().clear()).shape == (0, 2)


def test_the_estimator_and_the_frame_stay_as_they_are() -> None:
    pipeline, frame = fitted_pipeline(), mixed_frame()
    before, copy = content_of(pipeline), frame.clone()
    teacher_of(pipeline).outputs(frame).unwrap()
    assert content_of(pipeline) == before
    assert frame.equals(copy)


def test_the_same_fit_has_the_same_fingerprint_and_another_seed_another() -> None:
    one, again, other = (
        teacher_of(made).info.fingerprint for made in (forest(), forest(), forest(random_state=1))
    )
    assert one == again != other


def test_a_given_name_stands_in_for_the_content() -> None:
    first, again = (
        teacher_of(forest(random_state=seed), TeacherHints(name="mine 1")) for seed in (0, 1)
    )
    assert first.info.fingerprint == again.info.fingerprint


class Unreadable:
    """A model that holds something which no copy can be made of."""

    classes_ = ("a", "b")

    def __init__(self) -> None:
        self.rows = (letter for letter in "ab")

    def predict_proba(self, rows: pd.DataFrame) -> FloatArray:
        return np.full((len(rows), 2), 0.5)


def test_an_unreadable_model_asks_for_a_name() -> None:
    assert isinstance(estimator_teacher(Unreadable()).failure().first, TeacherUnnamed)
    named = teacher_of(Unreadable(), TeacherHints(name="mine"))
    assert named.outputs(pl.DataFrame({"x": [1]})).unwrap().values.tolist() == [[0.5, 0.5]]


class Answering:
    """A classifier with an answer of one's choice."""

    def __init__(self, answer: object) -> None:
        self.classes_ = np.array(["a", "b"])
        self.answer = answer

    def predict_proba(self, rows: pd.DataFrame) -> object:
        return self.answer


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ([[0.5, 0.5], [np.nan, 0.5]], "1 of 2 rows are NaN or infinite, the first is row 2"),
        ([[np.inf, 0.0], [0.5, 0.5]], "1 of 2 rows are NaN or infinite, the first is row 1"),
        ([[0.5, 0.2], [0.1, 0.1]], "2 of 2 rows do not sum to one, the first is row 1 with 0.7"),
        ([[1.5, -0.5], [0.5, 0.5]], "1 of 2 rows are outside of 0 to 1, the first is row 1"),
        ([[0.5, 0.3, 0.2]] * 2, "2×3 numbers, not 2×2"),
        ([[0.5, 0.5]], "1×2 numbers, not 2×2"),
        ([np.zeros((2, 2))] * 3, "3×2×2 numbers, not 2×2"),
        (["a", "b"], "'list' is no table of numbers"),
    ],
)
def test_unusable_answers_are_counted(answer: object, sentence: str) -> None:
    issue = teacher_of(Answering(answer)).outputs(pl.DataFrame({"x": [1, 2]})).failure().first
    assert isinstance(issue, TeacherOutputsInvalid)
    assert sentence in issue.reason


def test_what_a_model_raises_is_said_with_its_name() -> None:
    issue = teacher_of(RandomForestRegressor()).outputs(pl.DataFrame({"x": [1.0]})).failure().first
    assert isinstance(issue, TeacherCallFailed)
    assert "NotFittedError" in explain(issue)


def test_absent_columns_are_named() -> None:
    frame = mixed_frame().rename({"age": "ages"})
    issue = teacher_of(fitted_pipeline()).outputs(frame).failure().first
    assert isinstance(issue, TeacherColumnsAbsent)
    assert explain(issue).endswith("'age'. Did you mean 'ages'?")


def test_a_missing_text_of_polars_is_not_taken_for_one_of_pandas() -> None:
    frame = pl.DataFrame({"city": ["Ulm", "Bern", None] * 4})
    labels = ["a", "b", "b"] * 4
    pipeline = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    pipeline.fit(frame, labels)
    asked = estimator_teacher(pipeline).bind(lambda teacher: teacher.outputs(frame))
    assert asked.failure().first == TeacherRowsAmbiguous(teacher=asked_name(), columns=("city",))
    hinted = teacher_of(pipeline, TeacherHints(rows="polars")).outputs(frame).unwrap()
    np.testing.assert_allclose(hinted.values, pipeline.predict_proba(frame))


def asked_name() -> str:
    return "Pipeline of LogisticRegression"


def test_a_text_table_is_typed_before_it_is_asked() -> None:
    frame = mixed_frame()
    texts = frame.select(pl.all().cast(pl.String))
    np.testing.assert_allclose(
        said(fitted_pipeline(), typed_frame(texts)), said(fitted_pipeline(), frame)
    )


def test_what_teaches_nothing_is_refused() -> None:
    classifier = LinearSVC().fit([[0.0], [1.0]], [0, 1])
    assert isinstance(estimator_teacher(classifier).failure().first, TeacherWithoutProbabilities)
    asked = TeacherHints(task="regression")
    assert isinstance(estimator_teacher(forest(), asked).failure().first, TeacherTaskOther)
    unfitted = estimator_teacher(RandomForestClassifier()).failure().first
    assert isinstance(unfitted, TeacherClassesUnclear)
    others = TeacherHints(classes=("no", "maybe"))
    issue = estimator_teacher(forest(), others).failure().first
    assert issue == ClassesDiffer(only_teacher=("yes",), only_table=("maybe",))
