"""What can be wrong with rows that a teacher is to label beside the training rows."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, listed, quoted


class NoRowColumns(IssueValue):
    """A table of unlabelled rows has not one feature column of the training table.

    Example:
        >>> explain_more_rows_issue(NoRowColumns(expected=("age",), found=("x", "y")))
        "the unlabelled rows have no feature column of the training table: it has 'age', they have 'x', 'y'"
    """

    expected: tuple[str, ...]
    found: tuple[str, ...]


class NewRowsUnspoken(IssueValue):
    """Synthetic rows for a teacher that only repeats what was said of known rows.

    Example:
        >>> explain_more_rows_issue(NewRowsUnspoken(teacher="scores.csv"))
        "augment makes rows that nobody has asked a teacher about, and 'scores.csv' holds what one said of known rows: leave augment at 0, or give the teacher itself"
    """

    teacher: str


MoreRowsIssue: TypeAlias = NoRowColumns | NewRowsUnspoken


def explain_more_rows_issue(issue: MoreRowsIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_more_rows_issue(NoRowColumns(expected=("a",), found=("b",)))
        "the unlabelled rows have no feature column of the training table: it has 'a', they have 'b'"
    """
    match issue:
        case NoRowColumns(expected=expected, found=found):
            return (
                "the unlabelled rows have no feature column of the training table: "
                f"it has {listed(expected)}, they have {listed(found)}"
            )
        case NewRowsUnspoken(teacher=teacher):
            return (
                f"augment makes rows that nobody has asked a teacher about, and {quoted(teacher)} "
                "holds what one said of known rows: leave augment at 0, or give the teacher itself"
            )
        case _:
            assert_never(issue)
