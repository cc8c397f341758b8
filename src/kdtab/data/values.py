"""Single Python values as text, whatever they are; nothing here ever fails."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import polars as pl

MISSING_TYPES = ("NAType", "NaTType")


def cell_text(cell: object) -> str | None:
    """One Python value as text, in the way of `plain_texts`; it never fails.

    Args:
        cell: Anything.

    Returns:
        The text, or None for a missing value.

    Example:
        >>> [cell_text(cell) for cell in (True, 1.0, float("nan"), None, {"a": 1})]
        ['true', '1.0', None, None, '{"a": 1}']
    """
    match cell:
        case None:
            return None
        case str():
            return str.__str__(cell)  # an enum's own would name the member, not its value
        case bool() | np.bool_():
            return "true" if cell else "false"
        case datetime() | date() | time() | timedelta() | np.datetime64() | np.timedelta64():
            return _moment_text(cell)
        case int() | np.integer() | float() | np.floating() | Decimal():
            return _number_cell_text(cell)
        case bytes():
            return cell.decode("utf-8", "replace")
        case _:
            return None if type(cell).__name__ in MISSING_TYPES else _json_text(cell)


def plain_cell(cell: object) -> object:
    """A scalar of numpy as the Python value it stands for, and pandas' missing values as None.

    Args:
        cell: Anything.

    Returns:
        A `bool`, `int`, `float` or `str` for numpy's, None for `NA` and `NaT`, else the same object.

    Example:
        >>> [plain_cell(cell) for cell in (np.int8(3), np.float64(0.5), np.str_("a"), None)]
        [3, 0.5, 'a', None]
    """
    match cell:
        case np.bool_():
            return bool(cell)
        case np.timedelta64():  # numpy calls it an integer
            return cell
        case np.integer():
            return int(cell)
        case np.floating():
            return float(cell)
        case np.str_():
            return str(cell)
        case _:
            return None if type(cell).__name__ in MISSING_TYPES else cell


def text_series(name: str, cells: list[str | None]) -> pl.Series:
    r"""Texts as a column; halves of surrogate pairs, which no UTF-8 can hold, become `?`.

    Args:
        name: The column's name.
        cells: [N] texts or None.

    Returns:
        [N] String.

    Example:
        >>> text_series("a", ["x", "\ud800", None]).to_list()
        ['x', '?', None]
    """
    try:
        return pl.Series(name, cells, dtype=pl.String)
    except UnicodeEncodeError:
        clean = [cell and cell.encode("utf-8", "replace").decode() for cell in cells]
        return pl.Series(name, clean, dtype=pl.String)


def _number_cell_text(
    cell: int | np.integer | float | np.floating | Decimal,
) -> str | None:
    try:
        if isinstance(cell, int | np.integer):
            return str(int(cell))
        if isinstance(cell, Decimal):
            return str(cell) if cell.is_finite() else None
        return repr(float(cell)) if math.isfinite(cell) else None
    except (ValueError, OverflowError):
        return None


def _moment_text(
    cell: date | time | timedelta | np.datetime64 | np.timedelta64,
) -> str | None:
    if isinstance(cell, np.datetime64 | np.timedelta64) and np.isnat(cell):
        return None
    match cell:
        case np.timedelta64():
            return repr(float(cell / np.timedelta64(1, "us")) / 1e6)
        case timedelta():
            return repr(cell / timedelta(microseconds=1) / 1e6)
        case time():
            day_start = datetime.combine(date.min, time())
            return repr(
                (datetime.combine(date.min, cell.replace(tzinfo=None)) - day_start).total_seconds()
            )
        case datetime():
            return _datetime_text(cell)
        case _:
            return str(cell)


def _datetime_text(cell: datetime) -> str | None:
    if cell != cell:
        return None
    try:
        moment = cell if cell.tzinfo is None else cell.astimezone(UTC).replace(tzinfo=None)
    except (OverflowError, ValueError):
        return None
    return moment.isoformat()


def _json_text(cell: object) -> str:
    try:
        return json.dumps(cell, default=lambda inner: f"<{type(inner).__name__}>", sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return f"<{type(cell).__name__}>"
