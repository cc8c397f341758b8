"""What can be wrong with a table on disk, and with writing any file."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, quoted
from kdtab.errors.formats import FormatIssue, explain_format_issue
from kdtab.errors.texts import TextIssue, explain_text_issue
from kdtab.errors.workbooks import WorkbookIssue, explain_workbook_issue


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


class PathIsUrl(IssueValue):
    """The path is an address of the web; kdtab reads local files only.

    Example:
        >>> explain_table_issue(PathIsUrl(path="https://x.org/a.csv"))
        "'https://x.org/a.csv' is a web address, and only local files are read: download it first and pass the file's path"
    """

    path: str


class PathIsFolder(IssueValue):
    """The path is a folder, where one file is asked for.

    Example:
        >>> explain_table_issue(PathIsFolder(path="data"))
        "'data' is a folder: pass the path of one table file in it"
    """

    path: str


class PathNotRegular(IssueValue):
    """The path is a pipe, a device or a socket.

    Example:
        >>> explain_table_issue(PathNotRegular(path="p.csv", found="a named pipe"))
        "'p.csv' is a named pipe, not a regular file: write what it holds to a file first"
    """

    path: str
    found: str


class FolderMissing(IssueValue):
    """The folder that a file is to be written into does not exist.

    Example:
        >>> explain_table_issue(FolderMissing(path="out/m.kdtab", folder="out"))
        "cannot write 'out/m.kdtab': there is no folder 'out'; create it first"
    """

    path: str
    folder: str


class NotWritable(IssueValue):
    """The system refuses to write the file; an older file at the path is as it was.

    Example:
        >>> explain_table_issue(NotWritable(path="m.kdtab", reason="permission denied"))
        "cannot write 'm.kdtab': permission denied"
    """

    path: str
    reason: str


class DiskFull(IssueValue):
    """There was no room for the file; an older file at the path is as it was.

    Example:
        >>> explain_table_issue(DiskFull(path="m.kdtab", size=2048))
        "cannot write 'm.kdtab': no room on the disk for its 2,048 bytes; free some and try again"
    """

    path: str
    size: int


PathIssue: TypeAlias = (
    FileMissing
    | FileNotReadable
    | PathIsUrl
    | PathIsFolder
    | PathNotRegular
    | FolderMissing
    | NotWritable
    | DiskFull
)
TableIssue: TypeAlias = PathIssue | FormatIssue | TextIssue | WorkbookIssue


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
    if isinstance(issue, PathIssue):
        return _explain_path(issue)
    if isinstance(issue, FormatIssue):
        return explain_format_issue(issue)
    if isinstance(issue, TextIssue):
        return explain_text_issue(issue)
    if isinstance(issue, WorkbookIssue):
        return explain_workbook_issue(issue)
    assert_never(issue)


def _explain_path(issue: PathIssue) -> str:
    path = quoted(issue.path)
    match issue:
        case FileMissing():
            return f"no file at {path}: check the path and its spelling"
        case FileNotReadable(reason=reason):
            return f"cannot read {path}: {reason}"
        case PathIsUrl():
            return (
                f"{path} is a web address, and only local files are read: "
                "download it first and pass the file's path"
            )
        case PathIsFolder():
            return f"{path} is a folder: pass the path of one table file in it"
        case PathNotRegular(found=found):
            return f"{path} is {found}, not a regular file: write what it holds to a file first"
        case FolderMissing(folder=folder):
            return f"cannot write {path}: there is no folder {quoted(folder)}; create it first"
        case NotWritable(reason=reason):
            return f"cannot write {path}: {reason}"
        case DiskFull(size=size):
            return (
                f"cannot write {path}: no room on the disk for its {size:,} bytes; "
                "free some and try again"
            )
        case _:
            assert_never(issue)
