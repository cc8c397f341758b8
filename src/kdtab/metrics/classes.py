"""What becomes of each class: recall, precision, F1 and average precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kdtab.data.arrays import IntArray
from kdtab.metrics.logits import Outputs, log_probabilities
from kdtab.metrics.ranking import average_precision


@dataclass(frozen=True)
class ClassCounts:
    """How often a class is true, chosen, and both.

    Attributes:
        rows: Rows of which it is the true class.
        chosen: Rows for which the model chose it.
        right: Rows where both hold.

    Example:
        >>> ClassCounts(rows=4, chosen=2, right=1).recall
        0.25
    """

    rows: int
    chosen: int
    right: int

    @property
    def recall(self) -> float:
        """Share of the class's rows that were found; NaN where it has none.

        Example:
            >>> ClassCounts(rows=4, chosen=2, right=2).recall
            0.5
        """
        return self.right / self.rows if self.rows else float("nan")

    @property
    def precision(self) -> float:
        """Share of the rows chosen that are of the class; NaN where none was chosen.

        Example:
            >>> ClassCounts(rows=4, chosen=2, right=2).precision
            1.0
        """
        return self.right / self.chosen if self.chosen else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of both: 2·right / (rows + chosen); NaN where both are 0.

        Example:
            >>> ClassCounts(rows=4, chosen=4, right=2).f1
            0.5
        """
        both = self.rows + self.chosen
        return 2 * self.right / both if both else float("nan")


def class_counts_from_logits(logits: Outputs, classes: IntArray) -> tuple[ClassCounts, ...]:
    """The counts of every class, in the order of the codes.

    Args:
        logits: [N, C].
        classes: [N] class codes.

    Returns:
        C counts.

    Example:
        >>> class_counts_from_logits(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([0, 1]))
        (ClassCounts(rows=1, chosen=2, right=1), ClassCounts(rows=1, chosen=0, right=0))
    """
    width = logits.shape[1]
    chosen = logits.argmax(axis=1)
    counts = (
        np.bincount(codes, minlength=width).tolist()
        for codes in (classes, chosen, classes[chosen == classes])
    )
    return tuple(ClassCounts(*item) for item in zip(*counts, strict=True))


def f1_from_logits(logits: Outputs, classes: IntArray) -> float:
    """F1 of the second of two classes; the mean of all classes' F1 where there are more.

    A class that is neither true nor chosen anywhere does not enter the mean.

    Args:
        logits: [N, C].
        classes: [N] class codes.

    Returns:
        A share in [0, 1]; NaN without rows, or where the second of two classes does not occur.

    Example:
        >>> f1_from_logits(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([0, 1])).__round__(4)
        0.6667
    """
    counts = class_counts_from_logits(logits, classes)
    if len(counts) == 2:
        return counts[1].f1
    occurring = [item.f1 for item in counts if item.rows + item.chosen]
    return float(np.mean(occurring)) if occurring else float("nan")


def average_precision_from_logits(logits: Outputs, classes: IntArray) -> float:
    """Area under the precision-recall curve, Σ_n (R_n − R_{n−1}) P_n.

    Of the second of two classes; the mean over the classes that occur, each against the rest,
    where there are more. A constant answer gets the share of the class.

    Args:
        logits: [N, C].
        classes: [N] class codes.

    Returns:
        A share in [0, 1]; NaN without rows, or where the second of two classes does not occur.

    Example:
        >>> average_precision_from_logits(np.array([[0.0, 2.0], [0.0, 1.0]]), np.array([1, 0]))
        1.0
    """
    if logits.shape[1] == 2:
        margin = np.asarray(logits[:, 1], dtype=np.float64) - logits[:, 0]
        return average_precision(margin, classes == 1)
    scores = log_probabilities(logits)
    areas = [average_precision(scores[:, code], classes == code) for code in np.unique(classes)]
    return float(np.mean(areas)) if areas else float("nan")
