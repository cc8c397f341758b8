"""The cells of one sheet, and of which kind each of them and each column is.

The reader library gives a sheet as columns of one type at a time and drops what does not fit. Seen
as four types, each cell shows its own: only numbers and booleans have a boolean view, only dates
and times a duration, and text has neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal, TypeAlias

import fastexcel
import polars as pl

from kdtab.config.columns import DEFAULT_MISSING_MARKERS

CellKind: TypeAlias = Literal["number", "boolean", "date", "text"]
_VIEWS: tuple[fastexcel.DType, ...] = ("float", "boolean", "duration", "datetime")
_LARGEST_EXACT = 2.0**53
_FIRST_YEAR = 1901  # a time of day or a span stands in the first days of the calendar


@dataclass(frozen=True, eq=False)
class SheetColumn:
    """The cells of one column below the header.

    Attributes:
        texts: Every filled cell as text.
        numbers: Numbers, and text that is a number.
        booleans: Booleans, and numbers.
        durations: Dates and times, counted from the first day of the calendar of the workbook.
        datetimes: Dates and times as such.

    Example:
        >>> none = pl.Series([None, None])
        >>> column = SheetColumn(pl.Series(["1", "?"]), pl.Series([1.0, None]),
        ...                      pl.Series([True, None]), none, none)
        >>> column.kind, column.values.to_list()
        ('number', [1, None])
    """

    texts: pl.Series
    numbers: pl.Series
    booleans: pl.Series
    durations: pl.Series
    datetimes: pl.Series

    @property
    def kind(self) -> CellKind:
        """What most filled cells are; text where no other kind has more.

        Example:
            >>> none = pl.Series([None])
            >>> SheetColumn(pl.Series(["007"]), pl.Series([7.0]), none, none, none).kind
            'text'
        """
        counts: dict[CellKind, int] = {
            "text": int(self._is_text.sum()),
            "number": int(self._is_number.sum()),
            "boolean": int(self._is_boolean.sum()),
            "date": int(self._is_date.sum()),
        }
        return max(counts, key=lambda kind: counts[kind])

    def kind_at(self, row: int) -> CellKind:
        """What one filled cell is.

        Args:
            row: Its place in the column, from 0.

        Returns:
            Its own kind, whatever the column's is.

        Example:
            >>> none = pl.Series([None])
            >>> SheetColumn(pl.Series(["oops"]), none, none, none, none).kind_at(0)
            'text'
        """
        if self._is_date[row]:
            return "date"
        if self._is_boolean[row]:
            return "boolean"
        return "number" if self._is_number[row] else "text"

    @property
    def contradictions(self) -> pl.Series:
        """True for each filled cell that is of another kind than the column, and no number as text.

        Example:
            >>> none = pl.Series([None] * 3)
            >>> column = SheetColumn(pl.Series(["1", "2", "oops"]), pl.Series([1.0, 2.0, None]),
            ...                      pl.Series([True, True, None]), none, none)
            >>> column.contradictions.to_list()
            [False, False, True]
        """
        filled = self.texts.is_not_null() & ~self._is_marker
        match self.kind:
            case "text":
                return filled & False
            case "number":
                return filled & ~(self._is_number | (self._is_text & self.numbers.is_not_null()))
            case "boolean":
                return filled & ~self._is_boolean
            case "date":
                return filled & (~self._is_date | self._is_time_among_dates)

    @property
    def values(self) -> pl.Series:
        """The column in the type of its kind.

        Integers where all numbers are; dates without a time where all are at midnight; times of day
        and durations as seconds; empty text is null.

        Example:
            >>> none = pl.Series([None])
            >>> SheetColumn(pl.Series([""]), none, none, none, none).values.to_list()
            [None]
        """
        match self.kind:
            case "number":
                return _narrowed(self.numbers)
            case "boolean":
                return self.booleans
            case "date":
                return _dates(self.datetimes, self.durations)
            case "text":
                return self.texts.set(self.texts == "", None).cast(pl.String)

    @property
    def _is_marker(self) -> pl.Series:
        plain = self.texts.cast(pl.String).str.strip_chars().str.to_lowercase()
        return plain.is_in(list(DEFAULT_MISSING_MARKERS)).fill_null(False)

    @property
    def _is_boolean(self) -> pl.Series:
        written = self.texts.cast(pl.String).is_in(["true", "false"]).fill_null(False)
        return self.booleans.is_not_null() & written

    @property
    def _is_number(self) -> pl.Series:
        return self.booleans.is_not_null() & ~self._is_boolean

    @property
    def _is_date(self) -> pl.Series:
        return self.durations.is_not_null()

    @property
    def _is_time_among_dates(self) -> pl.Series:
        """A time of day stands before the first day of the calendar: no date, but read as one."""
        early = (self.datetimes < datetime(1900, 1, 1)).fill_null(False)
        return early & bool((self.datetimes.dt.year() >= _FIRST_YEAR).any())

    @property
    def _is_text(self) -> pl.Series:
        filled = self.texts.is_not_null() & ~self._is_marker
        return filled & self.booleans.is_null() & self.durations.is_null()


@dataclass(frozen=True, eq=False)
class SheetCells:
    """One sheet below its header.

    Attributes:
        sheet: Its name.
        names: The header, an empty text for an empty cell.
        positions: The column of the sheet, from 0, in which each column stands.
        first_row: The sheet's row, from 1, of the first row below the header.
        columns: The columns.

    Example:
        >>> SheetCells("data", (), (), 2, ()).first_row
        2
    """

    sheet: str
    names: tuple[str, ...]
    positions: tuple[int, ...]
    first_row: int
    columns: tuple[SheetColumn, ...]


def load_cells(workbook: fastexcel.ExcelReader, sheet: str) -> SheetCells | None:
    """The cells of a sheet; the first row with a filled cell is the header.

    Args:
        workbook: An open workbook.
        sheet: The name of one of its sheets.

    Returns:
        The cells, or None for a sheet without a filled cell.

    Raises:
        fastexcel.FastExcelError: The workbook is damaged.

    Example:
        >>> import io
        >>> from openpyxl import Workbook
        >>> book, file = Workbook(), io.BytesIO()
        >>> book.active.append(["X1", "Y"])
        >>> book.active.append([2, "yes"])
        >>> book.save(file)
        >>> cells = load_cells(fastexcel.read_excel(file.getvalue()), "Sheet")
        >>> cells.names, [column.kind for column in cells.columns]
        (('X1', 'Y'), ['number', 'text'])
    """

    def view(kind: fastexcel.DType) -> fastexcel.ExcelSheet:
        # skip_rows=0 keeps the empty rows at the top: a row of the view is a row of the sheet
        return workbook.load_sheet(sheet, header_row=None, skip_rows=0, dtypes=kind)

    written = view("string")
    texts = pl.DataFrame(written)
    filled = texts.select(pl.any_horizontal(pl.all().str.strip_chars() != "")).to_series()
    if not filled.any():
        return None
    header = int(filled.arg_max() or 0)
    views = [texts, *(pl.DataFrame(view(kind)) for kind in _VIEWS)]
    below = [one.slice(header + 1).get_columns() for one in views]
    return SheetCells(
        sheet=sheet,
        names=tuple(name or "" for name in texts.row(header)),
        positions=tuple(column.absolute_index for column in written.available_columns()),
        first_row=header + 2,
        columns=tuple(SheetColumn(*columns) for columns in zip(*below, strict=True)),
    )


def _narrowed(numbers: pl.Series) -> pl.Series:
    whole = ((numbers.floor() == numbers) & (numbers.abs() <= _LARGEST_EXACT)).all()
    return numbers.cast(pl.Int64) if whole else numbers


def _dates(datetimes: pl.Series, durations: pl.Series) -> pl.Series:
    if (datetimes.dt.year() < _FIRST_YEAR).all():
        return durations.dt.total_milliseconds() / 1000
    return datetimes.cast(pl.Date) if (datetimes.dt.time() == time()).all() else datetimes
