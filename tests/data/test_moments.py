"""Dates and texts as moments, and the format of a column."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.config.schema import DateColumn
from kdtab.data.cells import missing_rule
from kdtab.data.moments import DATE_FORMATS, ISO_FORMATS, fit_date_column, parse_dates, timestamps
from kdtab.errors.columns import DateColumnUnusable, DatesAmbiguous, DatesUnreadable
from kdtab.errors.issue import explain

RULE = missing_rule(DEFAULT_MISSING_MARKERS)
MOMENT = datetime(2020, 12, 31, 13, 4, 5)


@pytest.mark.parametrize("date_format", DATE_FORMATS)
def test_every_format_reads_what_it_writes(date_format: str) -> None:
    written = MOMENT.replace(tzinfo=UTC).strftime(
        date_format.replace("%.f", ".0").replace("%#z", "%z")
    )
    parsed = parse_dates(pl.Series([written]), date_format)[0]
    assert parsed is not None, written
    day, hour = "%d" in date_format, "%H" in date_format or "%I" in date_format
    assert parsed.date() == MOMENT.date() or not day
    assert (parsed.hour, parsed.minute) == ((13, 4) if hour else (0, 0))


@pytest.mark.parametrize(
    ("cells", "date_format", "has_time"),
    [
        (["2020-02-29", None], "%Y-%m-%d", False),
        (["31/12/2020", "1/1/2020"], "%d/%m/%Y", False),
        (["12/31/2020", "1/1/2020"], "%m/%d/%Y", False),
        (["31.12.2020"], "%d.%m.%Y", False),
        (["31-12-2020"], "%d-%m-%Y", False),
        (["2020/12/31"], "%Y/%m/%d", False),
        (["20201231", "20200101"], "%Y%m%d", False),
        (["Jun 12 1998", "?", "May 01 2000"], "%b %d %Y", False),
        (["12 June 1998", "1 May 2000"], "%d %B %Y", False),
        (["12-Jun-98"], "%d-%b-%y", False),
        (["2020-01-02T03:04:05"], "%Y-%m-%dT%H:%M:%S%.f", True),
        (["2020-01-02 03:04:05.25", "2020-01-02 03:04:05"], "%Y-%m-%d %H:%M:%S%.f", True),
        (["2020-01-02T03:04:05Z", "2020-01-02T03:04:05+02:00"], "%Y-%m-%dT%H:%M:%S%.f%#z", True),
        (["2020-01-02 00:00", "2020-01-03 00:00"], "%Y-%m-%d %H:%M", False),
        (["13/1/2020 5:30 PM"], "%d/%m/%Y %I:%M %p", True),
        (["1/1/2020", "2/2/2020"], "%d/%m/%Y", False),
    ],
)
def test_the_one_format_that_fits_every_cell_is_found(
    cells: list[str | None], date_format: str, has_time: bool
) -> None:
    column = fit_date_column(pl.Series("d", cells), RULE, "asked").unwrap()
    assert (column.format, column.has_time) == (date_format, has_time)


@pytest.mark.parametrize("separator", ["/", "-"])
def test_day_first_against_month_first_is_an_error_that_shows_both(separator: str) -> None:
    cells = ["", "05/05/2020", "01/02/2020"]
    series = pl.Series("d", [cell.replace("/", separator) for cell in cells])
    issue = fit_date_column(series, RULE, "").failure().first
    assert isinstance(issue, DatesAmbiguous)
    assert (issue.row, issue.first_reading, issue.second_reading) == (3, "2020-02-01", "2020-01-02")
    assert "2020-02-01" in explain(issue)


@pytest.mark.parametrize(
    ("cells", "row", "cell", "nearest"),
    [
        (["2020-01-02", "", "soon"], 3, "soon", "%Y-%m-%d"),
        (["2020-01-02", "2020-02-30"], 2, "2020-02-30", "%Y-%m-%d"),
        (["0000-00-00"], 1, "0000-00-00", None),
        (["tomorrow"], 1, "tomorrow", None),
        (["13/01/2020", "01/13/2020"], 2, "01/13/2020", "%d/%m/%Y"),
        (["1/2/20", "1/2/2020", "3/2/2020"], 1, "1/2/20", "%d/%m/%Y"),
    ],
)
def test_a_cell_that_fits_no_format_is_named_with_its_row(
    cells: list[str], row: int, cell: str, nearest: str | None
) -> None:
    issue = fit_date_column(pl.Series("d", cells), RULE, "").failure().first
    assert isinstance(issue, DatesUnreadable)
    assert (issue.row, issue.cell) == (row, cell)
    assert issue.nearest == nearest
    assert set(ISO_FORMATS) < set(issue.tried)
    assert cell in explain(issue)


@pytest.mark.parametrize("cells", [[1577836800], [20200101.0], [True]])
def test_a_number_is_no_date(cells: list[object]) -> None:
    issue = fit_date_column(pl.Series("d", cells), RULE, "").failure().first
    assert isinstance(issue, DateColumnUnusable)
    assert "epoch" in explain(issue)


def test_a_date_type_needs_no_format_and_hours_only_where_there_are_some() -> None:
    days = pl.Series("d", [date(2020, 1, 2), None])
    assert fit_date_column(days, RULE, "").unwrap().format is None
    assert not fit_date_column(days.cast(pl.Datetime("ns")), RULE, "").unwrap().has_time
    assert fit_date_column(pl.Series("d", [MOMENT]), RULE, "").unwrap().has_time


@pytest.mark.requirement("REQ-T18")
def test_prediction_understands_the_format_iso_texts_and_date_types_alike() -> None:
    column = DateColumn(name="d", reason="", format="%d/%m/%Y", has_time=False)
    day = date(2020, 2, 1)
    for cells in (
        ["01/02/2020"],
        ["2020-02-01"],
        ["2020-02-01T00:00:00"],
        ["2020-02-01T01:00:00+01:00"],
        [day],
        [datetime(2020, 2, 1)],
    ):
        assert timestamps(pl.Series(cells), column, RULE)[0].date() == day
    zoned = pl.Series([datetime(2020, 2, 1, 1)]).dt.replace_time_zone("Europe/Paris")
    assert timestamps(zoned, column, RULE)[0] == datetime(2020, 2, 1, 0)


def test_digits_are_read_as_text_of_the_format() -> None:
    column = DateColumn(name="d", reason="", format="%Y%m%d", has_time=False)
    expected = [datetime(2020, 2, 1), None]
    assert timestamps(pl.Series([20200201, 1577836800]), column, RULE).to_list() == expected
    assert timestamps(pl.Series([20200201.0, None]), column, RULE).to_list() == expected


@pytest.mark.parametrize("cell", ["", " ", "NA", None])
def test_a_blank_date_is_missing_and_never_year_0(cell: str | None) -> None:
    column = DateColumn(name="d", reason="", format="%Y-%m-%d", has_time=False)
    series = pl.Series("d", [cell], dtype=pl.String)
    assert timestamps(series, column, RULE).to_list() == [None]
