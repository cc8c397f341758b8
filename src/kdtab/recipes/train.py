"""Train: a table in, a supervised network with its preprocessing out."""

from __future__ import annotations

import numpy as np
import polars as pl
import torch
from returns.result import Result

from kdtab.config.columns import ColumnOptions
from kdtab.config.manifest import Provenance
from kdtab.config.networks import network_spec
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.data.artifacts import network_targets
from kdtab.data.fingerprint import table_fingerprint
from kdtab.data.prepare import PreparedTable, prepare_table
from kdtab.errors.issue import Issues
from kdtab.losses.hard import class_weights
from kdtab.shell.assemble import FitPlan, TrainedModel, fit_model
from kdtab.shell.device import resolve_device
from kdtab.shell.progress import SILENT, Progress
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import SupervisedTask, TrainingTask
from kdtab.teachers.forest import (
    TREE_TEACHER_ALPHA,
    TREE_TEACHER_TEMPERATURE,
    forest_log_probabilities,
    forest_values,
)

LABEL_SMOOTHING = 0.05


def train_model(
    frame: pl.DataFrame,
    config: TrainingConfig,
    *,
    columns: ColumnOptions | None = None,
    device: str | torch.device | None = None,
    progress: Progress = SILENT,
) -> Result[TrainedModel, Issues]:
    """Train a network on a frame, with everything that its predictions need (PT-TRAINER-001).

    Args:
        frame: Raw rows, the target among the columns.
        config: What to train, and how.
        columns: Which columns count; None takes all but the target.
        device: Where to train; None takes CUDA where there is one (REQ-T07).
        progress: Hears of every epoch.

    Returns:
        The model, its metrics on the held-out rows and a report; or every issue of the columns,
        the target, the device, the batch settings (`NoValidBatch`) or the training itself
        (`LossNotFinite`).

    Example:
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=40, batch_size=16)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> model.metrics.test_metric_name, model.metrics.test_metric_value
        ('accuracy', 1.0)
    """
    options = columns or ColumnOptions()
    return Result.do(
        model
        for chosen in resolve_device(device)
        for prepared in prepare_table(frame, config, options)
        for model in fit_model(
            prepared, _plan(prepared, frame, config, options), device=chosen, progress=progress
        )
    )


def _plan(
    prepared: PreparedTable, frame: pl.DataFrame, config: TrainingConfig, options: ColumnOptions
) -> FitPlan:
    return FitPlan(
        config=config,
        spec=network_spec(
            config.training_mode,
            input_dim=prepared.training.inputs.shape[1],
            output_dim=prepared.output_dim,
            hidden_dim=config.hidden_dim,
            num_hidden_layers=config.num_hidden_layers,
            dropout=config.dropout,
            encoding=prepared.training.encoding(config),
            members=config.ensemble_size,
        ),
        task=_training_task(prepared, config),
        soft_targets=_tree_teacher_outputs(prepared, config),
        provenance=Provenance(
            table_fingerprint=table_fingerprint(frame),
            training_config=config,
            column_options=options,
        ),
    )


def _training_task(prepared: PreparedTable, config: TrainingConfig) -> TrainingTask:
    match config.training_mode:
        case "imbalance_aware":
            weights = class_weights(_codes(prepared), prepared.output_dim)
            return SupervisedTask(task=prepared.task, class_weights=weights)
        case "calibrated_classifier":
            return SupervisedTask(task=prepared.task, label_smoothing=LABEL_SMOOTHING)
        case "tree_teacher_distillation":
            return SoftTargetTask(
                task=prepared.task,
                temperature=TREE_TEACHER_TEMPERATURE,
                alpha=TREE_TEACHER_ALPHA,
            )
        case "mlp_dense" | "linear_glm_baseline" | "tabresnet" | "batch_ensemble":
            return SupervisedTask(task=prepared.task)


def _tree_teacher_outputs(prepared: PreparedTable, config: TrainingConfig) -> Float32Array | None:
    if config.training_mode != "tree_teacher_distillation":
        return None
    rows = prepared.training
    if prepared.task == "classification":
        return forest_log_probabilities(
            rows.inputs,
            _codes(prepared),
            class_count=prepared.output_dim,
            random_seed=config.random_seed,
        )
    targets = network_targets(rows.targets, prepared.artifacts).astype(np.float32)
    return forest_values(rows.inputs, targets, random_seed=config.random_seed)


def _codes(prepared: PreparedTable) -> IntArray:
    return prepared.training.targets.astype(np.int64, copy=False)
