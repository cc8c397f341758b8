"""A record compiled to predict: rows one by one or frames in blocks, whichever is faster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.config.training import Task
from kdtab.data.arrays import Float32Array
from kdtab.data.artifacts import Artifacts
from kdtab.data.coerce import frame_from_rows
from kdtab.data.storage import artifacts_from_record, column_problems
from kdtab.data.vectorize import Vectorizer
from kdtab.errors.bundles import BundleContradiction
from kdtab.record import BundleRecord, contradictions
from kdtab.results import Checked, fail
from kdtab.serving.answers import Decoder, Outputs
from kdtab.serving.frames import FrameServer, frame_server
from kdtab.serving.inputs import input_plan
from kdtab.serving.networks import FoldedNetwork, folded_network, network_problems
from kdtab.serving.readers import OddCellError
from kdtab.serving.rows import RowServer, row_server

MOST_SINGLE_ROWS = 64
"""Up to so many rows are faster one by one than as a frame, whose columns each cost some calls."""

_PLAIN_TYPES = (
    pl.String,
    pl.Boolean,
    pl.Float64,
    pl.Date,
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
)
"""Types of columns whose cells mean as Python values what they mean as a column, Enum beside them."""


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model ready to predict on the CPU, without torch.

    Attributes:
        vectorizer: Which columns it reads.
        decoder: From outputs to answers.
        single: For single rows.
        blocks: For frames.

    Example:
        >>> ServedModel.__dataclass_params__.frozen
        True
    """

    vectorizer: Vectorizer
    decoder: Decoder
    single: RowServer
    blocks: FrameServer

    def outputs_of_row(self, row: Mapping[str, object]) -> list[float]:
        """What the network says about one raw row.

        Args:
            row: Raw cells by column; an absent key is a missing cell.

        Returns:
            [C] logits, or one value in the unit of training.

        Example:
            >>> from kdtab.config.schema import NumericColumn
            >>> from kdtab.data.scale import Scaler
            >>> artifacts = Artifacts(Vectorizer((NumericColumn(name="x", reason=""),), ()),
            ...                       Scaler(np.zeros(1), np.ones(1), 10.0), None, None, None)
            >>> network = FoldedNetwork(np.full((1, 1), 2.0), np.ones(1), ())
            >>> model = compiled_model("regression", artifacts, network)
            >>> model.outputs_of_row({"x": 2})
            [5.0]
        """
        try:
            outputs: list[float] = self.single.outputs(row).tolist()
        except OddCellError:
            outputs = self.blocks.outputs(self._frame([row]))[0].tolist()
        return outputs

    def outputs_of_rows(self, rows: Sequence[Mapping[str, object]]) -> Outputs:
        """What the network says about raw rows.

        Args:
            rows: [N] mappings; never changed.

        Returns:
            [N, C] logits, or [N, 1] values in the unit of training.

        Example:
            >>> from kdtab.config.schema import NumericColumn
            >>> from kdtab.data.scale import Scaler
            >>> artifacts = Artifacts(Vectorizer((NumericColumn(name="x", reason=""),), ()),
            ...                       Scaler(np.zeros(1), np.ones(1), 10.0), None, None, None)
            >>> network = FoldedNetwork(np.full((1, 1), 2.0), np.ones(1), ())
            >>> model = compiled_model("regression", artifacts, network)
            >>> model.outputs_of_rows([{"x": 2}, {}]).tolist()
            [[5.0], [1.0]]
        """
        if len(rows) <= MOST_SINGLE_ROWS:
            try:
                return self._stacked([self.single.outputs(row) for row in rows])
            except OddCellError:
                pass
        return self.blocks.outputs(self._frame(rows))

    def outputs_of_frame(self, frame: pl.DataFrame) -> Outputs:
        """What the network says about the rows of a frame.

        Args:
            frame: [N] rows with any columns in any order; not changed.

        Returns:
            [N, C] logits, or [N, 1] values in the unit of training.

        Example:
            >>> from kdtab.config.schema import NumericColumn
            >>> from kdtab.data.scale import Scaler
            >>> artifacts = Artifacts(Vectorizer((NumericColumn(name="x", reason=""),), ()),
            ...                       Scaler(np.zeros(1), np.ones(1), 10.0), None, None, None)
            >>> network = FoldedNetwork(np.full((1, 1), 2.0), np.ones(1), ())
            >>> model = compiled_model("regression", artifacts, network)
            >>> model.outputs_of_frame(pl.DataFrame({"x": [2]})).tolist()
            [[5.0]]
        """
        if frame.height <= MOST_SINGLE_ROWS:
            wanted = set(self.vectorizer.column_names)
            columns = [cells for cells in frame.get_columns() if cells.name in wanted]
            if columns and all(_is_plain(cells.dtype) for cells in columns):
                names = [cells.name for cells in columns]
                lines = zip(*(cells.to_list() for cells in columns), strict=True)
                rows = [dict(zip(names, line, strict=True)) for line in lines]
                try:
                    return self._stacked([self.single.outputs(row) for row in rows])
                except OddCellError:
                    pass
        return self.blocks.outputs(frame)

    def predicted(self, frame: pl.DataFrame) -> Checked[pl.DataFrame]:
        """Predictions for the rows of a frame, as `kdtab.predict_frame` gives them.

        Args:
            frame: [N] rows with any columns in any order; not changed.

        Returns:
            [N] `prediction` and, for classification, `probability_<class>` for each class;
            `LabelEncoderMissing`.

        Example:
            >>> from kdtab.config.schema import NumericColumn
            >>> from kdtab.data.scale import Scaler
            >>> artifacts = Artifacts(Vectorizer((NumericColumn(name="x", reason=""),), ()),
            ...                       Scaler(np.zeros(1), np.ones(1), 10.0), None, None, None)
            >>> network = FoldedNetwork(np.full((1, 1), 2.0), np.ones(1), ())
            >>> model = compiled_model("regression", artifacts, network)
            >>> model.predicted(pl.DataFrame({"x": [2]})).unwrap().rows()
            [(5.0,)]
        """
        return self.decoder.frame(self.outputs_of_frame(frame))

    def _frame(self, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
        return frame_from_rows(rows, self.vectorizer.column_names)

    def _stacked(self, outputs: list[Float32Array]) -> Float32Array:
        return np.array(outputs).reshape(len(outputs), self.blocks.output_dim)


def served_model(record: BundleRecord) -> Checked[ServedModel]:
    """Compile a record.

    Args:
        record: Any record; nothing in it is trusted.

    Returns:
        The model; or `BundleContradiction` for each way in which the record denies itself, the
        very ones of `kdtab.bundle.from_record`.

    Example:
        >>> from kdtab.config.manifest import TableManifest
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> served_model(BundleRecord(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=1, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ), {})).failure().first.reason
        'its preprocessing steps are [], they must be vectorize, impute, scale'
    """
    manifest = record.manifest
    reasons = (*contradictions(record), *network_problems(record), *column_problems(manifest))
    if reasons:
        return fail(*(BundleContradiction(reason=reason) for reason in reasons))
    network = folded_network(manifest.network, record.arrays)
    artifacts, levels = artifacts_from_record(record), manifest.quantiles
    return Success(compiled_model(manifest.task, artifacts, network, levels))


def compiled_model(
    task: Task, artifacts: Artifacts, network: FoldedNetwork, quantiles: tuple[float, ...] = ()
) -> ServedModel:
    """Compile parts that fit each other.

    Args:
        task: What the network predicts.
        artifacts: From raw cells to its D inputs, and from its outputs to answers.
        network: [D] inputs to [C] outputs.
        quantiles: Levels of a regression's outputs; empty: its one output is the value.

    Returns:
        The model.

    Example:
        >>> from kdtab.data.scale import Scaler
        >>> artifacts = Artifacts(Vectorizer((), ()), Scaler(np.zeros(0), np.ones(0), 10.0),
        ...                       None, None, None)
        >>> network = FoldedNetwork(np.zeros((0, 1)), np.ones(1), ())
        >>> compiled_model("regression", artifacts, network).outputs_of_row({})
        [1.0]
    """
    encoder = artifacts.label_encoder
    classes = None if encoder is None else encoder.classes
    plan = input_plan(artifacts, network)
    return ServedModel(
        vectorizer=artifacts.vectorizer,
        decoder=Decoder(task, classes, artifacts.target_scaler, quantiles),
        single=row_server(plan, network),
        blocks=frame_server(plan, network),
    )


def _is_plain(dtype: pl.DataType) -> bool:
    return dtype in _PLAIN_TYPES or isinstance(dtype, pl.Enum)
