"""Numbers and names as a person reads them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kdtab.metrics.bootstrap import Interval
    from kdtab.report.summary import Role

ABSENT = "–"
SHOWN_CHARACTERS = 60
SHOWN_IN_NOTE = 600
ROLE_NAMES: dict[Role, str] = {
    "teacher": "teacher",
    "student": "student",
    "scratch": "scratch student",
}


def number_text(value: float | None) -> str:
    """A number with the digits that a person can use.

    Args:
        value: A loss, a metric, an error in any unit.

    Returns:
        Three significant digits below 1,000 and from a million on; a dash for what
        is None or not finite.

    Example:
        >>> [number_text(value) for value in (0.91377, 999.7, 12345.6, -1.2345e9, 1e-12, 0.0, None)]
        ['0.914', '1,000', '12,346', '−1.23e9', '1.00e−12', '0', '–']
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    if value == 0:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-6:
        digits, power = f"{value:.2e}".replace("-", "−").split("e")
        return f"{digits}e{power[0].strip('+')}{power[1:].lstrip('0')}"
    return _three_digits(value).replace("-", "−")


def percent_text(value: float | None) -> str:
    """A share in percent.

    Args:
        value: 1 is all.

    Returns:
        One digit after the point; a dash for None.

    Example:
        >>> [percent_text(value) for value in (0.91377, 1.0, -0.02, None)]
        ['91.4 %', '100.0 %', '−2.0 %', '–']
    """
    return ABSENT if value is None else f"{100 * value:.1f} %".replace("-", "−", 1)


def count_text(value: float | None) -> str:
    """A count, with commas.

    Args:
        value: How many.

    Returns:
        The count; a dash for None.

    Example:
        >>> [count_text(value) for value in (48_120, None)]
        ['48,120', '–']
    """
    return ABSENT if value is None else f"{value:,.0f}"


def size_text(value: float | None) -> str:
    """A number of bytes as people say it, in powers of ten.

    Args:
        value: Bytes.

    Returns:
        Bytes, kB, MB or GB; a dash for None.

    Example:
        >>> [size_text(value) for value in (512, 48_120, 999_949, 2_500_000, 3e12, None)]
        ['512 B', '48.1 kB', '1,000 kB', '2.50 MB', '3,000 GB', '–']
    """
    if value is None:
        return ABSENT
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{_three_digits(value / size)} {unit}"
    return f"{value:.0f} B"


def duration_text(value: float | None) -> str:
    """A time in the unit that fits it.

    Args:
        value: Seconds.

    Returns:
        Microseconds, milliseconds or seconds; a dash for None.

    Example:
        >>> [duration_text(value) for value in (22e-6, 0.0034, 1.5, None)]
        ['22.0 µs', '3.40 ms', '1.50 s', '–']
    """
    if value is None:
        return ABSENT
    unit, size = ("s", 1.0) if value >= 1 else ("ms", 1e-3) if value >= 1e-3 else ("µs", 1e-6)
    return f"{_three_digits(value / size)} {unit}"


def interval_text(interval: Interval | None, share: bool = False) -> str:
    """An interval as its two ends.

    Args:
        interval: What to write.
        share: The ends are shares, written in percent.

    Returns:
        `0.191 to 0.215`; an empty text for None.

    Example:
        >>> from kdtab.metrics.bootstrap import Interval
        >>> interval_text(Interval(0.691, 1.0), share=True)
        '69.1 % to 100.0 %'
    """
    if interval is None:
        return ""
    form = percent_text if share else number_text
    return f"{form(interval.low)} to {form(interval.high)}"


def shown_text(value: str, most: int = SHOWN_CHARACTERS) -> str:
    r"""A user's text on one line, cut, and what cannot be printed escaped.

    Args:
        value: A name or a label from outside.
        most: Characters to keep.

    Returns:
        A printable text; not yet escaped for HTML.

    Example:
        >>> shown_text("a\nb")
        'a\\nb'
        >>> len(shown_text("x" * 500))
        60
    """
    cut = value if len(value) <= most else value[: most - 1] + "…"
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in cut
    )


def _three_digits(value: float) -> str:
    """From 999.5 on three digits would be written with a power of ten."""
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:#.3g}".rstrip(".")
