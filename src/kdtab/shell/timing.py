"""How fast rows are scored, from raw cells to outputs, on the machine at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

import numpy as np
import polars as pl

BATCH_ROWS = 10_000
BATCH_RUNS = 5
SINGLE_RUNS = 100
Rows = TypeVar("Rows")


@dataclass(frozen=True)
class Speed:
    """What scoring rows takes.

    Attributes:
        rows_per_second: In one batch of 10,000 rows, median of five runs.
        p50: Seconds for one row alone, the median of a hundred; None where it was not measured.
        p99: Seconds for one row alone, the 99th percentile; None likewise.

    Example:
        >>> Speed(rows_per_second=1e5, p50=1e-3, p99=2e-3).p50
        0.001
    """

    rows_per_second: float
    p50: float | None = None
    p99: float | None = None


def rows_per_second(score: Callable[[pl.DataFrame], object], frame: pl.DataFrame) -> float:
    """Rows per second in one batch of 10,000 rows, median of five runs.

    Args:
        score: What to time.
        frame: [N] rows, at least one; they are repeated where they are fewer than 10,000.

    Returns:
        Rows per second.

    Example:
        >>> rows_per_second(lambda frame: frame.sum(), pl.DataFrame({"x": [1.0]})) > 0
        True
    """
    times = BATCH_ROWS // frame.height + 1
    batch = pl.concat([frame] * times).head(BATCH_ROWS)
    return BATCH_ROWS / float(np.median(seconds_of_each(score, [batch] * BATCH_RUNS)))


def speed_of(
    score: Callable[[pl.DataFrame], object],
    frame: pl.DataFrame,
    score_row: Callable[[Mapping[str, object]], object] | None = None,
) -> Speed:
    """Rows per second in a large batch, and what a row alone takes.

    Args:
        score: What to time.
        frame: [N] rows, at least one.
        score_row: How it takes a row alone, by column name; None: as a table of one row.

    Returns:
        The measured speed.

    Example:
        >>> speed_of(lambda frame: frame.sum(), pl.DataFrame({"x": [1.0]})).p99 > 0
        True
    """
    if score_row is None:
        alone = seconds_of_each(
            score, [frame.slice(run % frame.height, 1) for run in range(SINGLE_RUNS)]
        )
    else:
        rows = frame.head(SINGLE_RUNS).to_dicts()
        alone = seconds_of_each(score_row, [rows[run % len(rows)] for run in range(SINGLE_RUNS)])
    return Speed(
        rows_per_second=rows_per_second(score, frame),
        p50=float(np.quantile(alone, 0.5)),
        p99=float(np.quantile(alone, 0.99)),
    )


def seconds_of_each(score: Callable[[Rows], object], asked: Sequence[Rows]) -> list[float]:
    """What each of some questions takes, one after the other.

    Args:
        score: What to time.
        asked: What it is given: tables, or single rows.

    Returns:
        Seconds of each.

    Example:
        >>> min(seconds_of_each(len, ["a", "b"])) > 0
        True
    """
    found = []
    for each in asked:
        began = perf_counter()
        score(each)
        found.append(perf_counter() - began)
    return found
