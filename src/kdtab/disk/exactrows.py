"""The slow and exact road through a CSV: Python's csv module, with the row of every mistake."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from returns.result import Success

from kdtab.errors.issue import Issue
from kdtab.errors.tables import FileNotReadable
from kdtab.errors.texts import QuoteMisplaced, QuoteUnclosed
from kdtab.results import Checked, fail

_BLANKS = " \t\r\n"
_LONGEST_CELL = 2**31 - 1
_QUOTED = re.compile(r'"(?:[^"]|"")*("|\Z)')


@dataclass(frozen=True)
class ExactRow:
    """One row of a delimited text.

    Attributes:
        line: The line of the file on which it begins, from 1.
        cells: Its cells, unquoted.

    Example:
        >>> ExactRow(line=1, cells=("a", "b")).cells
        ('a', 'b')
    """

    line: int
    cells: tuple[str, ...]


def exact_rows(path: str, text: bytes, separator: str) -> Checked[list[ExactRow]]:
    r"""All rows that are not blank, read by the rules of the csv module.

    A quote within an unquoted cell is text (`5" wide`); lines end in newline, return, or both.

    Args:
        path: The file's name, for messages.
        text: UTF-8 without byte order mark, not blank.
        separator: One character.

    Returns:
        The rows, the header first, or `QuoteUnclosed`, `QuoteMisplaced`.

    Example:
        >>> exact_rows("a.csv", b'size\n5" wide\n', ",").unwrap()[1]
        ExactRow(line=2, cells=('5" wide',))
        >>> exact_rows("a.csv", b'a,b\n1,"2\n', ",").failure().first
        QuoteUnclosed(path='a.csv', row=2)
    """
    lines = list(io.StringIO(text.decode("utf-8"), newline=""))
    rows: list[ExactRow] = []
    begins = 1
    with cells_of_any_length():
        reader = csv.reader(lines, delimiter=separator, strict=True)
        try:
            for cells in reader:
                rows.append(ExactRow(line=begins, cells=tuple(cells)))
                begins = reader.line_num + 1
        except csv.Error as error:
            return fail(_quote_issue(path, lines, begins, reader.line_num, error))
    return Success(_without_blank_lines(lines, rows))


def _without_blank_lines(lines: list[str], rows: list[ExactRow]) -> list[ExactRow]:
    """Under a header of several names a line of blanks is no row; under one name it is a cell."""

    def has_content(row: ExactRow) -> bool:
        return len(row.cells) > 1 or bool(row.cells and lines[row.line - 1].strip(_BLANKS))

    at = next(at for at, row in enumerate(rows) if has_content(row))
    one_column = len(rows[at].cells) == 1
    below = [row for row in rows[at + 1 :] if has_content(row) or (one_column and row.cells)]
    return [rows[at], *below]


def _quote_issue(path: str, lines: list[str], begins: int, line: int, error: csv.Error) -> Issue:
    if "unexpected end" in str(error):
        return QuoteUnclosed(path=path, row=_opening_line(lines, begins))
    if "expected after" in str(error):
        return QuoteMisplaced(path=path, opened=begins, row=line)
    return FileNotReadable(path=path, reason=f"{error} (row {line})")


def _opening_line(lines: list[str], begins: int) -> int:
    rest = "".join(lines[begins - 1 :])
    opening = next((match.start() for match in _QUOTED.finditer(rest) if not match.group(1)), 0)
    return begins + rest.count("\n", 0, opening)


@contextmanager
def cells_of_any_length() -> Iterator[None]:
    """Let the csv module take cells longer than 131,072 characters.

    Returns:
        A context; the limit of before holds again behind it.

    Example:
        >>> with cells_of_any_length():
        ...     len(next(csv.reader(["x" * 200_000]))[0])
        200000
    """
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)
