"""Train a network of time series without a teacher: on classes, or on values at every step."""

from __future__ import annotations

import torch
from returns.result import Success

from kdtab.config.sequencerun import SequenceTraining
from kdtab.config.timepooling import AnyPooling
from kdtab.errors.configs import FieldInvalid
from kdtab.models.sequences import SequenceBundle
from kdtab.results import Checked, fail
from kdtab.shell.progress import SILENT, Progress
from kdtab.shell.sequencebatches import SeriesRows
from kdtab.shell.sequencetraining import TrainedSequence, check_dimensions, train_sequence_bundle
from kdtab.tasks.sequences import SequenceClassTask, TrajectoryTask


def train_on_series(
    model: SequenceBundle,
    training_series: SeriesRows,
    validation_series: SeriesRows | None,
    training: SequenceTraining,
    *,
    device: torch.device | None = None,
    progress: Progress = SILENT,
) -> Checked[TrainedSequence]:
    """Train without a teacher: on classes [N], or on values at every step [N, T + 1, D].

    Args:
        model: Where the weights start, with an output for each class; not changed.
        training_series: To fit.
        validation_series: Their loss chooses the epoch; None takes the last.
        training: How; for classes the states are pooled over time to logits (mean by default).
        device: Where to compute; None: the CPU.
        progress: Hears of steps and epochs.

    Returns:
        The trained bundle; or `DimensionsDiffer`, `LossNotFinite`.

    Example:
        >>> train_on_series.__name__
        'train_on_series'
    """
    targets = training_series.targets
    classes = targets.ndim == 1
    outputs = max(int(targets.max()) + 1, model.output_dim) if classes else targets.shape[2]
    chosen = training.time_pooling
    task = _class_task(chosen) if classes else TrajectoryTask(chosen)
    fits = check_dimensions("the data", training_series.inputs.shape[2], outputs, model)
    return fits.bind(lambda _: _alike(training_series, validation_series, model)).bind(
        lambda _: train_sequence_bundle(
            model,
            task,
            training_series,
            validation_series,
            training,
            device=device,
            progress=progress,
        )
    )


def _alike(rows: SeriesRows, validation: SeriesRows | None, model: SequenceBundle) -> Checked[None]:
    """Validation series must be of the training series' kind; else torch says so, in its words."""
    if validation is None:
        return Success(None)
    targets = validation.targets
    if targets.ndim != rows.targets.ndim:
        rule = "must have what the training series have: a class, or states at every step"
        return fail(FieldInvalid(name="validation", rule=rule, found=f"{list(targets.shape)}"))
    classes = max(int(targets.max()) + 1, model.output_dim) if targets.ndim == 1 else None
    outputs = targets.shape[2] if classes is None else classes
    return check_dimensions("the validation data", validation.inputs.shape[2], outputs, model)


def _class_task(pooling: AnyPooling) -> SequenceClassTask:
    """Logits need a pooling: the mean where none is named."""
    return SequenceClassTask() if pooling.kind == "none" else SequenceClassTask(pooling)
