"""Where the rows of a CSV begin and how many cells each has: one pass of numpy over the bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_BLOCK = 2**20
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34

_SHIFTS = tuple(np.uint64(2**power) for power in range(6))
_TOP_BIT, _TOP_BYTE = np.uint64(63), np.uint64(56)
_ALL = np.uint64(2**64 - 1)
_ODD_BITS, _ODD_PAIRS, _ODD_FOURS, _EACH_BYTE = (
    np.uint64((2**64 - 1) // divisor) for divisor in (3, 5, 17, 255)
)

_Bytes = npt.NDArray[np.uint8]
_Flags = npt.NDArray[np.bool_]
_Places = npt.NDArray[np.int64]
_Words = npt.NDArray[np.uint64]


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
    seen, parity, regular = 0, False, True
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        ends = block == _NEWLINE
        delimiting = (block == mark) | ends
        if quoted:
            inside = _inside_quotes(block, parity)
            regular = regular and _are_proper(data, start, mark, inside)
            delimiting &= ~inside
            ends &= ~inside
            parity = bool(inside[-1])
        places = np.flatnonzero(ends)
        before, count = _set_before(delimiting, places)
        newlines.append(places + start)
        ordinals.append(before + seen)
        seen += count
    rows = _rows(len(data), np.concatenate(newlines), np.concatenate(ordinals), seen)
    regular = regular and not parity and not _lone_return(text, data)
    return RowScan(*rows, regular=regular)


def count_of(mark: bytes, text: bytes) -> int:
    """How often a byte stands in a text; where it is frequent, far sooner than `bytes.count` knows.

    Args:
        mark: One byte.
        text: Any bytes.

    Returns:
        The count.

    Example:
        >>> count_of(b",", b"a,b,c")
        2
    """
    data = np.frombuffer(text, dtype=np.uint8)
    parts = (data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK))
    return sum(int(np.count_nonzero(part == ord(mark))) for part in parts)


def _set_before(flags: _Flags, places: _Places) -> tuple[_Places, int]:
    """How many flags are set before each place, and in all.

    Most flags are separators, and only their number matters: 64 of them are one word, whose bits
    are counted without listing them.
    """
    words = _words(flags)
    up_to = np.cumsum(_bits_set(words), dtype=np.int64)
    at = places >> 6
    rest = words[at] & ~(_ALL << (places & 63).astype(np.uint64))
    whole = np.append(0, up_to)[at]
    return whole + _bits_set(rest).astype(np.int64), int(up_to[-1])


def _words(flags: _Flags) -> _Words:
    bits = np.packbits(flags, bitorder="little")
    words = np.zeros(-(-len(bits) // 8), dtype="<u8")
    words.view(np.uint8)[: len(bits)] = bits
    return words


def _bits_set(words: _Words) -> _Words:
    """Of each word: sums of neighbouring bits, pairs, fours, and of all eight bytes at once."""
    pairs = words - ((words >> _SHIFTS[0]) & _ODD_BITS)
    fours = (pairs & _ODD_PAIRS) + ((pairs >> _SHIFTS[1]) & _ODD_PAIRS)
    eights = (fours + (fours >> _SHIFTS[2])) & _ODD_FOURS
    counts: _Words = (eights * _EACH_BYTE) >> _TOP_BYTE
    return counts


def _inside_quotes(block: _Bytes, parity: bool) -> _Flags:
    """For each byte, whether the number of quotes up to and with it is odd.

    Sixty-four bytes are one word: six shifts sum the bits below each bit modulo two, and what the
    words before add is summed over their top bits.
    """
    words = _words(block == _QUOTE)
    for shift in _SHIFTS:
        words ^= words << shift
    odd_words = np.logical_xor.accumulate(words >> _TOP_BIT != 0)
    odd_before = np.append(parity, odd_words[:-1] ^ parity)
    words = np.where(odd_before, ~words, words)
    flags = np.unpackbits(words.view(np.uint8), count=len(block), bitorder="little")
    return flags.view(np.bool_)


def _are_proper(data: _Bytes, start: int, mark: int, inside: _Flags) -> bool:
    """Whether quotes open only behind, and close only before, the end of a cell or a quote."""
    end = start + len(inside)
    block = data[start:end]
    quote = block == _QUOTE
    edge = quote | (block == mark) | (block == _NEWLINE)
    around = (mark, _NEWLINE, _QUOTE)
    before = np.append(start == 0 or data[start - 1] in around, edge[:-1])
    last = end == len(data) or data[end] in (*around, _RETURN)
    behind = np.append((edge | (block == _RETURN))[1:], last)
    return not bool((quote & np.where(inside, ~before, ~behind)).any())


def _rows(
    size: int, newlines: _Places, ordinals: _Places, seen: int
) -> tuple[_Places, _Places, _Places]:
    if len(newlines) == 0 or newlines[-1] != size - 1:  # the last row has no newline
        newlines = np.append(newlines, size)
        ordinals = np.append(ordinals, seen)
    starts = np.concatenate(([0], newlines[:-1] + 1))
    return starts, newlines, np.diff(ordinals, prepend=-1)


def _lone_return(text: bytes, data: _Bytes) -> bool:
    if _RETURN not in text or text.count(b"\r") == text.count(b"\r\n"):
        return False
    returns = np.flatnonzero(data == _RETURN)
    followed = np.append(data[1:], np.uint8(0))[returns] == _NEWLINE
    lone = returns[~followed]
    quotes_before = np.searchsorted(np.flatnonzero(data == _QUOTE), lone)
    return bool((quotes_before % 2 == 0).any())
