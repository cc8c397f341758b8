"""Excel: what the cells are, which sheet, and where a cell contradicts its column."""

import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from kdtab.config.tables import ReadOptions
from kdtab.disk.tables import read_table
from kdtab.errors.workbooks import CellContradictsColumn, SheetUnknown


def _book(folder: Path, rows: Sequence[Sequence[object]], name: str = "a.xlsx") -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / name)
    return folder / name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workbooks")


@settings(max_examples=25, deadline=None)
@given(
    numbers=st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=3, max_size=20),
    texts=st.lists(st.from_regex(r"[a-zé🙂 ]{1,9}", fullmatch=True), min_size=3, max_size=20),
)
def test_numbers_and_texts_read_back_equal(
    folder: Path, numbers: list[float | None], texts: list[str]
) -> None:
    rows = [[number, f"t{text}"] for number, text in zip(numbers, texts, strict=False)]
    frame = read_table(_book(folder, [["x", "y"], *rows])).unwrap()
    assert frame["y"].to_list() == [row[1] for row in rows]
    # openpyxl writes sixteen digits of a number
    for found, written in zip(frame["x"], numbers, strict=False):
        assert (found is None) == (written is None)
        assert found is None or found == pytest.approx(written, rel=1e-14, abs=0)


@pytest.mark.parametrize("row", [2, 3, 1_500])
def test_text_anywhere_in_a_column_of_numbers_is_an_error_with_its_cell(
    folder: Path, row: int
) -> None:
    rows: list[list[object]] = [["name", "age"], *([f"n{at}", at] for at in range(2_000))]
    rows[row - 1][1] = "oops"
    path = _book(folder, rows)
    assert read_table(path).failure().first == CellContradictsColumn(
        path=str(path),
        sheet="Sheet",
        cell=f"B{row}",
        row=row,
        column="age",
        found="oops",
        kind="text",
        expected="numbers",
        cells=1,
    )


def test_every_column_with_a_contradiction_is_reported_at_once(folder: Path) -> None:
    rows: list[list[object]] = [["x", "y"], [1, 1], [2, 2], ["a", 3], [4, "b"], [5, "c"]]
    issues = read_table(_book(folder, rows)).failure()
    assert [
        (issue.cell, issue.cells) for issue in issues if isinstance(issue, CellContradictsColumn)
    ] == [("A4", 1), ("B5", 2)]


@pytest.mark.parametrize("cell", ["NA", " ? ", "n/a", "", "None"])
def test_a_usual_missing_marker_in_a_column_of_numbers_is_missing(folder: Path, cell: str) -> None:
    frame = read_table(_book(folder, [["x", "y"], [1, 0], [cell, 0], [2, 0]])).unwrap()
    assert frame["x"].to_list() == [1, None, 2]


def test_a_number_written_as_text_is_a_number_among_numbers(folder: Path) -> None:
    frame = read_table(_book(folder, [["x"], [1], ["2.5"], [3]])).unwrap()
    assert frame["x"].to_list() == [1.0, 2.5, 3.0]


def test_a_column_of_codes_as_text_keeps_their_leading_zeros(folder: Path) -> None:
    frame = read_table(_book(folder, [["x"], ["007"], ["012"]])).unwrap()
    assert frame["x"].to_list() == ["007", "012"]


def test_numbers_among_mostly_text_are_text(folder: Path) -> None:
    frame = read_table(_book(folder, [["title"], ["Up"], [1984], ["Alien"]])).unwrap()
    assert frame["title"].to_list() == ["Up", "1984", "Alien"]


def test_whole_numbers_are_integers_and_booleans_booleans(folder: Path) -> None:
    frame = read_table(_book(folder, [["i", "f", "b"], [1, 1, True], [2, 2.5, None]])).unwrap()
    assert frame.dtypes == [pl.Int64(), pl.Float64(), pl.Boolean()]


def test_a_boolean_among_numbers_contradicts_them(folder: Path) -> None:
    issue = read_table(_book(folder, [["x"], [3], [True], [4]])).failure().first
    assert isinstance(issue, CellContradictsColumn)
    assert (issue.kind, issue.cell) == ("boolean", "A3")


def test_dates_stay_dates_and_times_of_day_become_seconds(folder: Path) -> None:
    rows: list[list[object]] = [
        ["d", "t", "clock", "span"],
        [date(2020, 2, 29), datetime(2020, 1, 2, 3, 4, 5), time(1, 0, 1), timedelta(hours=30)],
        [None, None, None, None],
        [date(2021, 1, 1), datetime(2021, 1, 2), time(2, 0), timedelta(minutes=1)],
    ]
    frame = read_table(_book(folder, rows)).unwrap()
    assert frame["d"].to_list() == [date(2020, 2, 29), None, date(2021, 1, 1)]
    assert frame["t"].to_list() == [
        datetime(2020, 1, 2, 3, 4, 5),
        None,
        datetime(2021, 1, 2),
    ]
    assert frame["clock"].to_list() == [3601.0, None, 7200.0]
    assert frame["span"].to_list() == [108_000.0, None, 60.0]


def test_a_number_among_dates_contradicts_them(folder: Path) -> None:
    rows: list[list[object]] = [["d"], [date(2020, 1, 1)], [7], [date(2020, 1, 2)]]
    issue = read_table(_book(folder, rows)).failure().first
    assert isinstance(issue, CellContradictsColumn)
    assert (issue.kind, issue.expected, issue.found) == ("number", "dates", "7")


def test_a_time_of_day_among_dates_contradicts_them_and_is_no_day_of_1899(folder: Path) -> None:
    rows: list[list[object]] = [["d"], [datetime(2020, 1, 1, 12)], [time(1, 2)], [date(2020, 1, 2)]]
    issue = read_table(_book(folder, rows)).failure().first
    assert isinstance(issue, CellContradictsColumn)
    assert (issue.cell, issue.expected, issue.cells) == ("A3", "dates", 1)


def test_headers_that_look_like_cell_references_or_numbers_stay_headers(folder: Path) -> None:
    path = _book(folder, [["X1", "X2", "Y", 2019], [1, 2, 3, 4], [5, 6, 7, 8]])
    assert read_table(path).unwrap().columns == ["X1", "X2", "Y", "2019"]


def test_the_first_sheet_is_the_default_and_any_other_is_taken_by_name(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["a"])
    book.active.append([1])
    other = book.create_sheet("Other")
    other.append(["b"])
    other.append([2])
    book.save(tmp_path / "a.xlsx")
    assert read_table(tmp_path / "a.xlsx").unwrap().columns == ["a"]
    options = ReadOptions(sheet_name="Other")
    assert read_table(tmp_path / "a.xlsx", options).unwrap().columns == ["b"]
    issue = read_table(tmp_path / "a.xlsx", ReadOptions(sheet_name="other")).failure().first
    assert isinstance(issue, SheetUnknown)
    assert issue.sheets == ("Sheet", "Other")


def test_a_table_that_begins_below_and_right_of_the_corner_keeps_its_cell_names(
    tmp_path: Path,
) -> None:
    book = Workbook()
    for at, cell in enumerate(["x", 1, 2, "oops"]):
        book.active.cell(row=4 + at, column=28, value=cell)
    book.save(tmp_path / "a.xlsx")
    issue = read_table(tmp_path / "a.xlsx").failure().first
    assert isinstance(issue, CellContradictsColumn)
    assert (issue.cell, issue.row) == ("AB7", 7)


def test_an_empty_row_is_a_row_of_missing_cells(folder: Path) -> None:
    path = _book(folder, [["x", "y"], [1, "a"], [None, None], [2, "b"]])
    assert read_table(path).unwrap().rows() == [(1, "a"), (None, None), (2, "b")]


def test_an_error_cell_is_missing(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["x"], [1], ["#DIV/0!"], [2]):
        book.active.append(row)
    book.active.cell(row=3, column=1).data_type = "e"
    book.save(tmp_path / "a.xlsx")
    assert read_table(tmp_path / "a.xlsx").unwrap()["x"].to_list() == [1, None, 2]


def test_a_column_without_header_and_cells_is_dropped(folder: Path) -> None:
    path = _book(folder, [["x", None, "y"], [1, None, 2]])
    assert read_table(path).unwrap().columns == ["x", "y"]


def _open_document(rows: Sequence[str], path: Path) -> None:
    """One column of cells, written by hand: no library at hand writes this format."""
    names = "urn:oasis:names:tc:opendocument:xmlns"
    media = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        f'<manifest:manifest xmlns:manifest="{names}:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="/" manifest:media-type="{media}"/></manifest:manifest>'
    )
    cells = "".join(f"<table:table-row><table:table-cell {row}</table:table-row>" for row in rows)
    content = (
        f'<office:document-content xmlns:office="{names}:office:1.0" '
        f'xmlns:table="{names}:table:1.0" xmlns:text="{names}:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="T">{cells}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", media)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)


def test_an_open_document_sheet_is_read_like_a_workbook(tmp_path: Path) -> None:
    header = 'office:value-type="string"><text:p>x</text:p></table:table-cell>'
    numbers = [f'office:value-type="float" office:value="{cell}"/>' for cell in (1, 2.5)]
    _open_document([header, *numbers], tmp_path / "a.ods")
    assert read_table(tmp_path / "a.ods").unwrap()["x"].to_list() == [1.0, 2.5]
