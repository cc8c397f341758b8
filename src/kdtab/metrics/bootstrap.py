"""How sure a mean is: the rows drawn again and again, the same draw for everything compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kdtab.data.arrays import FloatArray, IntArray

DRAWS = 1_000
HELD_NUMBERS = 2_000_000
LEVEL = 0.95
LEAST_GROUPS = 20
"""Fewer different rows say nothing of their own spread; of one row every draw is the same."""


@dataclass(frozen=True)
class Interval:
    """Where a figure lies, at a level of 95 %.

    Attributes:
        low: The lower end.
        high: The upper end.

    Example:
        >>> Interval(-0.1, 0.2).covers(0.0)
        True
    """

    low: float
    high: float

    def covers(self, value: float) -> bool:
        """Whether a value lies within, ends included.

        Args:
            value: The value asked about.

        Returns:
            True where low ≤ value ≤ high.

        Example:
            >>> Interval(0.1, 0.2).covers(0.0)
            False
        """
        return self.low <= value <= self.high


def resampled_means(
    columns: FloatArray,
    generator: np.random.Generator,
    *,
    draws: int = DRAWS,
    groups: IntArray | None = None,
) -> FloatArray:
    """Means of the columns over rows drawn with replacement; each draw is one for all columns.

    What is computed from the means of one draw, a difference or a ratio, is therefore paired.
    Efron 1979; groups are drawn whole, since identical rows are no independent evidence.

    Args:
        columns: [N, K] figures of the rows, N at least 1.
        generator: Where the randomness comes from; it is used up by `draws` draws.
        draws: R, how often.
        groups: [N] codes 0 to G − 1 of the groups, each code occurring; None makes every row one.

    Returns:
        [R, K] means.

    Example:
        >>> same = np.array([[1.0, 2.0], [1.0, 2.0]])
        >>> resampled_means(same, np.random.default_rng(0), draws=2).tolist()
        [[1.0, 2.0], [1.0, 2.0]]
    """
    codes = np.arange(len(columns)) if groups is None else groups
    every = np.stack(
        [np.bincount(codes), *(np.bincount(codes, item) for item in columns.T)], axis=1
    )
    block = max(1, HELD_NUMBERS // len(every))
    totals = np.concatenate(
        [
            _times_drawn(len(every), min(block, draws - start), generator) @ every
            for start in range(0, draws, block)
        ]
    )
    means: FloatArray = totals[:, 1:] / totals[:, :1]
    return means


def _times_drawn(groups: int, draws: int, generator: np.random.Generator) -> FloatArray:
    times = np.empty((draws, groups))
    for draw in times:
        draw[:] = np.bincount(generator.integers(0, groups, groups), minlength=groups)
    return times


def interval_of(means: FloatArray, level: float = LEVEL) -> Interval:
    """The interval that holds the middle share of the draws.

    Its ends are draws that occurred: of 1,000 the 26th lowest and the 26th highest.

    Args:
        means: [R] what came out of each draw; infinities are allowed.
        level: The share within.

    Returns:
        The percentile interval.

    Example:
        >>> interval_of(np.arange(1000.0))
        Interval(low=25.0, high=974.0)
    """
    ordered = np.sort(means)
    outside = int(len(ordered) * (1 - level) / 2 + 1e-9)
    return Interval(float(ordered[outside]), float(ordered[len(ordered) - 1 - outside]))


def group_count(rows: int, groups: IntArray | None) -> int:
    """How many independent pieces the rows are.

    Args:
        rows: N.
        groups: [N] codes, or None.

    Returns:
        The number of groups; N without groups.

    Example:
        >>> group_count(3, np.array([0, 1, 0]))
        2
    """
    return rows if groups is None else len(np.unique(groups))
