"""What a training run is asked for, and what a person gets from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

from kdtab.bundle import Metrics, ModelBundle
from kdtab.config.manifest import Provenance
from kdtab.config.networks import NetworkSpec
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.data.folds import Folds
from kdtab.data.outputs import TeacherOutputs
from kdtab.data.report import PreparationReport
from kdtab.data.teacherinfo import TeacherInfo
from kdtab.metrics.bootstrap import Interval
from kdtab.metrics.quantiles import QuantileScores
from kdtab.results import Checked
from kdtab.shell.calibrate import Calibration
from kdtab.shell.extrarows import ExtraRows
from kdtab.shell.fit import FitSettings, FittedNetwork
from kdtab.tasks.supervised import TrainingTask

LabelMethod: TypeAlias = Literal["out_of_fold", "out_of_bag", "in_sample", "as_given"]
SeenRows: TypeAlias = Literal["no", "yes", "unknown"]
GatePlace: TypeAlias = Literal["validation", "held_out_fold"]
GateVerdict: TypeAlias = Literal["better", "not_clearly_better", "worse"]


@dataclass(frozen=True)
class FitPlan:
    """What to fit on a prepared table.

    Attributes:
        config: What was asked for; epochs, batch size, learning rate and seed are taken from it.
        spec: The network.
        task: What one step computes.
        soft_targets: [N, C] teacher outputs for the training rows, or None.
        provenance: What is known of the run so far; sizes and settings are added.
        notes: Sentences beside those of the preparation.
        calibrate: Whether to calibrate it on the validation rows, where there are some.
        half_precision: Whether weight matrices are rounded to float16 in the end.
        quantiles: Levels of a regression's outputs; empty: its one output is the value.
        extra: Rows without a label that the teacher labelled; left out by a task that does not
            listen to it.

    Example:
        >>> FitPlan.__dataclass_params__.frozen
        True
    """

    config: TrainingConfig
    spec: NetworkSpec
    task: TrainingTask
    soft_targets: Float32Array | None
    provenance: Provenance
    notes: tuple[str, ...] = ()
    calibrate: bool = False
    half_precision: bool = False
    quantiles: tuple[float, ...] = ()
    extra: ExtraRows | None = None


@dataclass(frozen=True)
class TrainingReport:
    """What happened on the way to a model.

    Attributes:
        preparation: What was found in the table, and what was done with it.
        fitted: Every epoch's losses, the steps made, the threads used.
        settings: The epochs and the batch size that were resolved.
        notes: Sentences that a person should read.
        evidence: What the teacher said and how; None where there was none to speak of.
        calibration: What was folded into the last layer; None where nobody asked for it.
        quantiles: How good the quantiles are; None for a student that tells none.

    Example:
        >>> TrainingReport.__dataclass_params__.frozen
        True
    """

    preparation: PreparationReport
    fitted: FittedNetwork
    settings: FitSettings
    notes: tuple[str, ...]
    evidence: DistillEvidence | None = None
    calibration: Calibration | None = None
    quantiles: QuantileScores | None = None


@dataclass(frozen=True)
class TrainedModel:
    """A model, how good it is on rows it never saw, and how it came about.

    Example:
        >>> TrainedModel.__dataclass_params__.frozen
        True
    """

    bundle: ModelBundle
    metrics: Metrics
    report: TrainingReport


@dataclass(frozen=True)
class TeacherGate:
    """A teacher beside the same student without it, on rows that decided nothing of either.

    Losses are log losses in nats, or mean squared errors in the unit of training.

    Attributes:
        place: Which rows: the validation rows, or one fold of the training rows that the student
            alone was fitted without.
        rows: How many.
        different_rows: How many that do not depend on each other.
        teacher_loss: Of the teacher on them.
        scratch_loss: Of the student without a teacher.
        lead_interval: Of the lead, 95 %, paired.
        saw_rows: Whether the teacher had seen them; where it may have, its lead proves nothing.

    Example:
        >>> gate = TeacherGate("validation", 90, 90, 0.4, 0.5, Interval(0.05, 0.2), "no")
        >>> gate.verdict
        'better'
    """

    place: GatePlace
    rows: int
    different_rows: int
    teacher_loss: float
    scratch_loss: float
    lead_interval: Interval
    saw_rows: SeenRows

    @property
    def lead(self) -> float:
        """The loss of the student alone less that of the teacher: above 0 the teacher is better.

        Example:
            >>> TeacherGate("validation", 90, 90, 0.25, 0.5, Interval(0.1, 0.4), "no").lead
            0.25
        """
        return self.scratch_loss - self.teacher_loss

    @property
    def verdict(self) -> GateVerdict:
        """Better or worse where the interval of the lead leaves no doubt.

        Example:
            >>> TeacherGate("validation", 90, 90, 0.5, 0.4, Interval(-0.2, 0.0), "no").verdict
            'not_clearly_better'
        """
        if self.lead_interval.low > 0:
            return "better"
        return "worse" if self.lead_interval.high < 0 else "not_clearly_better"


@dataclass(frozen=True, eq=False)
class DistillEvidence:
    """What a teacher said, how it came to say it, and what a report needs to judge it.

    Losses are log losses in nats, or mean squared errors in the unit of training.

    Attributes:
        teacher: What the teacher of the test rows says of itself.
        method: How the training rows were labelled.
        saw_training_rows: Whether the teacher that labelled a training row had seen it.
        outputs_of: The teacher of all training rows, for rows of `table` in any order; classes in
            the student's order.
        table: Every row as the teacher takes it.
        test_rows: Row numbers of the table that neither teacher nor student saw.
        test_outputs: What the teacher says of the test rows, classes in the student's order.
        training_loss: Of the teacher's labels of the training rows; None where it gave none.
        held_out_loss: Of the teacher on the test rows.
        unlabelled_rows: Training rows of which no teacher could speak: they keep their own labels.
        identical_share: Share of the training rows that have an identical twin.
        seconds: What fitting and asking the teacher took.
        folds: Which training rows each fold's teacher saw, and which rows were kept together (out
            of bag too); None where a teacher labelled rows that it may have seen.
        weights: Members of an ensemble and their weights.
        scratch: The same student with the same settings, without a teacher; None if neither a
            report nor the gate needs it.
        gate: The teacher beside the student alone, before the student was trained; None where there
            were no rows to compare them on, or nobody wanted to know.

    Example:
        >>> DistillEvidence.__dataclass_params__.frozen
        True
    """

    teacher: TeacherInfo
    method: LabelMethod
    saw_training_rows: SeenRows
    outputs_of: Callable[[pl.DataFrame], Checked[TeacherOutputs]]
    table: pl.DataFrame
    test_rows: IntArray
    test_outputs: TeacherOutputs
    training_loss: float | None
    held_out_loss: float
    unlabelled_rows: int
    identical_share: float
    seconds: float
    folds: Folds | None = None
    weights: tuple[tuple[str, float], ...] = ()
    scratch: TrainedModel | None = None
    gate: TeacherGate | None = None

    @property
    def leak_gap(self) -> float | None:
        """How much smaller the teacher's loss is on the rows it labels than on the test rows.

        Near 0 where its labels are honest; large where it repeats what it has memorised.

        Example:
            >>> DistillEvidence(None, "as_given", "unknown", *[None] * 4, 0.1, 0.75, 0, 0, 0).leak_gap
            0.65
        """
        return None if self.training_loss is None else self.held_out_loss - self.training_loss
