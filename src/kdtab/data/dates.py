"""Dates as calendar features; what cannot be read stays null in every one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from kdtab.config.schema import DateColumn
from kdtab.data.cells import MissingRule, missing_rule
from kdtab.data.moments import timestamps

_DAY_PARTS = (
    "year",
    "month",
    "day",
    "day_of_week",
    "day_of_year",
    "week_of_year",
    "is_month_start",
    "is_month_end",
    "sin_month",
    "cos_month",
    "sin_day_of_week",
    "cos_day_of_week",
    "sin_day_of_year",
    "cos_day_of_year",
)
_HOUR_PARTS = ("hour", "sin_hour", "cos_hour")
_PERIODS = {"month": 12.0, "day_of_week": 7.0, "day_of_year": 365.25, "hour": 24.0}


def date_feature_names(column: DateColumn) -> tuple[str, ...]:
    """The columns that replace a date column.

    Args:
        column: The date column.

    Returns:
        14 names, 17 where the column has a time of day.

    Example:
        >>> date_feature_names(DateColumn(name="d", reason="", format=None, has_time=False))[:2]
        ('d__year', 'd__month')
    """
    parts = _DAY_PARTS + _HOUR_PARTS if column.has_time else _DAY_PARTS
    return tuple(f"{column.name}__{part}" for part in parts)


def date_features(series: pl.Series, column: DateColumn, rule: MissingRule) -> list[pl.Series]:
    """The calendar features of each date.

    Monday is day of the week 0, weeks are ISO weeks, and a cyclic part x of period P is
    sin(2πx / P) and cos(2πx / P), with P = 12 for the month (1 to 12), 7 for the day of the week,
    365.25 for the day of the year (1 to 366) and 24 for the hour.

    Args:
        series: [N] dates, datetimes or texts.
        column: How they are read.
        rule: What is missing.

    Returns:
        14 or 17 columns [N] Float64, in the order of `date_feature_names`; all null where the date
        is missing or cannot be read.

    Example:
        >>> column = DateColumn(name="d", reason="", format="%d/%m/%Y", has_time=False)
        >>> parts = date_features(pl.Series(["31/12/2020", None]), column, missing_rule(()))
        >>> [part.to_list() for part in parts[:4]]
        [[2020.0, None], [12.0, None], [31.0, None], [3.0, None]]
    """
    moments = timestamps(series, column, rule).to_frame("t")
    return moments.select(_part_expressions(column)).get_columns()


def expand_date_columns(
    frame: pl.DataFrame, columns: Sequence[DateColumn], markers: Sequence[str] = ()
) -> pl.DataFrame:
    """The frame with each date column replaced, where it stands, by its calendar features.

    Args:
        frame: [N] rows; a column that it lacks is passed over.
        columns: The date columns.
        markers: Texts that mean "missing".

    Returns:
        [N] rows. An existing column with the name of a derived one gives way to it.

    Example:
        >>> from datetime import date
        >>> frame = pl.DataFrame({"d": [date(2020, 2, 29)], "x": [1]})
        >>> column = DateColumn(name="d", reason="a date type", format=None, has_time=False)
        >>> expand_date_columns(frame, [column]).select("d__is_month_end", "x").row(0)
        (1.0, 1)
    """
    rule = missing_rule(markers)
    dates = {column.name: column for column in columns if column.name in frame.columns}
    derived = {name for column in dates.values() for name in date_feature_names(column)}
    series: list[pl.Series] = []
    for cells in frame.get_columns():
        if cells.name in dates:
            series += date_features(cells, dates[cells.name], rule)
        elif cells.name not in derived:
            series.append(cells)
    return pl.DataFrame(series)


def _part_expressions(column: DateColumn) -> list[pl.Expr]:
    moment = pl.col("t")
    whole = {
        "year": moment.dt.year(),
        "month": moment.dt.month(),
        "day": moment.dt.day(),
        "day_of_week": moment.dt.weekday() - 1,
        "day_of_year": moment.dt.ordinal_day(),
        "week_of_year": moment.dt.week(),
        "is_month_start": moment.dt.day() == 1,
        "is_month_end": (moment + pl.duration(days=1)).dt.day() == 1,
        "hour": moment.dt.hour(),
    }
    parts = {name: part.cast(pl.Float64) for name, part in whole.items()}
    for name, period in _PERIODS.items():
        angle = parts[name] * (2.0 * math.pi / period)
        parts |= {f"sin_{name}": angle.sin(), f"cos_{name}": angle.cos()}
    return [parts[name.rsplit("__", 1)[1]].alias(name) for name in date_feature_names(column)]
