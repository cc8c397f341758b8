"""From what a model said about rows to its figures: classes and values, each their own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.metrics.calibration import ReliabilityBin, calibration_error, reliability_bins
from kdtab.metrics.classes import (
    average_precision_from_logits,
    class_counts_from_logits,
    f1_from_logits,
)
from kdtab.metrics.logits import (
    auc_from_logits,
    balanced_accuracy_from_logits,
    brier_scores_from_logits,
    kl_divergences_from_logits,
    log_losses_from_logits,
)
from kdtab.report.draws import Draws
from kdtab.report.inputs import MeasuredRows, ModelOutputs
from kdtab.report.quality import ClassLine, ClassQuality, Estimate, ValueQuality
from kdtab.report.summary import AgreementGrid, Role

GRID_BINS = 20


@dataclass(frozen=True, eq=False)
class Side:
    """One model's outputs in the form that everything is measured in.

    Attributes:
        role: Teacher, student or scratch student.
        outputs: As they were given.
        said: [N, C] log-probabilities, or [N] values.
        losses: [N] −log p of the true class, or squared errors.

    Example:
        >>> Side.__dataclass_params__.frozen
        True
    """

    role: Role
    outputs: ModelOutputs
    said: FloatArray
    losses: FloatArray


def side_of(role: Role, outputs: ModelOutputs, rows: MeasuredRows) -> Side:
    """A model's outputs with the loss of each row.

    Args:
        role: Which of the models it is.
        outputs: What it said.
        rows: The truth.

    Returns:
        Its log-probabilities or values, and its losses.

    Example:
        >>> rows = MeasuredRows("y", np.array([1.0]))
        >>> side_of("student", ModelOutputs("", "values", np.array([[3.0]])), rows).losses.tolist()
        [4.0]
    """
    if rows.classes:
        said = outputs.log_probabilities()
        return Side(role, outputs, said, log_losses_from_logits(said, _codes(rows)))
    values = np.asarray(outputs.values, dtype=np.float64).reshape(-1)
    return Side(role, outputs, values, (values - rows.truth) ** 2)


def columns_of(side: Side, teacher: Side, rows: MeasuredRows) -> dict[str, FloatArray]:
    """The columns of one model whose means make its figures.

    Args:
        side: The model.
        teacher: Whom it is compared with.
        rows: The truth.

    Returns:
        [N] columns, their names beginning with the role.

    Example:
        >>> rows = MeasuredRows("y", np.array([1.0]))
        >>> side = side_of("student", ModelOutputs("", "values", np.array([[3.0]])), rows)
        >>> sorted(columns_of(side, side, rows))
        ['student.apart', 'student.error', 'student.loss']
    """
    found = {"loss": side.losses}
    if rows.classes:
        codes = _codes(rows)
        chosen, by_teacher = side.said.argmax(axis=1), teacher.said.argmax(axis=1)
        found["right"] = (chosen == codes).astype(np.float64)
        found["same"] = (chosen == by_teacher).astype(np.float64)
        found["brier"] = brier_scores_from_logits(side.said, codes)
        found["divergence"] = kl_divergences_from_logits(teacher.said, side.said)
    else:
        found["error"] = np.abs(side.said - rows.truth)
        found["apart"] = (side.said - teacher.said) ** 2
    return {f"{side.role}.{name}": column for name, column in found.items()}


def class_quality(side: Side, rows: MeasuredRows, draws: Draws) -> ClassQuality:
    """The figures of a classification.

    Args:
        side: The model.
        rows: The truth.
        draws: Of all columns.

    Returns:
        Each figure, the means with intervals.

    Example:
        >>> class_quality.__name__
        'class_quality'
    """
    codes, role = _codes(rows), side.role
    return ClassQuality(
        log_loss=draws.estimate(lambda means: means[f"{role}.loss"]),
        accuracy=draws.estimate(lambda means: means[f"{role}.right"]),
        balanced_accuracy=_exact(balanced_accuracy_from_logits(side.said, codes)),
        brier=draws.estimate(lambda means: means[f"{role}.brier"]),
        calibration_error=_exact(calibration_error(reliability_of(side, rows))),
        auc=_exact(auc_from_logits(side.said, codes)),
        average_precision=_exact(average_precision_from_logits(side.said, codes)),
        f1=_exact(f1_from_logits(side.said, codes)),
    )


def value_quality(side: Side, rows: MeasuredRows, draws: Draws) -> ValueQuality:
    """The figures of a regression.

    Args:
        side: The model.
        rows: The truth.
        draws: Of all columns; "truth.square" and "truth.offset" about the mean are among them.

    Returns:
        Each figure, the means and what is made of them with intervals.

    Example:
        >>> value_quality.__name__
        'value_quality'
    """
    role = side.role
    return ValueQuality(
        mse=draws.estimate(lambda means: means[f"{role}.loss"]),
        rmse=draws.estimate(lambda means: np.sqrt(means[f"{role}.loss"])),
        mae=draws.estimate(lambda means: means[f"{role}.error"]),
        r_squared=draws.estimate(
            lambda means: (
                1 - means[f"{role}.loss"] / (means["truth.square"] - means["truth.offset"] ** 2)
            )
        ),
        calibration_error=_exact(calibration_error(reliability_of(side, rows))),
    )


def reliability_of(side: Side, rows: MeasuredRows) -> tuple[ReliabilityBin, ...]:
    """What was said beside what was found.

    Args:
        side: The model.
        rows: The truth.

    Returns:
        Bins of the probability of the chosen class and the share where it was right; or of the
        predicted and the true values.

    Example:
        >>> rows = MeasuredRows("y", np.array([1.0]))
        >>> side = side_of("student", ModelOutputs("", "values", np.array([[3.0]])), rows)
        >>> reliability_of(side, rows)
        (ReliabilityBin(rows=1, said=3.0, found=1.0),)
    """
    if not rows.classes:
        return reliability_bins(side.said, rows.truth.astype(np.float64))
    right = (side.said.argmax(axis=1) == rows.truth).astype(np.float64)
    return reliability_bins(np.exp(side.said.max(axis=1)), right)


def class_lines(side: Side, rows: MeasuredRows) -> tuple[ClassLine, ...]:
    """What becomes of each class; nothing for a regression.

    Args:
        side: The model.
        rows: The truth.

    Returns:
        One line for each class, in their order.

    Example:
        >>> rows = MeasuredRows("y", np.array([0]), ("no", "yes"))
        >>> said = ModelOutputs("", "probabilities", np.array([[0.9, 0.1]]))
        >>> class_lines(side_of("student", said, rows), rows)[0].recall
        1.0
    """
    if not rows.classes:
        return ()
    counts = class_counts_from_logits(side.said, _codes(rows))
    return tuple(
        ClassLine(name, item.rows, _finite(item.recall), _finite(item.precision), _finite(item.f1))
        for name, item in zip(rows.classes, counts, strict=True)
    )


def agreement_grid(side: Side, teacher: Side, rows: MeasuredRows) -> AgreementGrid:
    """How often the teacher said this where the model said that.

    Args:
        side: The model.
        teacher: The teacher.
        rows: The truth.

    Returns:
        Counts over 20 × 20 bins; what lies outside of the middle 99 % of values stands at the rim.

    Example:
        >>> rows = MeasuredRows("y", np.array([1.0]))
        >>> side = side_of("student", ModelOutputs("", "values", np.array([[3.0]])), rows)
        >>> sum(map(sum, agreement_grid(side, side, rows).counts))
        1
    """
    of_teacher, of_model = _shown(teacher, rows), _shown(side, rows)
    low, high = (0.0, 1.0) if rows.classes else _middle(np.concatenate([of_teacher, of_model]))
    edges = np.linspace(low, high, GRID_BINS + 1)
    counts, _, _ = np.histogram2d(
        np.clip(of_teacher, low, high), np.clip(of_model, low, high), bins=[edges, edges]
    )
    return AgreementGrid(
        tuple(edges.tolist()), tuple(tuple(map(int, line)) for line in counts.tolist())
    )


def _shown(side: Side, rows: MeasuredRows) -> FloatArray:
    if not rows.classes:
        return side.said
    columns = 1 if len(rows.classes) == 2 else _codes(rows)
    shares: FloatArray = np.exp(side.said[np.arange(len(side.said)), columns])
    return shares


def _middle(values: FloatArray) -> tuple[float, float]:
    low, high = np.quantile(values, [0.005, 0.995]).tolist()
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _codes(rows: MeasuredRows) -> IntArray:
    return rows.truth.astype(np.int64)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _exact(value: float | None) -> Estimate:
    return Estimate(_finite(value))
