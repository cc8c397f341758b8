"""A table ready to train on: encoded rows, artifacts, and what happened on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from kdtab.config.encodings import NumericEncodingSpec
from kdtab.config.schema import TableSchema
from kdtab.config.training import NumericEncoding, Task, TrainingConfig
from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.artifacts import Artifacts
from kdtab.data.numericbins import numeric_encoding_spec
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
    _encodings: dict[tuple[NumericEncoding, int], NumericEncodingSpec | None] = field(
        default_factory=dict, init=False, repr=False
    )

    def encoding(self, config: TrainingConfig) -> NumericEncodingSpec | None:
        """How a network that learns from these rows takes their numbers; found once for a config.

        Args:
            config: `numeric_encoding` and `encoding_bins` count.

        Returns:
            The encoding, its edges from these very rows; None where all columns pass.

        Example:
            >>> import numpy as np
            >>> rows = EncodedRows(np.arange(9, dtype=np.float32)[:, None], np.zeros(9))
            >>> config = TrainingConfig(
            ...     target_column="y", numeric_encoding="piecewise_linear", encoding_bins=2
            ... )
            >>> rows.encoding(config).edges
            ((0.0, 4.0, 8.0),)
        """
        key = config.numeric_encoding, config.encoding_bins
        if key not in self._encodings:
            self._encodings[key] = numeric_encoding_spec(key[0], self.inputs, key[1])
        return self._encodings[key]


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
