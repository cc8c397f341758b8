"""Which of many models to keep: the usual one, unless another is better beyond doubt."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kdtab.data.arrays import FloatArray, IntArray


def paired_lead(
    usual: FloatArray, other: FloatArray, groups: IntArray | None = None
) -> tuple[float, float]:
    """How much smaller the loss of another model is, and the standard error of that.

    Rows that depend on each other are one observation: the error is that of sums over groups.

    Args:
        usual: [N] losses of rows, N at least 1.
        other: [N] of the same rows.
        groups: [N] codes 0 to G − 1; None makes every row one.

    Returns:
        Mean of `usual − other`, and its standard error; infinite where there is one group.

    Example:
        >>> paired_lead(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
        (2.0, 1.0)
    """
    leads = usual - other
    lead = float(leads.mean())
    codes = np.arange(len(leads)) if groups is None else groups
    sums = np.bincount(codes, leads - lead)
    count = len(sums)
    if count < 2:
        return lead, math.inf
    return lead, math.sqrt(count / (count - 1) * float(sums @ sums)) / len(leads)


def place_to_keep(losses: Sequence[FloatArray], usual: int, groups: IntArray | None = None) -> int:
    """The model to keep: another than the usual one only beyond one standard error.

    The smallest of several noisy losses is often the luckiest; a small set of rows would choose
    worse than no choice (one standard error: Breiman et al. 1984).

    Args:
        losses: [N] losses of the same rows for each model; a model that is none gives NaN.
        usual: Place of the model that is kept without better knowledge.
        groups: [N] codes of rows that depend on each other; None makes every row one.

    Returns:
        The place of the smallest mean loss among those that lead by more than the standard error
        of their lead; else `usual`, or the smallest of all where that has no finite loss.

    Example:
        >>> base = np.array([1.0, 1.1, 0.9, 1.0])
        >>> place_to_keep([base, base - 0.001, base + [0.4, -0.5, 0.4, -0.5]], 0)
        1
        >>> place_to_keep([base, base + [0.4, -0.5, 0.4, -0.5]], 0)
        0
    """
    means = [float(each.mean()) for each in losses]
    finite = [place for place, mean in enumerate(means) if math.isfinite(mean)]
    if not math.isfinite(means[usual]):
        return min(finite, key=means.__getitem__, default=usual)
    better = [
        place for place in finite if place != usual and _leads(losses[usual], losses[place], groups)
    ]
    return min(better, key=means.__getitem__, default=usual)


def _leads(usual: FloatArray, other: FloatArray, groups: IntArray | None) -> bool:
    lead, error = paired_lead(usual, other, groups)
    return lead > error
