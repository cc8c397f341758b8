"""Frames as matrices."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from kdtab.config.schema import (
    BooleanColumn,
    CategoricalColumn,
    DateColumn,
    FeatureColumn,
    NumericColumn,
)
from kdtab.data.coerce import frame_from_rows
from kdtab.data.vectorize import UnreadableCells, Vectorizer

NUMBER = NumericColumn(name="n", reason="")
TRUTH = BooleanColumn(name="b", reason="")
DAY = DateColumn(name="d", reason="", format="%d/%m/%Y", has_time=False)


def category(has_rare: bool, has_missing: bool) -> CategoricalColumn:
    """Two categories, and what else is asked for."""
    return CategoricalColumn(
        name="c", reason="", categories=("1", "true"), has_rare=has_rare, has_missing=has_missing
    )


def matrix(column: FeatureColumn, cells: list[object]) -> list[list[float]]:
    """One column of dict rows, vectorized."""
    vectorizer = Vectorizer((column,), ("?",))
    rows = frame_from_rows([{column.name: cell} for cell in cells], [column.name])
    result: list[list[float]] = vectorizer.transform(rows).tolist()
    return result


def test_numbers_and_truth_values_are_one_feature_each() -> None:
    np.testing.assert_array_equal(
        matrix(NUMBER, ["1e-3", 2, True, "?", "old", None]),
        [[0.001], [2.0], [1.0], [np.nan], [np.nan], [np.nan]],
    )
    np.testing.assert_array_equal(
        matrix(TRUTH, [True, "false", 1, "0", 2, None]), [[1], [0], [1], [0], [np.nan], [np.nan]]
    )


@pytest.mark.parametrize(
    ("has_rare", "has_missing", "unseen", "missing"),
    [
        (True, True, [0, 0, 1, 0], [0, 0, 0, 1]),
        (True, False, [0, 0, 1], [0, 0, 0]),
        (False, True, [0, 0, 0], [0, 0, 1]),
        (False, False, [0, 0], [0, 0]),
    ],
)
def test_an_unseen_category_is_rare_and_a_missing_one_missing_where_training_had_such(
    has_rare: bool, has_missing: bool, unseen: list[float], missing: list[float]
) -> None:
    column = category(has_rare, has_missing)
    assert matrix(column, ["new", "?", None]) == [unseen, missing, missing]
    width = len(Vectorizer((column,), ()).feature_names)
    assert width == len(unseen)


def test_true_in_any_spelling_and_one_in_any_type_are_their_categories() -> None:
    column = category(has_rare=False, has_missing=False)
    truths: list[object] = [True, "True", "TRUE", " true"]
    ones: list[object] = [1, 1.0, "1", "1.0", "+1"]
    assert [matrix(column, [cell]) for cell in truths] == [[[0, 1]]] * 4
    assert [matrix(column, [cell]) for cell in ones] == [[[1, 0]]] * 5


def test_a_frame_without_a_column_has_it_missing_in_every_row() -> None:
    columns = (NUMBER, TRUTH, category(has_rare=True, has_missing=True), DAY)
    vectorizer = Vectorizer(columns, ())
    row = vectorizer.transform(pl.DataFrame({"other": [1, 2]}))
    assert row.shape == (2, len(vectorizer.feature_names))
    assert np.isnan(row[:, ~vectorizer.indicators]).all()
    assert row[:, vectorizer.indicators].tolist() == [[0, 0, 0, 1]] * 2


def test_a_frame_without_rows_gives_a_matrix_without_rows() -> None:
    columns = (NUMBER, TRUTH, category(has_rare=True, has_missing=True), DAY)
    assert Vectorizer(columns, ()).transform(pl.DataFrame({"n": []})).shape == (0, 20)


def test_names_and_indicators_stand_for_the_columns_of_the_matrix() -> None:
    vectorizer = Vectorizer((NUMBER, category(has_rare=True, has_missing=True), DAY), ())
    assert vectorizer.feature_names[:5] == ("n", "c = 1", "c = true", "c is rare", "c is missing")
    assert vectorizer.column_names == ("n", "c", "d")
    assert vectorizer.indicators.tolist() == [False, True, True, True, True, *[False] * 14]


def test_cells_that_mean_nothing_in_their_column_are_reported() -> None:
    frame = pl.DataFrame(
        {
            "n": ["1", "?", "old", "older"],
            "b": ["maybe", "true", None, "1"],
            "d": ["01/02/2020", "soon", "", "2020-02-01"],
            "c": ["x", "y", "z", ""],
        }
    )
    columns = (NUMBER, TRUTH, DAY, category(has_rare=False, has_missing=False))
    assert Vectorizer(columns, ("?", "")).unreadable(frame) == (
        UnreadableCells("n", 2, 3, "old"),
        UnreadableCells("b", 1, 1, "maybe"),
        UnreadableCells("d", 1, 2, "soon"),
    )


def test_typed_columns_have_no_unreadable_cells_but_where_the_type_is_wrong() -> None:
    typed = pl.DataFrame({"n": [1.0, float("nan")], "d": [date(2020, 1, 1), None]})
    assert Vectorizer((NUMBER, DAY), ()).unreadable(typed) == ()
    swapped = pl.DataFrame({"d": [1.0, None], "n": [date(2020, 1, 1), None]})
    found = Vectorizer((NUMBER, DAY), ()).unreadable(swapped)
    assert [(cells.column, cells.count) for cells in found] == [("n", 1), ("d", 1)]


def test_equal_vectorizers_are_equal_values() -> None:
    assert Vectorizer((NUMBER,), ("?",)) == Vectorizer((NUMBER.model_copy(),), ("?",))
    assert hash(Vectorizer((NUMBER,), ())) == hash(Vectorizer((NUMBER,), ()))
