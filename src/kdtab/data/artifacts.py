"""The five preprocessing artifacts, and the one road from a frame to a network's inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from kdtab.config.schema import CategoricalColumn, FeatureColumn
from kdtab.data.arrays import CodeArray, Float32Array, FloatArray, IntArray
from kdtab.data.blocks import Block, IndicatorBlock, NumberBlock
from kdtab.data.coded import coded_parts
from kdtab.data.scale import (
    CLIP_BOUND,
    Scaler,
    TargetScaler,
    impute,
    imputed_values,
    mean_and_scale,
)
from kdtab.data.target import LabelEncoder
from kdtab.data.vectorize import Vectorizer

CHUNK_CELLS, FEWEST_CHUNK_ROWS = 2**21, 8_192
TILE_ROWS = 2_048
MOST_JOINED_ROWS = 1_024
LARGEST_TARGET = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Artifacts:
    """Everything between a raw row and a network, both ways.

    Attributes:
        vectorizer: Columns to features.
        scaler: Features to inputs.
        feature_medians: [D] what stands in for a missing feature; None stands for zeros.
        label_encoder: Classes of a classification.
        target_scaler: Units of a regression; None: the network speaks in original units.

    Example:
        >>> artifacts = Artifacts(Vectorizer((), ()), Scaler(np.zeros(0), np.ones(0), 10.0),
        ...                       None, None, None)
        >>> artifacts.input_dim
        0
    """

    vectorizer: Vectorizer
    scaler: Scaler
    feature_medians: FloatArray | None
    label_encoder: LabelEncoder | None
    target_scaler: TargetScaler | None

    @property
    def input_dim(self) -> int:
        """Columns of the encoded matrix, D.

        Example:
            >>> Artifacts(Vectorizer((), ()), Scaler(np.zeros(0), np.ones(0), 10.0),
            ...           None, None, None).input_dim
            0
        """
        return len(self.vectorizer.feature_names)


def encode_features(frame: pl.DataFrame, artifacts: Artifacts) -> Float32Array:
    """Rows as a network's inputs: vectorize, impute, scale and clip in float64, cast once.

    Training, distillation and prediction all take this road.

    Args:
        frame: [N] rows with any columns in any order; not changed.
        artifacts: Fitted preprocessing.

    Returns:
        [N, D] float32, finite, C-contiguous, within ±clip of the scaler.

    Example:
        >>> from kdtab.config.schema import NumericColumn
        >>> artifacts = Artifacts(Vectorizer((NumericColumn(name="x", reason=""),), ()),
        ...                       Scaler(np.array([1.0]), np.array([2.0]), 10.0),
        ...                       np.array([3.0]), None, None)
        >>> encode_features(pl.DataFrame({"x": [5.0, None]}), artifacts).tolist()
        [[2.0], [1.0]]
    """
    return encode_parts(frame, artifacts, (np.arange(frame.height),))[0]


def encode_parts(
    frame: pl.DataFrame, artifacts: Artifacts, parts: Sequence[IntArray]
) -> tuple[Float32Array, ...]:
    """Some of the rows, in parts, as `encode_features` encodes them; no whole matrix is held.

    Args:
        frame: [N] rows with any columns in any order; not changed.
        artifacts: Fitted preprocessing.
        parts: Row numbers of each part, ascending.

    Returns:
        A matrix for each part.

    Example:
        >>> from kdtab.config.schema import NumericColumn
        >>> artifacts = Artifacts(Vectorizer((NumericColumn(name="x", reason=""),), ()),
        ...                       Scaler(np.zeros(1), np.ones(1), 10.0), None, None, None)
        >>> frame = pl.DataFrame({"x": [5.0, 6.0, 7.0]})
        >>> [part.tolist() for part in encode_parts(frame, artifacts, ([0, 2], [1]))]
        [[[5.0], [7.0]], [[6.0]]]
    """
    fills = imputed_values(artifacts.feature_medians, artifacts.input_dim)
    matrices = tuple(np.empty((len(rows), artifacts.input_dim), np.float32) for rows in parts)

    def scaled(rows: pl.DataFrame, columns: Collection[str]) -> list[_Scaled]:
        blocks = artifacts.vectorizer.blocks(rows, lambda column: column.name in columns)
        return [_scaled(block, fills[block.place], artifacts.scaler) for block in blocks]

    coded = {cells.name for cells in frame.get_columns() if coded_parts(cells) is not None}
    others = {name for name in artifacts.vectorizer.column_names if name not in coded}
    looked_up = _joined(scaled(frame, coded))
    step = max(FEWEST_CHUNK_ROWS, CHUNK_CELLS // max(1, len(others)))
    for start in range(0, frame.height, step):
        stop = start + step
        known = [block.part(start, stop) for block in looked_up]
        blocks = [*known, *scaled(frame[start:stop], others)]
        for matrix, rows in zip(matrices, parts, strict=True):
            first, last = np.searchsorted(rows, (start, stop))
            _fill(matrix[first:last], blocks, np.asarray(rows[first:last]) - start)
    return matrices


@dataclass(frozen=True, eq=False)
class _Scaled:
    """Some columns of the matrix: row i of them is `rows[at[i]]`, or `rows[i]` without `at`."""

    place: slice
    rows: Float32Array
    at: CodeArray | None

    def part(self, start: int, stop: int) -> _Scaled:
        assert self.at is not None, "rows that are not looked up are read by parts"
        return _Scaled(self.place, self.rows, self.at[start:stop])

    def beside(self, other: _Scaled) -> _Scaled | None:
        """Both as one, every pair of their rows written down; None where that is too much."""
        pairs = len(self.rows) * len(other.rows)
        if self.at is None or other.at is None or self.place.stop != other.place.start:
            return None
        if pairs > MOST_JOINED_ROWS:
            return None
        rows = np.hstack(
            [np.repeat(self.rows, len(other.rows), 0), np.tile(other.rows, (len(self.rows), 1))]
        )
        at = self.at.astype(np.int16) * np.int16(len(other.rows)) + other.at.astype(np.int16)
        return _Scaled(slice(self.place.start, other.place.stop), rows, at)


def _scaled(block: Block, fills: FloatArray, scaler: Scaler) -> _Scaled:
    """Scaled in float64; of a coded column only the rows that it can have are computed."""
    part = scaler.part(block.place)
    if isinstance(block, IndicatorBlock):
        every = part.transform(block.rows)
        return _Scaled(block.place, every.astype(np.float32), block.places)
    scaled = part.transform(impute(block.rows, fills))
    return _Scaled(block.place, scaled.astype(np.float32), block.codes)


def _joined(blocks: Sequence[_Scaled]) -> list[_Scaled]:
    """Neighbours with few rows as one block: one look-up then writes many columns."""
    joined: list[_Scaled] = []
    for block in blocks:
        both = joined[-1].beside(block) if joined else None
        joined[-1:] = [*joined[-1:], block] if both is None else [both]
    return joined


def _fill(inputs: Float32Array, blocks: Sequence[_Scaled], rows: IntArray) -> None:
    """By tiles of rows that stay in the cache while one block after the other is written."""
    for start in range(0, len(inputs), TILE_ROWS):
        tile, numbers = inputs[start : start + TILE_ROWS], rows[start : start + TILE_ROWS]
        first, last = int(numbers[0]), int(numbers[-1]) + 1
        at = slice(first, last) if last - first == len(numbers) else numbers
        for block in blocks:
            if block.at is None:
                tile[:, block.place] = block.rows[at]
            else:
                tile[:, block.place] = block.rows.take(block.at[at], 0)


def fit_artifacts(
    frame: pl.DataFrame,
    columns: tuple[FeatureColumn, ...],
    markers: tuple[str, ...],
    rows: IntArray | None = None,
) -> Artifacts:
    """Vectorizer, medians and scaler of training rows; the target's two are left empty.

    Args:
        frame: [N] the table.
        columns: The feature columns of the schema.
        markers: Texts that mean "missing".
        rows: Numbers of the training rows; None: all.

    Returns:
        The artifacts; categories keep median 0, mean 0 and scale 1.

    Example:
        >>> from kdtab.config.schema import NumericColumn
        >>> column = NumericColumn(name="x", reason="")
        >>> fit_artifacts(pl.DataFrame({"x": [1.0, 3.0, None]}), (column,), ()).scaler.mean.tolist()
        [2.0]
    """
    vectorizer = Vectorizer(columns, markers)
    medians, mean = np.zeros((2, len(vectorizer.feature_names)))
    scale = np.ones_like(mean)
    for block in _measured(vectorizer, frame, rows):
        medians[block.place] = block.medians()
        for at, numbers in enumerate(block.each(), block.place.start):
            imputed = np.where(np.isfinite(numbers), numbers, medians[at])
            mean[at], scale[at] = mean_and_scale(imputed)
    return Artifacts(vectorizer, Scaler(mean, scale, CLIP_BOUND), medians, None, None)


def fit_medians(
    frame: pl.DataFrame, vectorizer: Vectorizer, rows: IntArray | None = None
) -> FloatArray:
    """The medians of some rows under a vectorizer that was fitted elsewhere (REQ-KD26).

    Args:
        frame: [N] the table.
        vectorizer: Columns to features.
        rows: Numbers of the training rows; None: all.

    Returns:
        [D] float64, 0 for categories and for features that are missing in every row.

    Example:
        >>> from kdtab.config.schema import NumericColumn
        >>> vectorizer = Vectorizer((NumericColumn(name="x", reason=""),), ())
        >>> fit_medians(pl.DataFrame({"x": [1.0, 3.0]}), vectorizer).tolist()
        [2.0]
    """
    medians = np.zeros(len(vectorizer.feature_names))
    for block in _measured(vectorizer, frame, rows):
        medians[block.place] = block.medians()
    return medians


def network_targets(
    targets: IntArray | FloatArray, artifacts: Artifacts
) -> IntArray | Float32Array:
    """Targets as a network's loss takes them.

    Args:
        targets: [N] class codes (int64), or values in original units (float64).
        artifacts: The target scaler is used where there is one.

    Returns:
        [N] int64 as given, or [N, 1] float32 in scaled units.

    Example:
        >>> artifacts = Artifacts(Vectorizer((), ()), Scaler(np.zeros(0), np.ones(0), 10.0),
        ...                       None, None, TargetScaler(mean=1.0, scale=2.0))
        >>> network_targets(np.array([5.0]), artifacts).tolist()
        [[2.0]]
    """
    if targets.dtype.kind == "i":
        return targets.astype(np.int64, copy=False)
    scaler = artifacts.target_scaler
    values = np.asarray(targets, dtype=np.float64)
    scaled = values if scaler is None else scaler.transform(values)
    return np.clip(scaled, -LARGEST_TARGET, LARGEST_TARGET).astype(np.float32)[:, np.newaxis]


def _measured(
    vectorizer: Vectorizer, frame: pl.DataFrame, rows: IntArray | None
) -> Iterator[NumberBlock]:
    """One column after the other, without categories, whose statistics are known."""
    for block in vectorizer.blocks(frame, _is_measured, rows):
        if isinstance(block, NumberBlock):
            yield block


def _is_measured(column: FeatureColumn) -> bool:
    return not isinstance(column, CategoricalColumn)
