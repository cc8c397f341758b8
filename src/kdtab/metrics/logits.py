"""How well logits fit the true classes, and how well two sets of them fit each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.shares import log_softmax
from kdtab.metrics.ranking import roc_area

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
    return log_softmax(np.asarray(logits, dtype=np.float64))


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
    return roc_area(margin, classes == classes.max())


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


def brier_scores_from_logits(logits: Outputs, classes: IntArray) -> FloatArray:
    """Brier score of each row: Σ_c (p_c − [c = y])², and half of that for two classes.

    So that for two classes it is (p − y)², as in scikit-learn; Brier 1950.

    Args:
        logits: [N, C].
        classes: [N] class codes.

    Returns:
        [N] float64 in [0, 2], for two classes in [0, 1].

    Example:
        >>> brier_scores_from_logits(np.zeros((1, 2)), np.array([0])).tolist()
        [0.25]
    """
    wrong = np.exp(log_probabilities(logits))
    wrong[np.arange(len(classes)), classes] -= 1
    scores: FloatArray = np.sum(wrong**2, axis=1) / (2 if logits.shape[1] == 2 else 1)
    return scores


def kl_divergences_from_logits(teacher: Outputs, student: Outputs) -> FloatArray:
    """Of each row KL(teacher ‖ student) = Σ_c t_c (log t_c − log s_c), untempered.

    A class of which the teacher is sure that it is not (t_c = 0) contributes nothing.

    Args:
        teacher: [N, C].
        student: [N, C], classes in the same order.

    Returns:
        [N] float64, in nats; 0 where both say the same, never below.

    Example:
        >>> same = np.array([[1.0, 2.0]])
        >>> kl_divergences_from_logits(same, same + 3.0).tolist()
        [0.0]
    """
    of_teacher, of_student = log_probabilities(teacher), log_probabilities(student)
    held = np.isfinite(of_teacher)
    gaps = np.subtract(of_teacher, of_student, out=np.zeros_like(of_teacher), where=held)
    divergences: FloatArray = np.sum(np.exp(of_teacher) * gaps, axis=1)
    return np.maximum(divergences, 0.0)
