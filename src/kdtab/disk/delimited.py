"""Read CSV and TSV: polars takes the cells apart, numpy proves that no row is ragged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.exceptions import PolarsError
from returns.result import Success

from kdtab.disk.decimals import with_decimal_points
from kdtab.disk.exactrows import ExactRow, exact_rows
from kdtab.disk.headers import named_columns
from kdtab.disk.rowscan import RowScan, count_of, scan_rows
from kdtab.disk.separators import find_separator
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.texts import RowRagged
from kdtab.results import Checked, fail

_Places: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Cells:
    """What stands in the file, columns not yet named; `line` finds the file's line of a row."""

    header: Sequence[str]
    columns: Sequence[pl.Series]
    line: Callable[[int], int]


def read_delimited(
    path: str,
    text: bytes,
    *,
    separator: str | None = None,
    decimal_comma: bool = False,
    tab_first: bool = False,
) -> Checked[pl.DataFrame]:
    r"""A frame of texts, null for an empty cell; every row has a cell for each name of the header.

    Blank lines are skipped; a row of nothing but separators is a row of missing cells.

    Args:
        path: The file's name, for messages.
        text: UTF-8 without byte order mark, not blank.
        separator: One ASCII character; None finds it.
        decimal_comma: Rewrite cells that are numbers from `1,5` to `1.5`.
        tab_first: The suffix is `.tsv`.

    Returns:
        The frame, or `RowRagged`, `QuoteUnclosed`, `QuoteMisplaced`, `HeaderBlank`,
        `HeaderDuplicated`, `TableWithoutRows`, `DecimalAmbiguous`, `FieldInvalid` (separator).

    Example:
        >>> read_delimited("a.csv", b'x;y\n"1;2";\n').unwrap().rows()
        [('1;2', None)]
        >>> read_delimited("a.csv", b"x,y\n1,2\n3\n").failure().first.row
        3
    """
    refused = separator_issue(separator)
    if refused is not None:
        return fail(refused)
    mark = separator or find_separator(text, tab_first=tab_first, decimal_comma=decimal_comma)
    cells = _cells(path, text, mark)
    named = cells.bind(lambda found: named_columns(path, found.header, found.columns))
    if not decimal_comma:
        return named
    return cells.bind(
        lambda found: named.bind(lambda frame: with_decimal_points(path, frame, found.line))
    )


def separator_issue(separator: str | None) -> FieldInvalid | None:
    """Why a character separates no cells.

    Args:
        separator: One character, or None to have it found.

    Returns:
        `FieldInvalid` or None.

    Example:
        >>> separator_issue(";") is None, separator_issue('"').found
        (True, '"')
    """
    if separator is None or (separator.isascii() and separator not in '"\r\n\0'):
        return None
    rule = "must be one ASCII character, no quote and no line break"
    return FieldInvalid(name="separator", rule=rule, found=separator)


def _cells(path: str, text: bytes, separator: str) -> Checked[_Cells]:
    even = _even_cells(text, separator)
    if even is not None:
        return Success(even)
    scan = scan_rows(text, separator)
    if not scan.regular:
        return _exact_cells(path, text, separator)
    kept = _rows_with_content(text, scan)
    ragged = _ragged(path, text, scan, kept, separator)
    if ragged is not None:
        return fail(ragged)
    first = int(kept[0])
    header = exact_rows(path, text[scan.starts[first] : scan.ends[first]], separator)
    return header.bind(
        lambda rows: _fast_cells(path, text, separator, rows[0].cells, scan, kept[1:])
    )


def _even_cells(text: bytes, separator: str) -> _Cells | None:
    """The cells of a text without quotes whose rows are all as long as the header.

    Its lines are its rows. No row lacks a cell where the last column has no empty one; none has one
    too many where the separators are just enough for all. None: that was not shown so quickly.
    """
    end = text.find(b"\n")
    header = text[:end].decode("utf-8").split(separator) if end > 0 else [""]
    if len(header) == 1 or b'"' in text or b"\r" in text:
        return None
    lines = count_of(b"\n", text) + (not text.endswith(b"\n"))
    if count_of(separator.encode(), text) != lines * (len(header) - 1):
        return None
    try:
        frame = _split(text, separator, len(header), 1)
    except PolarsError:  # no row, or one that is too long
        return None
    if frame.shape != (lines - 1, len(header)):
        return None
    if frame.to_series(-1).null_count() and (scan_rows(text, separator).cells != len(header)).any():
        return None
    return _Cells(header=header, columns=frame.get_columns(), line=lambda row: row + 2)


def _rows_with_content(text: bytes, scan: RowScan) -> _Places:
    lengths = scan.ends - scan.starts
    single = np.flatnonzero(scan.cells == 1)
    # Under one name a line of blanks is a cell; only a line without any byte is none.
    blanks = b"\r" if len(single) == len(lengths) else b" \t\r"
    header = next(at for at in range(len(lengths)) if _has_content(text, scan, at))
    blank = [at for at in single if not text[scan.starts[at] : scan.ends[at]].strip(blanks)]
    return np.delete(np.arange(len(lengths)), [*range(header), *blank])


def _has_content(text: bytes, scan: RowScan, at: int) -> bool:
    return scan.cells[at] > 1 or bool(text[scan.starts[at] : scan.ends[at]].strip(b" \t\r"))


def _ragged(
    path: str,
    text: bytes,
    scan: RowScan,
    kept: _Places,
    separator: str,
) -> RowRagged | None:
    cells = scan.cells[kept]
    wrong = np.flatnonzero(cells != cells[0])
    if len(wrong) == 0:
        return None
    return RowRagged(
        path=path,
        row=_line(text, int(scan.starts[kept[wrong[0]]])),
        cells=int(cells[wrong[0]]),
        columns=int(cells[0]),
        separator=separator,
        rows=len(wrong),
    )


def _line(text: bytes, place: int) -> int:
    return text.count(b"\n", 0, place) + 1


def _fast_cells(
    path: str,
    text: bytes,
    separator: str,
    header: Sequence[str],
    scan: RowScan,
    rows: _Places,
) -> Checked[_Cells]:
    body, skipped = _body(text, scan, rows)
    frame = _split(body, separator, len(header), skipped)
    if frame.shape != (len(rows), len(header)):  # polars and the scan disagree: believe neither
        return _exact_cells(path, text, separator)
    return Success(
        _Cells(
            header=header,
            columns=frame.get_columns(),
            line=lambda row: _line(text, int(scan.starts[rows[row]])),
        )
    )


def _body(text: bytes, scan: RowScan, rows: _Places) -> tuple[bytes, int]:
    """The rows below the header as text, and how many rows above them polars is to skip.

    A table without blank lines is not copied.
    """
    if len(rows) == 0:
        return b"", 0
    last = int(scan.ends[rows[-1]])
    if rows[-1] - rows[0] + 1 != len(rows):
        return b"\n".join(text[scan.starts[at] : scan.ends[at]] for at in rows), 0
    if rows[0] == 1 and last >= len(text) - 1 and b'"' not in text[: scan.ends[0]]:
        return text, 1
    return text[scan.starts[rows[0]] : last], 0


def _split(body: bytes, separator: str, columns: int, skipped: int) -> pl.DataFrame:
    schema = {f"column {at}": pl.String() for at in range(columns)}
    if not body:
        return pl.DataFrame(schema=schema)
    quoted = b'"' in body
    frame = pl.read_csv(
        body,
        has_header=False,
        skip_rows=skipped,
        schema=schema,
        separator=separator,
        quote_char='"' if quoted else None,
    )
    # an empty cell is null already, but a quoted one is an empty text
    return frame.select(_null_if_empty(pl.all())) if quoted and b'""' in body else frame


def _null_if_empty(cells: pl.Expr) -> pl.Expr:
    return pl.when(cells != "").then(cells)


def _exact_cells(path: str, text: bytes, separator: str) -> Checked[_Cells]:
    return exact_rows(path, text, separator).bind(lambda rows: _from_exact(path, rows, separator))


def _from_exact(path: str, rows: Sequence[ExactRow], separator: str) -> Checked[_Cells]:
    header, *body = rows
    columns = len(header.cells)
    wrong = [row for row in body if len(row.cells) != columns]
    if wrong:
        return fail(
            RowRagged(
                path=path,
                row=wrong[0].line,
                cells=len(wrong[0].cells),
                columns=columns,
                separator=separator,
                rows=len(wrong),
            )
        )
    cells = [
        pl.Series([row.cells[at] or None for row in body], dtype=pl.String) for at in range(columns)
    ]
    return Success(_Cells(header=header.cells, columns=cells, line=lambda row: body[row].line))
