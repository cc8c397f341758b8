"""Two models in a few figures: what a terminal shows of a comparison."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from kdtab.bundle import Metrics
from kdtab.metrics.logits import class_agreement
from kdtab.metrics.numbers import r_squared
from kdtab.report.inputs import MeasuredRows, ModelOutputs
from kdtab.report.measures import Side, side_of


@dataclass(frozen=True)
class ModelFigures:
    """One side of a comparison.

    Attributes:
        metrics: Loss and metric on the compared rows.
        parameters: Numbers that were learnt; None for a teacher that is no bundle.
        bytes: Size of the model's file, whether it was saved or not; None where it is not known.
        rows_per_second: From raw rows to outputs, in one batch of 10,000 rows (the compared rows,
            over and over where they are fewer), median of five runs; None for recorded answers.

    Example:
        >>> ModelFigures.__dataclass_params__.frozen
        True
    """

    metrics: Metrics
    parameters: int | None
    bytes: int | None
    rows_per_second: float | None


@dataclass(frozen=True)
class Comparison:
    """A teacher and a student on the same rows.

    Attributes:
        rows: How many rows were compared.
        rows_were: Which rows these are, as a phrase: held out of training, or not known.
        teacher: The teacher's figures.
        student: The student's figures.
        agreement: Share of rows with the same class; for regression R² of the student's values
            against the teacher's.
        parameters_saved: The teacher's parameters less the student's; 0 for equal sizes (EC-KD03),
            None where those of the teacher are not known.

    Example:
        >>> Comparison.__dataclass_params__.frozen
        True
    """

    rows: int
    rows_were: str
    teacher: ModelFigures
    student: ModelFigures
    agreement: float
    parameters_saved: int | None

    def to_plain(self) -> dict[str, object]:
        """The comparison as JSON-ready data.

        Returns:
            Nested dictionaries of numbers, texts and None: the compared rows have no training
            loss.

        Example:
            >>> Comparison.to_plain.__name__
            'to_plain'
        """
        plain = asdict(self)
        for side in ("teacher", "student"):
            plain[side]["metrics"]["train_loss"] = None
        return plain


def compared_outputs(
    rows: MeasuredRows,
    rows_were: str,
    teacher: ModelOutputs,
    student: ModelOutputs,
    *,
    unit: float = 1.0,
) -> Comparison:
    """Two models' outputs for the same rows as a comparison.

    Args:
        rows: The truth.
        rows_were: Which rows these are.
        teacher: What the teacher said.
        student: What the student said.
        unit: The unit of training in units of the target, for the loss of a regression.

    Returns:
        Both sides' figures.

    Example:
        >>> rows = MeasuredRows("y", np.array([1.0, 2.0]))
        >>> said = ModelOutputs("rule", "values", np.array([[1.0], [4.0]]))
        >>> found = compared_outputs(rows, "all rows", said, said, unit=2.0)
        >>> found.agreement, found.student.metrics.test_loss, found.parameters_saved
        (1.0, 0.5, None)
    """
    large, small = side_of("teacher", teacher, rows), side_of("student", student, rows)
    known = teacher.parameters, student.parameters
    saved = None if known[0] is None or known[1] is None else known[0] - known[1]
    agree = class_agreement if rows.classes else r_squared
    return Comparison(
        rows=len(rows.truth),
        rows_were=rows_were,
        teacher=_figures(large, rows, unit),
        student=_figures(small, rows, unit),
        agreement=agree(small.said, large.said),
        parameters_saved=saved,
    )


def _figures(side: Side, rows: MeasuredRows, unit: float) -> ModelFigures:
    return ModelFigures(
        metrics=_class_metrics(side, rows) if rows.classes else _value_metrics(side, unit),
        parameters=side.outputs.parameters,
        bytes=side.outputs.bytes,
        rows_per_second=side.outputs.rows_per_second,
    )


def _class_metrics(side: Side, rows: MeasuredRows) -> Metrics:
    return Metrics(
        task="classification",
        train_loss=float("nan"),
        test_loss=float(np.mean(side.losses)),
        test_metric_name="accuracy",
        test_metric_value=float(np.mean(side.said.argmax(axis=1) == rows.truth)),
    )


@np.errstate(over="ignore")
def _value_metrics(side: Side, unit: float) -> Metrics:
    """The loss in the unit of training, as `measure_bundle` gives it."""
    mean_square = float(np.mean(side.losses))
    return Metrics(
        task="regression",
        train_loss=float("nan"),
        test_loss=mean_square / unit**2,
        test_metric_name="rmse",
        test_metric_value=mean_square**0.5,
    )
