"""What can be wrong with time series, before a teacher is asked about them."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, listed, quoted
from kdtab.errors.sequenceteachers import (
    SequenceTeacherIssue,
    explain_sequence_teacher_issue,
)
from kdtab.errors.trajectories import TrajectoryIssue, explain_trajectory_issue


class NoSeriesLeft(IssueValue):
    """The share of a group is less than one series.

    Example:
        >>> explain_sequence_issue(NoSeriesLeft(group="val", available=3, fraction=0.1))
        "subset_fraction 0.1 of the 3 series in 'val' leaves none: take a larger fraction"
    """

    group: str
    available: int
    fraction: float
    name: str = "subset_fraction"


class FeaturesNotNumeric(IssueValue):
    """Columns that are to be inputs, and hold something else than numbers.

    Attributes:
        names: The columns.
        row: The first row of the first of them that is no number, from 1.
        cell: What it holds; None where it is empty.

    Example:
        >>> explain_sequence_issue(FeaturesNotNumeric(names=("city",), row=1, cell="Ulm"))
        "inputs are numbers, one in every row, and row 1 of 'city' holds 'Ulm': name it in exclude_columns, or fill the cells"
        >>> explain_sequence_issue(FeaturesNotNumeric(names=("a", "b"), row=4, cell=None))
        "inputs are numbers, one in every row, and row 4 of 'a' is empty; as in 'b': name them in exclude_columns, or fill the cells"
    """

    names: tuple[str, ...]
    row: int
    cell: str | None


class NoSequenceFeatures(IssueValue):
    """Nothing is left of a table beside the columns that order its rows.

    Example:
        >>> explain_sequence_issue(NoSequenceFeatures(columns=("id", "t")))
        "no column is left as an input: the table has 'id', 't', and all of them name or order series, or are excluded"
    """

    columns: tuple[str, ...]


class SeriesKeyMissing(IssueValue):
    """Rows that belong to no series, to no moment or to no group.

    Example:
        >>> explain_sequence_issue(SeriesKeyMissing(column="id", rows=2, first_row=7))
        "2 rows have no usable value in 'id', the first is row 7: series are told apart and ordered by it"
    """

    column: str
    rows: int
    first_row: int


class TimesRepeated(IssueValue):
    """Rows of one series that stand at the same moment.

    Example:
        >>> explain_sequence_issue(TimesRepeated(column="t", series="7", rows=2, first_row=3))
        "2 rows repeat a moment of their series in 't', the first is row 3 of series '7': their order is not clear"
    """

    column: str
    series: str
    rows: int
    first_row: int


class WindowTooLong(IssueValue):
    """No series has as many steps as one window.

    Example:
        >>> explain_sequence_issue(WindowTooLong(group="train", window=24, longest=9))
        "a window of 24 steps fits into no series of 'train': the longest has 9"
    """

    group: str
    window: int
    longest: int


class GroupsUnclear(IssueValue):
    """A column of groups that names others than train, val and test, or two for one series.

    Example:
        >>> explain_sequence_issue(GroupsUnclear(column="split", reason="it holds 'dev'"))
        "'split' must name train, val or test for each series: it holds 'dev'"
    """

    column: str
    reason: str


class SequenceColumnsNeeded(IssueValue):
    """A table was given where nothing says how its rows are time series, or the other way round.

    Example:
        >>> explain_sequence_issue(SequenceColumnsNeeded(path="a.csv", is_table=True))
        "'a.csv' is a table: say by which columns its rows are time series (data.columns in a config, SequenceColumns in Python)"
        >>> explain_sequence_issue(SequenceColumnsNeeded(path="a.h5", is_table=False))
        "'a.h5' is an HDF5 file of series, and has no columns to choose from: leave them out"
    """

    path: str
    is_table: bool


class InputsNotFinite(IssueValue):
    """Numbers of a source that are missing or infinite.

    Example:
        >>> explain_sequence_issue(InputsNotFinite(path="s.h5", group="train", series=4, count=2))
        "2 numbers of series 4 in 'train' of 's.h5' are not finite: fill them, or leave the series out"
    """

    path: str
    group: str
    series: int
    count: int


SeriesKeyIssue: TypeAlias = SeriesKeyMissing | TimesRepeated | GroupsUnclear
SeriesChoiceIssue: TypeAlias = (
    NoSeriesLeft
    | FeaturesNotNumeric
    | NoSequenceFeatures
    | WindowTooLong
    | SequenceColumnsNeeded
    | InputsNotFinite
)
SeriesIssue: TypeAlias = SeriesKeyIssue | SeriesChoiceIssue
SequenceIssue: TypeAlias = SeriesIssue | SequenceTeacherIssue | TrajectoryIssue


def explain_sequence_issue(issue: SequenceIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of time series, of their teacher, or of a file of them.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_sequence_issue(WindowTooLong(group="val", window=8, longest=5))
        "a window of 8 steps fits into no series of 'val': the longest has 5"
    """
    if isinstance(issue, TrajectoryIssue):
        return explain_trajectory_issue(issue)
    if isinstance(issue, SequenceTeacherIssue):
        return explain_sequence_teacher_issue(issue)
    return _explain_keys(issue) if isinstance(issue, SeriesKeyIssue) else _explain_choice(issue)


def _explain_keys(issue: SeriesKeyIssue) -> str:
    match issue:
        case SeriesKeyMissing(column=column, rows=rows, first_row=first):
            has = "1 row has" if rows == 1 else f"{rows:,} rows have"
            return (
                f"{has} no usable value in {quoted(column)}, the first is row {first:,}: "
                "series are told apart and ordered by it"
            )
        case TimesRepeated(column=column, series=series, rows=rows, first_row=first):
            return (
                f"{rows:,} {'row repeats' if rows == 1 else 'rows repeat'} a moment of their "
                f"series in {quoted(column)}, the first is row {first:,} of series "
                f"{quoted(series)}: their order is not clear"
            )
        case GroupsUnclear(column=column, reason=reason):
            return f"{quoted(column)} must name train, val or test for each series: {reason}"
        case _:
            assert_never(issue)


def _explain_choice(issue: SeriesChoiceIssue) -> str:
    match issue:
        case NoSeriesLeft(group=group, available=available, fraction=fraction, name=name):
            return (
                f"{name} {fraction:g} of the {available:,} series in {quoted(group)} "
                "leaves none: take a larger fraction"
            )
        case FeaturesNotNumeric():
            return _explain_features(issue)
        case NoSequenceFeatures(columns=columns):
            return (
                f"no column is left as an input: the table has {listed(columns)}, and all of them "
                "name or order series, or are excluded"
            )
        case WindowTooLong(group=group, window=window, longest=longest):
            return (
                f"a window of {window:,} steps fits into no series of {quoted(group)}: "
                f"the longest has {longest:,}"
            )
        case SequenceColumnsNeeded(path=path, is_table=is_table):
            rule = (
                "is a table: say by which columns its rows are time series (data.columns in a config, "
                "SequenceColumns in Python)"
                if is_table
                else "is an HDF5 file of series, and has no columns to choose from: leave them out"
            )
            return f"{quoted(path)} {rule}"
        case InputsNotFinite(path=path, group=group, series=series, count=count):
            are = "1 number" if count == 1 else f"{count:,} numbers"
            return (
                f"{are} of series {series:,} in {quoted(group)} of {quoted(path)} "
                f"{'is' if count == 1 else 'are'} not finite: fill them, or leave the series out"
            )
        case _:
            assert_never(issue)


def _explain_features(issue: FeaturesNotNumeric) -> str:
    first, others = issue.names[0], issue.names[1:]
    holds = "is empty" if issue.cell is None else f"holds {quoted(issue.cell)}"
    also = f"; as in {listed(others)}" if others else ""
    return (
        f"inputs are numbers, one in every row, and row {issue.row:,} of {quoted(first)} "
        f"{holds}{also}: name {'them' if others else 'it'} in exclude_columns, or fill the cells"
    )
