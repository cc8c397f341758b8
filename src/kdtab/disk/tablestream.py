"""A table in pieces of equally many rows, so that one larger than memory can be read."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import polars as pl
from polars.exceptions import PanicException, PolarsError
from returns.result import Failure, Success

from kdtab.config.tables import ReadOptions
from kdtab.disk.columnar import plain_column
from kdtab.disk.delimited import read_delimited, separator_issue
from kdtab.disk.headers import named_columns
from kdtab.disk.localfiles import check_local_file
from kdtab.disk.separators import find_separator
from kdtab.disk.tables import read_table, table_format
from kdtab.disk.textscan import clean_utf8
from kdtab.disk.textstream import CHUNK_BYTES, TextChunk, text_chunks
from kdtab.errors.formats import FileEmpty, TableWithoutRows
from kdtab.errors.tables import FileNotReadable
from kdtab.results import Checked, check, fail

HEAD_ROWS = 64
_ASCII_KEEPING = ("utf-8", "ascii", "iso8859", "cp125", "koi8", "gb", "shift_jis", "euc", "big5")
_PARQUET = b"PAR1"


@dataclass(frozen=True, eq=False)
class TablePiece:
    """Consecutive rows of a table.

    Attributes:
        number: Of the piece, from 0.
        first_row: The table's row of its first, from 0.
        rows: How many rows it has.
        frame: The rows; None where nobody wanted them.
        share: How much of the table has been read with it, up to 1.

    Example:
        >>> TablePiece(0, 0, 2, None, 1.0).rows
        2
    """

    number: int
    first_row: int
    rows: int
    frame: pl.DataFrame | None
    share: float


Wanted: TypeAlias = Callable[[int], bool]
_Frames: TypeAlias = Iterator[Checked[tuple[pl.DataFrame, float]]]
Pieces: TypeAlias = Iterator[Checked[TablePiece]]


@dataclass(frozen=True, eq=False)
class TableSource:
    """A table that can be read in pieces, any number of times.

    Attributes:
        head: Its first rows, at most 64.
        pieces: Takes the rows of a piece and which pieces are wanted, gives the pieces in order; a
            failure is the last. The same file gives the same pieces.

    Example:
        >>> source = TableSource(pl.DataFrame({"x": [1]}), lambda rows, wanted: iter(()))
        >>> list(source.pieces(10, lambda number: True))
        []
    """

    head: pl.DataFrame
    pieces: Callable[[int, Wanted], Pieces]


def table_source(path: str | os.PathLike[str], options: ReadOptions) -> Checked[TableSource]:
    r"""Open a table for reading in pieces, with the checks of `read_table`.

    CSV, TSV and Parquet are never in memory as a whole. The others are read whole first: Excel,
    JSON lines, Arrow, packed text, text with `decimal_comma` (whose meaning no part of a column
    decides) and text in an encoding that does not keep the bytes of ASCII.

    Args:
        path: A local file.
        options: How to read it.

    Returns:
        The source, or what `read_table` would say of the path, the options and the first rows. What
        is wrong further down comes out of the pieces.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "a.csv")
        ...     _ = file.write_text("x\n1\n2\n3\n")
        ...     source = table_source(file, ReadOptions()).unwrap()
        ...     [piece.unwrap().frame.rows() for piece in source.pieces(2, lambda number: True)]
        [[('1',), ('2',)], [('3',)]]
    """
    named = os.fspath(path)

    def opened(found: tuple[str, str]) -> Checked[TableSource]:
        kind, packing = found
        if kind in ("csv", "tsv") and not packing and _can_be_cut(options):
            return _text_source(named, options, tab_first=kind == "tsv")
        if kind == "parquet" and _starts_with(named, _PARQUET):
            return _parquet_source(named)
        return read_table(named, options).map(_frame_source)

    return check_local_file(named).bind(lambda _: table_format(named, options)).bind(opened)


def _can_be_cut(options: ReadOptions) -> bool:
    try:
        codec = codecs.lookup(options.encoding).name
    except LookupError:
        return False
    return codec.startswith(_ASCII_KEEPING) and not options.decimal_comma


def _starts_with(path: str, magic: bytes) -> bool:
    try:
        with Path(path).open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError:
        return False  # reading it whole says why


def _frame_source(frame: pl.DataFrame) -> TableSource:
    def slices(rows: int, wanted: Wanted) -> Pieces:
        for number, first in enumerate(range(0, frame.height, rows)):
            part = frame.slice(first, rows)
            share = (first + part.height) / frame.height
            shown = part if wanted(number) else None
            yield Success(TablePiece(number, first, part.height, shown, share))

    return TableSource(frame.head(HEAD_ROWS), slices)


def _parquet_source(path: str) -> Checked[TableSource]:
    lazy = pl.scan_parquet(path, glob=False)

    def piece(total: int, rows: int, number: int, *, wanted: bool) -> Checked[TablePiece]:
        first = number * rows
        count = min(rows, total - first)
        share = (first + count) / total
        if not wanted:
            return Success(TablePiece(number, first, count, None, share))
        return _parquet_rows(path, lazy, first, count).map(
            lambda frame: TablePiece(number, first, count, frame, share)
        )

    def pieces(total: int, rows: int, wanted: Wanted) -> Pieces:
        for number in range(-(-total // rows)):
            yield piece(total, rows, number, wanted=wanted(number))

    try:
        total = int(lazy.select(pl.len()).collect().item())
    except (PolarsError, PanicException, OSError, ValueError) as error:
        return fail(_damaged(path, error))
    return _parquet_rows(path, lazy, 0, HEAD_ROWS).map(
        lambda head: TableSource(head, partial(pieces, total))
    )


def _parquet_rows(path: str, lazy: pl.LazyFrame, first: int, count: int) -> Checked[pl.DataFrame]:
    try:
        frame = lazy.slice(first, count).collect()
        columns = [plain_column(column) for column in frame.get_columns()]
    except (PolarsError, PanicException, OSError, ValueError) as error:
        return fail(_damaged(path, error))
    return named_columns(path, frame.columns, columns)


def _damaged(path: str, error: BaseException) -> FileNotReadable:
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return FileNotReadable(path=path, reason=f"its Parquet data are damaged ({first_line})")


def _text_source(path: str, options: ReadOptions, *, tab_first: bool) -> Checked[TableSource]:
    def pieces(separator: str, rows: int, wanted: Wanted) -> Pieces:
        return _rebatched(path, _text_frames(path, options, separator), rows, wanted)

    def source(separator: str) -> Checked[TableSource]:
        frames = _text_frames(path, options, separator)
        head = next(islice(_rebatched(path, frames, HEAD_ROWS, lambda _: True), 1))
        return head.map(lambda piece: TableSource(_frame_of(piece), partial(pieces, separator)))

    return _separator(path, options, tab_first=tab_first).bind(source)


def _frame_of(piece: TablePiece) -> pl.DataFrame:
    assert piece.frame is not None, "the piece was wanted"
    return piece.frame


def _separator(path: str, options: ReadOptions, *, tab_first: bool) -> Checked[str]:
    refused = check(separator_issue(options.separator))
    try:
        with Path(path).open("rb") as file:
            beginning = file.read(CHUNK_BYTES)
    except OSError as error:
        return fail(FileNotReadable(path=path, reason=(error.strerror or str(error)).lower()))
    whole_lines = len(beginning) if len(beginning) < CHUNK_BYTES else beginning.rfind(b"\n") + 1
    sample = beginning[: whole_lines or len(beginning)]
    kind = "TSV text" if tab_first else "CSV text"
    return refused.bind(lambda _: clean_utf8(path, sample, options.encoding, kind)).map(
        lambda text: options.separator or find_separator(text, tab_first=tab_first)
    )


def _text_frames(path: str, options: ReadOptions, separator: str) -> _Frames:
    """The frames of chunks with rows; blank lines may be all there is of one."""
    rows = 0
    without: Checked[pl.DataFrame] = fail(FileEmpty(path=path))
    try:
        with Path(path).open("rb") as file:
            size = max(1, os.fstat(file.fileno()).st_size)
            for chunk in text_chunks(file, separator):
                found = _chunk_frame(path, options, separator, chunk)
                if _has_no_rows(found):
                    without = found
                    continue
                rows += 1
                yield found.map(partial(_with_share, share=min(1.0, chunk.end / size)))
    except OSError as error:
        yield fail(FileNotReadable(path=path, reason=(error.strerror or str(error)).lower()))
    if rows == 0:
        yield without.map(partial(_with_share, share=1.0))


def _has_no_rows(found: Checked[pl.DataFrame]) -> bool:
    return isinstance(found, Failure) and isinstance(found.failure().first, TableWithoutRows)


def _with_share(frame: pl.DataFrame, share: float) -> tuple[pl.DataFrame, float]:
    return frame, share


def _chunk_frame(
    path: str, options: ReadOptions, separator: str, chunk: TextChunk
) -> Checked[pl.DataFrame]:
    text = clean_utf8(path, chunk.content, options.encoding, "CSV text")
    frame = text.bind(lambda clean: read_delimited(path, clean, separator=separator))
    return frame.lash(lambda issues: Failure(chunk.in_the_file(issues)))


def _rebatched(path: str, frames: _Frames, rows: int, wanted: Wanted) -> Pieces:
    held, number = pl.DataFrame(), 0
    for found in frames:
        if isinstance(found, Failure):
            yield Failure(found.failure())
            return
        frame, share = found.unwrap()
        held = pl.concat([held, frame]) if held.width else frame
        while held.height >= rows:
            part, held = held.head(rows), held.slice(rows)
            yield Success(_piece(number, rows, part, share, wanted))
            number += 1
    if held.height:
        yield Success(_piece(number, rows, held, 1.0, wanted))
    elif number == 0:  # columns without a name and without a cell are none
        yield fail(TableWithoutRows(path=path, columns=held.width))


def _piece(number: int, rows: int, frame: pl.DataFrame, share: float, wanted: Wanted) -> TablePiece:
    shown = frame if wanted(number) else None
    return TablePiece(number, number * rows, frame.height, shown, share)
