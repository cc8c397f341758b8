"""Distil: a table and a teacher in, a smaller student that learnt from both out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
import torch
from returns.result import Result, Success

from kdtab.bundle import ModelBundle
from kdtab.config.base import revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.manifest import Provenance
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import CLASSIFICATION_ONLY, TrainingConfig
from kdtab.data.arrays import Float32Array
from kdtab.data.outputs import TeacherOutputs
from kdtab.data.prepare import PreparedTable, prepare_with_artifacts
from kdtab.errors.configs import ModeNeedsClassification
from kdtab.errors.issue import Issue, Issues
from kdtab.errors.teachers import TaskMismatch, TeacherOutputsInvalid
from kdtab.models.describe import StudentSize, parameter_count, student_defaults
from kdtab.results import check, fail, gather
from kdtab.shell.assemble import TrainedModel
from kdtab.shell.device import resolve_device
from kdtab.shell.infer import network_outputs
from kdtab.shell.progress import SILENT, RunProgress
from kdtab.shell.trained import DistillEvidence
from kdtab.teachers.classroom import Classroom
from kdtab.teachers.evidence import gathered_evidence, rows_seen_by
from kdtab.teachers.network import NetworkTeacher
from kdtab.teachers.source import (
    EstimatorSource,
    GivenSource,
    KindSource,
    TeacherSource,
    Teaching,
    prepared_for,
    teacher_source,
    teaching_of,
)
from kdtab.teachers.studentfit import Wish, fit_student, student_plan
from kdtab.teachers.studenttask import objective_fits
from kdtab.teachers.taught import Taught, label_columns_issues


def distill_student(
    frame: pl.DataFrame,
    teacher: object,
    config: TrainingConfig,
    distill: DistillConfig | None = None,
    *,
    labels: LabelConfig | None = None,
    columns: ColumnOptions | None = None,
    device: str | torch.device | None = None,
    progress: RunProgress = SILENT,
    scratch: bool = False,
) -> Result[TrainedModel, Issues]:
    """Train a student on the labels of a frame and on what the teacher knows (PT-DISTILL-001).

    loss = alpha · hard + (1 − alpha) · soft, both from one student forward. Classification: hard is
    cross-entropy, soft is T² · KL(teacher ‖ student) at temperature T (Hinton et al. 2015,
    arXiv:1503.02531). Regression: both are mean squared errors. The teacher speaks once, before
    the first step, in eval mode and without gradients, and is left as it was.

    A teacher that kdtab can fit is fitted on the training rows alone, and labels none of them that
    it saw: by folds, or out of bag (Dao et al., arXiv:2104.09732). No teacher sees a test or
    validation row.

    Args:
        frame: Raw rows, the target among the columns.
        teacher: A `ModelBundle`, whose preprocessing becomes the student's; the name of a kind
            ("forest", "extra_trees", "boosted", "ensemble"); an estimator of scikit-learn's manner,
            fitted or not, which is cloned; or whatever else `resolve_teacher` takes, used as given.
        config: What to train, and how; `task="auto"` takes the teacher's task.
        distill: Temperature, alpha, or an objective and pairs of layers; and the student's sizes,
            which come from a bundle's network or else from `config`.
        labels: How the training rows are labelled; None cross-fits whatever can be fitted.
        columns: Which columns count; None takes all but the target.
        device: Where to train; None takes CUDA where there is one.
        progress: Hears of every fit and epoch, and of a teacher that is not better than none.
        scratch: Also fit the same student without a teacher, for the evidence. With `labels.gate`
            one is fitted anyway, on the rows of all folds but one where there is no validation row.

    Returns:
        The student, its metrics on the held-out rows and a report, with evidence of the teacher
        (of a bundle only where `labels` or `scratch` asks for it: it would be asked more than
        once); or every issue of the task, the columns, the target, the teacher, the device, the
        objective, the batch settings or the training itself.

    Example:
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=40, batch_size=16)
        >>> teacher = train_model(frame, config, device="cpu").unwrap().bundle
        >>> student = distill_student(frame, teacher, config, device="cpu").unwrap()
        >>> student.bundle.model.spec.hidden_dim, student.bundle.scaler is teacher.scaler
        (64, True)
        >>> student = distill_student(frame, "forest", config, device="cpu").unwrap()
        >>> student.report.evidence.method, student.metrics.test_metric_value
        ('out_of_fold', 1.0)
    """
    knobs, options = distill or DistillConfig(), columns or ColumnOptions()
    policy, place = labels or LabelConfig(), resolve_device(device)
    own = teacher_issues(teacher, config) if isinstance(teacher, ModelBundle) else ()
    return Result.do(
        student
        for _ in gather(check(*own), place, check(*label_columns_issues(frame, policy)))
        for chosen in place
        for student in _distilled(
            teacher,
            Wish(
                Classroom(frame, config, options, policy, chosen),
                knobs,
                progress,
                scratch=scratch,
                evidence=scratch or labels is not None,
            ),
        )
    )


def _distilled(teacher: object, wish: Wish) -> Result[TrainedModel, Issues]:
    if isinstance(teacher, ModelBundle):
        return _from_bundle(teacher, wish)
    return teacher_source(teacher, wish.room).bind(lambda source: _from_source(source, wish))


def _from_bundle(teacher: ModelBundle, wish: Wish) -> Result[TrainedModel, Issues]:
    room = wish.room
    return Result.do(
        _with_size_note(model, teacher)
        for prepared in prepare_with_artifacts(
            room.frame, room.config, room.options, teacher.artifacts, teacher.task, room.labels
        )
        for spoken in _teacher_outputs(teacher, prepared)
        for plan in student_plan(
            prepared,
            student_defaults(teacher.model),
            spoken,
            wish.provenance(teacher_fingerprint=teacher.fingerprint),
            wish,
            teacher.model,
        )
        for evidence in _bundle_evidence(teacher, spoken, prepared, wish)
        for model in fit_student(prepared, plan, wish, evidence)
    )


def _from_source(source: TeacherSource, wish: Wish) -> Result[TrainedModel, Issues]:
    if isinstance(source, GivenSource) and isinstance(source.teacher, NetworkTeacher):
        bundle = source.teacher.bundle
        return check(*teacher_issues(bundle, wish.room.config)).bind(
            lambda _: _from_bundle(bundle, wish)
        )
    config = wish.room.config
    sizes = StudentSize(config.hidden_dim, config.num_hidden_layers, config.dropout)
    return Result.do(
        model
        for prepared in prepared_for(source, wish.room)
        for _ in objective_fits(prepared, wish.knobs, _name_of(source))
        for teaching in _teaching(source, prepared, wish)
        for plan in student_plan(
            prepared, sizes, teaching.spoken, _taught_provenance(teaching, wish), wish
        )
        for model in fit_student(prepared, plan, wish, teaching.evidence)
    )


def _name_of(source: TeacherSource) -> str:
    match source:
        case KindSource(kind=kind):
            return kind
        case EstimatorSource(estimator=estimator):
            return type(estimator).__name__
        case GivenSource(teacher=teacher):
            return teacher.info.name


def _teaching(
    source: TeacherSource, prepared: PreparedTable, wish: Wish
) -> Result[Teaching, Issues]:
    try:
        return teaching_of(source, prepared, wish.room, partial(wish.progress.stage, "teacher"))
    finally:
        wish.progress.finish()


def _taught_provenance(teaching: Teaching, wish: Wish) -> Provenance:
    evidence = teaching.evidence
    return wish.provenance(
        teacher_kind=evidence.teacher.name,
        teacher_fingerprint=evidence.teacher.fingerprint,
        label_config=wish.room.labels,
        label_method=evidence.method,
    )


def _bundle_evidence(
    teacher: ModelBundle, spoken: Float32Array, prepared: PreparedTable, wish: Wish
) -> Result[DistillEvidence | None, Issues]:
    """None where nobody asked: the teacher then speaks of the training rows and of no other."""
    if not wish.evidence:
        return Success(None)
    room, network = wish.room, NetworkTeacher(teacher)
    said = TeacherOutputs(network.info.output_kind, network.info.classes, np.empty((0, 1)))
    seen = rows_seen_by(teacher, room.frame, room.config, room.labels)
    taught = Taught(network, "as_given", seen, said, missing=room.labels.missing_classes)
    return gathered_evidence(taught, spoken, prepared, room.frame, seconds=0.0)


def teacher_issues(teacher: ModelBundle, config: TrainingConfig) -> tuple[Issue, ...]:
    """What a config asks for that the teacher cannot give (REQ-KD06, REQ-KD07, REQ-T05).

    Args:
        teacher: A trained model.
        config: What is asked for.

    Returns:
        `TaskMismatch`, `ModeNeedsClassification`, or nothing.

    Example:
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> teacher = train_model(frame, config, device="cpu").unwrap().bundle
        >>> teacher_issues(teacher, TrainingConfig(target_column="y", task="regression"))
        (TaskMismatch(requested='regression', teacher='classification'),)
    """
    found: list[Issue] = []
    if config.task not in ("auto", teacher.task):
        found.append(TaskMismatch(requested=config.task, teacher=teacher.task))
    elif teacher.task == "regression" and config.training_mode in CLASSIFICATION_ONLY:
        found.append(
            ModeNeedsClassification(mode=config.training_mode, reason="the task of the teacher")
        )
    return tuple(found)


def _teacher_outputs(teacher: ModelBundle, prepared: PreparedTable) -> Result[Float32Array, Issues]:
    outputs = network_outputs(teacher.model, prepared.training.inputs)
    expected = (len(prepared.training.inputs), prepared.output_dim)
    if outputs.shape != expected:
        return fail(TeacherOutputsInvalid(reason=f"shape {outputs.shape}, not {expected}"))
    lost = int((~np.isfinite(outputs)).any(axis=1).sum())
    if lost:
        return fail(
            TeacherOutputsInvalid(reason=f"{lost:,} of {len(outputs):,} rows are not finite")
        )
    return Success(outputs)


def _with_size_note(student: TrainedModel, teacher: ModelBundle) -> TrainedModel:
    small, large = parameter_count(student.bundle.model), parameter_count(teacher.model)
    if small < large:
        return student
    note = f"the student is not smaller than its teacher: {small:,} and {large:,} parameters"
    notes = (*student.report.notes, note)
    provenance = revise(student.bundle.provenance, notes=notes).unwrap()
    return replace(
        student,
        bundle=replace(student.bundle, provenance=provenance),
        report=replace(student.report, notes=notes),
    )
