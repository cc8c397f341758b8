"""The five preprocessing artifacts, and the one road from a frame to a network's inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from kdtab.config.schema import CategoricalColumn, FeatureColumn
from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.scale import CLIP_BOUND, Scaler, TargetScaler, feature_medians, fit_scaler, impute
from kdtab.data.target import LabelEncoder
from kdtab.data.vectorize import Vectorizer

CHUNK_ROWS = 65_536
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
    inputs = np.empty((frame.height, artifacts.input_dim), dtype=np.float32)
    for start in range(0, frame.height, CHUNK_ROWS):
        rows = frame.slice(start, CHUNK_ROWS)
        features = impute(artifacts.vectorizer.transform(rows), artifacts.feature_medians)
        inputs[start : start + CHUNK_ROWS] = artifacts.scaler.transform(features)
    return inputs


def fit_artifacts(
    frame: pl.DataFrame, columns: tuple[FeatureColumn, ...], markers: tuple[str, ...]
) -> Artifacts:
    """Vectorizer, medians and scaler of training rows; the target's two are left empty.

    Args:
        frame: [N] the training rows and no others.
        columns: The feature columns of the schema.
        markers: Texts that mean "missing".

    Returns:
        The artifacts; categories keep median 0, mean 0 and scale 1.

    Example:
        >>> from kdtab.config.schema import NumericColumn
        >>> column = NumericColumn(name="x", reason="")
        >>> fit_artifacts(pl.DataFrame({"x": [1.0, 3.0, None]}), (column,), ()).scaler.mean.tolist()
        [2.0]
    """
    vectorizer = Vectorizer(columns, markers)
    measured = _measured(vectorizer)
    matrix = measured.transform(frame)
    medians = feature_medians(matrix)
    small = fit_scaler(impute(matrix, medians), measured.indicators)
    indicators = vectorizer.indicators
    mean, scale = np.zeros(len(indicators)), np.ones(len(indicators))
    mean[~indicators], scale[~indicators] = small.mean, small.scale
    scaler = Scaler(mean, scale, CLIP_BOUND)
    return Artifacts(vectorizer, scaler, _spread(medians, vectorizer), None, None)


def fit_medians(frame: pl.DataFrame, vectorizer: Vectorizer) -> FloatArray:
    """The medians of some rows under a vectorizer that was fitted elsewhere (REQ-KD26).

    Args:
        frame: [N] training rows.
        vectorizer: Columns to features.

    Returns:
        [D] float64, 0 for categories and for features that are missing in every row.

    Example:
        >>> from kdtab.config.schema import NumericColumn
        >>> vectorizer = Vectorizer((NumericColumn(name="x", reason=""),), ())
        >>> fit_medians(pl.DataFrame({"x": [1.0, 3.0]}), vectorizer).tolist()
        [2.0]
    """
    return _spread(feature_medians(_measured(vectorizer).transform(frame)), vectorizer)


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


def _measured(vectorizer: Vectorizer) -> Vectorizer:
    """Without categories, whose statistics are known: the matrix stays small."""
    columns = (c for c in vectorizer.columns if not isinstance(c, CategoricalColumn))
    return replace(vectorizer, columns=tuple(columns))


def _spread(measured: FloatArray, vectorizer: Vectorizer) -> FloatArray:
    indicators = vectorizer.indicators
    every = np.zeros(len(indicators))
    every[~indicators] = measured
    return every
