"""What can be wrong with a table on disk."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, quoted


class FileMissing(IssueValue):
    """There is no file at the path.

    Example:
        >>> explain_table_issue(FileMissing(path="a.csv"))
        "no file at 'a.csv': check the path and its spelling"
    """

    path: str


class FileNotReadable(IssueValue):
    """The file is there, but the system or the format library cannot read it.

    Example:
        >>> explain_table_issue(FileNotReadable(path="a.csv", reason="permission denied"))
        "cannot read 'a.csv': permission denied"
    """

    path: str
    reason: str


TableIssue: TypeAlias = FileMissing | FileNotReadable


def explain_table_issue(issue: TableIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a table on disk.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_table_issue(FileMissing(path="b.csv"))
        "no file at 'b.csv': check the path and its spelling"
    """
    match issue:
        case FileMissing(path=path):
            return f"no file at {quoted(path)}: check the path and its spelling"
        case FileNotReadable(path=path, reason=reason):
            return f"cannot read {quoted(path)}: {reason}"
        case _:
            assert_never(issue)
