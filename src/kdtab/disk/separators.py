"""Find the separator of a delimited text from the text itself."""

from __future__ import annotations

import csv
import io
from itertools import islice

from kdtab.disk.rowscan import scan_rows

_SAMPLE_BYTES = 2**16
_SAMPLE_ROWS = 200
# Where two fit equally well the earlier wins: commas stand in numbers and in text far more often.
_CANDIDATES = ("\t", ";", "|", ",")


def find_separator(text: bytes, *, tab_first: bool = False, decimal_comma: bool = False) -> str:
    r"""The separator under which the first rows have as many cells as the header.

    Among several it is the one that makes most columns; where none fits every row, the one that
    fits most of them, so that the row that does not fit is the one to be reported.

    Args:
        text: UTF-8 without byte order mark.
        tab_first: Take a tab whenever the header has one (the suffix is `.tsv`).
        decimal_comma: Commas belong to numbers; take one only where nothing else separates.

    Returns:
        `,`, `;`, a tab or `|`; a comma for a table of one column.

    Example:
        >>> find_separator(b"lat;lon\n1,5;2\n3,25;4\n")
        ';'
        >>> find_separator(b'a,"b;c"\n1,"2;3"\n')
        ','
    """
    sample = text[:_SAMPLE_BYTES]
    cut = len(text) > _SAMPLE_BYTES
    widths = {separator: _widths(sample, separator, cut=cut) for separator in _CANDIDATES}
    if tab_first and widths["\t"][0] > 1:
        return "\t"

    def merit(separator: str) -> tuple[bool, bool, bool, float, int]:
        counts = widths[separator]
        not_in_numbers = not (decimal_comma and separator == ",")
        not_in_quotes = scan_rows(sample, separator).regular
        share = counts.count(counts[0]) / len(counts)
        return counts[0] > 1, not_in_numbers, not_in_quotes, share, counts[0]

    best = max(_CANDIDATES, key=merit)
    if widths[best][0] > 1:
        return best
    # One column. The separator that the rows do have makes the header the row that does not fit.
    return max(reversed(_CANDIDATES), key=lambda separator: sum(widths[separator]))


def _widths(sample: bytes, separator: str, *, cut: bool) -> list[int]:
    rows = csv.reader(
        io.StringIO(sample.decode("utf-8", errors="ignore"), newline=""), delimiter=separator
    )
    counts = [
        len(row)
        for row in islice(rows, _SAMPLE_ROWS)
        if any(cell.strip() for cell in row) or len(row) > 1
    ]
    if cut and 1 < len(counts) < _SAMPLE_ROWS:
        counts.pop()  # the sample ends within this row
    return counts or [0]
