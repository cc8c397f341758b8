"""A report as plain data: frozen values that a program can read and a person's page is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, is_dataclass
from typing import Literal, TypeAlias

from kdtab.config.training import Task
from kdtab.metrics.calibration import ReliabilityBin
from kdtab.metrics.retention import Gain
from kdtab.report.inputs import EpochLosses
from kdtab.report.quality import ClassLine, ClassQuality, Estimate, ValueQuality

Role: TypeAlias = Literal["teacher", "student", "scratch"]


@dataclass(frozen=True)
class ModelReport:
    """One model: how good, and what it costs.

    Example:
        >>> ModelReport.__dataclass_params__.frozen
        True
    """

    role: Role
    name: str
    quality: ClassQuality | ValueQuality
    reliability: tuple[ReliabilityBin, ...]
    per_class: tuple[ClassLine, ...]
    epochs: tuple[EpochLosses, ...]
    parameters: int | None
    bytes: int | None
    rows_per_second: float | None
    p50: float | None
    p99: float | None


@dataclass(frozen=True)
class AgreementGrid:
    """How often the teacher said this where the student said that.

    Attributes:
        edges: Of the bins, the same for both.
        counts: Rows in bin t of the teacher and bin s of the student, as counts[t][s].

    Example:
        >>> AgreementGrid((0.0, 0.5, 1.0), ((3, 1), (0, 4))).counts[0][1]
        1
    """

    edges: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Fidelity:
    """How near a model is to the teacher, whatever the truth.

    Attributes:
        role: The model.
        agreement: Share of rows with the same class; for regression R² against the teacher.
        divergence: Mean KL(teacher ‖ model) in nats; None for regression.
        grid: What both said of the second of two classes, of the true class of several, or the
            values.

    Example:
        >>> Fidelity.__dataclass_params__.frozen
        True
    """

    role: Role
    agreement: Estimate
    divergence: Estimate | None
    grid: AgreementGrid


@dataclass(frozen=True)
class LossGap:
    """Mean difference of two models' losses on the same rows, paired.

    Attributes:
        of: Whose loss.
        less: Whose loss is taken off; above 0 it is the better model.
        gap: L_of − L_less.

    Example:
        >>> LossGap("scratch", "teacher", Estimate(0.1)).less
        'teacher'
    """

    of: Role
    less: Role
    gap: Estimate


@dataclass(frozen=True)
class SegmentLine:
    """Some of the rows.

    Attributes:
        column: What they are chosen by.
        value: What they have there.
        rows: How many.
        metrics: Accuracy or RMSE of each model, in the order of the report's models.
        losses: Log loss or mean squared error of each.
        agreement: Of the student with the teacher.
        behind: L_student − L_teacher, paired.

    Example:
        >>> SegmentLine("sex", "f", 9, (0.9, 0.8), (0.2, 0.3), 0.9, Estimate(0.1)).rows
        9
    """

    column: str
    value: str
    rows: int
    metrics: tuple[float, ...]
    losses: tuple[float, ...]
    agreement: float | None
    behind: Estimate


@dataclass(frozen=True)
class OtherStudent:
    """A student that was fitted beside the one that was kept.

    Attributes:
        name: What it has of its own, in a few words.
        loss: Mean log loss or squared error on the report's rows; None where it is not finite.
        parameters: Numbers that were learnt.
        bytes: Size when stored.
        p50: Seconds for one row, the median; None where it was not measured.

    Example:
        >>> OtherStudent("64 units", loss=0.4, parameters=900, bytes=4_000).p50 is None
        True
    """

    name: str
    loss: float | None
    parameters: int | None = None
    bytes: int | None = None
    p50: float | None = None


@dataclass(frozen=True)
class Summary:
    """Teacher, student and, where there is one, scratch student on the same rows.

    Attributes:
        task: Classification or regression.
        target: The target column.
        classes: Names of the classes in their order.
        rows: How many were measured.
        different_rows: Groups among them; identical rows count once.
        which: Which rows these are.
        models: Teacher, student, scratch student.
        fidelity: Student and scratch student beside the teacher.
        gaps: Paired differences in loss.
        constant_loss: Loss of the best constant answer on these rows.
        constant_metric: Accuracy of the most frequent class; RMSE of the mean.
        gain: What the student kept; None without a scratch student.
        segments: Parts of the rows.
        facts: How it was run, as names and values.
        notes: Sentences that a person should read.
        others: Students that were fitted too.

    Example:
        >>> Summary.__dataclass_params__.frozen
        True
    """

    task: Task
    target: str
    classes: tuple[str, ...]
    rows: int
    different_rows: int
    which: str
    models: tuple[ModelReport, ...]
    fidelity: tuple[Fidelity, ...]
    gaps: tuple[LossGap, ...]
    constant_loss: float
    constant_metric: float
    gain: Gain | None
    segments: tuple[SegmentLine, ...]
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    others: tuple[OtherStudent, ...] = ()

    def to_plain(self) -> dict[str, object]:
        """The report as JSON-ready data.

        Returns:
            Nested dictionaries and lists of texts and finite numbers; what is not defined is None.

        Example:
            >>> Summary.to_plain.__name__
            'to_plain'
        """
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


def plain(value: object) -> object:
    """A frozen value as JSON-ready data.

    Args:
        value: A dataclass, a tuple, a number, a text or None.

    Returns:
        Dictionaries, lists and scalars; None for a number that is not finite.

    Example:
        >>> plain((Estimate(float("inf")),))
        [{'value': None, 'interval': None}]
    """
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
