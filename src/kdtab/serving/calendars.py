"""The calendar features of single moments, by the standard library alone."""

from __future__ import annotations

import math
import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TypeAlias

Moment: TypeAlias = tuple[date, int]
"""A day and an hour, in UTC where the cell had a time zone."""

_ISO = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]([0-9]{1,2}):([0-9]{2})(?::([0-5][0-9]))?)?",
    re.ASCII,
)
_PARTS = {
    "%Y": r"(?P<year>[0-9]{4})",
    "%m": r"(?P<month>[0-9]{1,2})",
    "%d": r"(?P<day>[0-9]{1,2})",
    "%H": r"(?P<hour>[0-9]{1,2})",
    "%M": r"(?P<minute>[0-9]{2})",
    "%S": r"(?P<second>[0-5][0-9])",
    "%.f": r"(?:\.[0-9]{1,9})?",
}
_SEPARATORS = "/.-: T"
REMEMBERED_DAYS = 4_096
"""Days whose features are kept, the latest ones."""


def day_features(day: date) -> tuple[float, ...]:
    """The fourteen features of a day, in the order of `date_feature_names`.

    Args:
        day: Any day.

    Returns:
        14 numbers.

    Example:
        >>> day_features(date(2020, 12, 31))[:8]
        (2020.0, 12.0, 31.0, 3.0, 366.0, 53.0, 0.0, 1.0)
    """
    month, weekday, ordinal = day.month, day.weekday(), day.timetuple().tm_yday
    turns = (month / 12.0, weekday / 7.0, ordinal / 365.25)
    return (
        float(day.year),
        float(month),
        float(day.day),
        float(weekday),
        float(ordinal),
        float(day.isocalendar()[1]),
        float(day.day == 1),
        float(day.day == monthrange(day.year, month)[1]),
        *(wave for turn in turns for wave in _waves(turn)),
    )


def hour_features(hour: int) -> tuple[float, float, float]:
    """The three features of a time of day.

    Args:
        hour: 0 to 23.

    Returns:
        The hour, its sine and its cosine.

    Example:
        >>> hour_features(0)
        (0.0, 0.0, 1.0)
    """
    sine, cosine = _waves(hour / 24.0)
    return float(hour), sine, cosine


def moment_of_datetime(cell: datetime) -> Moment | None:
    """A datetime as a moment, in UTC where it has a time zone.

    Args:
        cell: Any datetime.

    Returns:
        The moment; None where UTC has no such year.

    Example:
        >>> moment_of_datetime(datetime(2020, 2, 29, 12, 30))
        (datetime.date(2020, 2, 29), 12)
    """
    try:
        plain = cell if cell.tzinfo is None else cell.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return plain.date(), plain.hour


def moment_of_iso_text(text: str) -> Moment | None:
    """A text in the commonest forms of ISO 8601 as a moment.

    Args:
        text: Any text.

    Returns:
        The moment; None for every other text, readable or not.

    Example:
        >>> moment_of_iso_text("2020-02-29T12:30")
        (datetime.date(2020, 2, 29), 12)
        >>> moment_of_iso_text("2020-02-30") is None
        True
    """
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, _ = found.groups()
    return _moment(year, month, day, hour, minute)


def text_clock(date_format: str) -> Callable[[str], Moment | None] | None:
    """A reader of texts in one format of nothing but numbers.

    Args:
        date_format: In strptime's letters.

    Returns:
        Text to moment, None for a text that does not fit; or None for a format with names of
        months, two-digit years, half days or time zones.

    Example:
        >>> read = text_clock("%d/%m/%Y")
        >>> read("29/2/2020"), read("2020-02-29")
        ((datetime.date(2020, 2, 29), 0), None)
        >>> text_clock("%d %b %Y") is None
        True
    """
    pieces = re.findall(r"%\.f|%#z|%[A-Za-z]|.", date_format)
    if not all(piece in _PARTS or piece in _SEPARATORS for piece in pieces):
        return None
    if "%Y%m%d" in date_format or "%H%M%S" in date_format:
        return None
    shape = "".join(_PARTS.get(piece) or re.escape(piece) for piece in pieces)
    pattern = re.compile(shape, re.ASCII)

    def read(text: str) -> Moment | None:
        found = pattern.fullmatch(text)
        if found is None:
            return None
        parts = found.groupdict()
        return _moment(
            parts["year"], parts["month"], parts["day"], parts.get("hour"), parts.get("minute")
        )

    return read


def scaled_moments(
    means: Sequence[float], scales: Sequence[float], clip: float
) -> Callable[[Moment], tuple[float, ...]]:
    """A reader of moments as scaled features, (x − mean) / scale within ± clip.

    Args:
        means: [14] or [17] of the features, in the order of `date_feature_names`.
        scales: As many.
        clip: Bound of the scaled features.

    Returns:
        A moment to its features; the latest days are remembered.

    Example:
        >>> read = scaled_moments([2020.0] * 14, [1.0] * 14, 5e3)
        >>> read((date(2021, 2, 28), 0))[:2]
        (1.0, -2018.0)
    """
    days, scaling = 14, list(zip(means, scales, strict=True))

    def scaled(parts: tuple[float, ...], first: int) -> tuple[float, ...]:
        return tuple(
            min(max((part - mean) / scale, -clip), clip)
            for part, (mean, scale) in zip(parts, scaling[first:], strict=False)
        )

    of_day = lru_cache(maxsize=REMEMBERED_DAYS)(lambda day: scaled(day_features(day), 0))
    hours = [scaled(hour_features(hour), days) for hour in range(24)]
    if len(scaling) == days:
        return lambda moment: of_day(moment[0])
    return lambda moment: of_day(moment[0]) + hours[moment[1]]


def _moment(year: str, month: str, day: str, hour: str | None, minute: str | None) -> Moment | None:
    try:
        if hour is None or minute is None:
            return date(int(year), int(month), int(day)), 0
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute))
    except ValueError:
        return None
    return moment.date(), moment.hour


def _waves(turn: float) -> tuple[float, float]:
    angle = 2.0 * math.pi * turn
    return math.sin(angle), math.cos(angle)
