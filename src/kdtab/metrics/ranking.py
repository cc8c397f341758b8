"""How well scores rank the rows of a class before the others."""

from __future__ import annotations

import numpy as np

from kdtab.data.arrays import BoolArray, FloatArray


def roc_area(scores: FloatArray, positive: BoolArray) -> float:
    """Area under the ROC curve: the share of pairs that are in order, ties counting half.

    P(s⁺ > s⁻) + P(s⁺ = s⁻) / 2 over all pairs of a positive and a negative row (Mann and Whitney,
    1947), counted exactly.

    Args:
        scores: [N] higher for rows that are rather positive; infinities are in order too.
        positive: [N] with rows of both sorts.

    Returns:
        A share in [0, 1]; NaN without rows of both sorts.

    Example:
        >>> roc_area(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
        0.875
    """
    others, chosen = np.sort(scores[~positive]), scores[positive]
    pairs = len(others) * len(chosen)
    if not pairs:
        return float("nan")
    below = int(np.searchsorted(others, chosen, side="left").sum())
    not_above = int(np.searchsorted(others, chosen, side="right").sum())
    return (below + not_above) / (2 * pairs)


def average_precision(scores: FloatArray, positive: BoolArray) -> float:
    """Area under the precision-recall curve, Σ_n (R_n − R_{n−1}) P_n over the distinct scores.

    Args:
        scores: [N] higher for rows that are rather positive.
        positive: [N] with at least one positive row.

    Returns:
        A share in [0, 1]; NaN without a positive row.

    Example:
        >>> round(average_precision(np.array([0.9, 0.5, 0.1]), np.array([True, False, True])), 4)
        0.8333
    """
    if not positive.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ranked, found = scores[order], np.cumsum(positive[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # of each distinct score
    gained = np.diff(found[last], prepend=0) / found[-1]
    return float(gained @ (found[last] / (last + 1)))
