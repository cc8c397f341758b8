"""How well predicted numbers fit the true ones, in the units of the target."""

from __future__ import annotations

import numpy as np

from kdtab.data.arrays import FloatArray


def root_mean_squared_error(values: FloatArray, truth: FloatArray) -> float:
    """RMSE = √mean((ŷ − y)²), in the units of the target.

    Args:
        values: [N] predictions.
        truth: [N] true values.

    Returns:
        The error in the target's units; NaN without rows.

    Example:
        >>> root_mean_squared_error(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
        1.4142135623730951
    """
    return float(np.sqrt(np.mean((values - truth) ** 2))) if len(truth) else float("nan")


def mean_absolute_error(values: FloatArray, truth: FloatArray) -> float:
    """MAE = mean(|ŷ − y|), in the units of the target.

    Args:
        values: [N] predictions.
        truth: [N] true values.

    Returns:
        The error in the target's units; NaN without rows.

    Example:
        >>> mean_absolute_error(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
        1.0
    """
    return float(np.mean(np.abs(values - truth))) if len(truth) else float("nan")


def r_squared(values: FloatArray, truth: FloatArray) -> float:
    """R² = 1 − Σ(ŷ − y)² / Σ(y − ȳ)²: 1 is perfect, 0 is the mean.

    Args:
        values: [N] predictions.
        truth: [N] true values.

    Returns:
        At most 1; NaN where the truth does not vary.

    Example:
        >>> r_squared(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
        1.0
    """
    spread = float(np.sum((truth - truth.mean()) ** 2)) if len(truth) else 0.0
    return 1.0 - float(np.sum((values - truth) ** 2)) / spread if spread > 0 else float("nan")
