"""Cells of any type as canonical texts, numbers or truth values; missing cells become null."""

from __future__ import annotations

import polars as pl

from kdtab.data.celltext import (
    EXACT_INTEGERS,
    INFINITY_PATTERN,
    NUMBER_PATTERN,
    TRUTH_WORDS,
    WHOLE_NUMBER_PATTERN,
    MissingRule,
    missing_rule,
)
from kdtab.data.plaincells import number_texts, plain_texts, seconds_or_numbers
from kdtab.data.readings import ReadCells, read_texts, text_counts

__all__ = [
    "EXACT_INTEGERS",
    "INFINITY_PATTERN",
    "NUMBER_PATTERN",
    "TRUTH_WORDS",
    "WHOLE_NUMBER_PATTERN",
    "MissingRule",
    "ReadCells",
    "canonical_texts",
    "missing_rule",
    "number_texts",
    "numbers",
    "only_truths",
    "plain_texts",
    "read_numbers",
    "read_texts",
    "seconds_or_numbers",
    "stripped_texts",
    "text_counts",
    "truths",
]


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
    return read_texts(series, "canonical", rule).every().alias(series.name)


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
    return read_texts(series, "stripped", rule).every().alias(series.name)


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
    return read_numbers(series, rule).every().alias(series.name)


def read_numbers(series: pl.Series, rule: MissingRule) -> ReadCells:
    """What `numbers` gives, held once for each distinct text of a coded column.

    Args:
        series: [N] cells of any type.
        rule: What is missing.

    Returns:
        [N] or [K] Float64, finite; null where the cell is missing or is no number.

    Example:
        >>> read_numbers(pl.Series([True, None]), missing_rule(())).values.to_list()
        [1.0, None]
    """
    if series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Duration, pl.Time):
        return ReadCells(_known(seconds_or_numbers(series), rule), None)
    return read_texts(series, "number", rule)


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
    return only_truths(numbers(series, rule))


def only_truths(values: pl.Series) -> pl.Series:
    """Numbers that are truth values.

    Args:
        values: [N] Float64.

    Returns:
        [N] Float64 of 1, 0 and null.

    Example:
        >>> only_truths(pl.Series([1.0, 0.5])).to_list()
        [1.0, None]
    """
    return values.set(~values.is_in([0.0, 1.0]), None)


def _known(values: pl.Series, rule: MissingRule) -> pl.Series:
    missing = ~values.is_finite()
    if rule.numbers:
        missing = missing | values.is_in(rule.numbers)
    return values.set(missing, None)
