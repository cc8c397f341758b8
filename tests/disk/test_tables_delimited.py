"""CSV and TSV: the round trip with Python's csv module first, then one sentence per rule."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kdtab.config.tables import ReadOptions
from kdtab.disk import rowscan
from kdtab.disk.exactrows import exact_rows
from kdtab.disk.rowscan import scan_rows
from kdtab.disk.separators import find_separator
from kdtab.disk.tables import read_table
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.texts import DecimalAmbiguous, QuoteMisplaced, QuoteUnclosed, RowRagged
from strategies import tame_cells, text_tables


def _written(rows: Sequence[Sequence[str]], separator: str, newline: str, quoting: int) -> bytes:
    file = io.StringIO(newline="")
    if quoting == csv.QUOTE_ALL:
        writer = csv.writer(
            file, delimiter=separator, lineterminator=newline, quoting=csv.QUOTE_ALL
        )
    else:
        writer = csv.writer(file, delimiter=separator, lineterminator=newline)
    writer.writerows(rows)
    return file.getvalue().encode()


def _read(folder: Path, content: bytes, name: str = "a.csv", **options: object) -> pl.DataFrame:
    (folder / name).write_bytes(content)
    return read_table(folder / name, ReadOptions.model_validate(options)).unwrap()


def _first_issue(folder: Path, content: bytes, name: str = "a.csv", **options: object) -> object:
    (folder / name).write_bytes(content)
    return read_table(folder / name, ReadOptions.model_validate(options)).failure().first


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("delimited")


@settings(max_examples=100, deadline=None)
@given(
    rows=text_tables(),
    separator=st.sampled_from(",;\t|"),
    newline=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_every_table_of_texts_that_the_csv_module_writes_reads_back_equal(
    folder: Path, rows: list[list[str]], separator: str, newline: str, quoting: int
) -> None:
    # Python before 3.13 leaves a return unquoted when lines end in a newline alone.
    assume(newline == "\r\n" or quoting == csv.QUOTE_ALL or "\r" not in "".join(map("".join, rows)))
    frame = _read(folder, _written(rows, separator, newline, quoting), separator=separator)
    assert frame.columns == rows[0]
    assert frame.rows() == [tuple(cell or None for cell in row) for row in rows[1:]]
    assert set(frame.dtypes) == {pl.String()}


@settings(max_examples=60, deadline=None)
@given(rows=text_tables(tame_cells()), separator=st.sampled_from(",;\t|"))
def test_the_separator_of_a_plain_table_is_found(
    folder: Path, rows: list[list[str]], separator: str
) -> None:
    frame = _read(folder, _written(rows, separator, "\n", csv.QUOTE_MINIMAL))
    assert frame.rows() == [tuple(row) for row in rows[1:]]


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.sampled_from('"\n\r,ab'), max_size=30))
def test_the_fast_scan_agrees_with_the_csv_module_wherever_it_calls_itself_regular(
    text: str,
) -> None:
    scan = scan_rows(text.encode(), ",")
    assume(scan.regular and text.strip())
    exact = exact_rows("a.csv", text.encode(), ",").unwrap()
    kept = [at for at, end in enumerate(scan.ends) if text[scan.starts[at] : end].strip("\r")]
    assert scan.cells[kept].tolist() == [len(row.cells) for row in exact]
    if "\r" not in text:  # within quotes a return alone ends a line for the csv module only
        lines = [text.count("\n", 0, scan.starts[at]) + 1 for at in kept]
        assert lines == [row.line for row in exact]


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.sampled_from('"\n\r,ab'), max_size=200), size=st.integers(1, 130))
def test_a_scan_in_blocks_of_any_size_finds_the_same_rows(text: str, size: int) -> None:
    whole = scan_rows(text.encode(), ",")
    with patch.object(rowscan, "_BLOCK", size):
        blocks = scan_rows(text.encode(), ",")
    assert blocks.regular == whole.regular
    assert blocks.starts.tolist() == whole.starts.tolist()
    assert blocks.cells.tolist() == whole.cells.tolist()


@settings(max_examples=60, deadline=None)
@given(rows=text_tables(tame_cells()), at=st.integers(0, 5), more=st.booleans())
def test_a_row_of_another_length_is_named_by_its_line(
    folder: Path, rows: list[list[str]], at: int, more: bool
) -> None:
    columns = len(rows[0]) + 1  # at least two, so that a short row is no blank line
    wide = [[*row, "z"] for row in rows]
    row = 1 + at % (len(wide) - 1)
    wide[row] = [*wide[row], "z"] if more else wide[row][:-1]
    issue = _first_issue(folder, _written(wide, ",", "\n", csv.QUOTE_MINIMAL), separator=",")
    assert isinstance(issue, RowRagged)
    assert (issue.row, issue.cells, issue.columns) == (row + 1, len(wide[row]), columns)


def test_doubled_quotes_survive_at_the_start_the_middle_and_the_end_of_a_large_file(
    folder: Path,
) -> None:
    rows = [["a", "b"], *([f'say "{at}"', f'"{at}'] for at in range(60_000))]
    frame = _read(folder, _written(rows, ",", "\n", csv.QUOTE_MINIMAL))
    assert [frame.row(at) for at in (0, 30_000, -1)] == [tuple(rows[at]) for at in (1, 30_001, -1)]


def test_quoted_line_breaks_and_separators_are_text(folder: Path) -> None:
    frame = _read(folder, b'a,b\r\n"1,\r\n2",x\r\n')
    assert frame.rows() == [("1,\r\n2", "x")]


def test_a_ragged_row_behind_quoted_line_breaks_keeps_its_line_number(folder: Path) -> None:
    issue = _first_issue(folder, b'a,b\n"1\n\n",x\n1,2,3\n')
    assert isinstance(issue, RowRagged)
    assert issue.row == 5


def test_a_quote_within_an_unquoted_cell_is_text(folder: Path) -> None:
    frame = _read(folder, b'part,size\nbolt,5" long\nnut,3"\n')
    assert frame["size"].to_list() == ['5" long', '3"']


def test_an_unclosed_quote_is_reported_where_it_opens(folder: Path) -> None:
    issue = _first_issue(folder, b'a,b\n"x\ny",2\n3,"oops\n4,5\n')
    assert issue == QuoteUnclosed(path=str(folder / "a.csv"), row=4)


def test_text_behind_a_closing_quote_is_an_error(folder: Path) -> None:
    issue = _first_issue(folder, b'a,b\n1,"x"y\n')
    assert issue == QuoteMisplaced(path=str(folder / "a.csv"), opened=2, row=2)


def test_lines_may_end_in_a_return_alone(folder: Path) -> None:
    assert _read(folder, b"a,b\r1,2\r3,\r").rows() == [("1", "2"), ("3", None)]


def test_a_cell_longer_than_the_csv_module_allows_is_read_and_its_limit_left_alone(
    folder: Path,
) -> None:
    before = csv.field_size_limit()
    frame = _read(folder, b'a,b\n5",' + b"x" * 200_000 + b"\n")
    assert frame["b"].str.len_chars().to_list() == [200_000]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b"   \n", b"\n\n\n"])
def test_blank_lines_are_skipped_wherever_they_stand(folder: Path, blank: bytes) -> None:
    content = blank + b"a,b\n" + blank + b"1,2\n" + blank + b"3,4\n" + blank
    assert _read(folder, content).rows() == [("1", "2"), ("3", "4")]


def test_rows_of_separators_only_are_rows_of_missing_cells(folder: Path) -> None:
    assert _read(folder, b"a;b\n1;2\n;\n;\n").rows() == [("1", "2"), (None, None), (None, None)]


def test_in_one_column_a_quoted_empty_cell_is_a_row_and_an_empty_line_is_none(
    folder: Path,
) -> None:
    assert _read(folder, b'a\n1\n""\n\n2\n').rows() == [("1",), (None,), ("2",)]


def test_trailing_columns_without_name_and_content_are_dropped(folder: Path) -> None:
    assert _read(folder, b"a;b;;\n1;2;;\n;;;\n").columns == ["a", "b"]


def test_the_last_line_needs_no_newline(folder: Path) -> None:
    assert _read(folder, b"a,b\n1,2").rows() == [("1", "2")]


def test_a_file_larger_than_one_block_is_scanned_whole(folder: Path) -> None:
    rows = [["a", "b"], *(["x" * 40, f"{at},"] for at in range(40_000))]
    content = _written(rows, ",", "\n", csv.QUOTE_MINIMAL)
    assert len(content) > 1.5 * 2**20
    assert _read(folder, content).height == 40_000


def test_a_comma_within_quotes_does_not_make_the_separator() -> None:
    assert find_separator(b'a;b\n"x, y";1\n"z, w";2\n') == ";"


def test_a_title_line_above_the_table_is_a_ragged_row_and_not_a_table_of_one_column(
    folder: Path,
) -> None:
    issue = _first_issue(folder, b"Report 2024\na,b,c\n1,2,3\n")
    assert isinstance(issue, RowRagged)
    assert (issue.row, issue.cells, issue.columns) == (2, 3, 1)


def test_a_tsv_takes_tabs_even_where_commas_make_more_columns(folder: Path) -> None:
    frame = _read(folder, b"a,b,c\td\n1,2,3\t4\n", name="a.tsv")
    assert frame.columns == ["a,b,c", "d"]


def test_a_tsv_without_tabs_is_read_by_the_separator_that_it_has(folder: Path) -> None:
    assert _read(folder, b"a;b\n1;2\n", name="a.tsv").columns == ["a", "b"]


def test_a_given_separator_is_used_as_it_is(folder: Path) -> None:
    assert _read(folder, b"a:b\n1:2\n", separator=":").rows() == [("1", "2")]


@pytest.mark.parametrize("separator", ['"', "\n", "é"])
def test_a_separator_that_cannot_separate_is_an_error(folder: Path, separator: str) -> None:
    issue = _first_issue(folder, b"a,b\n1,2\n", separator=separator)
    assert isinstance(issue, FieldInvalid)
    assert issue.name == "separator"


def test_decimal_commas_become_points_only_in_cells_that_are_numbers(folder: Path) -> None:
    content = b"x;y;z;day\n1,5;-,25;a,b;18.00.00\n1.234,5;2;1,5e3; 3,0 \n;7,;,;\n"
    frame = _read(folder, content, decimal_comma=True)
    assert frame.rows() == [
        ("1.5", "-.25", "a,b", "18.00.00"),
        ("1234.5", "2", "1.5e3", " 3.0 "),
        (None, "7.", ",", None),
    ]


def test_without_the_option_a_decimal_comma_is_text(folder: Path) -> None:
    assert _read(folder, b"x;y\n1,5;2\n").rows() == [("1,5", "2")]


def test_a_dot_that_may_group_or_divide_is_an_error_with_its_row(folder: Path) -> None:
    issue = _first_issue(folder, b"x;y\n1,5;a\n\n1.234;b\n", decimal_comma=True)
    assert issue == DecimalAmbiguous(path=str(folder / "a.csv"), column="x", row=4, cell="1.234")


def test_a_grouping_dot_is_removed_where_another_cell_shows_that_it_groups(folder: Path) -> None:
    frame = _read(folder, b"x;y\n1.234,5;a\n1.234;b\n", decimal_comma=True)
    assert frame["x"].to_list() == ["1234.5", "1234"]


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    cell=st.sampled_from(["", "x", "7"]),
    ends=st.booleans(),
)
def test_rows_of_uneven_length_are_never_taken_for_a_table(
    folder: Path, lengths: list[int], cell: str, *, ends: bool
) -> None:
    """Long and short rows may have as many separators as a table has."""
    rows = ["a,b", *(",".join([cell or "y", *[cell] * (length - 1)]) for length in lengths)]
    (folder / "a.csv").write_text("\n".join(rows) + "\n" * ends)
    found = read_table(folder / "a.csv", ReadOptions(separator=","))
    wrong = [at for at, length in enumerate(lengths, 2) if length != 2]
    if wrong:
        issue = found.failure().first
        assert isinstance(issue, RowRagged)
        assert (issue.row, issue.rows) == (wrong[0], len(wrong))
    else:
        assert found.unwrap().rows() == [(cell or "y", cell or None)] * len(lengths)


@pytest.mark.parametrize("text", ["a,b\n1\n2,3,", "a,b\n1\n2,3,\n", "a,b\n1\n2,3,4\n"])
def test_a_long_row_does_not_make_up_for_a_short_one(folder: Path, text: str) -> None:
    issue = _first_issue(folder, text.encode())
    assert isinstance(issue, RowRagged)
    assert (issue.row, issue.cells, issue.columns, issue.rows) == (2, 1, 2, 2)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "4", '"4"'])
def test_decimal_issues_name_the_line_on_every_road(folder: Path, newline: str, last: str) -> None:
    text = newline.join(["n;m", "1,5;2", f"1.234;{last}", ""])
    issue = _first_issue(folder, text.encode(), decimal_comma=True)
    assert isinstance(issue, DecimalAmbiguous)
    assert issue.row == 3


@given(text=st.binary(max_size=300), size=st.integers(1, 70))
def test_a_byte_is_counted_in_blocks_of_any_size(text: bytes, size: int) -> None:
    with patch.object(rowscan, "_BLOCK", size):
        assert rowscan.count_of(b",", text) == text.count(b",")
