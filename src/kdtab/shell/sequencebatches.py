"""Series of an epoch, in an order drawn anew each time; the same order in every backend."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np

from kdtab.config.timepooling import AnyPooling
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.data.timeweights import time_weights

SERIES_AT_ONCE = 512
Targets: TypeAlias = Float32Array | IntArray


@final
@dataclass(frozen=True, eq=False)
class SeriesRows:
    """Series to fit or to validate on.

    Attributes:
        inputs: [N, T, D_in] float32, as the network sees them.
        targets: [N, T + 1, D_out] float32 states, or [N, T, D_out] without t = 0; or [N] int64
            class codes.
        lengths: [N] how many inputs of each series are its own, from 1 to T.

    Example:
        >>> from kdtab.config.timepooling import WholeCourse
        >>> rows = SeriesRows(np.zeros((4, 3, 2), np.float32), np.zeros(4, np.int64), np.full(4, 3))
        >>> rows.weights(WholeCourse()).shape
        (4, 4)
    """

    inputs: Float32Array
    targets: Targets
    lengths: IntArray

    def weights(self, pooling: AnyPooling) -> Float32Array:
        """What each state of each series counts for.

        Args:
            pooling: What is compared.

        Returns:
            [N, S] float32, S the steps of the targets, or T + 1 for classes.

        Example:
            >>> from kdtab.config.timepooling import WholeCourse
            >>> states = np.zeros((1, 3, 2), np.float32)
            >>> SeriesRows(states, states, np.array([2])).weights(WholeCourse()).tolist()
            [[0.5, 0.5, 0.0]]
        """
        inputs = self.inputs.shape[1]
        steps = self.targets.shape[1] if self.targets.ndim == 3 else inputs + 1
        weights = time_weights(pooling, self.lengths + (steps - inputs), steps)
        return weights.astype(np.float32)


@final
class SeriesOrders:
    """Every call is one epoch: the places of all series in a fresh random order, cut into batches.

    Args:
        series: N.
        batch_size: Series of a batch; the last one may be smaller, down to one series.
        seed: Of the orders.

    Example:
        >>> orders = SeriesOrders(5, batch_size=2, seed=0)
        >>> [len(places) for places in orders()], orders.steps_per_epoch
        ([2, 2, 1], 3)
    """

    def __init__(self, series: int, *, batch_size: int, seed: int) -> None:
        self._series = series
        self._batch_size = batch_size
        self._generator = np.random.default_rng(seed)

    @property
    def steps_per_epoch(self) -> int:
        """⌈N / B⌉.

        Example:
            >>> SeriesOrders(4, batch_size=2, seed=0).steps_per_epoch
            2
        """
        return math.ceil(self._series / self._batch_size)

    def __call__(self) -> Iterator[IntArray]:
        """One epoch.

        Yields:
            [B] places from 0.

        Example:
            >>> orders = SeriesOrders(3, batch_size=3, seed=0)
            >>> sorted(next(orders()).tolist())
            [0, 1, 2]
        """
        order = self._generator.permutation(self._series)
        for begin in range(0, self._series, self._batch_size):
            yield order[begin : begin + self._batch_size]


def series_chunks(series: int) -> Iterator[slice]:
    """Series in order, some at a time, for a pass that needs no gradient.

    Args:
        series: N.

    Yields:
        Slices of at most 512.

    Example:
        >>> [(part.start, part.stop) for part in series_chunks(600)]
        [(0, 512), (512, 600)]
    """
    for begin in range(0, series, SERIES_AT_ONCE):
        yield slice(begin, min(begin + SERIES_AT_ONCE, series))
