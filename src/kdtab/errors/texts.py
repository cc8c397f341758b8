"""What can be wrong with the text of a CSV, TSV or JSON-lines table."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, did_you_mean, quoted

USUAL_ENCODINGS = (
    "utf-8",
    "latin-1",
    "cp1252",
    "utf-16",
    "ascii",
    "gb18030",
    "shift_jis",
    "koi8-r",
)


class EncodingUnknown(IssueValue):
    """Python knows no text encoding of that name.

    Example:
        >>> explain_text_issue(EncodingUnknown(name="latin-11"))
        "encoding 'latin-11' is not known. Did you mean 'latin-1'?"
    """

    name: str


class TextUndecodable(IssueValue):
    """A byte that the encoding does not allow: the encoding is another one.

    Example:
        >>> explain_text_issue(TextUndecodable(path="a.csv", encoding="utf-8", byte=0xB0,
        ...                                    position=41, row=3))
        "'a.csv' is not utf-8 text: byte 0xb0 at position 41, in row 3; name its encoding, for example encoding='latin-1' or encoding='cp1252'"
    """

    path: str
    encoding: str
    byte: int
    position: int
    row: int


class TextOfOtherEncoding(IssueValue):
    """The text shows its encoding, by its mark or its zero bytes, and it is not the one asked for.

    Example:
        >>> explain_text_issue(TextOfOtherEncoding(path="a.csv", asked="utf-8", found="utf-16"))
        "'a.csv' is utf-16 text, and was to be read as utf-8: pass encoding='utf-16'"
    """

    path: str
    asked: str
    found: str


class NulByte(IssueValue):
    """A zero byte, which no text has: the file is damaged or no text at all.

    Example:
        >>> explain_text_issue(NulByte(path="a.csv", row=2, position=17))
        "'a.csv' has a NUL byte at position 17, in row 2: the file is damaged or not a text table; export it again"
    """

    path: str
    row: int
    position: int


class PageNotTable(IssueValue):
    """A web page that was saved under a table's name.

    Example:
        >>> explain_text_issue(PageNotTable(path="a.csv"))
        "'a.csv' is a web page (HTML or XML), not a table: download the file itself, on GitHub with its 'Raw' button"
    """

    path: str


class RowRagged(IssueValue):
    """A row with more or fewer cells than the header.

    Example:
        >>> explain_text_issue(RowRagged(path="a.csv", row=7, cells=3, columns=2, separator=",",
        ...                              rows=1))
        "row 7 of 'a.csv' has 3 cells, the header has 2 (separator ','): quote cells that hold the separator, or name another with separator="
    """

    path: str
    row: int
    cells: int
    columns: int
    separator: str
    rows: int


class QuoteUnclosed(IssueValue):
    """A quoted cell that never ends.

    Example:
        >>> explain_text_issue(QuoteUnclosed(path="a.csv", row=5))
        "'a.csv' opens a quoted cell in row 5 and never closes it: add the missing quote, or double a quote that belongs to the text"
    """

    path: str
    row: int


class QuoteMisplaced(IssueValue):
    """Text after the quote that closes a cell.

    Example:
        >>> explain_text_issue(QuoteMisplaced(path="a.csv", opened=5, row=6))
        "'a.csv' has text right behind a closing quote in row 6 (its row begins in row 5): double a quote that belongs to the text"
    """

    path: str
    opened: int
    row: int


class JsonLineInvalid(IssueValue):
    """A line of a JSON-lines file that is not one JSON object.

    Example:
        >>> explain_text_issue(JsonLineInvalid(path="a.jsonl", row=2, reason="it is a list"))
        "row 2 of 'a.jsonl' is not one JSON object: it is a list"
    """

    path: str
    row: int
    reason: str


class DecimalAmbiguous(IssueValue):
    """With a decimal comma, `1.234` may be a thousand or a fraction, and the column does not tell.

    Example:
        >>> explain_text_issue(DecimalAmbiguous(path="a.csv", column="x", row=2,
        ...                                     cell="1.234"))
        "with decimal_comma, '1.234' in column 'x' of 'a.csv' (row 2) may be 1234 or 1,234: write the column in one way"
    """

    path: str
    column: str
    row: int
    cell: str


TextIssue: TypeAlias = (
    EncodingUnknown
    | TextUndecodable
    | TextOfOtherEncoding
    | NulByte
    | PageNotTable
    | RowRagged
    | QuoteUnclosed
    | QuoteMisplaced
    | JsonLineInvalid
    | DecimalAmbiguous
)


def explain_text_issue(issue: TextIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a table's text.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_text_issue(JsonLineInvalid(path="b.jsonl", row=1, reason="it is a number"))
        "row 1 of 'b.jsonl' is not one JSON object: it is a number"
    """
    match issue:
        case EncodingUnknown(name=name):
            usual = " or ".join(quoted(one) for one in USUAL_ENCODINGS[:4])
            return f"encoding {quoted(name)} is not known.{_hint(name) or f' Try {usual}'}"
        case TextUndecodable(path=path, encoding=encoding, byte=byte, position=at, row=row):
            return (
                f"{quoted(path)} is not {encoding} text: byte 0x{byte:02x} at position {at:,}, in "
                f"row {row:,}; name its encoding, for example {_other_encodings(encoding)}"
            )
        case TextOfOtherEncoding(path=path, asked=asked, found=found):
            return (
                f"{quoted(path)} is {found} text, and was to be read as {asked}: "
                f"pass encoding={quoted(found)}"
            )
        case NulByte(path=path, row=row, position=position):
            return (
                f"{quoted(path)} has a NUL byte at position {position:,}, in row {row:,}: the file "
                "is damaged or not a text table; export it again"
            )
        case PageNotTable(path=path):
            return (
                f"{quoted(path)} is a web page (HTML or XML), not a table: download the file "
                "itself, on GitHub with its 'Raw' button"
            )
        case JsonLineInvalid(path=path, row=row, reason=reason):
            return f"row {row:,} of {quoted(path)} is not one JSON object: {reason}"
        case DecimalAmbiguous(path=path, column=column, row=row, cell=cell):
            return (
                f"with decimal_comma, {quoted(cell)} in column {quoted(column)} of {quoted(path)} "
                f"(row {row:,}) may be {cell.replace('.', '')} or {cell.replace('.', ',')}: "
                "write the column in one way"
            )
        case _:
            return _explain_rows(issue)


def _explain_rows(issue: RowRagged | QuoteUnclosed | QuoteMisplaced) -> str:
    path = quoted(issue.path)
    match issue:
        case RowRagged(row=row, cells=cells, columns=columns, separator=separator, rows=rows):
            others = f", and {rows - 1:,} more rows differ" if rows > 1 else ""
            return (
                f"row {row:,} of {path} has {_cells(cells)}, the header has {columns:,} (separator "
                f"{quoted(separator)}){others}: quote cells that hold the separator, or name "
                "another with separator="
            )
        case QuoteUnclosed(row=row):
            return (
                f"{path} opens a quoted cell in row {row:,} and never closes it: add the missing "
                "quote, or double a quote that belongs to the text"
            )
        case QuoteMisplaced(opened=opened, row=row):
            return (
                f"{path} has text right behind a closing quote in row {row:,} (its row begins in "
                f"row {opened:,}): double a quote that belongs to the text"
            )
        case _:
            assert_never(issue)


def _hint(name: str) -> str:
    return did_you_mean(name, USUAL_ENCODINGS)


def _other_encodings(tried: str) -> str:
    others = [name for name in ("latin-1", "cp1252", "utf-8") if name != tried]
    return " or ".join(f"encoding={quoted(name)}" for name in others[:2])


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count:,} cells"
