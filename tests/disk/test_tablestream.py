"""Tables in pieces: the same rows and the same refusals as reading them whole."""

from __future__ import annotations

import csv
import gzip
import io
from functools import partial
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from returns.result import Failure

from kdtab.config.tables import ReadOptions
from kdtab.disk import tablestream
from kdtab.disk.filestate import file_state, is_unchanged
from kdtab.disk.tables import DEFAULT_READ_OPTIONS, read_table
from kdtab.disk.tablestream import Pieces, TablePiece, table_source
from kdtab.disk.textstream import text_chunks
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.formats import (
    ContentContradictsSuffix,
    FileEmpty,
    HeaderDuplicated,
    OptionNotForFormat,
    SuffixUnknown,
    TableWithoutRows,
)
from kdtab.errors.issue import Issue
from kdtab.errors.tables import FileMissing, FileNotReadable, PathIsFolder
from kdtab.errors.texts import NulByte, QuoteUnclosed, RowRagged, TextUndecodable
from kdtab.results import Checked, collect
from strategies import text_tables

MESSY = st.text(alphabet='ab,"\n\r;é ', min_size=1, max_size=60)


def every(_number: int) -> bool:
    return True


def streamed(
    path: Path, rows: int = 3, chunk_bytes: int = 7, options: ReadOptions = DEFAULT_READ_OPTIONS
) -> Checked[pl.DataFrame]:
    """All pieces of a table, read in tiny chunks, as one frame."""
    cut = partial(text_chunks, chunk_bytes=chunk_bytes)
    with patch.object(tablestream, "text_chunks", cut):
        source = table_source(path, options)
        return source.bind(lambda found: joined(found.pieces(rows, every)))


def joined(pieces: Pieces) -> Checked[pl.DataFrame]:
    return collect(pieces).map(lambda found: pl.concat(map(frame_of, found)))


def frame_of(piece: TablePiece) -> pl.DataFrame:
    assert piece.frame is not None
    assert piece.frame.height == piece.rows
    return piece.frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streams")


@settings(max_examples=80)
@given(
    rows=text_tables(),
    chunk_bytes=st.integers(1, 40),
    rows_of_a_piece=st.integers(1, 5),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_every_table_that_the_csv_module_writes_is_the_same_in_pieces(
    folder: Path, rows: list[list[str]], chunk_bytes: int, rows_of_a_piece: int, newline: str
) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=newline).writerows(rows)
    path = folder / "law.csv"
    path.write_bytes(file.getvalue().encode())
    whole, pieces = read_table(path), streamed(path, rows_of_a_piece, chunk_bytes)
    if isinstance(whole, Failure) or whole.unwrap().width == 0:
        assert isinstance(pieces, Failure)
    else:
        assert_frame_equal(pieces.unwrap(), whole.unwrap())


@settings(max_examples=100)
@given(text=MESSY, chunk_bytes=st.integers(1, 12))
@example(text=" \na", chunk_bytes=1)
@example(text=";a\r \r;", chunk_bytes=1)
@example(text='a\n5" b\n"x\n"\n', chunk_bytes=4)
@example(text='a,b\r1,"2\r3"\r4,5', chunk_bytes=3)
@example(text='a,b\n1,2\n"3\n4"x,5\n', chunk_bytes=5)
def test_quotes_and_returns_in_odd_places_are_understood_as_in_the_whole_text(
    folder: Path, text: str, chunk_bytes: int
) -> None:
    path = folder / "messy.csv"
    path.write_bytes(text.encode())
    whole, pieces = read_table(path), streamed(path, chunk_bytes=chunk_bytes)
    if isinstance(whole, Failure) or whole.unwrap().width == 0:
        assert isinstance(pieces, Failure)
    else:
        assert_frame_equal(pieces.unwrap(), whole.unwrap())


@given(lines=st.lists(st.sampled_from(["1,2", "3", '"a\nb",4', "5,6,7", ""]), max_size=8))
def test_a_ragged_row_is_named_by_its_line_of_the_file(folder: Path, lines: list[str]) -> None:
    path = folder / "ragged.csv"
    path.write_text("\n".join(["x,y", *lines, "8,9"]) + "\n", "utf-8")
    whole, pieces = read_table(path), streamed(path)
    if isinstance(whole, Failure):
        first, second = whole.failure().first, pieces.failure().first
        assert isinstance(first, RowRagged)
        assert isinstance(second, RowRagged)
        assert (first.row, first.cells) == (second.row, second.cells)


def issue(folder: Path, content: bytes, name: str = "a.csv", **options: object) -> Issue:
    (folder / name).write_bytes(content)
    reading = ReadOptions.model_validate(options)
    whole = read_table(folder / name, reading).failure().first
    found = streamed(folder / name, options=reading).failure().first
    assert found == whole
    return found


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", FileEmpty),
        (b"x,y\n", TableWithoutRows),
        (b"x,x\n1,2\n", HeaderDuplicated),
        (b"x,y\n1,2\n3,4\n5,\xb0\n", TextUndecodable),
        (b"x,y\n1,2\n3,4\n5,\0\n", NulByte),
        (b'x,y\n1,2\n3,4\n5,"6\n7,8\n', QuoteUnclosed),
        (b"PAR1 and more", ContentContradictsSuffix),
    ],
)
def test_a_mistake_in_a_text_is_the_same_issue_as_in_the_whole(
    folder: Path, content: bytes, kind: type
) -> None:
    assert isinstance(issue(folder, content), kind)


def test_options_and_names_are_checked_as_for_the_whole_table(folder: Path) -> None:
    assert isinstance(issue(folder, b"x\n1\n", sheet_name="A"), OptionNotForFormat)
    assert isinstance(issue(folder, b"x\n1\n", separator='"'), FieldInvalid)
    assert isinstance(issue(folder, b"x\n1\n", "a.cvs"), SuffixUnknown)
    assert isinstance(issue(folder, b"no parquet", "a.parquet"), ContentContradictsSuffix)
    assert isinstance(streamed(folder).failure().first, PathIsFolder)
    assert isinstance(streamed(folder / "no.csv").failure().first, FileMissing)


def test_a_row_that_begins_like_another_format_is_a_row(folder: Path) -> None:
    path = folder / "words.csv"
    path.write_text("word,n\na,1\n<html>,2\nBZh,3\nPAR1,4\n%PDF-,5\n", "utf-8")
    assert streamed(path).unwrap()["word"].to_list() == ["a", "<html>", "BZh", "PAR1", "%PDF-"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "utf-16", "gb18030"])
def test_other_encodings_give_the_same_rows(folder: Path, encoding: str) -> None:
    path = folder / "encoded.csv"
    path.write_bytes("stadt;n\nKöln;1\nZürich;2\nÜß;3\n".encode(encoding))
    reading = ReadOptions(encoding=encoding)
    whole = read_table(path, reading).unwrap()
    assert_frame_equal(streamed(path, options=reading).unwrap(), whole)


def test_decimal_commas_are_decided_by_the_whole_column(folder: Path) -> None:
    path = folder / "comma.csv"
    path.write_text("x;y\n1.234;a\n1.234,5;b\n", "utf-8")
    found = streamed(path, rows=1, options=ReadOptions(decimal_comma=True)).unwrap()
    assert found["x"].to_list() == ["1234", "1234.5"]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.jsonl", "a.csv.gz", "a.tsv"])
def test_every_format_comes_in_pieces(folder: Path, name: str) -> None:
    frame = pl.DataFrame({"x": list(range(10)), "y": [f"t{at}" for at in range(10)]})
    path = folder / name
    match path.suffix:
        case ".parquet":
            frame.write_parquet(path, row_group_size=4)
        case ".arrow":
            frame.write_ipc(path)
        case ".jsonl":
            frame.write_ndjson(path)
        case ".gz":
            path.write_bytes(gzip.compress(frame.write_csv().encode()))
        case _:
            frame.write_csv(path, separator="\t")
    source = table_source(path, ReadOptions()).unwrap()
    pieces = [piece.unwrap() for piece in source.pieces(4, lambda number: number != 1)]
    assert [(piece.first_row, piece.rows, piece.frame is None) for piece in pieces] == [
        (0, 4, False),
        (4, 4, True),
        (8, 2, False),
    ]
    assert pieces[-1].share == 1.0
    assert_frame_equal(joined(source.pieces(3, every)).unwrap(), read_table(path).unwrap())


def test_a_parquet_file_keeps_plain_types_and_loses_rare_ones(folder: Path) -> None:
    path = folder / "types.parquet"
    pl.DataFrame(
        {"kind": pl.Series(["a", "b"], dtype=pl.Categorical), "list": [[1], [2]]}
    ).write_parquet(path)
    assert_frame_equal(streamed(path, rows=1).unwrap(), read_table(path).unwrap())


def test_a_damaged_parquet_file_is_an_issue_wherever_the_damage_is(folder: Path) -> None:
    path = folder / "damaged.parquet"
    pl.DataFrame({"x": [f"{at}" * 9 for at in range(5_000)]}).write_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert isinstance(streamed(path).failure().first, FileNotReadable)
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes(64) + content[middle + 64 :])
    assert isinstance(streamed(path, rows=1_000).failure().first, FileNotReadable)


def test_a_name_full_of_wildcards_is_a_name(folder: Path) -> None:
    path = folder / "a[1]*.parquet"
    pl.DataFrame({"x": [1]}).write_parquet(path)
    pl.DataFrame({"x": [2]}).write_parquet(folder / "a1x.parquet")
    assert streamed(path).unwrap()["x"].to_list() == [1]


def test_a_file_that_was_touched_is_changed(folder: Path) -> None:
    path = folder / "touched.csv"
    path.write_text("x\n1\n", "utf-8")
    state = file_state(path).unwrap()
    assert is_unchanged(path, state)
    path.write_text("x\n12\n", "utf-8")
    assert not is_unchanged(path, state)
