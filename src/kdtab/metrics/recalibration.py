"""What makes a fitted model's outputs honest: one temperature, or a scale and an offset."""

from __future__ import annotations

import math

import numpy as np

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.metrics.logits import Outputs, log_probabilities

HOTTEST = 20.0
COLDEST = 1 / HOTTEST
HALVINGS = 50
FEWEST_VALUES = 4
"""Below these rows nothing is left to tell a slope from noise."""


def best_temperature(logits: Outputs, classes: IntArray) -> float:
    """T that minimises −mean Σ_c r_c log softmax(z / T)_c, with r = (1 − ε) · onehot(y) + ε / C.

    ε = 1 / (N + 1): one more row that is every class alike. Without it rows that are all right
    would ask for T = 0. The loss is convex in 1 / T, so that halving the range of log T finds its
    one zero slope (Guo et al. 2017, arXiv:1706.04599, with ε = 0).

    Args:
        logits: [N, C] z, of rows that nothing was fitted on.
        classes: [N] class codes y.

    Returns:
        T in [1/20, 20]; 1 without rows, and where the logits of every row are all equal.

    Example:
        >>> z = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0]])
        >>> round(best_temperature(z, np.array([0, 0, 0, 1])), 2)
        4.72
        >>> best_temperature(np.zeros((3, 2)), np.array([0, 1, 1]))
        1.0
    """
    wide = np.asarray(logits, dtype=np.float64)
    if not len(wide) or not np.ptp(wide, axis=1).any():
        return 1.0
    share = 1 / (len(wide) + 1)
    of_class = wide[np.arange(len(wide)), classes]
    wanted = float(np.mean((1 - share) * of_class + share * wide.mean(axis=1)))
    low, high = math.log(COLDEST), math.log(HOTTEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        said = np.exp(log_probabilities(wide / math.exp(middle)))
        too_cold = float(np.mean(np.sum(said * wide, axis=1))) > wanted
        low, high = (middle, high) if too_cold else (low, middle)
    return math.exp((low + high) / 2)


def best_line(values: FloatArray, truth: FloatArray) -> tuple[float, float]:
    """Scale a and offset b of a · ŷ + b: least squares, drawn to the identity where noise explains it.

    With r = y − ŷ and s² its variance about the line, the offset mean(r) and the slope
    cov(r, ŷ) / var(ŷ) are each multiplied by max(0, 1 − s² / (N · gain)), where gain is what each
    takes off the mean squared error: few rows change nothing (the positive part of James and Stein
    1961, one coordinate at a time). Both gains are orthogonal, so no choice raises the error on the
    very rows.

    Args:
        values: [N] ŷ, of rows that nothing was fitted on.
        truth: [N] y in the same unit.

    Returns:
        a at least 0, and b; (1, 0) below four rows.

    Example:
        >>> values = np.linspace(-1, 1, 101)
        >>> [round(number, 3) for number in best_line(values, 0.5 * values + 2)]
        [0.5, 2.0]
        >>> best_line(values[:3], values[:3] + 9)
        (1.0, 0.0)
    """
    rows = len(values)
    if rows < FEWEST_VALUES:
        return 1.0, 0.0
    missed, centre = truth - values, float(values.mean())
    offset, spread = float(missed.mean()), float(values.var())
    slope = float(np.mean(missed * (values - centre))) / spread if spread > 0 else 0.0
    about = missed - offset - slope * (values - centre)
    noise = float(np.sum(about**2)) / (rows - 2) / rows
    offset *= _kept(offset**2, noise)
    slope = max(slope * _kept(slope**2 * spread, noise), -1.0)
    return 1 + slope, offset - slope * centre


def _kept(gain: float, noise: float) -> float:
    return max(0.0, 1 - noise / gain) if gain > 0 else 0.0
