"""A table ready to train on: encoded rows, artifacts, and what happened on the way."""

from __future__ import annotations

from dataclasses import dataclass

from kdtab.config.schema import TableSchema
from kdtab.config.training import Task
from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.artifacts import Artifacts
from kdtab.data.report import PreparationReport
from kdtab.data.split import Split


@dataclass(frozen=True, eq=False)
class EncodedRows:
    """Rows as a network and a metric take them.

    Attributes:
        inputs: [N, D] float32.
        targets: [N] int64 class codes, or float64 values in original units.

    Example:
        >>> import numpy as np
        >>> len(EncodedRows(np.zeros((2, 3), dtype=np.float32), np.array([0, 1])).targets)
        2
    """

    inputs: Float32Array
    targets: IntArray | FloatArray


@dataclass(frozen=True, eq=False)
class PreparedTable:
    """A table ready to train on.

    Attributes:
        task: Classification or regression.
        task_reason: Why.
        artifacts: Fitted on the training rows, or inherited.
        schema: Every column's kind and reason.
        split: Row numbers of the table that was given.
        training: The rows to learn from.
        validation: The rows that choose the epoch; may be empty.
        test: The rows of the metric.
        report: What happened on the way.

    Example:
        >>> import polars as pl
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.data.prepare import prepare_table
        >>> frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": ["a", "b", "a", "b"]})
        >>> table = prepare_table(frame, TrainingConfig(target_column="y"), ColumnOptions()).unwrap()
        >>> table.task, table.training.inputs.shape
        ('classification', (3, 1))
    """

    task: Task
    task_reason: str
    artifacts: Artifacts
    schema: TableSchema
    split: Split
    training: EncodedRows
    validation: EncodedRows
    test: EncodedRows
    report: PreparationReport

    @property
    def output_dim(self) -> int:
        """Outputs that a network for this table needs: one for each class, or one value.

        Example:
            >>> import polars as pl
            >>> from kdtab.config.columns import ColumnOptions
            >>> from kdtab.config.training import TrainingConfig
            >>> from kdtab.data.prepare import prepare_table
            >>> frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": ["a", "b", "a", "b"]})
            >>> config = TrainingConfig(target_column="y")
            >>> prepare_table(frame, config, ColumnOptions()).unwrap().output_dim
            2
        """
        encoder = self.artifacts.label_encoder if self.task == "classification" else None
        return len(encoder.classes) if encoder else 1
