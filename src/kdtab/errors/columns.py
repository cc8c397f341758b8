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


ColumnIssue: TypeAlias = ColumnMissing


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
        case _:
            assert_never(issue)
