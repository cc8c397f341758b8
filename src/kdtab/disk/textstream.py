"""A delimited text in chunks of whole rows, each under the header, so that each is a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from kdtab.disk.exactrows import cells_of_any_length
from kdtab.disk.rowscan import scan_rows
from kdtab.errors.issue import Issues

_BLANKS = b" \t\r\n"
CHUNK_BYTES = 8 * 2**20
MOST_ROW_BYTES = 64 * 2**20
"""A row that is longer is taken for one whose quote was never closed."""


@dataclass(frozen=True)
class TextChunk:
    r"""Whole rows of a text, with the header in front.

    Attributes:
        content: The header, as it stands in the file, and rows.
        header: How many bytes of it are the header; 0 in the first chunk, where it stands anyway.
        start: Byte of the file at which the rows begin.
        line: Lines of the file before them.

    Example:
        >>> TextChunk(b"x\n2\n", header=2, start=4, line=2).end
        6
    """

    content: bytes
    header: int
    start: int
    line: int

    @property
    def end(self) -> int:
        r"""Byte of the file behind the last row.

        Example:
            >>> TextChunk(b"x\n1\n", header=0, start=0, line=0).end
            4
        """
        return self.start + len(self.content) - self.header

    def in_the_file(self, issues: Issues) -> Issues:
        r"""Issues of the chunk with rows and positions as they are in the file.

        Args:
            issues: What reading the chunk found.

        Returns:
            The same issues, their places counted from the file's first line and byte.

        Example:
            >>> from kdtab.errors.texts import NulByte
            >>> chunk = TextChunk(b"x\n2\n\0", header=2, start=4, line=2)
            >>> chunk.in_the_file(Issues((NulByte(path="a.csv", row=3, position=4),))).first
            NulByte(path='a.csv', row=4, position=6)
        """
        above = self.content.count(b"\n", 0, self.header)
        moves = {
            "row": (above, self.line - above),
            "opened": (above, self.line - above),
            "position": (self.header - 1, self.start - self.header),
        }
        moved = []
        for issue in issues:
            found = {name: getattr(issue, name) for name in moves if hasattr(issue, name)}
            changes = {
                name: place + moves[name][1] if place > moves[name][0] else place
                for name, place in found.items()
            }
            moved.append(issue.model_copy(update=changes))
        return Issues(tuple(moved))


def text_chunks(
    file: BinaryIO, separator: str, *, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[TextChunk]:
    r"""Cut a delimited text between rows.

    A newline ends a row where an even number of quotes stands before it; where quotes stand in
    places that only a full parser understands, the csv module finds the row's end. What is wrong
    with a row is for the reader of the chunk to say.

    Args:
        file: The text, at its beginning, in an encoding that keeps the bytes of ASCII.
        separator: One ASCII character.
        chunk_bytes: How much to read at a time; a chunk is a row longer or shorter.

    Yields:
        The chunks in order; none for an empty file.

    Example:
        >>> import io
        >>> file = io.BytesIO(b'x,y\n1,"a\nb"\n2,c\n')
        >>> [chunk.content for chunk in text_chunks(file, ",", chunk_bytes=13)]
        [b'x,y\n1,"a\nb"\n', b'x,y\n2,c\n']
    """
    header, blanks, rest = b"", _BLANKS, b""
    place = TextChunk(b"", 0, 0, 0)
    while block := file.read(chunk_bytes):
        rest += block
        end = _rows_end(rest, separator) if len(rest) <= MOST_ROW_BYTES else len(rest)
        named, blanks = (0, blanks) if header else _header_end(rest[:end], separator)
        if not rest[named:end].strip(blanks):
            continue  # nothing yet, or nothing but the header
        rows, rest = rest[:end], rest[end:]
        place = replace(place, content=header + rows, header=len(header))
        yield place
        place = replace(place, start=place.end, line=place.line + rows.count(b"\n"))
        header = header or rows[:named]
    if rest.strip(blanks) or (rest and not header):
        yield replace(place, content=header + rest, header=len(header))


def _rows_end(text: bytes, separator: str) -> int:
    """Byte behind the last row that surely is whole; 0 when none is."""
    end = _even_end(text)
    if end and scan_rows(text[:end], separator).regular:
        return end
    return _exact_end(text, separator)


def _even_end(text: bytes) -> int:
    """Byte behind the last newline with an even number of quotes before it."""
    odd = text.count(b'"') % 2
    behind = len(text)
    while (newline := text.rfind(b"\n", 0, behind)) >= 0:
        odd ^= text.count(b'"', newline, behind) % 2
        if not odd:
            return newline + 1
        behind = newline
    return 0


def _exact_end(text: bytes, separator: str) -> int:
    lines = text.splitlines(keepends=True)[:-1]  # the last may go on in the next block
    whole = 0
    with cells_of_any_length():
        reader = csv.reader(
            (line.decode("latin-1") for line in lines), delimiter=separator, strict=True
        )
        try:
            for _ in reader:
                whole = reader.line_num
        except csv.Error as error:
            if "unexpected end" not in str(error):
                whole = len(lines)  # the reader of the chunk says what is wrong
    return sum(map(len, lines[:whole]))


def _header_end(text: bytes, separator: str) -> tuple[int, bytes]:
    """Byte behind the first row that is not blank, and what a later blank row is made of.

    Under one name a line of blanks is a cell.
    """
    lines = text.splitlines(keepends=True)
    with cells_of_any_length():
        reader = csv.reader((line.decode("latin-1") for line in lines), delimiter=separator)
        cells = next(filter(_has_content, reader), [])
        end = sum(map(len, lines[: reader.line_num]))
    return end, _BLANKS if len(cells) > 1 else b"\r\n"


def _has_content(cells: list[str]) -> bool:
    return len(cells) > 1 or bool(cells and cells[0].strip(_BLANKS.decode()))
