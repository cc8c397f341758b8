"""A teacher held against the student's own baseline, before the student is trained."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from kdtab.config.base import revise
from kdtab.config.networks import NetworkSpec
from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.dependence import linked_rows
from kdtab.data.foldcolumns import group_numbers
from kdtab.data.folds import Folds
from kdtab.data.prepared import EncodedRows, PreparedTable
from kdtab.data.split import twin_groups
from kdtab.metrics.bootstrap import LEAST_GROUPS, group_count, interval_of, resampled_means
from kdtab.results import Checked
from kdtab.shell.assemble import FitPlan, TrainedModel, fit_model
from kdtab.shell.infer import network_outputs
from kdtab.shell.progress import RunProgress
from kdtab.shell.trained import DistillEvidence, GatePlace, SeenRows, TeacherGate
from kdtab.teachers.classroom import Classroom
from kdtab.teachers.studentview import losses_of_targets, student_targets
from kdtab.teachers.taught import training_folds

ALONE = "student without a teacher"


@dataclass(frozen=True, eq=False)
class Baseline:
    """The student without a teacher: how it is fitted, and where.

    Attributes:
        plan: Of the student, with a task that knows no teacher.
        room: Table, configs and device.
        progress: Hears of the fit.

    Example:
        >>> Baseline.__dataclass_params__.frozen
        True
    """

    plan: FitPlan
    room: Classroom
    progress: RunProgress

    def fitted(self, prepared: PreparedTable, stage: str = ALONE) -> Checked[TrainedModel]:
        """Fit it.

        Args:
            prepared: The table, or a part of its training rows.
            stage: What its epochs are said to belong to.

        Returns:
            The model, or the issues of `fit_model`.

        Example:
            >>> Baseline.fitted.__name__
            'fitted'
        """
        self.progress.stage(stage)
        plan = replace(self.plan, spec=_for_rows(self.plan, prepared.training))
        return fit_model(prepared, plan, device=self.room.device, progress=self.progress)


def has_validation_rows(prepared: PreparedTable, room: Classroom) -> bool:
    """Whether there are validation rows enough to tell a lead from chance.

    Args:
        prepared: The table, split.
        room: Whose group column makes rows one.

    Returns:
        True from 20 different rows on.

    Example:
        >>> has_validation_rows.__name__
        'has_validation_rows'
    """
    rows = prepared.validation
    if len(rows.targets) < LEAST_GROUPS:
        return False
    different = np.unique(dependent_rows(rows, prepared.split.validation, room))
    return len(different) >= LEAST_GROUPS


def teacher_gate(
    prepared: PreparedTable,
    spoken: Float32Array,
    evidence: DistillEvidence,
    baseline: Baseline,
) -> TeacherGate | None:
    """Whether the teacher is better than the same student without it, on rows that neither saw.

    Losses on training rows would flatter the baseline, which has fitted them; the test rows must
    not decide anything. So the two meet on the validation rows where there are 20 different ones:
    the teacher was fitted without them, and the baseline has chosen its epoch on them, which is a
    slight advantage. Elsewhere they meet on one fold of the training rows. The teacher labelled it
    out of fold; the baseline is fitted on the very rows that this fold's teacher was fitted on, at
    the cost of one more student. All folds would cost as many students as there are folds. The
    weights of an ensemble were chosen on labels of this fold too, a slight advantage of the teacher.

    The lead is L_baseline − L_teacher, with a paired bootstrap interval of 95 % in which rows that
    depend on each other are drawn together.

    Args:
        prepared: The table, split and encoded.
        spoken: [N, C] the labels of the training rows as the student takes them; NaN where none.
        evidence: Of the teacher, with the scratch student where that was fitted.
        baseline: The student without a teacher.

    Returns:
        The outcome; None where the rows are too few, where the teacher saw the rows that it labels
        and there is no validation row, or where the baseline could not be fitted: then the
        student's own fit says why.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.distill import distill_student
        >>> frame = pl.DataFrame({"x": list(range(200)), "y": ["no", "yes"] * 100})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> student = distill_student(frame, "boosted", config, device="cpu").unwrap()
        >>> student.report.evidence.gate.place, student.report.evidence.gate.rows
        ('held_out_fold', 32)
    """
    if evidence.scratch is not None and has_validation_rows(prepared, baseline.room):
        return _on_validation(prepared, evidence, evidence.scratch, baseline.room)
    if evidence.saw_training_rows == "yes":
        return None
    if evidence.folds is not None:
        return _on_fold(prepared, spoken, evidence, evidence.folds, baseline)
    room = baseline.room
    drawn = training_folds(
        room.frame,
        prepared,
        room.labels,
        seed=room.config.random_seed,
        markers=room.options.missing_markers,
    )
    return drawn.map(lambda folds: _on_fold(prepared, spoken, evidence, folds, baseline)).value_or(
        None
    )


def gate_notes(gate: TeacherGate | None) -> tuple[str, ...]:
    """What a person should know of the outcome before the student is trained.

    Args:
        gate: The outcome.

    Returns:
        A sentence; none where the teacher is better, or nothing was compared.

    Example:
        >>> from kdtab.metrics.bootstrap import Interval
        >>> gate = TeacherGate("validation", 90, 90, 0.5, 0.4, Interval(-0.2, -0.05), "no")
        >>> gate_notes(gate)[0][:65]
        'warning: the teacher is worse than the same student without it: o'
        >>> gate_notes(None)
        ()
    """
    if gate is None or gate.verdict == "better":
        return ()
    low, high = gate.lead_interval.low, gate.lead_interval.high
    where = "validation rows" if gate.place == "validation" else "training rows"
    known = "that neither was fitted on " if gate.saw_rows == "no" else ""
    losses = (
        f"on {gate.rows:,} {where} {known}its loss is {gate.teacher_loss:.4g}, that of the student "
        f"alone {gate.scratch_loss:.4g}"
    )
    if gate.verdict == "worse":
        return (
            f"warning: the teacher is worse than the same student without it: {losses} "
            f"(95 % interval of the difference {-high:.3g} to {-low:.3g}). Take another teacher, "
            "or train without one",
        )
    return (
        f"the teacher is not clearly better than the same student without it: {losses} "
        f"(95 % interval of its lead {low:.3g} to {high:.3g})",
    )


def _on_validation(
    prepared: PreparedTable, evidence: DistillEvidence, scratch: TrainedModel, room: Classroom
) -> TeacherGate | None:
    rows, numbers = prepared.validation, prepared.split.validation
    said = evidence.outputs_of(evidence.table[numbers]).bind(
        lambda outputs: student_targets(outputs, prepared, "zero")
    )
    saw: SeenRows = "unknown" if evidence.saw_training_rows == "unknown" else "no"
    found = said.map(
        lambda spoken: _outcome(
            "validation",
            saw,
            losses_of_targets(spoken, rows, prepared),
            losses_of_targets(_outputs_of(scratch, rows), rows, prepared),
            dependent_rows(rows, numbers, room),
        )
    )
    return found.value_or(None)


def _on_fold(
    prepared: PreparedTable,
    spoken: Float32Array,
    evidence: DistillEvidence,
    folds: Folds,
    baseline: Baseline,
) -> TeacherGate | None:
    """The fold whose teacher saw most: with times the last one, else about any."""
    fold = max(range(len(folds.fits)), key=lambda at: len(folds.fits[at]))
    asked = folds.rows(fold)
    asked = asked[~np.isnan(spoken[asked]).any(axis=1)]
    if group_count(len(asked), folds.groups[asked]) < LEAST_GROUPS:
        return None
    rows = _taken(prepared.training, asked)
    others = replace(
        prepared,
        training=_taken(prepared.training, folds.fits[fold]),
        validation=_taken(prepared.training, asked[:0]),
    )
    found = baseline.fitted(others, f"{ALONE}, on the other folds").map(
        lambda scratch: _outcome(
            "held_out_fold",
            evidence.saw_training_rows,
            losses_of_targets(spoken[asked], rows, prepared),
            losses_of_targets(_outputs_of(scratch, rows), rows, prepared),
            folds.groups[asked],
        )
    )
    return found.value_or(None)


def _outcome(
    place: GatePlace, saw: SeenRows, teacher: FloatArray, alone: FloatArray, groups: IntArray
) -> TeacherGate:
    _, codes = np.unique(groups, return_inverse=True)
    lead = (alone - teacher)[:, np.newaxis]
    drawn = resampled_means(lead, np.random.default_rng(0), groups=codes)
    return TeacherGate(
        place=place,
        rows=len(teacher),
        different_rows=int(codes.max()) + 1,
        teacher_loss=float(teacher.mean()),
        scratch_loss=float(alone.mean()),
        lead_interval=interval_of(drawn[:, 0]),
        saw_rows=saw,
    )


def _for_rows(plan: FitPlan, rows: EncodedRows) -> NetworkSpec:
    """The network of a plan; where it has an encoding, with edges that no other row has moved."""
    if plan.spec.encoding is None:
        return plan.spec
    return revise(plan.spec, encoding=rows.encoding(plan.config)).unwrap()


def _outputs_of(model: TrainedModel, rows: EncodedRows) -> Float32Array:
    return network_outputs(model.bundle.model, rows.inputs)


def dependent_rows(rows: EncodedRows, numbers: IntArray, room: Classroom) -> IntArray:
    """The same number for identical rows and for rows of one group.

    Args:
        rows: [N] encoded.
        numbers: [N] their row numbers of the table.
        room: Whose group column makes rows one.

    Returns:
        [N] numbers.

    Example:
        >>> dependent_rows.__name__
        'dependent_rows'
    """
    twins, grouped = twin_groups(pl.DataFrame(rows.inputs)), room.labels.group_column
    if grouped is None:
        return twins
    groups = group_numbers(room.frame[numbers][grouped], room.options.missing_markers)
    return linked_rows(groups, twins)


def _taken(rows: EncodedRows, places: IntArray) -> EncodedRows:
    return EncodedRows(rows.inputs[places], rows.targets[places])
