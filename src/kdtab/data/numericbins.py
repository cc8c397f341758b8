"""Bins of the numbers that a network takes: found in the training rows, laid out as lines."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from kdtab.config.encodings import (
    SMALLEST_BIN,
    NumericEncodingSpec,
    PiecewiseLinearSpec,
    QuantileSpec,
)
from kdtab.config.training import NumericEncoding
from kdtab.data.arrays import Float32Array, IntArray

LEAST_EDGES = 3
FARTHEST_RANK = 0.001
"""Ranks are kept this far from 0 and 1, so that their scores stay within ±3.1."""


@dataclass(frozen=True, eq=False)
class BinLines:
    """The bins of an encoding, one line for each, and after them one for each column that passes.

    The bins come column by column. What a piecewise-linear encoding makes of its input is one column
    for each line.

    Attributes:
        columns: [W] input column of each line.
        low: [bins] lower edge of each bin.
        slope: [bins] 1 / width of each bin.

    Example:
        >>> bin_lines(PiecewiseLinearSpec(edges=((), (0.0, 1.0, 3.0)))).columns.tolist()
        [1, 1, 0]
    """

    columns: IntArray
    low: Float32Array
    slope: Float32Array


def bin_lines(spec: NumericEncodingSpec) -> BinLines:
    """The lines of an encoding, in the one order that all who compute it share.

    Args:
        spec: Edges of each column.

    Returns:
        Which column each line reads, and how; float32 as the edges are.

    Example:
        >>> lines = bin_lines(PiecewiseLinearSpec(edges=((), (0.0, 1.0, 3.0))))
        >>> lines.low.tolist(), lines.slope.tolist()
        ([0.0, 1.0], [1.0, 0.5])
    """
    edges = [np.array(column, dtype=np.float32) for column in spec.edges]
    bins = [np.full(max(len(column) - 1, 0), at) for at, column in enumerate(edges)]
    low, high = (
        np.concatenate([column[part] for column in edges])
        for part in (slice(None, -1), slice(1, None))
    )
    return BinLines(
        columns=np.concatenate([*bins, passing_columns(spec)]).astype(np.int64),
        low=low,
        slope=np.float32(1) / (high - low),
    )


def passing_columns(spec: NumericEncodingSpec) -> IntArray:
    """The input columns that come out as they are, after all bins or scores.

    Args:
        spec: Edges of each column.

    Returns:
        Their numbers, ascending.

    Example:
        >>> passing_columns(PiecewiseLinearSpec(edges=((), (0.0, 1.0, 3.0)))).tolist()
        [0]
    """
    every = isinstance(spec, PiecewiseLinearSpec) and spec.columns_pass
    passing = [at for at, column in enumerate(spec.edges) if every or not column]
    return np.array(passing, dtype=np.int64)


def binned_columns(spec: NumericEncodingSpec) -> IntArray:
    """The input columns that an encoding changes.

    Args:
        spec: Edges of each column.

    Returns:
        Their numbers, ascending.

    Example:
        >>> binned_columns(PiecewiseLinearSpec(edges=((), (0.0, 1.0, 3.0)))).tolist()
        [1]
    """
    return np.array([at for at, column in enumerate(spec.edges) if column], dtype=np.int64)


def numeric_encoding_spec(
    kind: NumericEncoding, inputs: Float32Array, bins: int
) -> NumericEncodingSpec | None:
    """The encoding of a matrix, from quantiles of its own columns.

    Every edge is a value of its column. A column with less than three different edges passes as it
    is: indicators of 0 and 1 do.

    Args:
        kind: Which encoding.
        inputs: [N, D] scaled training rows, all finite.
        bins: Of a column, at most; fewer where it has few different values.

    Returns:
        The encoding; None for "scaled", and where every column would pass.

    Example:
        >>> rows = np.arange(9, dtype=np.float32)[:, None]
        >>> numeric_encoding_spec("piecewise_linear", rows, 2).edges
        ((0.0, 4.0, 8.0),)
        >>> numeric_encoding_spec("scaled", rows, 2) is None
        True
    """
    if kind == "scaled" or not len(inputs):
        return None
    edges, scores = [], []
    for column in range(inputs.shape[1]):
        ordered = np.sort(inputs[:, column])
        found = _edges(ordered, bins)
        edges.append(tuple(found.tolist()))
        scores.append(_scores(ordered, found) if kind == "quantile" else ())
    if not any(edges):
        return None
    if kind == "quantile":
        return QuantileSpec(edges=tuple(edges), scores=tuple(scores))
    return PiecewiseLinearSpec(edges=tuple(edges), columns_pass=True)


def _edges(ordered: Float32Array, bins: int) -> Float32Array:
    """Different quantiles of an ordered column; none where they are less than three.

    A number between two values would cut the bin of a column of few values in two for nothing.
    """
    edges = np.unique(ordered[np.arange(bins + 1) * (len(ordered) - 1) // bins])
    gaps = np.diff(edges.astype(np.float64), prepend=-np.inf)
    edges = edges[gaps >= SMALLEST_BIN]
    return edges if len(edges) >= LEAST_EDGES else edges[:0]


def _scores(ordered: Float32Array, edges: Float32Array) -> tuple[float, ...]:
    """The normal score of each edge's rank, of its middle rank where rows are equal to it."""
    sides = [np.searchsorted(ordered, edges, side=side) for side in ("left", "right")]
    ranks = np.clip((sides[0] + sides[1]) / (2 * len(ordered)), FARTHEST_RANK, 1 - FARTHEST_RANK)
    normal = NormalDist()
    scores = np.array([normal.inv_cdf(rank) for rank in ranks.tolist()], dtype=np.float32)
    return tuple(scores.tolist())
