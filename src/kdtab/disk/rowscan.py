"""Where the rows of a CSV begin and how many cells each has: one pass of numpy over the bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_BLOCK = 2**20
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34

_Bytes = npt.NDArray[np.uint8]
_Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RowScan:
    r"""The rows of a delimited text.

    Attributes:
        starts: Byte at which each row begins.
        ends: Byte behind its last cell: its newline, or the end of the text.
        cells: How many cells it has, separators in quotes not counted.
        regular: False where quotes or carriage returns stand in places that only a full parser
            understands (a quote inside an unquoted cell, text behind a closing quote, a quote that
            stays open, a carriage return without newline); the other fields then mean nothing.

    Example:
        >>> scan = scan_rows(b'a,b\n"1,\n",2\n', ",")
        >>> scan.starts.tolist(), scan.cells.tolist(), scan.regular
        ([0, 4], [2, 2], True)
    """

    starts: _Places
    ends: _Places
    cells: _Places
    regular: bool


def scan_rows(text: bytes, separator: str) -> RowScan:
    r"""Find the rows of a delimited text by the parity of its quotes.

    A byte is inside a quoted cell when an odd number of quotes stands before it; that is right for
    every text that doubles the quotes within its cells, and the scan says when one does not.

    Args:
        text: UTF-8 without byte order mark.
        separator: One ASCII character.

    Returns:
        The rows, blank lines included.

    Example:
        >>> scan_rows(b"a;b\n1;2;3\n", ";").cells.tolist()
        [2, 3]
        >>> scan_rows(b'size\n5" wide\n', ";").regular
        False
    """
    data = np.frombuffer(text, dtype=np.uint8)
    mark = ord(separator)
    quoted = _QUOTE in text
    newlines = [np.empty(0, dtype=np.int64)]
    ordinals = [np.empty(0, dtype=np.int64)]
    seen, parity, regular = 0, 0, True
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        if quoted:
            places, parity, proper = _outside_quotes(data, start, mark, parity)
            regular = regular and proper
        else:
            places = np.flatnonzero((block == mark) | (block == _NEWLINE))
        is_newline = np.flatnonzero(block[places] == _NEWLINE)
        newlines.append(places[is_newline] + start)
        ordinals.append(is_newline + seen)
        seen += len(places)
    rows = _rows(len(data), np.concatenate(newlines), np.concatenate(ordinals), seen)
    regular = regular and parity == 0 and not _lone_return(text, data)
    return RowScan(*rows, regular=regular)


def _outside_quotes(data: _Bytes, start: int, mark: int, parity: int) -> tuple[_Places, int, bool]:
    """Separators and newlines of one block, its closing parity, and whether its quotes are proper."""
    block = data[start : start + _BLOCK]
    special = np.flatnonzero((block == mark) | (block == _NEWLINE) | (block == _QUOTE))
    is_quote = block[special] == _QUOTE
    inside = (np.cumsum(is_quote, dtype=np.uint8) + parity) & 1
    opening = special[is_quote & (inside == 1)] + start
    closing = special[is_quote & (inside == 0)] + start
    before = data[opening[opening > 0] - 1]
    behind = data[closing[closing < len(data) - 1] + 1]
    around = (mark, _NEWLINE, _QUOTE)
    proper = _all_among(before, around) and _all_among(behind, (*around, _RETURN))
    return special[~is_quote & (inside == 0)], int(inside[-1]) if len(inside) else parity, proper


def _all_among(values: _Bytes, allowed: tuple[int, ...]) -> bool:
    table = np.zeros(256, dtype=np.bool_)
    table[list(allowed)] = True
    return bool(table[values].all())


def _rows(
    size: int, newlines: _Places, ordinals: _Places, seen: int
) -> tuple[_Places, _Places, _Places]:
    if len(newlines) == 0 or newlines[-1] != size - 1:  # the last row has no newline
        newlines = np.append(newlines, size)
        ordinals = np.append(ordinals, seen)
    starts = np.concatenate(([0], newlines[:-1] + 1))
    return starts, newlines, np.diff(ordinals, prepend=-1)


def _lone_return(text: bytes, data: _Bytes) -> bool:
    if text.count(b"\r") == text.count(b"\r\n"):
        return False
    returns = np.flatnonzero(data == _RETURN)
    followed = np.append(data[1:], np.uint8(0))[returns] == _NEWLINE
    lone = returns[~followed]
    quotes_before = np.searchsorted(np.flatnonzero(data == _QUOTE), lone)
    return bool((quotes_before % 2 == 0).any())
