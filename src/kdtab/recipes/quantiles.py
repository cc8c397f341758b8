"""Distil quantiles: a forest's leaves teach a network what may come of a row, and how likely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
import torch
from returns.result import Result, Success

from kdtab.config.base import revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.manifest import Provenance
from kdtab.config.networks import network_spec
from kdtab.config.quantiles import USUAL_LEVELS
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import network_targets
from kdtab.data.fingerprint import table_fingerprint
from kdtab.data.folds import Folds
from kdtab.data.prepare import PreparedTable, prepare_table
from kdtab.errors.issue import Issues
from kdtab.metrics.quantiles import (
    QuantileScores,
    continuous_ranked_probability_score,
    interval_coverage,
    quantiles_from_outputs,
)
from kdtab.results import check, gather
from kdtab.shell.assemble import FitPlan, TrainedModel, fit_model
from kdtab.shell.device import resolve_device
from kdtab.shell.infer import network_outputs
from kdtab.shell.progress import SILENT, RunProgress
from kdtab.tasks.quantiles import QuantileTask
from kdtab.teachers.classroom import Classroom
from kdtab.teachers.kinds import Lessons
from kdtab.teachers.leafquantiles import (
    QUANTILE_KINDS,
    LeafQuantiles,
    QuantileKind,
    SpokenQuantiles,
    spoken_quantiles,
)
from kdtab.teachers.lesson import Lesson
from kdtab.teachers.quantilechecks import quantile_issues
from kdtab.teachers.source import teacher_source
from kdtab.teachers.studentfit import STUDENT
from kdtab.teachers.studentnotes import with_notes
from kdtab.teachers.taught import label_columns_issues, training_folds


def distill_quantiles(
    frame: pl.DataFrame,
    teacher: str,
    config: TrainingConfig,
    *,
    quantiles: tuple[float, ...] = USUAL_LEVELS,
    distill: DistillConfig | None = None,
    labels: LabelConfig | None = None,
    columns: ColumnOptions | None = None,
    device: str | torch.device | None = None,
    progress: RunProgress = SILENT,
    scratch: bool = False,
) -> Result[TrainedModel, Issues]:
    """Train a network that tells quantiles of a number, from values and from a forest's leaves.

    loss = alpha · pinball(y) + (1 − alpha) · mean over levels of (Q_t − Q_s)², which is the squared
    2-Wasserstein distance. The network's quantiles never cross. The teacher's come from the rows
    that share a leaf (Meinshausen 2006); a training row is labelled by the trees that did not see
    it, or by folds where rows have many twins or come in time.

    Args:
        frame: Raw rows, the target among the columns.
        teacher: "forest" or "extra_trees": kdtab grows it on the training rows.
        config: What to train, and how; the task is regression.
        quantiles: Rising levels, 0.5 among them: 9 to 19 are usual.
        distill: Alpha and the student's sizes; no objective, layers, augmentation or calibration.
        labels: How the training rows are labelled; None takes no row that a tree saw.
        columns: Which columns count; None takes all but the target.
        device: Where to train; None takes CUDA where there is one.
        progress: Hears of the teacher and of every epoch.
        scratch: Also fit the same student without a teacher, for its CRPS. Where that is the best
            of the three, set alpha to 1.

    Returns:
        The student, which predicts the median and tells `quantile_<level>`, and in its report the
        CRPS on the held-out rows beside the teacher's; or `FieldInvalid`, `TaskMismatch` and the
        issues of `distill_student`.

    Example:
        >>> from kdtab.recipes.predict import predict_frame
        >>> frame = pl.DataFrame({"x": [float(n % 10) for n in range(100)], "y": [n / 7 for n in range(100)]})
        >>> config = TrainingConfig(target_column="y", epochs=2)
        >>> student = distill_quantiles(
        ...     frame, "forest", config, quantiles=(0.1, 0.5, 0.9), device="cpu"
        ... ).unwrap()
        >>> predict_frame(student.bundle, frame[:2], "cpu").unwrap().columns
        ['prediction', 'quantile_0.1', 'quantile_0.5', 'quantile_0.9']
        >>> student.report.quantiles.levels
        (0.1, 0.5, 0.9)
    """
    knobs, options = distill or DistillConfig(), columns or ColumnOptions()
    policy, place = labels or LabelConfig(), resolve_device(device)
    wrong = (
        *quantile_issues(teacher, config, quantiles, knobs),
        *label_columns_issues(frame, policy),
    )
    return Result.do(
        student
        for _ in gather(check(*wrong), place)
        for chosen in place
        for decided in revise(config, task="regression")
        for student in _distilled(
            Classroom(frame, decided, options, policy, chosen),
            QUANTILE_KINDS[int(teacher == "extra_trees")],
            knobs,
            quantiles,
            progress,
            scratch=scratch,
        )
    )


def _distilled(
    room: Classroom,
    kind: QuantileKind,
    knobs: DistillConfig,
    levels: tuple[float, ...],
    progress: RunProgress,
    *,
    scratch: bool,
) -> Result[TrainedModel, Issues]:
    return Result.do(
        _scored(model, prepared, spoken.grown, alone)
        for _ in teacher_source(kind, room)
        for prepared in prepare_table(room.frame, room.config, room.options, room.labels)
        for folds in training_folds(
            room.frame,
            prepared,
            room.labels,
            seed=room.config.random_seed,
            markers=room.options.missing_markers,
        )
        for spoken in Success(
            spoken_quantiles(kind, _lessons(prepared, folds, room, progress), levels)
        )
        for plan in Success(_plan(prepared, spoken, room, knobs, levels))
        for alone in (
            _fitted(
                prepared,
                replace(plan, task=QuantileTask(levels, 1.0), soft_targets=None),
                room,
                progress,
            )
            if scratch
            else Success(None)
        )
        for model in _fitted(prepared, plan, room, progress)
    )


def _lessons(
    prepared: PreparedTable, folds: Folds, room: Classroom, progress: RunProgress
) -> Lessons:
    return Lessons(
        Lesson("regression", 1, None, room.config.random_seed),
        prepared.training.inputs,
        prepared.training.targets,
        folds,
        policy=room.labels.labels,
        bags=room.labels.group_column is None and room.labels.time_column is None,
        heard=partial(progress.stage, "teacher"),
    )


def _plan(
    prepared: PreparedTable,
    spoken: SpokenQuantiles,
    room: Classroom,
    knobs: DistillConfig,
    levels: tuple[float, ...],
) -> FitPlan:
    config, depth, dropout = room.config, knobs.student_num_hidden_layers, knobs.student_dropout
    return FitPlan(
        config=config,
        spec=network_spec(
            config.training_mode,
            input_dim=prepared.training.inputs.shape[1],
            output_dim=len(levels),
            hidden_dim=knobs.student_hidden_dim or config.hidden_dim,
            num_hidden_layers=depth or config.num_hidden_layers,
            dropout=config.dropout if dropout is None else dropout,
            encoding=prepared.training.encoding(config),
        ),
        task=QuantileTask(levels, knobs.alpha),
        soft_targets=_in_unit_of_training(spoken.training, prepared),
        provenance=Provenance(
            table_fingerprint=table_fingerprint(room.frame),
            training_config=config,
            column_options=room.options,
            distill_config=knobs,
            teacher_kind=f"quantiles of a {type(spoken.grown.forest).__name__}",
            label_config=room.labels,
            label_method=spoken.method,
        ),
        notes=tuple(_notes(spoken)),
        half_precision=knobs.half_precision,
        quantiles=levels,
    )


def _in_unit_of_training(values: FloatArray, prepared: PreparedTable) -> Float32Array:
    return (
        network_targets(values.ravel(), prepared.artifacts).astype(np.float32).reshape(values.shape)
    )


def _notes(spoken: SpokenQuantiles) -> Iterator[str]:
    silent = int(np.isnan(spoken.training).any(axis=1).sum())
    if silent:
        yield f"the forest could not speak of {silent:,} training rows: they keep their own values"
    if spoken.method == "in_sample":
        yield (
            "warning: in-sample labels: the trees labelled rows that they were grown on, so the "
            "quantiles are too narrow. Leave labels at auto"
        )


def _fitted(
    prepared: PreparedTable, plan: FitPlan, room: Classroom, progress: RunProgress
) -> Result[TrainedModel, Issues]:
    progress.finish()
    progress.stage(STUDENT)
    return fit_model(prepared, plan, device=room.device, progress=progress)


def _told(model: TrainedModel, inputs: Float32Array) -> FloatArray:
    """[N, K] in the target's unit."""
    bundle = model.bundle
    told = quantiles_from_outputs(network_outputs(bundle.model, inputs), bundle.quantiles)
    return told if bundle.target_scaler is None else bundle.target_scaler.inverse_transform(told)


def _scored(
    model: TrainedModel, prepared: PreparedTable, grown: LeafQuantiles, alone: TrainedModel | None
) -> TrainedModel:
    """With the scores of all on the held-out rows, in report and provenance."""
    rows, levels = prepared.test, model.bundle.quantiles
    truth = rows.targets.astype(np.float64)

    def score(quantiles: FloatArray) -> float:
        return continuous_ranked_probability_score(quantiles, truth, levels)

    scores = QuantileScores(
        levels,
        student=score(_told(model, rows.inputs)),
        teacher=score(grown.quantiles(rows.inputs, levels)),
        coverage=interval_coverage(_told(model, rows.inputs), truth),
        scratch=None if alone is None else score(_told(alone, rows.inputs)),
    )
    told = with_notes(model, (scores.note,))
    return replace(told, report=replace(told.report, quantiles=scores))
