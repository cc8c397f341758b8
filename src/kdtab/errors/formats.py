"""What can be wrong with a table's format, size or header, whatever the format."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, did_you_mean, listed, quoted


class SuffixUnknown(IssueValue):
    """The file's suffix names no table format.

    Example:
        >>> explain_format_issue(SuffixUnknown(path="a.cvs", suffix=".cvs", known=(".csv", ".tsv")))
        "the suffix '.cvs' of 'a.cvs' names no table format. Did you mean '.csv'? Known suffixes: '.csv', '.tsv'"
    """

    path: str
    suffix: str
    known: tuple[str, ...]


class OptionNotForFormat(IssueValue):
    """An option of reading that means nothing for this format.

    Example:
        >>> explain_format_issue(OptionNotForFormat(path="a.csv", option="sheet_name",
        ...                                        made_for="Excel workbooks", found="CSV text"))
        "sheet_name is for Excel workbooks, and 'a.csv' is CSV text: leave the option out"
    """

    path: str
    option: str
    made_for: str
    found: str


class ContentContradictsSuffix(IssueValue):
    """The first bytes of the file are those of another format than its suffix says.

    Example:
        >>> explain_format_issue(ContentContradictsSuffix(path="a.csv", found="gzip data",
        ...     expected="CSV text", remedy="rename it to end in '.csv.gz'"))
        "'a.csv' holds gzip data, not CSV text: rename it to end in '.csv.gz'"
    """

    path: str
    found: str
    expected: str
    remedy: str


class FileEmpty(IssueValue):
    """The file holds nothing but, at most, blanks.

    Example:
        >>> explain_format_issue(FileEmpty(path="a.csv"))
        "'a.csv' is empty: a table has a header and at least one row below it"
    """

    path: str


class TableWithoutRows(IssueValue):
    """The table has columns, but not one row.

    Example:
        >>> explain_format_issue(TableWithoutRows(path="a.csv", columns=3))
        "'a.csv' has a header of 3 columns and no row below it"
    """

    path: str
    columns: int


class UnpackedTooLarge(IssueValue):
    """A compressed file would unpack to far more than a table of its size does.

    Example:
        >>> explain_format_issue(UnpackedTooLarge(path="a.csv.gz", limit=1000))
        "'a.csv.gz' unpacks to more than 1,000 bytes, far more than a table of its size: if this is right, unpack it yourself and pass the unpacked file"
    """

    path: str
    limit: int


class HeaderBlank(IssueValue):
    """Columns with cells, but without a name.

    Example:
        >>> explain_format_issue(HeaderBlank(path="a.csv", positions=(1, 4)))
        "the header of 'a.csv' leaves column 1, 4 without a name above its cells: name every column"
    """

    path: str
    positions: tuple[int, ...]


class HeaderDuplicated(IssueValue):
    """Two columns of one name.

    Example:
        >>> explain_format_issue(HeaderDuplicated(path="a.csv", name="x", positions=(2, 5)))
        "the header of 'a.csv' names 'x' in columns 2, 5: give each column a name of its own"
    """

    path: str
    name: str
    positions: tuple[int, ...]


FormatIssue: TypeAlias = (
    SuffixUnknown
    | OptionNotForFormat
    | ContentContradictsSuffix
    | FileEmpty
    | TableWithoutRows
    | UnpackedTooLarge
    | HeaderBlank
    | HeaderDuplicated
)


def explain_format_issue(issue: FormatIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a table's format.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_format_issue(FileEmpty(path="b.csv"))
        "'b.csv' is empty: a table has a header and at least one row below it"
    """
    path = quoted(issue.path)
    match issue:
        case SuffixUnknown(suffix=suffix, known=known):
            hint = did_you_mean(suffix, known)
            every = listed(known, most=len(known))
            return f"{_suffix(suffix, path)} names no table format.{hint} Known suffixes: {every}"
        case OptionNotForFormat(option=option, made_for=made_for, found=found):
            return f"{option} is for {made_for}, and {path} is {found}: leave the option out"
        case ContentContradictsSuffix(found=found, expected=expected, remedy=remedy):
            return f"{path} holds {found}, not {expected}: {remedy}"
        case FileEmpty():
            return f"{path} is empty: a table has a header and at least one row below it"
        case TableWithoutRows(columns=columns):
            return f"{path} has a header of {_columns(columns)} and no row below it"
        case UnpackedTooLarge(limit=limit):
            return (
                f"{path} unpacks to more than {limit:,} bytes, far more than a table of its size: "
                "if this is right, unpack it yourself and pass the unpacked file"
            )
        case HeaderBlank(positions=positions):
            return (
                f"the header of {path} leaves column {_numbers(positions)} "
                "without a name above its cells: name every column"
            )
        case HeaderDuplicated(name=name, positions=positions):
            return (
                f"the header of {path} names {quoted(name)} in columns {_numbers(positions)}: "
                "give each column a name of its own"
            )
        case _:
            assert_never(issue)


def _suffix(suffix: str, path: str) -> str:
    return f"the suffix {quoted(suffix)} of {path}" if suffix else f"{path} without a suffix"


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count:,} columns"


def _numbers(positions: tuple[int, ...]) -> str:
    return listed(positions)
