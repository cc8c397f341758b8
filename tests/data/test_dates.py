"""Dates as calendar features."""

from __future__ import annotations

import calendar
import math
from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.schema import DateColumn
from kdtab.data.cells import missing_rule
from kdtab.data.dates import date_feature_names, date_features, expand_date_columns

RULE = missing_rule(("",))
DAY = DateColumn(name="d", reason="", format=None, has_time=False)
HOUR = DateColumn(name="d", reason="", format=None, has_time=True)


def calendar_features(moment: datetime) -> list[float]:
    """The slow, obvious twin."""
    day_of_year = moment.timetuple().tm_yday
    last = calendar.monthrange(moment.year, moment.month)[1]
    cyclic = ((moment.month, 12), (moment.weekday(), 7), (day_of_year, 365.25))
    return [
        moment.year,
        moment.month,
        moment.day,
        moment.weekday(),
        day_of_year,
        moment.isocalendar().week,
        float(moment.day == 1),
        float(moment.day == last),
        *(f(2 * math.pi * x / p) for x, p in cyclic for f in (math.sin, math.cos)),
        moment.hour,
        math.sin(2 * math.pi * moment.hour / 24),
        math.cos(2 * math.pi * moment.hour / 24),
    ]


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 30)))
def test_every_feature_is_that_of_the_calendar(moment: datetime) -> None:
    found = [part[0] for part in date_features(pl.Series([moment]), HOUR, RULE)]
    assert found == pytest.approx(calendar_features(moment), abs=1e-9)


def test_the_names_are_those_of_the_design_in_its_order() -> None:
    assert date_feature_names(DAY) == (
        "d__year",
        "d__month",
        "d__day",
        "d__day_of_week",
        "d__day_of_year",
        "d__week_of_year",
        "d__is_month_start",
        "d__is_month_end",
        "d__sin_month",
        "d__cos_month",
        "d__sin_day_of_week",
        "d__cos_day_of_week",
        "d__sin_day_of_year",
        "d__cos_day_of_year",
    )
    assert date_feature_names(HOUR) == (
        *date_feature_names(DAY),
        "d__hour",
        "d__sin_hour",
        "d__cos_hour",
    )
    assert [part.name for part in date_features(pl.Series([date.today()]), HOUR, RULE)] == list(
        date_feature_names(HOUR)
    )


@pytest.mark.requirement("REQ-T02", "AC-T02", "REQ-KD10")
def test_a_date_column_is_replaced_where_it_stands() -> None:
    frame = pl.DataFrame({"a": [1, 2], "d": ["2020-02-29", ""], "z": [3, 4]})
    column = DateColumn(name="d", reason="", format="%Y-%m-%d", has_time=False)
    expanded = expand_date_columns(frame, [column], ("",))
    assert expanded.columns == ["a", *date_feature_names(column), "z"]
    assert expanded["d__is_month_end"].to_list() == [1.0, None]
    assert expanded.row(1)[1:-1] == (None,) * 14


def test_a_column_that_bears_the_name_of_a_derived_one_gives_way() -> None:
    frame = pl.DataFrame({"d__year": [7], "d": [date(2020, 1, 1)]})
    assert expand_date_columns(frame, [DAY])["d__year"].to_list() == [2020.0]


def test_an_absent_date_column_is_passed_over() -> None:
    frame = pl.DataFrame({"a": [1]})
    assert expand_date_columns(frame, [DAY]).equals(frame)
