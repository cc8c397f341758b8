"""Numbers that people read: how well outputs fit the truth, and how well they fit each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score

from kdtab.data.arrays import FloatArray, IntArray

Outputs = npt.NDArray[np.floating]


def log_probabilities(logits: Outputs) -> FloatArray:
    """Logits as log-probabilities: log softmax(z) over the last axis, in float64.

    Args:
        logits: [N, C], any float type.

    Returns:
        [N, C] float64, natural logarithms.

    Example:
        >>> log_probabilities(np.zeros((1, 2))).round(4).tolist()
        [[-0.6931, -0.6931]]
    """
    result: FloatArray = log_softmax(np.asarray(logits, dtype=np.float64), axis=-1)
    return result


def log_losses_from_logits(logits: Outputs, classes: IntArray) -> FloatArray:
    """Cross-entropy of each row: −log softmax(z)[y].

    Args:
        logits: [N, C].
        classes: [N] class codes, 0 to C − 1.

    Returns:
        [N] float64, natural logarithm (nats).

    Example:
        >>> log_losses_from_logits(np.array([[1.0, 2.0, 0.5]]), np.array([0])).round(4).tolist()
        [1.4644]
    """
    every = log_probabilities(logits)
    chosen: FloatArray = -every[np.arange(len(classes)), classes]
    return chosen


def accuracy_from_logits(logits: Outputs, classes: IntArray) -> float:
    """Share of the rows whose highest logit is that of the true class.

    Args:
        logits: [N, C].
        classes: [N] class codes.

    Returns:
        A share in [0, 1]; NaN without rows.

    Example:
        >>> accuracy_from_logits(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([1, 1]))
        0.5
    """
    return float(np.mean(logits.argmax(axis=1) == classes)) if len(classes) else float("nan")


def balanced_accuracy_from_logits(logits: Outputs, classes: IntArray) -> float:
    """Mean over the classes that occur of the share found: 1/K on a constant answer.

    Args:
        logits: [N, C].
        classes: [N] class codes.

    Returns:
        A share in [0, 1]; NaN without rows.

    Example:
        >>> balanced_accuracy_from_logits(np.array([[1.0, 0.0]] * 4), np.array([0, 0, 0, 1]))
        0.5
    """
    hits = logits.argmax(axis=1) == classes
    shares = [hits[classes == code].mean() for code in np.unique(classes)]
    return float(np.mean(shares)) if shares else float("nan")


def auc_from_logits(logits: Outputs, classes: IntArray) -> float | None:
    """Area under the ROC curve of a two-class problem, the second class being positive.

    Args:
        logits: [N, 2].
        classes: [N] codes 0 and 1.

    Returns:
        A share in [0, 1], or None where it is not defined: other than two classes, or rows of
        one class only.

    Example:
        >>> auc_from_logits(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1, 0]))
        1.0
        >>> auc_from_logits(np.zeros((2, 3)), np.array([0, 1])) is None
        True
    """
    if logits.shape[1] != 2 or len(np.unique(classes)) != 2:
        return None
    margin = np.asarray(logits[:, 1], dtype=np.float64) - logits[:, 0]
    return float(roc_auc_score(classes, margin))


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


def class_agreement(first: Outputs, second: Outputs) -> float:
    """Share of the rows where two sets of logits choose the same class.

    Args:
        first: [N, C].
        second: [N, C], classes in the same order.

    Returns:
        A share in [0, 1]; NaN without rows.

    Example:
        >>> class_agreement(np.array([[1.0, 2.0]]), np.array([[0.0, 5.0]]))
        1.0
    """
    same = first.argmax(axis=1) == second.argmax(axis=1)
    return float(np.mean(same)) if len(same) else float("nan")
