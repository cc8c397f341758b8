"""Cells of any type as canonical texts, numbers or truth values; missing cells become null."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from kdtab.data.values import cell_text, text_series

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
    words = pl.Series(sorted({marker.strip().lower() for marker in markers}), dtype=pl.String)
    numbers = words.filter(words.str.contains(NUMBER_PATTERN)).cast(pl.Float64)
    return MissingRule(tuple(words.to_list()), tuple(numbers.to_list()))


def canonical_texts(series: pl.Series, rule: MissingRule) -> pl.Series:
    """Each cell as the one text of its value: `1`, `1.0`, `"1"` and `"1.0"` are all `"1"`.

    True, `"True"` and JSON true are `"true"`; surrounding blanks are dropped; codes with leading
    zeros (`"007"`) stay as they are.

    Args:
        series: [N] cells of any type.
        rule: What is missing.

    Returns:
        [N] texts, null where the cell is missing.

    Example:
        >>> rule = missing_rule(("?",))
        >>> canonical_texts(pl.Series([" 1.0 ", "007", "TRUE", "?", "a"]), rule).to_list()
        ['1', '007', 'true', None, 'a']
        >>> canonical_texts(pl.Series([1.0, float("nan")]), rule).to_list()
        ['1', None]
    """
    return per_distinct(plain_texts(series), lambda cell: _canonical(_present(cell, rule)))


def stripped_texts(series: pl.Series, rule: MissingRule) -> pl.Series:
    """Each cell as a text without surrounding blanks, as it was written.

    Args:
        series: [N] cells of any type.
        rule: What is missing.

    Returns:
        [N] texts, null where the cell is missing.

    Example:
        >>> stripped_texts(pl.Series([" 1.0 ", "?"]), missing_rule(("?",))).to_list()
        ['1.0', None]
    """
    return per_distinct(plain_texts(series), lambda cell: _present(cell, rule))


def numbers(series: pl.Series, rule: MissingRule) -> pl.Series:
    """Each cell as a number: numeric types, numeric text, truth values (1 and 0), seconds of times.

    Args:
        series: [N] cells of any type.
        rule: What is missing.

    Returns:
        [N] Float64, finite; null where the cell is missing or is no number.

    Example:
        >>> cells = pl.Series([" 12 ", "1e-3", "+5", "1_000", "007", "inf", "-200.0", None])
        >>> numbers(cells, missing_rule(("-200",))).to_list()
        [12.0, 0.001, 5.0, None, None, None, None, None]
    """
    if series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Duration, pl.Time):
        return _known(seconds_or_numbers(series), rule)
    return per_distinct(plain_texts(series), lambda cell: _number(_present(cell, rule)))


def truths(series: pl.Series, rule: MissingRule) -> pl.Series:
    """Each cell as 1 for true and 0 for false; the numbers 1 and 0 are understood too.

    Args:
        series: [N] cells of any type.
        rule: What is missing.

    Returns:
        [N] Float64 of 1, 0 and null.

    Example:
        >>> truths(pl.Series(["TRUE", "false", "maybe", "1"]), missing_rule(())).to_list()
        [1.0, 0.0, None, 1.0]
    """
    values = numbers(series, rule)
    return values.set(~values.is_in([0.0, 1.0]), None)


def number_texts(values: pl.Series) -> pl.Series:
    """Numbers as their shortest texts, whole numbers without a fraction.

    Args:
        values: [N] Float64.

    Returns:
        [N] texts, null for null, NaN and infinities.

    Example:
        >>> number_texts(pl.Series([1.0, -0.0, 0.5, float("inf")])).to_list()
        ['1', '0', '0.5', None]
    """
    return values.to_frame("x").select(_number_text(pl.col("x"))).to_series().alias(values.name)


def plain_texts(series: pl.Series) -> pl.Series:
    """Cells of any type as text, nothing stripped; null, NaN and infinities are null.

    Args:
        series: [N] cells of any type; lists and structs become JSON.

    Returns:
        [N] texts.

    Example:
        >>> plain_texts(pl.Series([True, None])).to_list()
        ['true', None]
        >>> plain_texts(pl.Series([[1, 2]])).to_list()
        ['[1, 2]']
    """
    dtype = series.dtype
    if dtype == pl.String:
        return series
    if dtype == pl.Float32:
        return number_texts(series.cast(pl.String).cast(pl.Float64))
    if dtype.is_float() or dtype in (pl.Duration, pl.Time):
        return number_texts(seconds_or_numbers(series))
    if dtype.is_nested() or dtype in (pl.Object, pl.Binary):
        return text_series(series.name, [cell_text(cell) for cell in series.to_list()])
    return series.cast(pl.String)


def seconds_or_numbers(series: pl.Series) -> pl.Series:
    """Numbers, truth values, durations and times of day as Float64, in seconds where they are time.

    Args:
        series: [N] cells of a numeric, boolean, duration or time type.

    Returns:
        [N] Float64; NaN and infinities are kept.

    Example:
        >>> from datetime import time
        >>> seconds_or_numbers(pl.Series([time(1, 0, 0)])).to_list()
        [3600.0]
    """
    if series.dtype == pl.Duration:
        return _divided(series.cast(pl.Duration("us")), 1e6)
    if series.dtype == pl.Time:
        return _divided(series, 1e9)
    return series.cast(pl.Float64)


def per_distinct(series: pl.Series, compute: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """An expression over a text column, computed once for each distinct text where that is faster.

    Args:
        series: [N] texts.
        compute: A cell-wise expression.

    Returns:
        [N] what the expression gives, under the column's name.

    Example:
        >>> per_distinct(pl.Series(["a", "b", "a"]), lambda cell: cell.str.to_uppercase()).to_list()
        ['A', 'B', 'A']
    """
    distinct = series.unique()
    every = distinct if 4 * len(distinct) < len(series) else series
    result = every.to_frame("x").select(compute(pl.col("x"))).to_series()
    if every is series:
        return result.alias(series.name)
    return series.replace_strict(distinct, result, return_dtype=result.dtype).alias(series.name)


def _present(cell: pl.Expr, rule: MissingRule) -> pl.Expr:
    text = cell.str.strip_chars()
    missing = text.str.to_lowercase().is_in(rule.words) if rule.words else pl.lit(False)
    if rule.numbers:
        number = _number(text.str.replace(COMMA_ZERO_PATTERN, "$1"))
        missing = missing | number.is_in(rule.numbers).fill_null(False)
    return pl.when(missing).then(None).otherwise(text)


def _number(text: pl.Expr) -> pl.Expr:
    lower = text.str.to_lowercase()
    value = (
        pl.when(text.str.contains(NUMBER_PATTERN))
        .then(text.cast(pl.Float64, strict=False))
        .when(lower.is_in(TRUTH_WORDS))
        .then((lower == "true").cast(pl.Float64))
        .otherwise(None)
    )
    return pl.when(value.is_finite()).then(value)


def _number_text(value: pl.Expr) -> pl.Expr:
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
        .then(_number_text(text.cast(pl.Float64, strict=False)))
        .when(lower.is_in(TRUTH_WORDS))
        .then(lower)
        .otherwise(text)
    )


def _divided(ticks: pl.Series, per_second: float) -> pl.Series:
    """By numpy: polars multiplies with the reciprocal, which is off by a bit."""
    seconds = ticks.cast(pl.Int64).cast(pl.Float64).to_numpy() / per_second
    return pl.Series(ticks.name, seconds, nan_to_null=True)


def _known(values: pl.Series, rule: MissingRule) -> pl.Series:
    missing = ~values.is_finite()
    if rule.numbers:
        missing = missing | values.is_in(rule.numbers)
    return values.set(missing, None)
