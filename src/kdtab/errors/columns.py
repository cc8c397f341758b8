"""What can be wrong with the columns, the target or the dates of a frame."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, did_you_mean, listed, quoted


class ColumnMissing(IssueValue):
    """A named column is not in the table.

    Example:
        >>> explain_column_issue(ColumnMissing(name="incme", role="target_column", columns=("income",)))
        "target_column 'incme' is not in the table. Did you mean 'income'?"
    """

    name: str
    role: str
    columns: tuple[str, ...]


class NoFeatureColumns(IssueValue):
    """Nothing is left to predict from.

    Example:
        >>> explain_column_issue(NoFeatureColumns(target="y", left_out=("note",)))
        "no feature column is left beside the target 'y'; left out: 'note'"
    """

    target: str
    left_out: tuple[str, ...]


class DuplicateColumns(IssueValue):
    """Two columns of a frame have one name.

    Example:
        >>> explain_column_issue(DuplicateColumns(names=("a",)))
        "each column needs a name of its own, found twice: 'a'"
    """

    names: tuple[str, ...]


class RowsNotUnderstood(IssueValue):
    """What was given as rows is no frame and no sequence of mappings.

    Attributes:
        found: The type that was given.
        index: Where in the sequence; None when the whole is of this type.

    Example:
        >>> explain_column_issue(RowsNotUnderstood(found="list", index=0))
        "rows must be mappings of column names to values, but rows[0] is of type 'list'"
    """

    found: str
    index: int | None


class TargetEmpty(IssueValue):
    """No row has a target.

    Example:
        >>> explain_column_issue(TargetEmpty(target="y", rows=3))
        "target_column 'y' is missing in all of the 3 rows; nothing can be learned"
    """

    target: str
    rows: int


class TooFewRows(IssueValue):
    """One row cannot be split into rows to train on and rows to test on.

    Example:
        >>> explain_column_issue(TooFewRows(rows=1))
        'at least 2 rows with a target are needed, to train on and to test on; found 1'
    """

    rows: int


class TargetNotNumeric(IssueValue):
    """Regression asked for, but a cell of the target is no number.

    Attributes:
        target: The target column.
        row: Number of the row, the first is 1.
        cell: What stands there.

    Example:
        >>> explain_column_issue(TargetNotNumeric(target="y", row=2, cell="low"))
        "task 'regression' needs a target of numbers, but row 2 of 'y' holds 'low'; use task 'classification', or name the cell in missing_markers"
    """

    target: str
    row: int
    cell: str


class DateColumnUnusable(IssueValue):
    """A column named in date_columns holds no dates and no text.

    Example:
        >>> explain_column_issue(DateColumnUnusable(name="t", found="Int64"))
        "date_columns names 't', but its type is Int64: a number does not say which date it means (an epoch? YYYYMMDD?); turn it into a date or into text first, or take it out of date_columns"
    """

    name: str
    found: str


class DatesUnreadable(IssueValue):
    """No format fits every cell of a date column.

    Attributes:
        name: The column.
        row: Number of the first row that does not fit the best format, the first row is 1.
        cell: What stands there.
        nearest: The format that fits most cells, None when none fits any.
        tried: The formats that were tried.

    Example:
        >>> explain_column_issue(
        ...     DatesUnreadable(name="d", row=3, cell="soon", nearest="%Y-%m-%d", tried=("%Y-%m-%d",))
        ... )
        "date column 'd': row 3 holds 'soon', which does not fit '%Y-%m-%d' like the others; correct the cell or name it in missing_markers. Formats tried: '%Y-%m-%d'"
    """

    name: str
    row: int
    cell: str
    nearest: str | None
    tried: tuple[str, ...]


class DatesAmbiguous(IssueValue):
    """Every cell of a date column can be read in two ways.

    Example:
        >>> explain_column_issue(
        ...     DatesAmbiguous(name="d", row=1, cell="01/02/2020", first_format="%d/%m/%Y",
        ...                    first_reading="2020-02-01", second_format="%m/%d/%Y",
        ...                    second_reading="2020-01-02")
        ... )
        "date column 'd' can be read in two ways: '01/02/2020' in row 1 is 2020-02-01 as '%d/%m/%Y' and 2020-01-02 as '%m/%d/%Y'; write the dates as YYYY-MM-DD"
    """

    name: str
    row: int
    cell: str
    first_format: str
    first_reading: str
    second_format: str
    second_reading: str


ColumnIssue: TypeAlias = (
    ColumnMissing
    | NoFeatureColumns
    | DuplicateColumns
    | RowsNotUnderstood
    | TargetEmpty
    | TooFewRows
    | TargetNotNumeric
    | DateColumnUnusable
    | DatesUnreadable
    | DatesAmbiguous
)


def explain_column_issue(issue: ColumnIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a frame's columns.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_column_issue(ColumnMissing(name="q", role="target_column", columns=("y",)))
        "target_column 'q' is not in the table. Its columns: 'y'"
    """
    match issue:
        case ColumnMissing(name=name, role=role, columns=columns):
            hint = did_you_mean(name, columns) or f" Its columns: {listed(columns)}"
            return f"{role} {quoted(name)} is not in the table.{hint}"
        case NoFeatureColumns(target=target, left_out=left_out):
            rest = f"; left out: {listed(left_out)}" if left_out else ""
            return f"no feature column is left beside the target {quoted(target)}{rest}"
        case DuplicateColumns(names=names):
            return f"each column needs a name of its own, found twice: {listed(names)}"
        case RowsNotUnderstood(found=found, index=index):
            return _explain_rows(found, index)
        case TargetEmpty(target=target, rows=rows):
            return (
                f"target_column {quoted(target)} is missing in all of the {rows:,} rows; "
                "nothing can be learned"
            )
        case TooFewRows(rows=rows):
            return (
                "at least 2 rows with a target are needed, to train on and to test on; "
                f"found {rows:,}"
            )
        case TargetNotNumeric(target=target, row=row, cell=cell):
            return (
                f"task 'regression' needs a target of numbers, but row {row:,} of {quoted(target)} "
                f"holds {quoted(cell)}; use task 'classification', or name the cell in "
                "missing_markers"
            )
        case DateColumnUnusable() | DatesUnreadable() | DatesAmbiguous():
            return _explain_dates(issue)
        case _:
            assert_never(issue)


def _explain_rows(found: str, index: int | None) -> str:
    if index is None:
        return (
            "rows must be a frame of polars, pandas or Arrow, or a sequence of mappings, "
            f"got an object of type {quoted(found)}"
        )
    return (
        "rows must be mappings of column names to values, "
        f"but rows[{index}] is of type {quoted(found)}"
    )


def _explain_dates(issue: DateColumnUnusable | DatesUnreadable | DatesAmbiguous) -> str:
    match issue:
        case DateColumnUnusable(name=name, found=found):
            return (
                f"date_columns names {quoted(name)}, but its type is {found}: a number does not "
                "say which date it means (an epoch? YYYYMMDD?); turn it into a date or into text "
                "first, or take it out of date_columns"
            )
        case DatesUnreadable(name=name, row=row, cell=cell, nearest=nearest, tried=tried):
            fit = (
                f"does not fit {quoted(nearest)} like the others" if nearest else "is no known date"
            )
            return (
                f"date column {quoted(name)}: row {row:,} holds {quoted(cell)}, which {fit}; "
                "correct the cell or name it in missing_markers. "
                f"Formats tried: {listed(tried, most=len(tried))}"
            )
        case DatesAmbiguous():
            return (
                f"date column {quoted(issue.name)} can be read in two ways: {quoted(issue.cell)} "
                f"in row {issue.row:,} is {issue.first_reading} as {quoted(issue.first_format)} "
                f"and {issue.second_reading} as {quoted(issue.second_format)}; "
                "write the dates as YYYY-MM-DD"
            )
        case _:
            assert_never(issue)
