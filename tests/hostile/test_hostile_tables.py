"""Tables that must be refused, each with the whole sentence that a person gets to read."""

import gzip
import io
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import zstandard
from openpyxl import Workbook

from kdtab.config.tables import ReadOptions
from kdtab.disk.tables import read_table
from kdtab.errors.issue import explain

_CSV = b"a,b\n1,2\n"
_SUFFIXES = (
    "'.csv', '.tsv', '.jsonl', '.ndjson', '.parquet', '.arrow', '.feather', '.ipc', '.xlsx', "
    "'.xls', '.ods', '.csv.gz', '.csv.zst', '.tsv.gz', '.tsv.zst', '.jsonl.gz', '.jsonl.zst', "
    "'.ndjson.gz', '.ndjson.zst'"
)
_SEPARATOR_HELP = "quote cells that hold the separator, or name another with separator="
_QUOTE_HELP = "double a quote that belongs to the text"
_CELL_HELP = "correct it, empty it, or format the whole column as text"


def _parquet(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def _book(*rows: Sequence[object], second: str | None = None) -> bytes:
    book, file = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    if second is not None:
        book.create_sheet(second)
    book.save(file)
    return file.getvalue()


@dataclass(frozen=True)
class _Refused:
    """One file, how it is read, and every sentence that must come of it."""

    name: str
    content: bytes
    sentences: tuple[str, ...]
    options: dict[str, object] = field(default_factory=dict)


_FRAME = pl.DataFrame({"x": [1]})
_NUMBERS: list[list[object]] = [["x", "y"], *([at, "t"] for at in range(1, 1_600))]

_TABLES = {
    "a row with too many cells": _Refused(
        "a.csv",
        b"a,b\n1,2\n3,4,5\n",
        (f"row 3 of 'a.csv' has 3 cells, the header has 2 (separator ','): {_SEPARATOR_HELP}",),
    ),
    "a row with too few cells": _Refused(
        "a.csv",
        b"a,b,c\n1,2,3\n4,5,6\n7\n",
        (f"row 4 of 'a.csv' has 1 cell, the header has 3 (separator ','): {_SEPARATOR_HELP}",),
    ),
    "many ragged rows behind a quoted line break": _Refused(
        "a.csv",
        b'a;b\n"1\n2";3\n4;5;6\n7;8;9\n',
        (
            "row 4 of 'a.csv' has 3 cells, the header has 2 (separator ';'), and 1 more rows "
            f"differ: {_SEPARATOR_HELP}",
        ),
    ),
    "a ragged row in a table with bare quotes": _Refused(
        "a.csv",
        b'a,b\n5" wide,2\n3\n',
        (f"row 3 of 'a.csv' has 1 cell, the header has 2 (separator ','): {_SEPARATOR_HELP}",),
    ),
    "a title above the header": _Refused(
        "a.csv",
        b"Report\na,b\n1,2\n",
        (
            "row 2 of 'a.csv' has 2 cells, the header has 1 (separator ','), and 1 more rows "
            f"differ: {_SEPARATOR_HELP}",
        ),
    ),
    "the wrong separator": _Refused(
        "a.csv",
        b"a;b\n1,5;2\n",
        (f"row 2 of 'a.csv' has 2 cells, the header has 1 (separator ','): {_SEPARATOR_HELP}",),
        {"separator": ","},
    ),
    "a separator that is a quote": _Refused(
        "a.csv",
        _CSV,
        ("separator must be one ASCII character, no quote and no line break, got '\"'",),
        {"separator": '"'},
    ),
    "two columns of one name": _Refused(
        "a.csv",
        b"x,y,x,y\n1,2,3,4\n",
        (
            "the header of 'a.csv' names 'x' in columns 1, 3: give each column a name of its own",
            "the header of 'a.csv' names 'y' in columns 2, 4: give each column a name of its own",
        ),
    ),
    "a blank name above cells": _Refused(
        "a.csv",
        b",b, \n1,2,3\n",
        (
            "the header of 'a.csv' leaves column 1, 3 without a name above its cells: "
            "name every column",
        ),
    ),
    "a blank name above cells in Parquet": _Refused(
        "a.parquet",
        _parquet(pl.DataFrame({"x": [1], "": [2]})),
        (
            "the header of 'a.parquet' leaves column 2 without a name above its cells: "
            "name every column",
        ),
    ),
    "a quote that stays open": _Refused(
        "a.csv",
        b'a,b\n1,"x\n2,3\n',
        (
            "'a.csv' opens a quoted cell in row 2 and never closes it: add the missing quote, or "
            f"{_QUOTE_HELP}",
        ),
    ),
    "text behind a closing quote": _Refused(
        "a.csv",
        b'a,b\n1,"x\ny"z\n',
        (
            "'a.csv' has text right behind a closing quote in row 3 (its row begins in row 2): "
            f"{_QUOTE_HELP}",
        ),
    ),
    "no byte": _Refused(
        "a.csv", b"", ("'a.csv' is empty: a table has a header and at least one row below it",)
    ),
    "blanks only": _Refused(
        "a.csv",
        b"\xef\xbb\xbf \r\n\n",
        ("'a.csv' is empty: a table has a header and at least one row below it",),
    ),
    "a header only": _Refused(
        "a.csv", b"a,b,c\n", ("'a.csv' has a header of 3 columns and no row below it",)
    ),
    "a header only in Parquet": _Refused(
        "a.parquet",
        _parquet(_FRAME.clear()),
        ("'a.parquet' has a header of 1 column and no row below it",),
    ),
    "a NUL byte": _Refused(
        "a.csv",
        b"a,b\n1,2\n3,\x004\n",
        (
            "'a.csv' has a NUL byte at position 10, in row 3: the file is damaged or not a text "
            "table; export it again",
        ),
    ),
    "binary garbage": _Refused(
        "a.csv",
        bytes(range(128, 256)) * 4,
        (
            "'a.csv' is not utf-8 text: byte 0x80 at position 0, in row 1; name its encoding, for "
            "example encoding='latin-1' or encoding='cp1252'",
        ),
    ),
    "latin-1 read as UTF-8": _Refused(
        "a.csv",
        "a,b\n5°,2\n".encode("latin-1"),
        (
            "'a.csv' is not utf-8 text: byte 0xb0 at position 5, in row 2; name its encoding, for "
            "example encoding='latin-1' or encoding='cp1252'",
        ),
    ),
    "a byte that cp1252 has not": _Refused(
        "a.csv",
        b"a,b\n\x81,2\n",
        (
            "'a.csv' is not cp1252 text: byte 0x81 at position 4, in row 2; name its encoding, for "
            "example encoding='latin-1' or encoding='utf-8'",
        ),
        {"encoding": "cp1252"},
    ),
    "an encoding that does not exist": _Refused(
        "a.csv",
        _CSV,
        ("encoding 'latn-1' is not known. Did you mean 'latin-1'?",),
        {"encoding": "latn-1"},
    ),
    "a codec that is no text encoding": _Refused(
        "a.csv",
        _CSV,
        ("encoding 'base64' is not known. Try 'utf-8' or 'latin-1' or 'cp1252' or 'utf-16'",),
        {"encoding": "base64"},
    ),
    "UTF-16 with its mark": _Refused(
        "a.csv",
        "a,b\n1,2\n".encode("utf-16"),
        ("'a.csv' is utf-16 text, and was to be read as utf-8: pass encoding='utf-16'",),
    ),
    "UTF-16 without its mark": _Refused(
        "a.csv",
        "a,b\n1,2\n".encode("utf-16-be"),
        ("'a.csv' is utf-16 text, and was to be read as utf-8: pass encoding='utf-16'",),
    ),
    "UTF-32": _Refused(
        "a.csv",
        "a,b\n1,2\n".encode("utf-32"),
        ("'a.csv' is utf-32 text, and was to be read as utf-8: pass encoding='utf-32'",),
    ),
    "marked UTF-8 read as latin-1": _Refused(
        "a.csv",
        b"\xef\xbb\xbf" + _CSV,
        ("'a.csv' is utf-8 text, and was to be read as iso8859-1: pass encoding='utf-8'",),
        {"encoding": "latin-1"},
    ),
    "a web page": _Refused(
        "a.csv",
        b"\n<!DOCTYPE html>\n<html><body>404</body></html>",
        (
            "'a.csv' is a web page (HTML or XML), not a table: download the file itself, on "
            "GitHub with its 'Raw' button",
        ),
    ),
    "a web page named .xls": _Refused(
        "a.xls",
        b"<html><table><tr><td>1</td></tr></table></html>",
        (
            "'a.xls' is a web page (HTML or XML), not a table: download the file itself, on "
            "GitHub with its 'Raw' button",
        ),
    ),
    "gzip without its suffix": _Refused(
        "a.csv",
        gzip.compress(_CSV),
        ("'a.csv' holds gzip data, not CSV text: rename it to end in '.csv.gz'",),
    ),
    "zstd without its suffix": _Refused(
        "a.jsonl",
        zstandard.compress(b'{"a": 1}'),
        ("'a.jsonl' holds zstd data, not JSON lines: rename it to end in '.jsonl.zst'",),
    ),
    "a workbook named .csv": _Refused(
        "a.csv",
        _book(["a"], [1]),
        (
            "'a.csv' holds a zip archive or an Excel workbook, not CSV text: unpack it, or rename "
            "it to '.xlsx'",
        ),
    ),
    "Parquet named .csv": _Refused(
        "a.csv",
        _parquet(_FRAME),
        ("'a.csv' holds Parquet data, not CSV text: rename it to end in '.parquet'",),
    ),
    "a pointer of Git LFS": _Refused(
        "a.csv",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
        (
            "'a.csv' holds a Git LFS pointer, not CSV text: fetch the file itself with "
            "'git lfs pull'",
        ),
    ),
    "text named .csv.gz": _Refused(
        "a.csv.gz",
        _CSV,
        (
            "'a.csv.gz' holds something else, not gzip data: rename it without '.gz' if it is not "
            "packed, or pack it again",
        ),
    ),
    "gzip cut off": _Refused(
        "a.csv.gz",
        gzip.compress(_CSV * 50)[:-9],
        ("cannot read 'a.csv.gz': its gzip data are damaged or cut off (the end is missing)",),
    ),
    "zstd cut off": _Refused(
        "a.csv.zst",
        zstandard.compress(_CSV * 50)[:-3],
        ("cannot read 'a.csv.zst': its zstd data are damaged or cut off (the end is missing)",),
    ),
    "text named .parquet": _Refused(
        "a.parquet",
        _CSV,
        (
            "'a.parquet' holds something else, not Parquet data: give it the suffix of what it "
            "holds, or export it again",
        ),
    ),
    "Parquet named .arrow": _Refused(
        "a.arrow",
        _parquet(_FRAME),
        (
            "'a.arrow' holds something else, not Arrow data: give it the suffix of what it holds, "
            "or export it again",
        ),
    ),
    "an unknown suffix": _Refused(
        "a.txt",
        _CSV,
        (f"the suffix '.txt' of 'a.txt' names no table format. Known suffixes: {_SUFFIXES}",),
    ),
    "a mistyped suffix": _Refused(
        "a.cvs",
        _CSV,
        (
            "the suffix '.cvs' of 'a.cvs' names no table format. Did you mean '.csv'? "
            f"Known suffixes: {_SUFFIXES}",
        ),
    ),
    "no suffix": _Refused(
        "table",
        _CSV,
        (f"'table' without a suffix names no table format. Known suffixes: {_SUFFIXES}",),
    ),
    "a sheet of a CSV": _Refused(
        "a.csv",
        _CSV,
        ("sheet_name is for Excel workbooks, and 'a.csv' is CSV text: leave the option out",),
        {"sheet_name": "data"},
    ),
    "every option of text for Parquet": _Refused(
        "a.parquet",
        _parquet(_FRAME),
        (
            "encoding is for text files, and 'a.parquet' is a Parquet file: leave the option out",
            "separator is for CSV and TSV files, and 'a.parquet' is a Parquet file: "
            "leave the option out",
            "decimal_comma is for CSV and TSV files, and 'a.parquet' is a Parquet file: "
            "leave the option out",
        ),
        {"encoding": "latin-1", "separator": ";", "decimal_comma": True},
    ),
    "a dot of two readings": _Refused(
        "a.csv",
        b"x;y\n1,5;a\n1.234;b\n",
        (
            "with decimal_comma, '1.234' in column 'x' of 'a.csv' (row 3) may be 1234 or 1,234: "
            "write the column in one way",
        ),
        {"decimal_comma": True},
    ),
    "JSON lines with a list and a broken line": _Refused(
        "a.jsonl",
        b'{"a": 1}\n[1, 2]\n{"a": \n',
        (
            "row 2 of 'a.jsonl' is not one JSON object: it is a list",
            "row 3 of 'a.jsonl' is not one JSON object: Expecting value at character 7",
        ),
    ),
    "JSON lines with a repeated key": _Refused(
        "a.ndjson",
        b'{"a": 1, "a": 2}\n',
        ("row 1 of 'a.ndjson' is not one JSON object: it names the key 'a' more than once",),
    ),
    "JSON lines with an unnamed key": _Refused(
        "a.jsonl",
        b'{"": 1}\n',
        (
            "the header of 'a.jsonl' leaves column 1 without a name above its cells: "
            "name every column",
        ),
    ),
    "text at row 1,500 of a column of numbers": _Refused(
        "a.xlsx",
        _book(*_NUMBERS[:1_499], ["oops", "t"], *_NUMBERS[1_499:]),
        (
            "cell A1500 (sheet 'Sheet', row 1,500, column 'x') of 'a.xlsx' is the text 'oops' in "
            f"a column of numbers: {_CELL_HELP}",
        ),
    ),
    "a number among dates, twice": _Refused(
        "a.xlsx",
        _book(["when"], *([date(2020, 1, day)] for day in range(1, 9)), [3], [4]),
        (
            "cell A10 (sheet 'Sheet', row 10, column 'when') of 'a.xlsx' is the number '3' in a "
            f"column of dates (1 more like it): {_CELL_HELP}",
        ),
    ),
    "an empty workbook file": _Refused(
        "a.xlsx",
        b"",
        ("'a.xlsx' is empty: a table has a header and at least one row below it",),
    ),
    "a sheet that is not there": _Refused(
        "a.xlsx",
        _book(["x"], [1], second="Notes"),
        ("'a.xlsx' has no sheet 'notes'. Did you mean 'Notes'? Its sheets: 'Sheet', 'Notes'",),
        {"sheet_name": "notes"},
    ),
    "an empty sheet": _Refused(
        "a.xlsx",
        _book(["x"], [1], second="Notes"),
        (
            "sheet 'Notes' of 'a.xlsx' is empty: name another with sheet_name. "
            "Its sheets: 'Sheet', 'Notes'",
        ),
        {"sheet_name": "Notes"},
    ),
    "a sheet with a title above the header": _Refused(
        "a.xlsx",
        _book(["Report"], ["x", "y"], [1, 2]),
        (
            "the header of 'a.xlsx' leaves column 2 without a name above its cells: "
            "name every column",
        ),
    ),
}


def test_a_stray_cell_in_the_last_corner_is_refused_before_it_fills_the_memory() -> None:
    book = Workbook()
    book.active.append(["x"])
    book.active.append([1])
    book.active.cell(row=1_048_576, column=16_384, value="z")
    book.save("a.xlsx")
    assert _sentences("a.xlsx") == (
        "a sheet of 'a.xlsx' spans 1,048,576 rows and 16,384 columns with only 3 cells in use: "
        "delete the stray cells far from the table",
    )


def _sentences(path: str, **options: object) -> tuple[str, ...]:
    issues = read_table(path, ReadOptions.model_validate(options)).failure()
    return tuple(explain(issue) for issue in issues)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", _TABLES)
def test_the_table_is_refused_with_exactly_its_sentences(case: str) -> None:
    table = _TABLES[case]
    Path(table.name).write_bytes(table.content)
    assert _sentences(table.name, **table.options) == table.sentences


def test_at_least_thirty_tables_are_refused() -> None:
    assert len({table.content for table in _TABLES.values()}) >= 30


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.xlsx"])
def test_a_file_cut_in_half_is_damaged_and_not_a_shorter_table(name: str) -> None:
    file = io.BytesIO()
    if name == "a.arrow":
        _FRAME.write_ipc(file)
    contents = {"a.parquet": _parquet(_FRAME), "a.arrow": file.getvalue()}
    content = contents.get(name, _book(["x"], [1]))
    Path(name).write_bytes(content[: len(content) // 2])
    (sentence,) = _sentences(name)
    assert sentence.startswith(f"cannot read '{name}': ")


@pytest.mark.parametrize("path", ["no.csv", "a*.csv", "a[1].csv", "~/a.csv", ""])
def test_a_path_without_a_file_is_missing_and_nothing_is_expanded(path: str) -> None:
    Path("a1.csv").write_bytes(_CSV)
    assert _sentences(path) == (f"no file at '{path}': check the path and its spelling",)


@pytest.mark.parametrize(
    "path", ["https://x.org/a.csv", "http://x.org/table", "s3://b/a.parquet", "file:///a.csv"]
)
def test_a_web_address_is_not_opened(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "socket", never)
    assert _sentences(path) == (
        f"'{path}' is a web address, and only local files are read: download it first and pass "
        "the file's path",
    )


@pytest.mark.parametrize("name", ["data", "data.csv"])
def test_a_folder_is_not_read(name: str) -> None:
    Path(name).mkdir()
    (Path(name) / "a.csv").write_bytes(_CSV)
    assert _sentences(name) == (f"'{name}' is a folder: pass the path of one table file in it",)


def test_a_named_pipe_is_refused_without_waiting_for_it() -> None:
    os.mkfifo("p.csv")
    assert _sentences("p.csv") == (
        "'p.csv' is a named pipe, not a regular file: write what it holds to a file first",
    )


def test_a_device_is_refused() -> None:
    Path("zero.csv").symlink_to("/dev/zero")
    assert _sentences("zero.csv") == (
        "'zero.csv' is a device or a socket, not a regular file: write what it holds to a file "
        "first",
    )


def test_a_circle_of_links_and_an_impossible_name_are_issues() -> None:
    Path("a.csv").symlink_to("b.csv")
    Path("b.csv").symlink_to("a.csv")
    assert _sentences("a.csv") == ("cannot read 'a.csv': too many levels of symbolic links",)
    assert _sentences("a\0.csv") == ("cannot read 'a\\x00.csv': embedded null byte",)


def test_what_a_file_holds_cannot_break_the_line_of_a_message() -> None:
    Path("a.csv").write_bytes(b'"x\n\x1b[31m","x\n\x1b[31m"\n1,2\n')
    (sentence,) = _sentences("a.csv")
    assert sentence == (
        "the header of 'a.csv' names 'x\\n\\x1b[31m' in columns 1, 2: give each column a name of "
        "its own"
    )
