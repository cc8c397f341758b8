"""Distil: a table and a teacher in, a smaller student that learnt from both out."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
import polars as pl
import torch
from returns.result import Result, Success

from kdtab.bundle import ModelBundle
from kdtab.config.base import revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.manifest import Provenance
from kdtab.config.networks import network_spec
from kdtab.config.training import CLASSIFICATION_ONLY, TrainingConfig
from kdtab.data.arrays import Float32Array
from kdtab.data.fingerprint import table_fingerprint
from kdtab.data.prepare import PreparedTable, prepare_with_artifacts
from kdtab.errors.configs import ModeNeedsClassification
from kdtab.errors.issue import Issue, Issues
from kdtab.errors.teachers import TaskMismatch, TeacherOutputsInvalid
from kdtab.models.describe import parameter_count, student_defaults
from kdtab.results import check, fail
from kdtab.shell.assemble import FitPlan, TrainedModel, fit_model
from kdtab.shell.device import resolve_device
from kdtab.shell.infer import network_outputs
from kdtab.shell.progress import SILENT, Progress
from kdtab.tasks.soft_targets import SoftTargetTask


def distill_student(
    frame: pl.DataFrame,
    teacher: ModelBundle,
    config: TrainingConfig,
    distill: DistillConfig | None = None,
    *,
    columns: ColumnOptions | None = None,
    device: str | torch.device | None = None,
    progress: Progress = SILENT,
) -> Result[TrainedModel, Issues]:
    """Train a student on the labels of a frame and on what the teacher knows (PT-DISTILL-001).

    loss = alpha · hard + (1 − alpha) · soft, both from one student forward. Classification: hard is
    cross-entropy, soft is T² · KL(teacher ‖ student) at temperature T (Hinton et al. 2015,
    arXiv:1503.02531). Regression: both are mean squared errors. The teacher speaks once, before
    the first step, in eval mode and without gradients, and is left as it was.

    Args:
        frame: Raw rows, the target among the columns.
        teacher: A trained model; its preprocessing is the student's.
        config: What to train, and how; `task="auto"` takes the teacher's task.
        distill: Temperature, alpha and the student's sizes.
        columns: Which columns count; None takes all but the target.
        device: Where to train; None takes CUDA where there is one.
        progress: Hears of every epoch.

    Returns:
        The student, its metrics on the held-out rows and a report; or every issue of the task, the
        columns, the target, the teacher, the device, the batch settings or the training itself.

    Example:
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=40, batch_size=16)
        >>> teacher = train_model(frame, config, device="cpu").unwrap().bundle
        >>> student = distill_student(frame, teacher, config, device="cpu").unwrap()
        >>> student.bundle.model.spec.hidden_dim, student.bundle.scaler is teacher.scaler
        (64, True)
    """
    options = columns or ColumnOptions()
    knobs = distill or DistillConfig()
    provenance = Provenance(
        table_fingerprint=table_fingerprint(frame),
        training_config=config,
        column_options=options,
        distill_config=knobs,
        teacher_fingerprint=teacher.fingerprint,
    )
    return Result.do(
        _with_size_note(model, teacher)
        for _ in check(*teacher_issues(teacher, config))
        for chosen in resolve_device(device)
        for prepared in prepare_with_artifacts(
            frame, config, options, teacher.artifacts, teacher.task
        )
        for spoken in _teacher_outputs(teacher, prepared)
        for model in fit_model(
            prepared,
            _plan(prepared, teacher, spoken, config, knobs, provenance),
            device=chosen,
            progress=progress,
        )
    )


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


def _plan(
    prepared: PreparedTable,
    teacher: ModelBundle,
    spoken: Float32Array,
    config: TrainingConfig,
    knobs: DistillConfig,
    provenance: Provenance,
) -> FitPlan:
    hidden_dim, num_hidden_layers, dropout = student_defaults(teacher.model)
    return FitPlan(
        config=config,
        spec=network_spec(
            config.training_mode,
            input_dim=prepared.training.inputs.shape[1],
            output_dim=prepared.output_dim,
            hidden_dim=_given(knobs.student_hidden_dim, hidden_dim),
            num_hidden_layers=_given(knobs.student_num_hidden_layers, num_hidden_layers),
            dropout=_given(knobs.student_dropout, dropout),
        ),
        task=SoftTargetTask(task=prepared.task, temperature=knobs.temperature, alpha=knobs.alpha),
        soft_targets=spoken,
        provenance=provenance,
    )


Size = TypeVar("Size", int, float)


def _given(asked: Size | None, default: Size) -> Size:
    return default if asked is None else asked


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
