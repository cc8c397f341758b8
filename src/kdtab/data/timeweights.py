"""What each step counts for in a time course, as numbers that every backend takes as they are."""

from __future__ import annotations

from typing import assert_never

import numpy as np

from kdtab.config.timepooling import (
    AnyPooling,
    EwaPooling,
    FinalPooling,
    MaxPooling,
    MeanLastPooling,
    MeanPooling,
    MeanRangePooling,
    RmsPooling,
    WholeCourse,
)
from kdtab.data.arrays import BoolArray, FloatArray, IntArray


def time_weights(pooling: AnyPooling, lengths: IntArray, steps: int) -> FloatArray:
    """The weights of the states of each series, which sum to 1.

    Args:
        pooling: What is compared. For `max` a state counts where its weight is above 0; for `rms`
            the weights are those of the squares.
        lengths: [N] how many states of each series are its own, from 1 to S.
        steps: S, the states of the longest.

    Returns:
        [N, S] float64, 0 beyond a series' end.

    Example:
        >>> time_weights(MeanLastPooling(n=2), np.array([4, 3]), 4).tolist()
        [[0.0, 0.0, 0.5, 0.5], [0.0, 0.5, 0.5, 0.0]]
        >>> time_weights(EwaPooling(min_weight=0.25), np.array([3]), 3).round(4).tolist()
        [[0.1429, 0.2857, 0.5714]]
    """
    place = np.arange(steps)
    last = lengths[:, None] - 1  # [N, 1]
    counted = np.where(place <= last, _raw(pooling, place, last), 0.0)
    weights: FloatArray = counted / counted.sum(1, keepdims=True)
    return weights


def _raw(pooling: AnyPooling, place: IntArray, last: IntArray) -> FloatArray | BoolArray:
    match pooling:
        case WholeCourse() | MaxPooling() | MeanPooling() | RmsPooling():
            return np.ones((len(last), len(place)))
        case FinalPooling():
            final: BoolArray = place == last
            return final
        case MeanLastPooling(n=n):
            return place > last - n
        case MeanRangePooling(first=first, last=end):
            return (place >= np.minimum(first, last)) & (place <= end)
        case EwaPooling(min_weight=least):
            # T is the last state's own time; a single state has the whole weight
            return least ** ((last - place) / np.maximum(last, 1))
        case _:
            assert_never(pooling)
