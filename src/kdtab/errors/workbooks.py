"""What can be wrong with an Excel workbook."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, did_you_mean, listed, quoted


class SheetUnknown(IssueValue):
    """The workbook has no sheet of that name.

    Example:
        >>> explain_workbook_issue(SheetUnknown(path="a.xlsx", sheet="dta", sheets=("data", "notes")))
        "'a.xlsx' has no sheet 'dta'. Did you mean 'data'? Its sheets: 'data', 'notes'"
    """

    path: str
    sheet: str
    sheets: tuple[str, ...]


class SheetEmpty(IssueValue):
    """The sheet has no filled cell.

    Example:
        >>> explain_workbook_issue(SheetEmpty(path="a.xlsx", sheet="data", sheets=("data", "b")))
        "sheet 'data' of 'a.xlsx' is empty: name another with sheet_name. Its sheets: 'data', 'b'"
    """

    path: str
    sheet: str
    sheets: tuple[str, ...]


class CellContradictsColumn(IssueValue):
    """A cell of another kind than nearly all cells of its column.

    Example:
        >>> explain_workbook_issue(CellContradictsColumn(path="a.xlsx", sheet="data", cell="B1500",
        ...     row=1500, column="age", found="oops", kind="text", expected="numbers", cells=1))
        "cell B1500 (sheet 'data', row 1,500, column 'age') of 'a.xlsx' is the text 'oops' in a column of numbers: correct it, empty it, or format the whole column as text"
    """

    path: str
    sheet: str
    cell: str
    row: int
    column: str
    found: str
    kind: str
    expected: str
    cells: int


class CellStray(IssueValue):
    """A few cells lie so far apart that the sheet, as a rectangle, would fill the memory.

    Example:
        >>> explain_workbook_issue(CellStray(path="a.xlsx", rows=1048576, columns=16384, cells=3))
        "a sheet of 'a.xlsx' spans 1,048,576 rows and 16,384 columns with only 3 cells in use: delete the stray cells far from the table"
    """

    path: str
    rows: int
    columns: int
    cells: int


WorkbookIssue: TypeAlias = SheetUnknown | SheetEmpty | CellContradictsColumn | CellStray


def explain_workbook_issue(issue: WorkbookIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a workbook.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_workbook_issue(SheetUnknown(path="a.xlsx", sheet="x", sheets=("data",)))
        "'a.xlsx' has no sheet 'x'. Its sheets: 'data'"
    """
    path = quoted(issue.path)
    match issue:
        case SheetUnknown(sheet=sheet, sheets=sheets):
            hint = did_you_mean(sheet, sheets)
            return f"{path} has no sheet {quoted(sheet)}.{hint} Its sheets: {listed(sheets)}"
        case SheetEmpty(sheet=sheet, sheets=sheets):
            return (
                f"sheet {quoted(sheet)} of {path} is empty: name another with sheet_name. "
                f"Its sheets: {listed(sheets)}"
            )
        case CellContradictsColumn():
            others = f" ({issue.cells - 1:,} more like it)" if issue.cells > 1 else ""
            return (
                f"cell {issue.cell} (sheet {quoted(issue.sheet)}, row {issue.row:,}, column "
                f"{quoted(issue.column)}) of {path} is the {issue.kind} {quoted(issue.found)} in a "
                f"column of {issue.expected}{others}: correct it, empty it, or format the whole "
                "column as text"
            )
        case CellStray(rows=rows, columns=columns, cells=cells):
            return (
                f"a sheet of {path} spans {rows:,} rows and {columns:,} columns with only "
                f"{cells:,} cells in use: delete the stray cells far from the table"
            )
        case _:
            assert_never(issue)
