"""What a report is made of: the rows with their truth, and what each model said about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.outputs import OutputKind
from kdtab.data.shares import log_softmax

LEAST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class EpochLosses:
    """What one epoch of training came to.

    Attributes:
        epoch: 1 for the first.
        training: Mean loss of the training task over the epoch's rows.
        validation: Hard loss of the validation rows after it; None without them.
        terms: What the training loss was made of, by name.

    Example:
        >>> EpochLosses(epoch=1, training=0.7, validation=0.6).validation
        0.6
    """

    epoch: int
    training: float
    validation: float | None
    terms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ModelOutputs:
    """What one model said about the rows, and what it costs.

    Attributes:
        name: A few words for a person.
        kind: What the numbers are.
        values: [N, C] in the order of the rows' classes, or [N, 1] in the target's unit.
        trees: B, when the probabilities are the mean vote of B trees.
        parameters: Numbers that were learnt.
        bytes: Size when stored.
        rows_per_second: From raw rows to outputs, in one large batch.
        p50: Seconds for one row alone, the median.
        p99: Seconds for one row, the 99th percentile.
        epochs: How its training went.

    Example:
        >>> ModelOutputs("rule", "values", np.zeros((3, 1))).parameters is None
        True
    """

    name: str
    kind: OutputKind
    values: FloatArray
    trees: int | None = None
    parameters: int | None = None
    bytes: int | None = None
    rows_per_second: float | None = None
    p50: float | None = None
    p99: float | None = None
    epochs: tuple[EpochLosses, ...] = ()

    def log_probabilities(self) -> FloatArray:
        """What was said as finite log-probabilities.

        A forest's votes are smoothed, (B·p + 1/C) / (B + 1); other probabilities are at least
        1e-7, so that one wrong certainty costs much and not infinitely much.

        Returns:
            [N, C] float64, natural logarithms.

        Example:
            >>> said = ModelOutputs("forest", "probabilities", np.array([[1.0, 0.0]]), trees=1)
            >>> np.exp(said.log_probabilities()).round(2).tolist()
            [[0.75, 0.25]]
        """
        values = np.asarray(self.values, dtype=np.float64)
        if self.kind == "logits":
            return log_softmax(values)
        shares = values if self.kind == "probabilities" else np.exp(values)
        if self.trees is not None:
            shares = (self.trees * shares + 1 / shares.shape[1]) / (self.trees + 1)
        kept = np.maximum(shares, LEAST_PROBABILITY)
        logarithms: FloatArray = np.log(kept / kept.sum(axis=1, keepdims=True))
        return logarithms


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A column that the rows are looked at by.

    Attributes:
        column: Its name.
        labels: Names of the segments.
        codes: [N] which of them each row belongs to.

    Example:
        >>> Segmentation("sex", ("f", "m"), np.array([0, 1, 0])).labels
        ('f', 'm')
    """

    column: str
    labels: tuple[str, ...]
    codes: IntArray


@dataclass(frozen=True, eq=False)
class MeasuredRows:
    """The rows that models are measured on.

    Attributes:
        target: The target column.
        truth: [N] class codes, or [N] values in the target's unit.
        classes: Names of the codes; empty for a regression.
        which: Which rows these are, as a phrase: "held out when both models were trained".
        groups: [N] codes 0 to G − 1; identical rows share one. None makes every row its own.
        segments: Columns to look at the rows by.

    Example:
        >>> MeasuredRows("y", np.array([0, 1]), ("no", "yes")).classes
        ('no', 'yes')
    """

    target: str
    truth: IntArray | FloatArray
    classes: tuple[str, ...] = ()
    which: str = "unseen rows"
    groups: IntArray | None = None
    segments: tuple[Segmentation, ...] = ()
