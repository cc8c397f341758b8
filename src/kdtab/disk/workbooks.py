"""Read one sheet of an Excel workbook; a cell that contradicts its column is an error, not a null."""

from __future__ import annotations

import fastexcel
import polars as pl
from returns.result import Success

from kdtab.disk.archives import check_archive, column_letters
from kdtab.disk.headers import named_columns
from kdtab.disk.sheetcells import SheetCells, load_cells
from kdtab.errors.formats import FileEmpty
from kdtab.errors.issue import Issue
from kdtab.errors.tables import FileNotReadable
from kdtab.errors.texts import PageNotTable
from kdtab.errors.workbooks import CellContradictsColumn, SheetEmpty, SheetUnknown
from kdtab.results import Checked, collect, fail


def read_workbook(
    path: str, content: bytes, sheet_name: str | None = None
) -> Checked[pl.DataFrame]:
    """A frame of one sheet, with the types of its cells.

    The first row with a filled cell is the header. A column is what most of its cells are: numbers
    (integers where all are), booleans, dates (or dates with times), or text. In a column of numbers,
    booleans or dates, text that is a usual missing marker is null, a number written as text is that
    number, and every other cell of another kind is an error.

    Args:
        path: The file's name, for messages.
        content: Its bytes (.xlsx, .xls, .ods).
        sheet_name: Which sheet; None takes the first.

    Returns:
        The frame, or `FileEmpty`, `FileNotReadable`, `UnpackedTooLarge`, `CellStray`,
        `SheetUnknown`, `SheetEmpty`, a `CellContradictsColumn` for each column that has one, or
        `HeaderBlank`, `HeaderDuplicated`, `TableWithoutRows`.

    Example:
        >>> read_workbook("a.xlsx", b"").failure().first
        FileEmpty(path='a.xlsx')
    """
    refused = _refusal(path, content)
    if refused is not None:
        return fail(refused)
    try:
        workbook = fastexcel.read_excel(content)
        sheets = tuple(workbook.sheet_names)
        if not sheets:
            return fail(FileNotReadable(path=path, reason="it is a workbook without a sheet"))
        wanted = sheets[0] if sheet_name is None else sheet_name
        if wanted not in sheets:
            return fail(SheetUnknown(path=path, sheet=wanted, sheets=sheets))
        cells = load_cells(workbook, wanted)
    except fastexcel.FastExcelError as error:
        reason = f"it is no whole workbook ({str(error).strip().splitlines()[0]})"
        return fail(FileNotReadable(path=path, reason=reason))
    if cells is None:
        return fail(SheetEmpty(path=path, sheet=wanted, sheets=sheets))
    columns = [_column(path, cells, at) for at in range(len(cells.names))]
    return collect(columns).bind(lambda found: named_columns(path, cells.names, found))


def _refusal(path: str, content: bytes) -> Issue | None:
    if not content:
        return FileEmpty(path=path)
    if content[:1024].lstrip().lower().startswith((b"<!doctype", b"<html")):
        return PageNotTable(path=path)
    return check_archive(path, content) if content.startswith(b"PK") else None


def _column(path: str, cells: SheetCells, at: int) -> Checked[pl.Series]:
    column = cells.columns[at]
    odd = column.contradictions
    if not odd.any():
        return Success(column.values)
    first = int(odd.arg_max() or 0)
    row = cells.first_row + first
    return fail(
        CellContradictsColumn(
            path=path,
            sheet=cells.sheet,
            cell=f"{column_letters(cells.positions[at])}{row}",
            row=row,
            column=cells.names[at],
            found=column.texts[first],
            kind=column.kind_at(first),
            expected=f"{column.kind}s",
            cells=int(odd.sum()),
        )
    )
