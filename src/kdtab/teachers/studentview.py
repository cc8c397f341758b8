"""What a teacher said as a student takes it: its classes in its order, its unit, its loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from returns.result import Success

from kdtab.data.arrays import BoolArray, Float32Array, FloatArray
from kdtab.data.artifacts import network_targets
from kdtab.data.outputs import TeacherOutputs, align_classes
from kdtab.data.prepared import EncodedRows, PreparedTable
from kdtab.metrics.logits import log_losses_from_logits
from kdtab.results import Checked
from kdtab.teachers.targets import soft_targets


def student_targets(
    outputs: TeacherOutputs, prepared: PreparedTable, missing: Literal["error", "zero"]
) -> Checked[Float32Array]:
    """What a teacher said as the student's loss takes it.

    Args:
        outputs: For N rows; NaN in rows of which no teacher spoke.
        prepared: The student's classes and units.
        missing: What is done with a class that one side lacks.

    Returns:
        [N, C] log-probabilities or logits, or [N, 1] scaled values, with the same rows NaN; or
        `ClassesDiffer`, `TaskMismatch`.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.data.prepare import prepare_table
        >>> frame = pl.DataFrame({"x": [1.5, 2.5, 3.5], "y": ["a", "b", "a"]})
        >>> config = TrainingConfig(target_column="y")
        >>> prepared = prepare_table(frame, config, ColumnOptions()).unwrap()
        >>> said = TeacherOutputs("probabilities", ("b", "a"), np.array([[1.0, 0.0], [np.nan] * 2]))
        >>> student_targets(said, prepared, "error").unwrap().round(1).tolist()
        [[-16.1..., 0.0], [nan, nan]]
    """
    known = _known(outputs.values)
    every = np.full((len(known), prepared.output_dim), np.nan, dtype=np.float32)
    if not known.any():
        return Success(every)
    scaler = prepared.artifacts.target_scaler

    def spread(spoken: Float32Array) -> Float32Array:
        every[known] = spoken
        return every

    said = replace(outputs, values=outputs.values[known])
    return soft_targets(said, student_classes(prepared), scaler, missing=missing).map(spread)


def student_classes(prepared: PreparedTable) -> tuple[str, ...]:
    """The classes of a student's outputs, in their order; empty for regression.

    Args:
        prepared: Its table.

    Returns:
        Canonical label texts.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.data.prepare import prepare_table
        >>> frame = pl.DataFrame({"x": [1.5, 2.5, 3.5], "y": ["a", "b", "a"]})
        >>> config = TrainingConfig(target_column="y")
        >>> prepared = prepare_table(frame, config, ColumnOptions()).unwrap()
        >>> student_classes(prepared)
        ('a', 'b')
    """
    encoder = prepared.artifacts.label_encoder
    return encoder.classes if encoder and prepared.task == "classification" else ()


def in_student_order(
    outputs: TeacherOutputs, prepared: PreparedTable, missing: Literal["error", "zero"]
) -> Checked[TeacherOutputs]:
    """Outputs with the student's classes in the student's order.

    Args:
        outputs: Of a teacher of the same task.
        prepared: The student's table.
        missing: What is done with a class that one side lacks.

    Returns:
        The outputs, or `ClassesDiffer`.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.data.prepare import prepare_table
        >>> frame = pl.DataFrame({"x": [1.5, 2.5, 3.5], "y": ["a", "b", "a"]})
        >>> config = TrainingConfig(target_column="y")
        >>> prepared = prepare_table(frame, config, ColumnOptions()).unwrap()
        >>> said = TeacherOutputs("probabilities", ("b", "a"), np.array([[0.9, 0.1]]))
        >>> in_student_order(said, prepared, "error").unwrap().values.tolist()
        [[0.1, 0.9]]
    """
    classes = student_classes(prepared)
    return align_classes(outputs, classes, missing=missing) if classes else Success(outputs)


def loss_of_targets(
    spoken: Float32Array, rows: EncodedRows, prepared: PreparedTable
) -> float | None:
    """The loss of a teacher's outputs against the truth.

    Args:
        spoken: [N, C] or [N, 1] as from `student_targets`; NaN rows are left out.
        rows: The same rows with their targets.
        prepared: Their table.

    Returns:
        Mean log loss in nats, or mean squared error in the unit of training; None without a row.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.data.prepare import prepare_table
        >>> frame = pl.DataFrame({"x": [1.5, 2.5, 3.5], "y": ["a", "b", "a"]})
        >>> config = TrainingConfig(target_column="y")
        >>> prepared = prepare_table(frame, config, ColumnOptions()).unwrap()
        >>> rows = EncodedRows(np.zeros((1, 1), np.float32), np.array([0]))
        >>> round(loss_of_targets(np.zeros((1, 2), np.float32), rows, prepared), 4)
        0.6931
    """
    known = _known(spoken)
    if not known.any():
        return None
    heard = EncodedRows(rows.inputs[known], rows.targets[known])
    return float(np.mean(losses_of_targets(spoken[known], heard, prepared)))


def losses_of_targets(
    spoken: Float32Array, rows: EncodedRows, prepared: PreparedTable
) -> FloatArray:
    """The loss of each row of a teacher's, or a network's, outputs.

    Args:
        spoken: [N, C] or [N, 1] as from `student_targets`, no row of it NaN.
        rows: The same rows with their targets.
        prepared: Their table.

    Returns:
        [N] log losses in nats, or squared errors in the unit of training.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.data.prepare import prepare_table
        >>> frame = pl.DataFrame({"x": [1.5, 2.5, 3.5], "y": ["a", "b", "a"]})
        >>> config = TrainingConfig(target_column="y")
        >>> prepared = prepare_table(frame, config, ColumnOptions()).unwrap()
        >>> rows = EncodedRows(np.zeros((2, 1), np.float32), np.array([0, 1]))
        >>> losses_of_targets(np.zeros((2, 2), np.float32), rows, prepared).round(4).tolist()
        [0.6931, 0.6931]
    """
    if prepared.task == "classification":
        return log_losses_from_logits(spoken, rows.targets.astype(np.int64))
    truth = network_targets(rows.targets.astype(np.float64), prepared.artifacts)
    squares: FloatArray = (spoken.astype(np.float64) - truth) ** 2
    return squares.reshape(-1)


def _known(values: FloatArray | Float32Array) -> BoolArray:
    return np.asarray(~np.isnan(values).any(axis=1))
