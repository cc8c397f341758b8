"""Rows as foreign teachers take them."""

from __future__ import annotations

import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given

from kdtab.errors.extras import ExtraMissing
from kdtab.errors.sources import TeacherClassesUnclear
from kdtab.teachers.classes import chosen_classes, class_names
from kdtab.teachers.rows import (
    matrix_rows,
    pandas_rows,
    typed_frame,
    typed_if_read_as_text,
)
from strategies import frames


@given(frame=frames())
def test_any_frame_can_be_typed_and_turned_and_is_not_changed(frame: pl.DataFrame) -> None:
    before = frame.clone()
    typed = typed_frame(frame)
    assert typed.columns == frame.columns
    assert typed.height == frame.height == len(pandas_rows(frame).unwrap())
    assert matrix_rows(frame).shape == frame.shape
    assert frame.equals(before)


@given(frame=frames())
def test_typing_twice_is_typing_once(frame: pl.DataFrame) -> None:
    once = typed_frame(frame)
    assert typed_frame(once).equals(once)


def test_each_column_gets_the_type_of_all_its_cells() -> None:
    read = pl.DataFrame(
        {
            "whole": ["1", None, "n/a"],
            "half": ["1", "2.5", "?"],
            "truth": ["True", "false", ""],
            "code": ["007", "1", "2"],
            "mixed": ["1", "true", "2"],
            "text": ["a", "?", None],
            "huge": ["99999999999999999999", "1", "2"],
            "none": ["", "?", None],
        }
    )
    typed = typed_frame(read)
    assert dict(typed.schema) == {
        "whole": pl.Int64,
        "half": pl.Float64,
        "truth": pl.Boolean,
        "code": pl.String,
        "mixed": pl.String,
        "text": pl.String,
        "huge": pl.Float64,
        "none": pl.Float64,
    }
    assert typed["truth"].to_list() == [True, False, None]
    assert typed["text"].to_list() == ["a", "?", None]


def test_pandas_gets_categories_in_their_declared_order() -> None:
    frame = pl.DataFrame({"c": pl.Series(["b", None], dtype=pl.Enum(["c", "b", "a"]))})
    rows = pandas_rows(frame).unwrap()
    assert rows["c"].cat.categories.tolist() == ["c", "b", "a"]
    texts = pandas_rows(pl.DataFrame({"c": ["b", None, "a"]}), texts_are_categories=True).unwrap()
    assert texts["c"].cat.categories.tolist() == ["a", "b"]


def test_pandas_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    issue = pandas_rows(pl.DataFrame({"a": [1]})).failure().first
    assert issue == ExtraMissing(extra="pandas", package="pandas")


def test_a_matrix_has_nan_where_a_number_is_missing() -> None:
    matrix = matrix_rows(pl.DataFrame({"a": [1, None], "b": [0.5, 1.5]}))
    np.testing.assert_array_equal(matrix, [[1.0, 0.5], [np.nan, 1.5]])
    assert matrix_rows(pl.DataFrame({"a": ["x", None]})).tolist() == [["x"], [None]]


@pytest.mark.parametrize("labels", [[], [None, "a"], [float("nan")], ["1", 1.0], [True, "true"]])
def test_labels_without_a_text_of_their_own_are_refused(labels: list[object]) -> None:
    assert isinstance(class_names("m", labels).failure().first, TeacherClassesUnclear)


def test_the_teachers_own_order_counts() -> None:
    assert chosen_classes("m", ["b", "a"], ["a", "b"]).unwrap() == ("b", "a")
    assert chosen_classes("m", [0, 1], ["b", "a"]).unwrap() == ("b", "a")
    assert chosen_classes("m", [1, 0], ["0", "1"]).unwrap() == ("1", "0")


def test_only_a_table_of_nothing_but_texts_is_typed() -> None:
    texts = pl.DataFrame({"a": ["1", "2"], "b": ["x", "y"]})
    assert typed_if_read_as_text(texts).dtypes == [pl.Int64, pl.String]
    mixed = texts.with_columns(c=pl.Series([1, 2]))
    assert typed_if_read_as_text(mixed) is mixed
    empty = pl.DataFrame()
    assert typed_if_read_as_text(empty) is empty
