"""What each column is: its kind from every row, its categories from the training rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import polars as pl
from returns.result import Success

from kdtab.config.columns import ColumnOptions
from kdtab.config.schema import (
    BooleanColumn,
    CategoricalColumn,
    DateColumn,
    LeftOutColumn,
    NumericColumn,
    TableSchema,
)
from kdtab.data.arrays import IntArray
from kdtab.data.cells import (
    NUMBER_PATTERN,
    MissingRule,
    missing_rule,
    numbers,
    stripped_texts,
    text_counts,
)
from kdtab.data.moments import fit_date_column
from kdtab.data.readings import said_kinds, said_texts
from kdtab.errors.base import quoted
from kdtab.results import Checked, collect

NAMING_DISTINCT = 20
NAMING_SHARE = 0.95

FittedColumn = NumericColumn | BooleanColumn | CategoricalColumn | DateColumn | LeftOutColumn


def fit_columns(
    frame: pl.DataFrame,
    training_rows: IntArray,
    options: ColumnOptions,
    target_column: str,
    *,
    texts: Collection[str] = (),
) -> Checked[TableSchema]:
    """The schema of a table: every column but the target and the excluded ones.

    Args:
        frame: [N] rows, all of them: kinds are decided from every row.
        training_rows: Numbers of the rows from which categories are counted.
        options: Exclusions, dates, missing markers, categories to keep.
        target_column: The column that is no feature.
        texts: Columns that were text before `code_texts` made them an `Enum`.

    Returns:
        Features and left-out columns, both sorted by name, or the issues of all date columns.

    Example:
        >>> import numpy as np
        >>> frame = pl.DataFrame({"y": [1, 2], "b": ["u", "v"], "a": [0.5, None]})
        >>> schema = fit_columns(frame, np.array([0, 1]), ColumnOptions(), "y").unwrap()
        >>> [(column.name, column.kind) for column in schema.features]
        [('a', 'numeric'), ('b', 'categorical')]
    """
    skipped = {target_column, *options.exclude_columns}
    names = sorted(name for name in frame.columns if name not in skipped)
    fitted = (
        _fit_column(frame[name], training_rows, options, was_text=name in texts) for name in names
    )
    return collect(fitted).map(_schema)


def _schema(fitted: tuple[FittedColumn, ...]) -> TableSchema:
    return TableSchema(
        features=tuple(column for column in fitted if not isinstance(column, LeftOutColumn)),
        left_out=tuple(column for column in fitted if isinstance(column, LeftOutColumn)),
    )


def _fit_column(
    series: pl.Series, training_rows: IntArray, options: ColumnOptions, *, was_text: bool
) -> Checked[FittedColumn]:
    rule = missing_rule(options.missing_markers)
    dtype = series.dtype
    asked = series.name in options.date_columns
    words = None if _is_plain(dtype) else said_texts(series, "stripped", rule)
    if _all_missing(series, rule, words):
        return Success(LeftOutColumn(name=series.name, reason="every cell is missing"))
    if asked or dtype in (pl.Date, pl.Datetime):
        reason = "named in date_columns" if asked else "a date type"
        return fit_date_column(series, rule, reason).map(_as_fitted)
    if dtype == pl.Boolean:
        return Success(BooleanColumn(name=series.name, reason="a boolean type"))
    if dtype.is_numeric():
        return Success(NumericColumn(name=series.name, reason=f"a number type, {dtype}"))
    if dtype in (pl.Duration, pl.Time):
        return Success(NumericColumn(name=series.name, reason=f"seconds of the type {dtype}"))
    assert words is not None, "every plain type is dealt with above"
    typed = not was_text and dtype in (pl.Categorical, pl.Enum)
    said = words.drop_nulls("text")
    return Success(
        _fit_text(series, said, training_rows, rule, options.max_categories, typed=typed)
    )


def _as_fitted(column: DateColumn) -> FittedColumn:
    return column


def _is_plain(dtype: pl.DataType) -> bool:
    """Whether cells of this type need no reading."""
    return dtype == pl.Boolean or dtype.is_temporal() or dtype.is_numeric()


def _all_missing(series: pl.Series, rule: MissingRule, words: pl.DataFrame | None) -> bool:
    if words is not None:
        return words["text"].null_count() == len(words)
    if series.dtype.is_numeric():
        return numbers(series, rule).null_count() == len(series)
    return series.null_count() == len(series)


def _fit_text(
    series: pl.Series,
    words: pl.DataFrame,
    training_rows: IntArray,
    rule: MissingRule,
    max_categories: int,
    *,
    typed: bool,
) -> FittedColumn:
    texts, count = words["text"], int(words["rows"].sum())
    said = said_kinds(texts)
    if said.truths:
        return BooleanColumn(name=series.name, reason="text; every cell is true or false")
    if said.numbers.any() and (said.numbers | said.infinities).all() and not typed:
        kinds = "a number or infinite" if said.infinities.any() else "a number"
        return NumericColumn(name=series.name, reason=f"text; every cell is {kinds}")
    distinct = texts.n_unique()
    if distinct >= NAMING_DISTINCT and distinct >= NAMING_SHARE * count:
        reason = f"text that names its row: {distinct:,} distinct values in {count:,} cells"
        return LeftOutColumn(name=series.name, reason=reason)
    reasons = _text_reasons(series, words, said.numbers, rule)
    reason = "a categorical type" if typed else "; ".join(reasons)
    counts = text_counts(series, "canonical", rule, training_rows)
    return _fit_categories(series.name, counts, reason, max_categories)


def _text_reasons(
    series: pl.Series, words: pl.DataFrame, numeric: pl.Series, rule: MissingRule
) -> Iterator[str]:
    yield "text"
    count = int(words["rows"].filter(numeric).sum())
    if count:
        cells = stripped_texts(series, rule).drop_nulls()
        other = cells.filter(~cells.str.contains(NUMBER_PATTERN))[0]
        yield f"{count:,} of {int(words['rows'].sum()):,} cells are numbers, {quoted(other)} is not"


def _fit_categories(
    name: str, counts: pl.DataFrame, reason: str, max_categories: int
) -> CategoricalColumn:
    texts = counts["text"].drop_nulls().to_list()
    return CategoricalColumn(
        name=name,
        reason=reason,
        categories=tuple(sorted(texts[:max_categories])),
        has_rare=len(texts) > max_categories,
        has_missing=counts["text"].has_nulls(),
    )
