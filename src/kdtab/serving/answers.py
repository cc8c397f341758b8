"""What a network's outputs mean: labels, probabilities, values in the target's unit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from returns.result import Success

from kdtab.config.quantiles import median_place
from kdtab.config.training import Task
from kdtab.data.arrays import FloatArray
from kdtab.data.scale import LARGEST, TargetScaler
from kdtab.errors.teachers import LabelEncoderMissing
from kdtab.metrics.quantiles import quantiles_from_outputs
from kdtab.results import Checked, fail

FEW_ROWS = 64
Outputs = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Decoder:
    """From outputs to answers.

    Attributes:
        task: What the network predicts.
        classes: The label of each output; None where the bundle has no label encoder.
        scaler: The target scaler; None: outputs are in the target's unit.
        quantiles: Levels of a regression's outputs; empty: its one output is the value.

    Example:
        >>> Decoder("classification", ("no", "yes"), None).label([0.5, 2.0])
        'yes'
    """

    task: Task
    classes: tuple[str, ...] | None
    scaler: TargetScaler | None
    quantiles: tuple[float, ...] = ()

    @property
    def place(self) -> int:
        """The output of a regression that is its answer: the only one, or the median.

        Example:
            >>> Decoder("regression", None, None, (0.1, 0.5, 0.9)).place
            1
        """
        return median_place(self.quantiles)

    def checked_classes(self) -> Checked[tuple[str, ...]]:
        """The labels, which nothing but a classification asks for.

        Returns:
            One label for each output, or `LabelEncoderMissing`.

        Example:
            >>> Decoder("classification", None, None).checked_classes().failure().first
            LabelEncoderMissing()
        """
        return fail(LabelEncoderMissing()) if self.classes is None else Success(self.classes)

    def label(self, outputs: Sequence[float]) -> str:
        """The label of one row.

        Args:
            outputs: [C] logits.

        Returns:
            The class of the highest logit, the first of equals.

        Example:
            >>> Decoder("classification", ("no", "yes"), None).label([1.0, 1.0])
            'no'
        """
        assert self.classes is not None, "checked_classes() asks for it"
        return self.classes[outputs.index(max(outputs))]

    def value(self, output: float) -> float:
        """The value of one row, in the target's unit.

        Args:
            output: In the unit of training.

        Returns:
            A finite number for a finite output.

        Example:
            >>> Decoder("regression", None, TargetScaler(mean=1.0, scale=2.0)).value(2.0)
            5.0
        """
        if self.scaler is None:
            return output
        return min(max(output * self.scaler.scale + self.scaler.mean, -LARGEST), LARGEST)

    def labels_or_values(self, outputs: Outputs) -> pl.Series:
        """The answer for each row.

        Args:
            outputs: [N, C] logits, or [N, 1] values in the unit of training.

        Returns:
            [N] `prediction`: texts, or Float64 in the target's unit.

        Example:
            >>> Decoder("classification", ("no", "yes"), None).labels_or_values(
            ...     np.array([[1.0, 2.0], [2.0, 1.0]])
            ... ).to_list()
            ['yes', 'no']
        """
        if self.task == "regression":
            values = outputs[:, self.place].astype(np.float64)
            return pl.Series("prediction", self._in_unit(values))
        labels = pl.Series("prediction", self.classes, dtype=pl.String)
        return labels.gather(outputs.argmax(axis=1))

    def plain(self, outputs: Outputs) -> list[str] | list[float]:
        """`labels_or_values` as a list, without a series where there are few.

        Args:
            outputs: [N, C] logits, or [N, 1] values in the unit of training.

        Returns:
            [N] texts, or values in the target's unit.

        Example:
            >>> Decoder("classification", ("no", "yes"), None).plain(np.array([[1.0, 2.0]]))
            ['yes']
        """
        if len(outputs) > FEW_ROWS:
            found: list[str] | list[float] = self.labels_or_values(outputs).to_list()
            return found
        rows: list[list[float]] = outputs.tolist()
        if self.task == "regression":
            return [self.value(row[self.place]) for row in rows]
        return [self.label(row) for row in rows]

    def frame(self, outputs: Outputs) -> Checked[pl.DataFrame]:
        """Answers and probabilities as `predict_frame` gives them.

        Args:
            outputs: [N, C] logits, or [N, 1] values in the unit of training.

        Returns:
            [N] `prediction` and, for classification, `probability_<class>` for each class, for a
            regression of quantiles `quantile_<level>` for each level; `LabelEncoderMissing`.

        Example:
            >>> Decoder("classification", ("a", "b"), None).frame(np.zeros((1, 2))).unwrap().row(0)
            ('a', 0.5, 0.5)
        """
        if self.task == "regression":
            return Success(pl.DataFrame([self.labels_or_values(outputs), *self._told(outputs)]))
        return self.checked_classes().map(
            lambda classes: pl.DataFrame(
                {"prediction": self.labels_or_values(outputs)}
                | {
                    f"probability_{name}": share
                    for name, share in zip(classes, probabilities(outputs).T, strict=True)
                }
            )
        )

    def _in_unit(self, values: FloatArray) -> FloatArray:
        return values if self.scaler is None else self.scaler.inverse_transform(values)

    def _told(self, outputs: Outputs) -> Iterator[pl.Series]:
        for name, values in quantile_columns(outputs, self.quantiles, self.scaler).items():
            yield pl.Series(name, values)


def quantile_columns(
    outputs: Outputs, levels: tuple[float, ...], scaler: TargetScaler | None
) -> dict[str, FloatArray]:
    """The quantiles that outputs tell, in the target's unit.

    Args:
        outputs: [N, K] in the unit of training.
        levels: [K]; none: there is nothing to tell.
        scaler: The target scaler; None: outputs are in the target's unit.

    Returns:
        `quantile_<level>` for each level, [N] each.

    Example:
        >>> quantile_columns(np.zeros((1, 3)), (0.1, 0.5, 0.9), None)["quantile_0.5"].tolist()
        [0.0]
    """
    if not levels:
        return {}
    values = quantiles_from_outputs(outputs, levels)
    in_unit = values if scaler is None else scaler.inverse_transform(values)
    return {f"quantile_{level:g}": in_unit[:, at] for at, level in enumerate(levels)}


def probabilities(logits: Outputs) -> FloatArray:
    """Logits as probabilities: softmax(z) over the last axis, in float64.

    Args:
        logits: [N, C], any float type.

    Returns:
        [N, C] float64, rows summing to 1.

    Example:
        >>> probabilities(np.array([[1000.0, 1000.0]])).tolist()
        [[0.5, 0.5]]
    """
    # Class by class: numpy is slow along an axis as short as this one.
    columns = np.array(logits.T, dtype=np.float64, order="C")
    columns -= columns.max(axis=0)
    np.exp(columns, out=columns)
    columns /= columns.sum(axis=0)
    shares: FloatArray = columns.T
    return shares


def row_probabilities(logits: Sequence[float]) -> list[float]:
    """`probabilities` of a single row.

    Args:
        logits: [C].

    Returns:
        [C], summing to 1.

    Example:
        >>> row_probabilities([0.0, 0.0])
        [0.5, 0.5]
    """
    highest = max(logits)
    shares = [math.exp(logit - highest) for logit in logits]
    total = sum(shares)
    return [share / total for share in shares]
