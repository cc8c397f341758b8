"""Soft labels for learners that know hard ones only: each row once for each class, weighted."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from kdtab.data.arrays import Float32Array, FloatArray, IntArray

Inputs = TypeVar("Inputs", FloatArray, Float32Array)


def soft_label_rows(
    inputs: Inputs, soft: FloatArray, hard: IntArray, alpha: float
) -> tuple[Inputs, IntArray, FloatArray]:
    """Rows, classes and weights on which a weighted log loss is the soft cross-entropy.

    Row i stands there once for each class c, with the weight
    w_ic = alpha · [y_i = c] + (1 − alpha) · q_ic. For any model p that answers alike rows alike
    Σ_ic w_ic · (−log p_c(x_i)) = Σ_i (alpha · H(y_i, p) + (1 − alpha) · H(q_i, p)), so that every
    classifier with `sample_weight` learns from a teacher. Rows of weight 0 are left out.

    Args:
        inputs: [N, D] rows.
        soft: [N, C] q, probabilities of the teacher; a row of NaN has only its own label.
        hard: [N] class codes y, 0 to C − 1.
        alpha: Weight of the label, in [0, 1].

    Returns:
        [M, D] rows in the order of the table, [M] classes, ascending in a row, and [M] weights
        above 0; those of a row sum to 1 if its probabilities do.

    Example:
        >>> rows, classes, weights = soft_label_rows(
        ...     np.array([[7.0], [8.0]]), np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1]), 0.5
        ... )
        >>> rows.ravel().tolist(), classes.tolist(), weights.tolist()
        ([7.0, 7.0, 8.0], [0, 1, 1], [0.75, 0.25, 1.0])
    """
    mixed = mixed_labels(soft, hard, alpha)
    rows, classes = np.nonzero(mixed)
    return inputs[rows], classes, mixed[rows, classes]


def mixed_labels(soft: FloatArray, hard: IntArray, alpha: float) -> FloatArray:
    """The one target of both cross-entropies at T = 1: alpha · onehot(y) + (1 − alpha) · q.

    Args:
        soft: [N, C] q; a row of NaN has only its own label.
        hard: [N] class codes y.
        alpha: Weight of the label, in [0, 1].

    Returns:
        [N, C] float64.

    Example:
        >>> mixed_labels(np.array([[0.5, 0.5], [np.nan, np.nan]]), np.array([0, 1]), 0.5).tolist()
        [[0.75, 0.25], [0.0, 1.0]]
    """
    labels = np.zeros(soft.shape)
    labels[np.arange(len(hard)), hard] = 1.0
    known = ~np.isnan(soft).any(axis=1, keepdims=True)
    mixed: FloatArray = np.where(known, alpha * labels + (1 - alpha) * soft, labels)
    return mixed


def mixed_values(soft: FloatArray, hard: FloatArray, alpha: float) -> FloatArray:
    """The one target of both squared errors: alpha · y + (1 − alpha) · t.

    Args:
        soft: [N] t, values of the teacher; NaN where it did not speak.
        hard: [N] y in the same unit.
        alpha: Weight of the true value, in [0, 1].

    Returns:
        [N] float64.

    Example:
        >>> mixed_values(np.array([1.0, np.nan]), np.array([3.0, 4.0]), 0.5).tolist()
        [2.0, 4.0]
    """
    mixed: FloatArray = np.where(np.isnan(soft), hard, alpha * hard + (1 - alpha) * soft)
    return mixed
