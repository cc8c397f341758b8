"""Whether what is said is what is found: reliability in bins of equally many rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kdtab.data.arrays import FloatArray

BINS = 15


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows for which nearly the same was said.

    Attributes:
        rows: How many.
        said: The mean of what the model said: a probability, or a value.
        found: The mean of what is true: the share of rows where it came to pass, or a value.

    Example:
        >>> ReliabilityBin(rows=10, said=0.9, found=0.8).rows
        10
    """

    rows: int
    said: float
    found: float


def reliability_bins(
    said: FloatArray, found: FloatArray, bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """Bins of equal mass, in the order of what was said.

    Rows for which the same was said stay in one bin, so that the order of the rows decides
    nothing; with such ties there are fewer bins.

    Args:
        said: [N] probabilities of what the model chose, or predicted values.
        found: [N] 1 where it was right and 0 elsewhere, or true values.
        bins: How many bins at most.

    Returns:
        At most `bins` bins, none of them empty.

    Example:
        >>> said = np.array([0.6, 0.6, 0.9, 0.9])
        >>> reliability_bins(said, np.array([1.0, 0.0, 1.0, 1.0]), bins=2)
        (ReliabilityBin(rows=2, said=0.6, found=0.5), ReliabilityBin(rows=2, said=0.9, found=1.0))
    """
    if not len(said):
        return ()
    starts = np.sort(said)[np.arange(1, bins) * len(said) // bins]
    places = np.searchsorted(np.unique(starts), said, side="right")
    return tuple(
        ReliabilityBin(int(chosen.sum()), float(said[chosen].mean()), float(found[chosen].mean()))
        for chosen in (places == place for place in np.unique(places))
    )


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Expected calibration error: Σ_b n_b / N · |found_b − said_b|.

    With bins of equal mass as in Nguyen and O'Connor 2015 (arXiv:1508.05154).

    Args:
        bins: Of one model.

    Returns:
        0 for a model whose confidence is always right; NaN without bins.

    Example:
        >>> round(calibration_error([ReliabilityBin(1, 0.9, 0.8), ReliabilityBin(3, 0.6, 0.6)]), 3)
        0.025
    """
    rows = sum(item.rows for item in bins)
    gaps = sum(item.rows * abs(item.found - item.said) for item in bins)
    return gaps / rows if rows else float("nan")
