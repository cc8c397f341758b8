"""Predicted quantiles: from a network's outputs, and how well they fit what came true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kdtab.config.quantiles import USUAL_SPREAD, median_place
from kdtab.data.arrays import FloatArray
from kdtab.metrics.logits import Outputs


def quantiles_from_outputs(outputs: Outputs, levels: tuple[float, ...]) -> FloatArray:
    """What the outputs of a network of quantiles mean: Q_m = z_m, and gaps of 4 / K · softplus(z).

    The numbers of `kdtab.losses.quantiles.ordered_quantiles`, without torch.

    Args:
        outputs: [N, K] z, in the unit of training.
        levels: [K], 0.5 among them.

    Returns:
        [N, K] float64, rising along a row.

    Example:
        >>> quantiles_from_outputs(np.array([[0.0, 5.0, 0.0]]), (0.1, 0.5, 0.9)).round(4).tolist()
        [[4.0758, 5.0, 5.9242]]
    """
    median = median_place(levels)
    wide = np.asarray(outputs, dtype=np.float64)
    steps = np.logaddexp(0.0, wide) * (USUAL_SPREAD / len(levels))
    steps[:, :median] *= -1
    steps[:, median] = wide[:, median]
    above = np.cumsum(steps[:, median:], axis=1)
    below = np.cumsum(steps[:, median::-1], axis=1)[:, :0:-1]
    every: FloatArray = np.concatenate([below, above], axis=1)
    return every


def pinball_losses(
    quantiles: FloatArray, truth: FloatArray, levels: tuple[float, ...]
) -> FloatArray:
    """(1 / K) · Σ_k max(τ_k · e_k, (τ_k − 1) · e_k), with e_k = y − Q_k (Koenker and Bassett 1978).

    Args:
        quantiles: [N, K] Q.
        truth: [N] y in the same unit.
        levels: [K] τ.

    Returns:
        [N] losses, at least 0, in that unit.

    Example:
        >>> pinball_losses(np.array([[1.0, 3.0]]), np.array([2.0]), (0.5, 0.9)).round(6).tolist()
        [0.3]
    """
    missed, wanted = truth[:, np.newaxis] - quantiles, np.array(levels)
    losses: FloatArray = np.maximum(wanted * missed, (wanted - 1) * missed).mean(axis=1)
    return losses


def continuous_ranked_probability_score(
    quantiles: FloatArray, truth: FloatArray, levels: tuple[float, ...]
) -> float:
    """CRPS ≈ 2 · mean pinball loss: the mean over rows of ∫ (F(z) − [y ≤ z])² dz.

    Exact with all levels; with evenly spaced ones a sum over the integral of 2 · pinball over τ. Of
    a distribution that is one point it is the absolute error (Gneiting and Raftery 2007, section
    4.2).

    Args:
        quantiles: [N, K].
        truth: [N] in the same unit.
        levels: [K], evenly spaced for a fair sum.

    Returns:
        A score in that unit, the smaller the better; NaN without rows.

    Example:
        >>> levels = tuple(np.arange(0.01, 1, 0.01))
        >>> one_point = np.zeros((1, 99))
        >>> round(continuous_ranked_probability_score(one_point, np.array([3.0]), levels), 6)
        3.0
    """
    losses = pinball_losses(quantiles, truth, levels)
    return 2 * float(np.mean(losses)) if len(losses) else float("nan")


def interval_coverage(quantiles: FloatArray, truth: FloatArray) -> float:
    """The share of rows whose truth lies between the lowest and the highest quantile.

    Args:
        quantiles: [N, K].
        truth: [N] in the same unit.

    Returns:
        A share in [0, 1], which should be the highest level less the lowest; NaN without rows.

    Example:
        >>> interval_coverage(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([0.5, 7.0]))
        0.5
    """
    within = (quantiles[:, 0] <= truth) & (truth <= quantiles[:, -1])
    return float(np.mean(within)) if len(truth) else float("nan")


@dataclass(frozen=True)
class QuantileScores:
    """A student of quantiles beside its teacher on the same held-out rows, in the target's unit.

    Attributes:
        levels: Which quantiles.
        student: CRPS of the student.
        teacher: CRPS of the teacher.
        coverage: Share of rows between the student's lowest and highest quantile.
        scratch: CRPS of the same student without a teacher; None where it was not fitted.

    Example:
        >>> QuantileScores((0.1, 0.5, 0.9), 1.25, 1.2, 0.79).promised_coverage
        0.8
    """

    levels: tuple[float, ...]
    student: float
    teacher: float
    coverage: float
    scratch: float | None = None

    @property
    def promised_coverage(self) -> float:
        """What the coverage should be.

        Example:
            >>> QuantileScores((0.05, 0.5, 0.95), 1.0, 1.0, 0.9).promised_coverage
            0.9
        """
        return round(self.levels[-1] - self.levels[0], 9)

    @property
    def note(self) -> str:
        """One sentence for people and for the provenance.

        Example:
            >>> QuantileScores((0.1, 0.5, 0.9), 1.25, 1.2, 0.79).note
            'CRPS on held-out rows: student 1.25, teacher 1.2; 79 % of them lie between the levels 0.1 and 0.9'
        """
        ends = f"{self.levels[0]:g} and {self.levels[-1]:g}"
        alone = "" if self.scratch is None else f", without a teacher {self.scratch:.4g}"
        return (
            f"CRPS on held-out rows: student {self.student:.4g}, teacher {self.teacher:.4g}{alone}; "
            f"{self.coverage:.0%} of them lie between the levels {ends}".replace("%", " %")
        )
