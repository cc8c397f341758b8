"""What one cell's text says, as polars expressions: missing, a number, its canonical spelling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

NUMBER_PATTERN = r"^[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
INFINITY_PATTERN = r"^[+-]?(?i:inf|infinity)$"
WHOLE_NUMBER_PATTERN = r"^[+-]?(?:0|[1-9][0-9]*)$"
COMMA_ZERO_PATTERN = r"^([+-]?[0-9]+),0{1,2}$"
EXACT_INTEGERS = 2.0**53
TRUTH_WORDS = ("true", "false")


@dataclass(frozen=True)
class MissingRule:
    """Which cells mean "missing", beside null, NaN and infinities.

    Attributes:
        words: Markers in lower case, without surrounding blanks.
        numbers: The markers that are numbers; they match that number however it is written.

    Example:
        >>> missing_rule(("NA", "-200")).numbers
        (-200.0,)
    """

    words: tuple[str, ...]
    numbers: tuple[float, ...]


def missing_rule(markers: Iterable[str]) -> MissingRule:
    """The rule that a list of markers stands for.

    Args:
        markers: As in `ColumnOptions.missing_markers`.

    Returns:
        The rule, its words sorted.

    Example:
        >>> missing_rule((" N/A ", "?")).words
        ('?', 'n/a')
    """
    return _rule_of(tuple(markers))


@lru_cache(maxsize=64)
def _rule_of(markers: tuple[str, ...]) -> MissingRule:
    words = pl.Series(sorted({marker.strip().lower() for marker in markers}), dtype=pl.String)
    numbers = words.filter(words.str.contains(NUMBER_PATTERN)).cast(pl.Float64)
    return MissingRule(tuple(words.to_list()), tuple(numbers.to_list()))


def stripped_text(cell: pl.Expr, rule: MissingRule) -> pl.Expr:
    """The expression behind `stripped_texts`, for what goes on from there.

    Args:
        cell: Texts.
        rule: What is missing.

    Returns:
        Texts without surrounding blanks, null where the cell is missing.

    Example:
        >>> cells = pl.DataFrame({"x": [" 1.0", "?"]})
        >>> cells.select(stripped_text(pl.col("x"), missing_rule(("?",)))).to_series().to_list()
        ['1.0', None]
    """
    text = cell.str.strip_chars()
    missing = text.str.to_lowercase().is_in(rule.words) if rule.words else pl.lit(False)
    if rule.numbers:
        said = number(text.str.replace(COMMA_ZERO_PATTERN, "$1"))
        missing = missing | said.is_in(rule.numbers).fill_null(False)
    return pl.when(missing).then(None).otherwise(text)


def canonical_text(cell: pl.Expr, rule: MissingRule) -> pl.Expr:
    """The expression behind `canonical_texts`, for what goes on from there.

    Args:
        cell: Texts.
        rule: What is missing.

    Returns:
        Canonical texts, null where the cell is missing.

    Example:
        >>> cells = pl.DataFrame({"x": ["1.0", "?"]})
        >>> cells.select(canonical_text(pl.col("x"), missing_rule(("?",)))).to_series().to_list()
        ['1', None]
    """
    return _canonical(stripped_text(cell, rule))


def number(text: pl.Expr) -> pl.Expr:
    """What a text without blanks says as a number: decimal numbers, truth words as 1 and 0.

    Args:
        text: Stripped texts.

    Returns:
        Finite Float64, null where the text is no number.

    Example:
        >>> cells = pl.DataFrame({"x": ["1e3", "true", "007"]})
        >>> cells.select(number(pl.col("x"))).to_series().to_list()
        [1000.0, 1.0, None]
    """
    lower = text.str.to_lowercase()
    value = (
        pl.when(text.str.contains(NUMBER_PATTERN))
        .then(text.cast(pl.Float64, strict=False))
        .when(lower.is_in(TRUTH_WORDS))
        .then((lower == "true").cast(pl.Float64))
        .otherwise(None)
    )
    return pl.when(value.is_finite()).then(value)


def number_text(value: pl.Expr) -> pl.Expr:
    """Numbers as their shortest texts, whole numbers without a fraction.

    Args:
        value: Float64.

    Returns:
        Texts, null for null, NaN and infinities.

    Example:
        >>> pl.DataFrame({"x": [1.0, 0.5]}).select(number_text(pl.col("x"))).to_series().to_list()
        ['1', '0.5']
    """
    whole = (value.abs() < EXACT_INTEGERS) & (value == value.round())
    return (
        pl.when(whole)
        .then(value.cast(pl.Int64, strict=False).cast(pl.String))
        .when(value.is_finite())
        .then(value.cast(pl.String))
    )


def _canonical(text: pl.Expr) -> pl.Expr:
    lower = text.str.to_lowercase()
    digits = text.str.strip_prefix("+")
    return (
        pl.when(text.str.contains(WHOLE_NUMBER_PATTERN))
        .then(pl.when(digits == "-0").then(pl.lit("0")).otherwise(digits))
        .when(text.str.contains(NUMBER_PATTERN))
        .then(number_text(text.cast(pl.Float64, strict=False)))
        .when(lower.is_in(TRUTH_WORDS))
        .then(lower)
        .otherwise(text)
    )
