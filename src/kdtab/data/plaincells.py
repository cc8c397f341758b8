"""Cells of any type as plain text or numbers, nothing stripped and nothing taken for missing."""

from __future__ import annotations

import polars as pl

from kdtab.data.celltext import number_text
from kdtab.data.values import cell_text, text_series


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
    return values.to_frame("x").select(number_text(pl.col("x"))).to_series().alias(values.name)


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


def _divided(ticks: pl.Series, per_second: float) -> pl.Series:
    """By numpy: polars multiplies with the reciprocal, which is off by a bit."""
    seconds = ticks.cast(pl.Int64).cast(pl.Float64).to_numpy() / per_second
    return pl.Series(ticks.name, seconds, nan_to_null=True)
