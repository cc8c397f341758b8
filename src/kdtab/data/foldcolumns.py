"""The columns that say which rows belong together, and which came first."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.cells import canonical_texts, missing_rule, numbers
from kdtab.data.moments import fit_date_column, timestamps
from kdtab.results import Checked


def group_numbers(column: pl.Series, markers: Iterable[str]) -> IntArray:
    """The same number for cells of the same value; a missing cell is a group of its own.

    Args:
        column: [N] cells of any type.
        markers: Texts that mean "missing".

    Returns:
        [N] int64 from 0.

    Example:
        >>> group_numbers(pl.Series(["b", "a", "b", None, None]), ()).tolist()
        [1, 0, 1, 2, 3]
    """
    texts = canonical_texts(column, missing_rule(markers))
    ranks = texts.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
    missing = ranks < 0
    numbered: IntArray = np.where(missing, ranks.max() + np.cumsum(missing), ranks)
    return numbered


def time_values(column: pl.Series, markers: Iterable[str]) -> Checked[FloatArray]:
    """When each row was made, as numbers that grow with time.

    Args:
        column: [N] dates, datetimes, numbers, or texts of one of them.
        markers: Texts that mean "missing".

    Returns:
        [N] float64, NaN where missing; or `DatesUnreadable`, `DatesAmbiguous`,
        `DateColumnUnusable`.

    Example:
        >>> time_values(pl.Series("t", ["3", "1", None]), ()).unwrap().tolist()
        [3.0, 1.0, nan]
        >>> time_values(pl.Series("t", ["soon", "late"]), ()).failure().first.cell
        'soon'
    """
    rule = missing_rule(markers)
    if column.dtype.is_temporal() and column.dtype not in (pl.Date, pl.Datetime):
        return Success(_floats(column.to_physical()))
    if column.dtype not in (pl.Date, pl.Datetime):
        values = numbers(column, rule)
        present = canonical_texts(column, rule).is_not_null()
        if not (present & values.is_null()).any():
            return Success(_floats(values))
    return fit_date_column(column, rule, "time_column names it").map(
        lambda date: _floats(timestamps(column, date, rule).to_physical())
    )


def _floats(series: pl.Series) -> FloatArray:
    floats: FloatArray = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return floats
