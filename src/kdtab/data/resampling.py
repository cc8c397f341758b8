"""Time series of another length: linear interpolation along time, its new steps named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import numpy as np

from kdtab.config.sequences import Resampling
from kdtab.data.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class StepWeights:
    """Between which old steps each new one lies.

    Attributes:
        below: [T_new] the old step at or before it.
        above: [T_new] the next one; the last where there is none.
        share: [T_new] how far it lies towards `above`, in [0, 1).

    Example:
        >>> step_weights(4, 2, "half_pixel").share.tolist()
        [0.5, 0.5]
    """

    below: IntArray
    above: IntArray
    share: FloatArray


def step_weights(steps: int, wanted: int, resampling: Resampling) -> StepWeights:
    """Where the new steps lie between the old ones, in whole numbers up to the last division.

    half_pixel: position (i + 1/2) · T / T_new − 1/2, held in [0, T − 1]: the middles of T_new equal
    parts (torch's `interpolate` with `align_corners=False`). endpoints: i · (T − 1) / (T_new − 1):
    the first and the last step stay; a single new step is the first.

    Args:
        steps: T.
        wanted: T_new.
        resampling: Which of the two.

    Returns:
        The weights.

    Example:
        >>> weights = step_weights(2, 4, "half_pixel")
        >>> weights.below.tolist(), weights.share.tolist()
        ([0, 0, 0, 1], [0.0, 0.25, 0.75, 0.0])
    """
    at = np.arange(wanted, dtype=np.int64)
    match resampling:
        case "half_pixel":
            over, under = (2 * at + 1) * steps - wanted, 2 * wanted
        case "endpoints":
            over, under = at * (steps - 1), max(1, wanted - 1)
        case _:
            assert_never(resampling)
    held = np.clip(over, 0, under * (steps - 1))
    below = held // under
    return StepWeights(below, np.minimum(below + 1, steps - 1), (held % under) / under)


def resampled_series(
    values: FloatArray, wanted: int | None, resampling: Resampling = "half_pixel"
) -> FloatArray:
    """A series with another number of steps.

    x(p) = (1 − w) · x_⌊p⌋ + w · x_⌊p⌋₊₁ with w = p − ⌊p⌋, in float64.

    Args:
        values: [T, D] or [N, T, D]; the axis before the last is time.
        wanted: T_new; None, or T itself, changes nothing.
        resampling: Where the new steps lie.

    Returns:
        The same axes, with T_new steps.

    Example:
        >>> x = np.array([0.0, 1.0, 2.0, 3.0])[:, None]
        >>> resampled_series(x, 2).ravel().tolist()
        [0.5, 2.5]
        >>> resampled_series(x, 2, "endpoints").ravel().tolist()
        [0.0, 3.0]
    """
    steps = values.shape[-2]
    if wanted is None or wanted == steps:
        return values
    weights = step_weights(steps, wanted, resampling)
    share = weights.share[:, None]
    return (1 - share) * values[..., weights.below, :] + share * values[..., weights.above, :]
