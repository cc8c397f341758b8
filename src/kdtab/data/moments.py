"""Dates and texts as moments, and the one format that a column of texts has."""

from __future__ import annotations

import re

import polars as pl
from returns.result import Success

from kdtab.config.schema import DateColumn
from kdtab.data.cells import MissingRule, canonical_texts, stripped_texts
from kdtab.errors.columns import DateColumnUnusable, DatesAmbiguous, DatesUnreadable
from kdtab.results import Checked, fail

_ISO_DAY = "%Y-%m-%d"
_DAYS = (
    _ISO_DAY,
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%b %d %Y",
    "%b %d, %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%B %d %Y",
    "%B %d, %Y",
    "%d %B %Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d-%b-%y",
)
_HOURS = (" %H:%M", " %H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
_ISO_HOURS = (
    "T%H:%M",
    "T%H:%M:%S%.f",
    "T%H:%M%#z",
    "T%H:%M:%S%.f%#z",
    " %H:%M%#z",
    " %H:%M:%S%.f%#z",
)

ISO_FORMATS: tuple[str, ...] = tuple(_ISO_DAY + hours for hours in ("", *_HOURS[:2], *_ISO_HOURS))
DATE_FORMATS: tuple[str, ...] = (
    *ISO_FORMATS,
    *(day + hours for day in _DAYS[1:] for hours in ("", *_HOURS)),
    "%Y%m%dT%H%M%S",
)

_SHAPES = {
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%m": "[0-9]{1,2}",
    "%d": "[0-9]{1,2}",
    "%b": "[A-Za-z]{3}",
    "%B": "[A-Za-z]{3,9}",
    "%H": "[0-9]{1,2}",
    "%I": "[0-9]{1,2}",
    "%M": "[0-9]{2}",
    "%S": "[0-5][0-9]",
    "%p": "[AaPp][Mm]",
    "%.f": r"(?:\.[0-9]{1,9})?",
    "%#z": "(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
}


def timestamps(series: pl.Series, column: DateColumn, rule: MissingRule) -> pl.Series:
    """Each cell as a moment, in UTC where it has a time zone.

    Args:
        series: [N] dates, datetimes or texts in the column's format or in ISO 8601.
        column: How texts are read.
        rule: What is missing.

    Returns:
        [N] Datetime in microseconds without a zone; null where missing or not readable.

    Example:
        >>> column = DateColumn(name="d", reason="", format="%d/%m/%Y", has_time=False)
        >>> from kdtab.data.cells import missing_rule
        >>> cells = pl.Series(["31/12/2020", "2020-12-31T23:00:00-02:00", "soon"])
        >>> [str(moment) for moment in timestamps(cells, column, missing_rule(())).to_list()]
        ['2020-12-31 00:00:00', '2021-01-01 01:00:00', 'None']
    """
    if series.dtype in (pl.Date, pl.Datetime):
        return _in_utc(series)
    numeric = series.dtype.is_numeric()
    texts = canonical_texts(series, rule) if numeric else stripped_texts(series, rule)
    distinct = texts.unique()
    if distinct.null_count() == len(distinct):
        return pl.Series(texts.name, [None], dtype=pl.Datetime("us")).new_from_index(0, len(texts))
    formats = dict.fromkeys((*((column.format,) if column.format else ()), *ISO_FORMATS))
    moments = pl.Series(distinct.name, [None] * len(distinct), dtype=pl.Datetime("us"))
    for date_format in formats:
        if moments.null_count() <= distinct.null_count():
            break
        moments = moments.zip_with(moments.is_not_null(), parse_dates(distinct, date_format))
    return texts.replace_strict(distinct, moments, return_dtype=pl.Datetime("us"))


def parse_dates(texts: pl.Series, date_format: str) -> pl.Series:
    """Texts of exactly one format as moments.

    Args:
        texts: [N] stripped texts.
        date_format: In strptime's letters; `%Y` takes four digits and nothing else.

    Returns:
        [N] Datetime in microseconds, UTC; null where the text does not fit.

    Example:
        >>> parse_dates(pl.Series(["1/2/2020", "1/2/20", "30/2/2020"]), "%d/%m/%Y").null_count()
        2
    """
    fitting = texts.set(~texts.str.contains(_shape(date_format)), None)
    if any(part in date_format for part in ("%H", "%I")):
        return _in_utc(fitting.str.strptime(pl.Datetime("us"), date_format, strict=False))
    return _in_utc(fitting.str.strptime(pl.Date, date_format, strict=False))


def fit_date_column(series: pl.Series, rule: MissingRule, reason: str) -> Checked[DateColumn]:
    """How a column's dates are read: its type, or the one format that fits every cell.

    Args:
        series: [N] all cells of the column.
        rule: What is missing.
        reason: Why it is a date column.

    Returns:
        The column, or `DateColumnUnusable`, `DatesUnreadable`, `DatesAmbiguous`.

    Example:
        >>> from kdtab.data.cells import missing_rule
        >>> rule = missing_rule(("",))
        >>> fit_date_column(pl.Series("d", ["13/1/2020", ""]), rule, "date_columns").unwrap().format
        '%d/%m/%Y'
        >>> fit_date_column(pl.Series("d", ["1/2/2020"]), rule, "").failure().first.second_reading
        '2020-01-02'
    """
    if series.dtype in (pl.Date, pl.Datetime):
        return Success(_date_column(series.name, reason, None, _in_utc(series)))
    if series.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Object):
        return fail(DateColumnUnusable(name=series.name, found=str(series.dtype)))
    texts = stripped_texts(series, rule)
    distinct = texts.drop_nulls().unique(maintain_order=True)
    readings = {
        date_format: parse_dates(distinct, date_format)
        for date_format in DATE_FORMATS
        if distinct.str.contains(_shape(date_format)).any()
    }
    fits = {name: found for name, found in readings.items() if found.null_count() == 0}
    if not fits:
        return fail(_unreadable(texts, distinct, readings))
    return _only_reading(texts, distinct, fits, reason)


def _only_reading(
    texts: pl.Series, distinct: pl.Series, fits: dict[str, pl.Series], reason: str
) -> Checked[DateColumn]:
    (first_format, first), *others = fits.items()
    for second_format, second in others:
        if not (first == second).all():
            at = int((first != second).arg_true()[0])
            return fail(
                DatesAmbiguous(
                    name=texts.name,
                    row=_first_row(texts, distinct[at]),
                    cell=distinct[at],
                    first_format=first_format,
                    first_reading=_reading(first[at]),
                    second_format=second_format,
                    second_reading=_reading(second[at]),
                )
            )
    return Success(_date_column(texts.name, reason, first_format, first))


def _unreadable(
    texts: pl.Series, distinct: pl.Series, readings: dict[str, pl.Series]
) -> DatesUnreadable:
    nearest = min(readings, key=lambda name: readings[name].null_count(), default=None)
    misfit = readings[nearest].is_null().arg_true()[0] if nearest else 0
    if nearest and readings[nearest].null_count() == len(distinct):
        nearest = None
    return DatesUnreadable(
        name=texts.name,
        row=_first_row(texts, distinct[misfit]),
        cell=distinct[misfit],
        nearest=nearest,
        tried=DATE_FORMATS,
    )


def _date_column(name: str, reason: str, date_format: str | None, moments: pl.Series) -> DateColumn:
    has_time = bool((moments.dt.time().cast(pl.Int64) != 0).any())
    return DateColumn(name=name, reason=reason, format=date_format, has_time=has_time)


def _first_row(texts: pl.Series, cell: str) -> int:
    return int((texts == cell).arg_true()[0]) + 1


def _reading(moment: object) -> str:
    return str(moment).removesuffix(" 00:00:00")


def _in_utc(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return series.cast(pl.Datetime("us"))


def _shape(date_format: str) -> str:
    shape = re.escape(date_format).replace(r"\ ", " ").replace(r"\#", "#").replace(r"%\.f", "%.f")
    for letter in ("%Y%m%d", "%H%M%S"):
        shape = shape.replace(letter, "[0-9]{8}" if letter[1] == "Y" else "[0-9]{6}")
    return "^" + re.sub(r"%(?:\.f|#z|[A-Za-z])", lambda part: _SHAPES[part[0]], shape) + "$"
