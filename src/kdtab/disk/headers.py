"""The rules for column names, the same for every format."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from kdtab.errors.formats import HeaderBlank, HeaderDuplicated, TableWithoutRows
from kdtab.errors.issue import Issue
from kdtab.results import Checked, check, fail


def named_columns(
    path: str, names: Sequence[str], columns: Sequence[pl.Series]
) -> Checked[pl.DataFrame]:
    """A frame of columns under the names of a header.

    A column without a name and without one filled cell is no column (a header that ends in `;;`);
    one with cells is an error.

    Args:
        path: The file's name, for messages.
        names: The header as it stands in the file.
        columns: The cells below it, of the same number and order.

    Returns:
        The frame, or every `HeaderBlank` and `HeaderDuplicated`, or `TableWithoutRows`.

    Example:
        >>> cells = [pl.Series(["1", "2"]), pl.Series([None, None], dtype=pl.String)]
        >>> named_columns("a.csv", ["x", ""], cells).unwrap().columns
        ['x']
        >>> named_columns("a.csv", ["x", "x"], cells).failure().first
        HeaderDuplicated(path='a.csv', name='x', positions=(1, 2))
    """
    rows = len(columns[0]) if columns else 0
    empty = [
        not name.strip() and column.null_count() == rows
        for name, column in zip(names, columns, strict=True)
    ]
    kept = [position for position, without in enumerate(empty) if not without or rows == 0]
    found = check(*_header_issues(path, {position + 1: names[position] for position in kept}))
    if rows == 0:
        found = found.bind(lambda _: fail(TableWithoutRows(path=path, columns=len(names))))
    return found.map(lambda _: pl.DataFrame([columns[at].alias(names[at]) for at in kept]))


def _header_issues(path: str, names: dict[int, str]) -> list[Issue]:
    places: dict[str, list[int]] = {}
    for position, name in names.items():
        places.setdefault(name if name.strip() else "", []).append(position)
    blank = places.pop("", [])
    issues: list[Issue] = [HeaderBlank(path=path, positions=tuple(blank))] if blank else []
    return issues + [
        HeaderDuplicated(path=path, name=name, positions=tuple(positions))
        for name, positions in places.items()
        if len(positions) > 1
    ]
