"""Single raw cells of one column as numbers or look-ups, compiled once for each column.

A reader agrees with the road of `data.vectorize` to the bit of what a cell means, whatever stands
beside it in its column. It knows the plain cells by itself and asks that road about odd texts; a time
of day, a Decimal or a list is the text of `cell_text` on both. What may mean something else in other
company it refuses with `OddCellError`, and the caller takes that road for all of its rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import TypeAlias, TypeVar

import numpy as np

from kdtab.config.schema import BooleanColumn, DateColumn
from kdtab.data.cells import EXACT_INTEGERS, TRUTH_WORDS, MissingRule, numbers, truths
from kdtab.data.dates import date_features
from kdtab.data.values import cell_text, plain_cell, text_series
from kdtab.data.vectorize import NEITHER, category_positions
from kdtab.serving.calendars import (
    Moment,
    moment_of_datetime,
    moment_of_iso_text,
    scaled_moments,
    text_clock,
)
from kdtab.serving.inputs import CategoryTable, MeasuredColumn

Meaning = TypeVar("Meaning")
NumberReader: TypeAlias = Callable[[object], float]
PartsReader: TypeAlias = Callable[[object], tuple[float, ...]]
PlaceReader: TypeAlias = Callable[[object], int]

LARGEST_INTEGER = 10**300
REMEMBERED = 4_096
"""Odd texts whose meaning a reader keeps, the latest ones."""

LONGEST_REMEMBERED = 200
"""Longer texts are understood anew each time, so that no caller can fill the memory."""

_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?", re.ASCII)
_PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_DIGITS = re.compile(r"[+-]?[0-9]*\.?[0-9]*", re.ASCII)
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_PLAIN_WORD = re.compile(r"[A-Za-z](?:[A-Za-z0-9 _.&/()+-]*[A-Za-z0-9_.)+-])?", re.ASCII)


class OddCellError(Exception):
    """A cell whose meaning a reader leaves to the road of whole columns.

    Example:
        >>> issubclass(OddCellError, Exception)
        True
    """


def _remembered(understand: Callable[[str], Meaning]) -> Callable[[str], Meaning]:
    kept = lru_cache(maxsize=REMEMBERED)(understand)
    return lambda text: kept(text) if len(text) <= LONGEST_REMEMBERED else understand(text)


def number_reader(measured: MeasuredColumn, rule: MissingRule) -> NumberReader:
    """A reader of a numeric or boolean column.

    Args:
        measured: The column and its scaling.
        rule: What is missing.

    Returns:
        A cell to its scaled and clipped feature; it raises `OddCellError`.

    Example:
        >>> from kdtab.config.schema import NumericColumn
        >>> from kdtab.data.cells import missing_rule
        >>> age = MeasuredColumn(NumericColumn(name="age", reason=""), np.array([30.0]),
        ...                      np.array([10.0]), 10.0, np.array([0.5]))
        >>> read = number_reader(age, missing_rule(("?",)))
        >>> [read(cell) for cell in (40, "20", "?", None, 1e9)]
        [1.0, -1.0, 0.5, 0.5, 10.0]
    """
    scaled = _scaled_number(measured, rule)
    fill = float(measured.fill[0])
    boolean = isinstance(measured.column, BooleanColumn)
    understand = truths if boolean else numbers
    words = frozenset(word for word in rule.words if word.isascii())
    odd_truths = any(word in words for word in TRUTH_WORDS)

    @_remembered
    def of_text(text: str) -> float:
        value = understand(text_series("", [text]), rule)[0]
        return fill if value is None else scaled(value)

    def read_other(cell: object) -> float:
        if cell is None:
            return fill
        if isinstance(cell, bool):
            if odd_truths:
                raise OddCellError
            return scaled(float(cell))
        plain = cell if isinstance(cell, str) else plain_cell(cell)
        if plain is not cell:
            return read(plain)
        text = cell_text(cell)
        if text is None or text in words:
            return fill
        return scaled(float(text)) if _PLAIN_NUMBER.fullmatch(text) else of_text(text)

    def read(cell: object) -> float:
        if type(cell) is float or type(cell) is int:
            return scaled(cell)
        return read_other(cell)

    return read


def _scaled_number(measured: MeasuredColumn, rule: MissingRule) -> Callable[[float], float]:
    mean, scale, clip = float(measured.mean[0]), float(measured.scale[0]), measured.clip
    fill, low = float(measured.fill[0]), -measured.clip
    markers, boolean = frozenset(rule.numbers), isinstance(measured.column, BooleanColumn)

    def clipped(value: float) -> float:
        try:
            exact = float(value)
        except OverflowError:
            return fill
        if not math.isfinite(exact) or exact in markers or (boolean and exact not in (0.0, 1.0)):
            return fill
        return min(max((exact - mean) / scale, low), clip)

    def plain(value: float) -> float:
        try:
            inside = (value - mean) / scale
        except OverflowError:
            return fill
        return inside if low < inside < clip else clipped(value)

    return clipped if markers or boolean else plain


def date_reader(measured: MeasuredColumn, rule: MissingRule) -> PartsReader:
    """A reader of a date column.

    Args:
        measured: The column and its scaling.
        rule: What is missing.

    Returns:
        A cell to its 14 or 17 scaled and clipped features; it raises `OddCellError`.

    Example:
        >>> from kdtab.data.cells import missing_rule
        >>> day = DateColumn(name="d", reason="", format=None, has_time=False)
        >>> column = MeasuredColumn(day, np.full(14, 2020.0), np.ones(14), 5e3, np.zeros(14))
        >>> read = date_reader(column, missing_rule(()))
        >>> read(date(2021, 2, 28))[:2], read("2021-02-28")[:2], read(None)[:2]
        ((1.0, -2018.0), (1.0, -2018.0), (0.0, 0.0))
    """
    column = measured.column
    assert isinstance(column, DateColumn), "the caller chooses by kind"
    fill = tuple(measured.fill.tolist())
    scaled = scaled_moments(measured.mean.tolist(), measured.scale.tolist(), measured.clip)
    of_dated_text = _dated_text_reader(measured, column, rule, scaled)
    dated_markers = any(_ISO_DAY.search(word) for word in rule.words)

    def read(cell: object) -> tuple[float, ...]:
        if isinstance(cell, str):
            return of_dated_text(str.__str__(cell))
        if cell is None:
            return fill
        if type(cell) is date and not dated_markers:
            return scaled((cell, 0))
        if type(cell) is datetime and not dated_markers:
            moment = moment_of_datetime(cell)
            return fill if moment is None else scaled(moment)
        plain = plain_cell(cell)
        if plain is not cell:
            return read(plain)
        text = cell_text(cell)
        if text is None:
            return fill
        if type(cell) is float or (isinstance(cell, date) and dated_markers):
            raise OddCellError  # 20200229.0 is a day, but no text of one
        return of_dated_text(text)

    return read


def _dated_text_reader(
    measured: MeasuredColumn,
    column: DateColumn,
    rule: MissingRule,
    scaled: Callable[[Moment], tuple[float, ...]],
) -> Callable[[str], tuple[float, ...]]:
    fill = tuple(measured.fill.tolist())
    words = frozenset(word for word in rule.words if word.isascii())
    clock = text_clock(column.format) if column.format else None

    @_remembered
    def of_text(text: str) -> tuple[float, ...]:
        parts = [part[0] for part in date_features(text_series("", [text]), column, rule)]
        if parts[0] is None:
            return fill
        standard = (np.array(parts) - measured.mean) / measured.scale
        return tuple(np.clip(standard, -measured.clip, measured.clip).tolist())

    def of_dated_text(text: str) -> tuple[float, ...]:
        if text.lower() in words:
            return fill
        if rule.numbers and _DIGITS.fullmatch(text):  # it may be a marker, written another way
            return of_text(text)
        moment = (clock(text) if clock else None) or moment_of_iso_text(text)
        return of_text(text) if moment is None else scaled(moment)

    return of_dated_text


def place_reader(table: CategoryTable, rule: MissingRule) -> PlaceReader:
    """A reader of the cells of a categorical column that are no text of its `places`.

    Args:
        table: The column.
        rule: What is missing.

    Returns:
        A cell to its row of the table; it raises `OddCellError`.

    Example:
        >>> from kdtab.config.schema import CategoricalColumn
        >>> from kdtab.data.cells import missing_rule
        >>> code = CategoricalColumn(name="code", reason="", categories=("1", "a"), has_rare=True,
        ...                          has_missing=False)
        >>> table = CategoryTable(code, {"1": 0, "a": 1}, 2, 3, np.zeros((4, 5)))
        >>> read = place_reader(table, missing_rule(("?",)))
        >>> [read(cell) for cell in (1, 1.0, " a ", "b", None)]
        [0, 0, 1, 2, 3]
    """
    of_text = _place_of_text(table, rule)

    def of_integer(value: int) -> int:
        if abs(value) >= LARGEST_INTEGER:  # of which Python may refuse to make a text
            raise OddCellError
        return of_text(str(value))

    def of_float(value: float) -> int:
        if not math.isfinite(value):
            return table.missing
        whole = abs(value) < EXACT_INTEGERS and value == int(value)
        return of_text(str(int(value)) if whole else repr(value))

    def read(cell: object) -> int:
        if cell is None:
            return table.missing
        if isinstance(cell, bool):
            return of_text("true" if cell else "false")
        if type(cell) is int:
            return of_integer(cell)
        if type(cell) is float:
            return of_float(cell)
        plain = cell if isinstance(cell, str) else plain_cell(cell)
        if plain is not cell:
            return read(plain)
        text = cell_text(cell)
        return table.missing if text is None else of_text(text)

    return read


def _place_of_text(table: CategoryTable, rule: MissingRule) -> Callable[[str], int]:
    places, markers, words = table.places, frozenset(rule.numbers), frozenset(rule.words)
    nothing = len(table.rows) - 1
    truth_numbers = {"true": 1.0, "false": 0.0}

    @_remembered
    def of_odd_text(text: str) -> int:
        place = int(category_positions(text_series("", [text]), table.column, rule)[0])
        return nothing if place == NEITHER else place

    def of_text(text: str) -> int:
        if _PLAIN_WORD.fullmatch(text):
            lower = text.lower()
            if lower in words or truth_numbers.get(lower) in markers:
                return table.missing
            return places.get(lower if lower in TRUTH_WORDS else text, table.rare)
        if _PLAIN_INTEGER.fullmatch(text) and len(text) < 300:
            missing = text in words or (bool(markers) and float(text) in markers)
            return table.missing if missing else places.get(text, table.rare)
        return of_odd_text(text)

    return of_text
