"""How good one model is on the measured rows, for either task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kdtab.metrics.bootstrap import Interval


@dataclass(frozen=True)
class Estimate:
    """A figure of some rows, and how sure it is.

    Attributes:
        value: None where it is not defined.
        interval: None where none was computed, or the rows are too few for one.

    Example:
        >>> Estimate(0.9).interval is None
        True
    """

    value: float | None
    interval: Interval | None = None


@dataclass(frozen=True)
class ClassQuality:
    """How good a classification is.

    Attributes:
        log_loss: Mean −log p of the true class, in nats.
        accuracy: Share of rows with the right class.
        balanced_accuracy: Mean recall of the classes that occur.
        brier: Mean Brier score; for two classes (p − y)².
        calibration_error: Of the probability of the chosen class, over 15 bins of equal mass.
        auc: Area under the ROC curve; for two classes only.
        average_precision: Of the second class; with more than two the mean over the classes.
        f1: Of the second class; with more than two the mean over the classes.
        kind: "classes".

    Example:
        >>> ClassQuality.__dataclass_params__.frozen
        True
    """

    log_loss: Estimate
    accuracy: Estimate
    balanced_accuracy: Estimate
    brier: Estimate
    calibration_error: Estimate
    auc: Estimate
    average_precision: Estimate
    f1: Estimate
    kind: Literal["classes"] = "classes"

    @property
    def loss(self) -> Estimate:
        """What gains are measured in: the log loss.

        Example:
            >>> isinstance(ClassQuality.loss, property)
            True
        """
        return self.log_loss

    @property
    def metric(self) -> Estimate:
        """What people ask for first: the accuracy.

        Example:
            >>> isinstance(ClassQuality.metric, property)
            True
        """
        return self.accuracy


@dataclass(frozen=True)
class ValueQuality:
    """How good a regression is.

    Attributes:
        mse: Mean squared error, in the target's unit squared.
        rmse: Its root, in the target's unit.
        mae: Mean absolute error, in the target's unit.
        r_squared: 1 − Σ(ŷ − y)² / Σ(y − ȳ)².
        calibration_error: Mean distance of predicted and true means, over 15 bins of equal mass.
        kind: "values".

    Example:
        >>> ValueQuality.__dataclass_params__.frozen
        True
    """

    mse: Estimate
    rmse: Estimate
    mae: Estimate
    r_squared: Estimate
    calibration_error: Estimate
    kind: Literal["values"] = "values"

    @property
    def loss(self) -> Estimate:
        """What gains are measured in: the mean squared error.

        Example:
            >>> isinstance(ValueQuality.loss, property)
            True
        """
        return self.mse

    @property
    def metric(self) -> Estimate:
        """What people ask for first: the root mean squared error.

        Example:
            >>> isinstance(ValueQuality.metric, property)
            True
        """
        return self.rmse


@dataclass(frozen=True)
class ClassLine:
    """What becomes of one class.

    Attributes:
        name: The class.
        rows: Rows of which it is the true class.
        recall: Share of them that was found; None without rows.
        precision: Share of the rows chosen that are of the class; None where none was.
        f1: Harmonic mean of both; None where neither is defined.

    Example:
        >>> ClassLine("yes", 10, 0.5, 1.0, 0.67).recall
        0.5
    """

    name: str
    rows: int
    recall: float | None
    precision: float | None
    f1: float | None
