"""Rows of one table with the columns and types of another."""

from __future__ import annotations

import polars as pl

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.config.schema import DateColumn
from kdtab.data.cells import missing_rule, numbers, plain_texts, truths
from kdtab.data.moments import timestamps

_RULE = missing_rule(DEFAULT_MISSING_MARKERS)


def rows_like(rows: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Rows with the columns of a table, in its order and types.

    Args:
        rows: [N] rows of any columns; a column that is absent is missing in every row.
        table: Whose columns and types they are to have.

    Returns:
        [N] rows. A cell that is nothing in its column's type is missing; a column of whole numbers
        that has others here is one of floats.

    Example:
        >>> table = pl.DataFrame({"age": [39], "city": ["Ulm"]})
        >>> rows_like(pl.DataFrame({"x": ["1", "2"], "age": ["40", "?"]}), table).rows()
        [(40, None), (None, None)]
    """
    height = rows.height
    return pl.DataFrame(
        [
            _cells(rows[column.name], column.dtype)
            if column.name in rows.columns
            else pl.Series(column.name, [None], dtype=column.dtype).new_from_index(0, height)
            for column in table.get_columns()
        ]
    )


def _cells(cells: pl.Series, dtype: pl.DataType) -> pl.Series:
    if cells.dtype == dtype:
        return cells
    if dtype == pl.String:
        return plain_texts(cells).alias(cells.name)
    if dtype == pl.Boolean:
        return (truths(cells, _RULE) == 1).alias(cells.name)
    if dtype in (pl.Enum, pl.Categorical):
        return plain_texts(cells).cast(dtype, strict=False).alias(cells.name)
    if isinstance(dtype, pl.Date | pl.Datetime):
        return _moments(cells, dtype)
    if not dtype.is_numeric():
        return cells
    values = numbers(cells, _RULE).alias(cells.name)
    if dtype.is_integer() and not bool((values.drop_nulls() % 1 == 0).all()):
        return values
    return values.cast(dtype, strict=False)


def _moments(cells: pl.Series, dtype: pl.Date | pl.Datetime) -> pl.Series:
    """Texts are read as ISO 8601."""
    plain = DateColumn(name=cells.name, reason="", format=None, has_time=True)
    moments = timestamps(cells, plain, _RULE).alias(cells.name)
    zone = dtype.time_zone if isinstance(dtype, pl.Datetime) else None
    if zone is not None:
        moments = moments.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return moments.cast(dtype)
