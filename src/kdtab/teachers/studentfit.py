"""A student and, for comparison, the same one without a teacher: from labels to a fitted model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import polars as pl
from returns.result import Result, Success
from torch import nn

from kdtab.config.base import revise
from kdtab.config.distillation import DistillConfig
from kdtab.config.manifest import Provenance
from kdtab.config.networks import network_spec
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import Float32Array
from kdtab.data.prepare import PreparedTable
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.models.describe import StudentSize
from kdtab.results import check
from kdtab.shell.assemble import FitPlan, TrainedModel, fit_model
from kdtab.shell.calibrate import calibration_issue
from kdtab.shell.progress import RunProgress
from kdtab.shell.trained import DistillEvidence
from kdtab.tasks.supervised import SupervisedTask
from kdtab.teachers.classroom import Classroom
from kdtab.teachers.evidence import evidence_notes
from kdtab.teachers.gate import Baseline, gate_notes, has_validation_rows, teacher_gate
from kdtab.teachers.studenttask import Lesson, student_task

STUDENT = "distilling"
Size = TypeVar("Size", int, float)


@dataclass(frozen=True, eq=False)
class Wish:
    """What is wanted of the student.

    Attributes:
        room: Table, configs and device.
        knobs: Temperature, alpha and sizes.
        progress: Hears of every fit and epoch.
        scratch: Whether the student without a teacher is wanted too.
        evidence: Whether a bundle is asked about more than the training rows.
        unlabelled: Rows beside the table that the teacher is to label.
        own_rows: Whether it is to label the rows of the table that have no target, too.

    Example:
        >>> Wish.__dataclass_params__.frozen
        True
    """

    room: Classroom
    knobs: DistillConfig
    progress: RunProgress
    scratch: bool
    evidence: bool
    unlabelled: pl.DataFrame | None = None
    own_rows: bool = False

    def provenance(self, **known: object) -> Provenance:
        """What is known of the run before it begins.

        Args:
            **known: More of it, by field name: the table's fingerprint, which is dear, among it.

        Returns:
            The configs, and what was given.

        Example:
            >>> Wish.provenance.__name__
            'provenance'
        """
        tied = self.room.labels.group_column is not None or self.room.labels.time_column is not None
        begun = Provenance(
            training_config=self.room.config,
            column_options=self.room.options,
            distill_config=self.knobs,
            label_config=self.room.labels if tied else None,
        )
        return revise(begun, **known).unwrap()


def fit_student(
    prepared: PreparedTable, plan: FitPlan, wish: Wish, evidence: DistillEvidence | None
) -> Result[TrainedModel, Issues]:
    """Fit the student; before it the one without a teacher, as far as report and gate need it.

    Args:
        prepared: The table.
        plan: The student's.
        wish: Device, progress, and whether the scratch student is wanted.
        evidence: Of the teacher; None where nobody asked for it.

    Returns:
        The student, with the evidence in its report.

    Example:
        >>> fit_student.__name__
        'fit_student'
    """
    if evidence is None:
        return _fitted(prepared, plan, wish)
    baseline = Baseline(plan_alone(prepared, plan, wish), wish.room, wish.progress)
    return Result.do(
        _with_evidence(model, shown)
        for scratch in _scratch(prepared, baseline, wish)
        for shown in Success(
            gated_evidence(replace(evidence, scratch=scratch), prepared, plan, baseline)
        )
        for model in _fitted(
            prepared,
            replace(plan, notes=(*evidence_notes(shown, prepared), *gate_notes(shown.gate))),
            wish,
        )
    )


def _fitted(prepared: PreparedTable, plan: FitPlan, wish: Wish) -> Result[TrainedModel, Issues]:
    wish.progress.stage(STUDENT)
    return fit_model(prepared, plan, device=wish.room.device, progress=wish.progress)


def plan_alone(prepared: PreparedTable, plan: FitPlan, wish: Wish) -> FitPlan:
    """The same student without a teacher.

    Args:
        prepared: The table.
        plan: The student's.
        wish: What was wanted of it.

    Returns:
        A plan that learns from labels alone, and says so.

    Example:
        >>> plan_alone.__name__
        'plan_alone'
    """
    return replace(
        plan,
        task=SupervisedTask(prepared.task),
        soft_targets=None,
        extra=None,
        provenance=wish.provenance(
            table_fingerprint=plan.provenance.table_fingerprint, distill_config=None
        ),
    )


def _scratch(
    prepared: PreparedTable, baseline: Baseline, wish: Wish
) -> Result[TrainedModel | None, Issues]:
    """Fitted for a report, and where its epoch is chosen on rows that the teacher can meet it on."""
    gated = wish.room.labels.gate and has_validation_rows(prepared, wish.room)
    if not (wish.scratch or gated):
        return Success(None)
    return baseline.fitted(prepared).bind(Success)


def gated_evidence(
    evidence: DistillEvidence, prepared: PreparedTable, plan: FitPlan, baseline: Baseline
) -> DistillEvidence:
    """The evidence with the gate's outcome, which is said at once: there is still time to stop.

    Args:
        evidence: Of the teacher, with the scratch student where that was fitted.
        prepared: The table.
        plan: The student's.
        baseline: The student without a teacher.

    Returns:
        The evidence; as it was where no gate is wanted.

    Example:
        >>> gated_evidence.__name__
        'gated_evidence'
    """
    if not baseline.room.labels.gate or plan.soft_targets is None:
        return evidence
    gate = teacher_gate(prepared, plan.soft_targets, evidence, baseline)
    for sentence in gate_notes(gate):
        baseline.progress.remark(sentence)
    return replace(evidence, gate=gate)


def student_plan(
    prepared: PreparedTable,
    sizes: StudentSize,
    spoken: Float32Array,
    provenance: Provenance,
    wish: Wish,
    network: nn.Module | None = None,
) -> Result[FitPlan, Issues]:
    """What to fit: the network, the loss, and the teacher's words.

    Args:
        prepared: The table.
        sizes: Of the student, where the wish leaves them open.
        spoken: [N, C] as the student takes them; NaN in rows of which no teacher spoke.
        provenance: What is known of the run.
        wish: Config, temperature, alpha, objective, layers.
        network: The teacher's, where it takes the same inputs.

    Returns:
        The plan; rows without the teacher's word learn from their own label alone. Or the issues of
        an objective that does not fit.

    Example:
        >>> student_plan.__name__
        'student_plan'
    """
    config, knobs = wish.room.config, wish.knobs
    spec = network_spec(
        config.training_mode,
        input_dim=prepared.training.inputs.shape[1],
        output_dim=prepared.output_dim,
        hidden_dim=_given(knobs.student_hidden_dim, sizes.hidden_dim),
        num_hidden_layers=_given(knobs.student_num_hidden_layers, sizes.num_hidden_layers),
        dropout=_given(knobs.student_dropout, sizes.dropout),
        encoding=prepared.training.encoding(config),
        members=config.ensemble_size,
    )
    lesson = Lesson(prepared, spec, spoken, network, config.random_seed)
    unready = calibration_issue(
        config.training_mode,
        wanted=knobs.calibrate,
        validated=len(prepared.validation.targets) > 0,
    )
    planned = check(unready).bind(lambda _: student_task(lesson, knobs))
    return planned.map(
        lambda task: FitPlan(
            config=config,
            spec=spec,
            task=task,
            soft_targets=spoken,
            provenance=provenance,
            calibrate=knobs.calibrate,
            half_precision=knobs.half_precision,
        )
    )


def calibration_asked(config: TrainingConfig, knobs: DistillConfig) -> FieldInvalid | None:
    """Whether a run leaves validation rows, and a last layer, for the calibration it asks for.

    Args:
        config: Of the student; its validation size leaves the rows.
        knobs: Whether to calibrate.

    Returns:
        `FieldInvalid`, or None.

    Example:
        >>> calibration_asked(TrainingConfig(target_column="y"), DistillConfig(calibrate=True)).name
        'calibrate'
    """
    return calibration_issue(
        config.training_mode, wanted=knobs.calibrate, validated=config.validation_size > 0
    )


def _with_evidence(model: TrainedModel, evidence: DistillEvidence) -> TrainedModel:
    return replace(model, report=replace(model.report, evidence=evidence))


def _given(asked: Size | None, default: Size) -> Size:
    return default if asked is None else asked
