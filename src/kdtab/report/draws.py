"""Means of many columns over the measured rows, and over one set of draws of these rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.metrics.bootstrap import LEAST_GROUPS, group_count, interval_of, resampled_means
from kdtab.report.quality import Estimate

Means: TypeAlias = Mapping[str, FloatArray]


@dataclass(frozen=True, eq=False)
class Draws:
    """The means of named columns, as they are and in each draw.

    Attributes:
        means: [1] by name.
        drawn: [R] by name, one draw being the same rows in every column; None for too few rows.

    Example:
        >>> drawn = drawn_means({"loss": np.array([1.0, 3.0])}, None, random_seed=0)
        >>> drawn.estimate(lambda means: means["loss"])
        Estimate(value=2.0, interval=None)
    """

    means: Means
    drawn: Means | None

    def estimate(self, figure: Callable[[Means], FloatArray]) -> Estimate:
        """A figure that is computed from means, with its interval.

        Args:
            figure: From means to the figure; differences and ratios are paired by this.

        Returns:
            The figure; its value is None where it is not finite, and so is its interval where it
            is not finite in every draw.

        Example:
            >>> rows = {"a": np.arange(40.0), "b": np.arange(40.0) + 1}
            >>> drawn_means(rows, None, random_seed=0).estimate(lambda m: m["b"] - m["a"]).interval
            Interval(low=1.0, high=1.0)
        """
        with np.errstate(all="ignore"):
            (value,) = figure(self.means).tolist()
            every = None if self.drawn is None else figure(self.drawn)
        if not np.isfinite(value):
            return Estimate(None)
        if every is None or not np.isfinite(every).all():
            return Estimate(value)
        return Estimate(value, interval_of(every))


def drawn_means(
    columns: Mapping[str, FloatArray], groups: IntArray | None, *, random_seed: int
) -> Draws:
    """Draw the rows 1,000 times, and take the means of all columns in each draw.

    Args:
        columns: [N] figures of the rows by name.
        groups: [N] codes 0 to G − 1 of rows that are drawn together, or None.
        random_seed: The same seed gives the same draws.

    Returns:
        The means; without draws where there are fewer than 20 different rows.

    Example:
        >>> drawn_means({"loss": np.arange(30.0)}, None, random_seed=0).drawn["loss"].shape
        (1000,)
    """
    table = np.stack(list(columns.values()), axis=1)
    with np.errstate(all="ignore"):
        means = dict(zip(columns, table.mean(axis=0)[:, None], strict=True))
        if group_count(len(table), groups) < LEAST_GROUPS:
            return Draws(means, None)
        drawn = resampled_means(table, np.random.default_rng(random_seed), groups=groups)
    return Draws(means, dict(zip(columns, drawn.T, strict=True)))
