"""Rewrite the numbers of a text that was written with decimal commas."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
from returns.result import Success

from kdtab.errors.texts import DecimalAmbiguous
from kdtab.results import Checked, fail

_EXPONENT = r"(?:[eE][+-]?\d+)?"
_GROUPED = r"\d{1,3}(?:\.\d{3})+"
_WITH_COMMA = rf"^\s*[+-]?(?:\d+|{_GROUPED})?,\d*{_EXPONENT}\s*$"
_HAS_DIGIT = r"\d"
_PLAINLY_GROUPED = rf"^\s*[+-]?(?:{_GROUPED},\d*|\d{{1,3}}(?:\.\d{{3}}){{2,}})\s*$"
_WHOLLY_GROUPED = rf"^\s*[+-]?{_GROUPED}\s*$"


def with_decimal_points(
    path: str, frame: pl.DataFrame, line: Callable[[int], int]
) -> Checked[pl.DataFrame]:
    """The frame with `1,5` and `1.234,5` written as `1.5` and `1234.5`; other cells as they were.

    Only a column that has a decimal comma is touched. In it a dot groups thousands where some cell
    shows that it does (`1.234,5`, `1.234.567`); else a cell like `1.234` has two readings.

    Args:
        path: The file's name, for messages.
        frame: Columns of text.
        line: The file's line of a row of the frame.

    Returns:
        The frame, or a `DecimalAmbiguous` for each column with a cell of two readings.

    Example:
        >>> frame = pl.DataFrame({"x": ["1,5", "2", None], "day": ["18.00.00", "a,b", ","]})
        >>> with_decimal_points("a.csv", frame, lambda row: row + 2).unwrap().rows()
        [('1.5', '18.00.00'), ('2', 'a,b'), (None, ',')]
    """
    columns = [column for column in frame.get_columns() if _has_comma(column)]
    issues = [
        DecimalAmbiguous(path=path, column=column.name, row=line(row), cell=column[row])
        for column in columns
        if (row := _first_ambiguous(column)) is not None
    ]
    if issues:
        return fail(*issues)
    return Success(frame.with_columns(_rewritten(pl.col(column.name)) for column in columns))


def _is_decimal(cells: pl.Expr) -> pl.Expr:
    return cells.str.contains(_WITH_COMMA) & cells.str.contains(_HAS_DIGIT)


def _has_comma(column: pl.Series) -> bool:
    return bool(column.to_frame().select(_is_decimal(pl.col(column.name)).any()).item())


def _first_ambiguous(column: pl.Series) -> int | None:
    if column.str.contains(_PLAINLY_GROUPED).any():
        return None
    return (
        column.str.contains(_WHOLLY_GROUPED).arg_max()
        if column.str.contains(_WHOLLY_GROUPED).any()
        else None
    )


def _rewritten(cells: pl.Expr) -> pl.Expr:
    is_number = _is_decimal(cells) | cells.str.contains(_WHOLLY_GROUPED)
    plain = cells.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return pl.when(is_number).then(plain).otherwise(cells)
