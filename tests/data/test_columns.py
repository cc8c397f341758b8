"""Kinds of columns and their categories."""

from __future__ import annotations

from datetime import date, time, timedelta

import numpy as np
import polars as pl
import pytest

from kdtab.config.columns import ColumnOptions
from kdtab.config.schema import CategoricalColumn, TableSchema
from kdtab.data.columns import fit_columns

FEW = ["u", "v"] * 10


def fit(frame: pl.DataFrame, **options: object) -> TableSchema:
    """The schema from all rows."""
    chosen = ColumnOptions.model_validate(options)
    return fit_columns(frame, np.arange(frame.height), chosen, "y").unwrap()


@pytest.mark.parametrize(
    ("cells", "kind", "reason"),
    [
        ([1, 2], "numeric", "a number type, Int64"),
        ([True, None], "boolean", "a boolean type"),
        ([" True", "FALSE", "?"], "boolean", "text; every cell is true or false"),
        (["1", " 2.5 ", "1e-3", "+5", "0", "?"], "numeric", "text; every cell is a number"),
        (["1", "2", "007"], "categorical", "text; 2 of 3 cells are numbers, '007' is not"),
        (["1", "inf", " -Infinity "], "numeric", "text; every cell is a number or infinite"),
        (["a", "inf"], "categorical", "text"),
        (["inf", "-inf"], "categorical", "text"),
        (["1", "1_000"], "categorical", "text; 1 of 2 cells are numbers, '1_000' is not"),
        (["a", "b"], "categorical", "text"),
        (["18.00.00"], "categorical", "text"),
        ([date(2020, 1, 1)], "date", "a date type"),
        ([time(1)], "numeric", "seconds of the type Time"),
        ([timedelta(1)], "numeric", "seconds of the type Duration(time_unit='us')"),
        ([None, "?"], "left_out", "every cell is missing"),
        ([None, float("nan"), float("inf")], "left_out", "every cell is missing"),
        ([None], "left_out", "every cell is missing"),
        ([[1], [2]], "categorical", "text"),
        (
            [*(f"id {n}" for n in range(19)), "id 18"],
            "categorical",
            "text",
        ),
        (
            [f"id {n}" if n < 20 else None for n in range(21)],
            "left_out",
            "text that names its row: 20 distinct values in 20 cells",
        ),
        ([str(n).zfill(4) for n in range(30)], "left_out", None),
        ([f"id {n % 20}" for n in range(30)], "categorical", "text"),
    ],
)
def test_a_column_has_a_kind_and_a_reason(
    cells: list[object], kind: str, reason: str | None
) -> None:
    schema = fit(pl.DataFrame({"x": cells}, strict=False))
    found: list[tuple[str, str]] = [(column.kind, column.reason) for column in schema.features]
    found += [(column.kind, column.reason) for column in schema.left_out]
    assert found == [(kind, reason or found[0][1])]


def test_a_categorical_type_stays_categorical_even_for_digits() -> None:
    column = fit(pl.DataFrame({"x": pl.Series(["1", "2"], dtype=pl.Categorical)})).features[0]
    assert (column.kind, column.reason) == ("categorical", "a categorical type")


def test_a_marker_that_is_a_number_leaves_a_column_of_nothing_else_out() -> None:
    frame = pl.DataFrame({"x": [-200.0, -200.0], "z": [1, -200]})
    schema = fit(frame, missing_markers=["-200"])
    assert [column.name for column in schema.left_out] == ["x"]


def test_kinds_come_from_every_row_and_categories_from_training_rows_alone() -> None:
    frame = pl.DataFrame({"n": ["1", "2", "x"], "c": ["a", "b", None]})
    schema = fit_columns(frame, np.array([0, 1]), ColumnOptions(), "y").unwrap()
    category, number = schema.features
    assert isinstance(category, CategoricalColumn)
    assert isinstance(number, CategoricalColumn)
    assert (category.categories, category.has_missing) == (("a", "b"), False)
    assert number.categories == ("1", "2")


def test_frequent_categories_are_kept_and_the_others_share_one() -> None:
    cells = ["c"] * 3 + ["b"] * 2 + ["a"] * 2 + ["d", None]
    column = fit(pl.DataFrame({"x": cells}), max_categories=2).features[0]
    assert isinstance(column, CategoricalColumn)
    assert (column.categories, column.has_rare, column.has_missing) == (("a", "c"), True, True)


def test_one_value_in_many_spellings_is_one_category() -> None:
    column = fit(pl.DataFrame({"x": ["True", "TRUE", " true ", "1", "1.0", "b"]})).features[0]
    assert isinstance(column, CategoricalColumn)
    assert column.categories == ("1", "b", "true")


def test_excluded_columns_and_the_target_are_no_features() -> None:
    frame = pl.DataFrame({"b": FEW, "a": FEW, "id": FEW, "y": FEW})
    schema = fit(frame, exclude_columns=["id"])
    assert [column.name for column in schema.features] == ["a", "b"]


@pytest.mark.requirement("REQ-T02")
def test_date_columns_are_read_as_dates_and_all_their_issues_come_at_once() -> None:
    frame = pl.DataFrame({"d": ["31/12/2020"], "e": ["2020-01-01"]})
    kinds = [column.kind for column in fit(frame, date_columns=["d"]).features]
    assert kinds == ["date", "categorical"]
    wrong = pl.DataFrame({"d": ["soon"], "e": ["01/02/2020"], "f": [3]})
    options = ColumnOptions(date_columns=("d", "e", "f"))
    assert len(fit_columns(wrong, np.array([0]), options, "y").failure()) == 3
