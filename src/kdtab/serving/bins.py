"""Numeric encodings without torch: bins folded with the first matrix, for blocks and single rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

import numpy as np
import numpy.typing as npt

from kdtab.config.encodings import NumericEncodingSpec, PiecewiseLinearSpec, QuantileSpec
from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.numericbins import passing_columns

ComplexArray: TypeAlias = npt.NDArray[np.complexfloating]


@dataclass(frozen=True, eq=False)
class BinnedColumn:
    """What one input column adds to the first layer: Σ_j clip((x - b_{j-1}) / (b_j - b_{j-1}), 0, 1) w_j.

    Attributes:
        column: Which of the columns.
        edges: [m + 1] float32 b, ascending.
        weight: [m, H] float64 w.

    Example:
        >>> BinnedColumn(0, np.array([0.0, 2.0], np.float32), np.ones((1, 4))).weight.shape
        (1, 4)
    """

    column: int
    edges: Float32Array
    weight: FloatArray

    def at(self, value: float) -> FloatArray:
        """What one number adds.

        Args:
            value: Scaled; rounded to float32, as the network's input is.

        Returns:
            [H] float64.

        Example:
            >>> BinnedColumn(0, np.array([0.0, 2.0], np.float32), np.full((1, 1), 6.0)).at(1.0)
            array([3.])
        """
        low, high = self.edges[:-1].astype(np.float64), self.edges[1:].astype(np.float64)
        through: FloatArray = np.clip((np.float32(value) - low) / (high - low), 0.0, 1.0)
        return through @ self.weight


def binned_first_layer(
    encoding: NumericEncodingSpec, weight: FloatArray, bias: FloatArray
) -> tuple[FloatArray, FloatArray, tuple[BinnedColumn, ...]]:
    """The first layer of a network with an encoding, told by its input columns.

    A score that rises by s from edge to edge is a bin with s times the score's weights, and the
    score of the first edge is part of the bias.

    Args:
        encoding: Of D columns to W.
        weight: [W, H] float64, the bins or scores first, then the columns that pass.
        bias: [H] float64.

    Returns:
        [D, H] rows of the columns that pass, zero for the others; [H] the bias; the columns with bins.

    Example:
        >>> spec = QuantileSpec(edges=((0.0, 2.0), ()), scores=((-3.0, 1.0), ()))
        >>> rows, bias, bins = binned_first_layer(spec, np.array([[1.0], [5.0]]), np.zeros(1))
        >>> rows.tolist(), bias.tolist(), (bias + bins[0].at(1.0)).tolist()
        ([[0.0], [5.0]], [-3.0], [-1.0])
    """
    bins, start = [], 0
    for column, edges in enumerate(encoding.edges):
        if not edges:
            continue
        match encoding:
            case PiecewiseLinearSpec():
                rows = weight[start : start + len(edges) - 1]
                start += len(edges) - 1
            case QuantileSpec(scores=scores):
                rows = np.diff(scores[column])[:, np.newaxis] * weight[start]
                bias = bias + scores[column][0] * weight[start]
                start += 1
            case _:
                assert_never(encoding)
        bins.append(BinnedColumn(column, np.array(edges, dtype=np.float32), rows))
    passing = np.zeros((len(encoding.edges), len(bias)))
    passing[passing_columns(encoding)] = weight[start:]
    return passing, bias, tuple(bins)


@dataclass(frozen=True, eq=False)
class BlockBins:
    """The measured columns for blocks of rows: all bins, then those that pass, then one product.

    Attributes:
        columns: [bins + passing] input line of each bin, and of each column that passes.
        low: [bins, 1] float32.
        slope: [bins, 1] float32.
        weight: [bins + passing, H] float32.

    Example:
        >>> bins = [BinnedColumn(0, np.array([0.0, 1.0, 2.0], np.float32), np.ones((2, 4)))]
        >>> block_bins(bins, np.zeros((1, 4))).low
        array([[0.],
               [1.]], dtype=float32)
    """

    columns: IntArray
    low: Float32Array
    slope: Float32Array
    weight: Float32Array

    def buffer(self, rows: int) -> Float32Array:
        """Memory for blocks.

        Args:
            rows: Of the largest block.

        Returns:
            [bins + passing, rows] float32 with whatever it holds.

        Example:
            >>> bins = [BinnedColumn(0, np.array([0.0, 1.0], np.float32), np.ones((1, 4)))]
            >>> block_bins(bins, np.zeros((2, 4))).buffer(3).shape
            (2, 3)
        """
        return np.empty((len(self.columns), rows), dtype=np.float32)

    def write(self, lines: Float32Array, encoded: Float32Array, out: Float32Array) -> None:
        """What the columns of a block add to the first layer.

        Args:
            lines: [M, B] scaled numbers, one line for each column.
            encoded: [bins, B] memory, which is used up.
            out: [B, H], overwritten.

        Example:
            >>> bins = [BinnedColumn(0, np.array([0.0, 2.0], np.float32), np.ones((1, 1)))]
            >>> server = block_bins(bins, np.array([[0.0], [7.0]]))
            >>> out = np.empty((1, 1), np.float32)
            >>> server.write(np.ones((2, 1), np.float32), server.buffer(1), out)
            >>> out.tolist()
            [[7.5]]
        """
        np.take(lines, self.columns, axis=0, out=encoded, mode="clip")
        through = encoded[: len(self.low)]
        through -= self.low
        through *= self.slope
        through.clip(0.0, 1.0, out=through)  # minimum and maximum take six times as long
        np.dot(encoded.T, self.weight, out=out)


def block_bins(bins: Sequence[BinnedColumn], weight: FloatArray) -> BlockBins:
    """Compile a first layer with binned columns for blocks.

    Args:
        bins: Of at least one column.
        weight: [M, H] rows of all columns as they are; zero for one that its bins tell alone.

    Returns:
        All their bins, column by column, and the columns that pass.

    Example:
        >>> bins = [BinnedColumn(1, np.array([0.0, 1.0, 2.0], np.float32), np.ones((2, 4)))]
        >>> block_bins(bins, np.zeros((3, 4))).columns.tolist()
        [1, 1, 0, 2]
    """
    low = np.concatenate([each.edges[:-1] for each in bins])[:, np.newaxis]
    high = np.concatenate([each.edges[1:] for each in bins])[:, np.newaxis]
    columns = [np.full(len(each.weight), each.column, dtype=np.int64) for each in bins]
    told = [each.column for each in bins if not weight[each.column].any()]
    passing = np.setdiff1d(np.arange(len(weight)), told)
    return BlockBins(
        columns=np.concatenate([*columns, passing]),
        low=low,
        slope=np.float32(1) / (high - low),
        weight=np.concatenate([*(each.weight for each in bins), weight[passing]]).astype(
            np.float32
        ),
    )


@dataclass(frozen=True, eq=False)
class RowBins:
    """The first layer of single rows: one look-up for each number, however many bins it has.

    What a column adds is linear from edge to edge. With P_t the sum of the rows of all bins before
    bin t it is P_t + (x - low_t) / width_t w_t = (P_t - low_t / width_t w_t) + x (w_t / width_t); so
    two rows are kept for each bin. Beyond the edges the second one is zero. A column that passes
    beside its bins adds its own row to every second one. The difference loses nothing in float64:
    edges in float32 cannot be nearer to each other than 6e-8 of their size.

    Attributes:
        edges: Number of the column and edge as one complex number, which sorts by column and then by
            edge, so that one search finds the places of all.
        asked: [M] the numbers of the columns, as complex numbers.
        shift: [M] from the place among edges to the row: a column has one more row than edges.
        rows: [edges + M, 2 H] what is added at x = 0, and what x adds.
        factors: [2 M] one, and a place for x, of each column.

    Example:
        >>> bins = [BinnedColumn(0, np.array([0.0, 2.0], np.float32), np.ones((1, 4)))]
        >>> row_bins(bins, np.zeros((1, 4))).rows.shape
        (3, 8)
    """

    edges: ComplexArray
    asked: ComplexArray
    shift: IntArray
    rows: FloatArray
    factors: FloatArray

    def units(self, numbers: Float32Array) -> FloatArray:
        """The first layer of one row.

        Args:
            numbers: [M] scaled.

        Returns:
            [H] float64.

        Example:
            >>> bins = [BinnedColumn(0, np.array([0.0, 1.0, 3.0], np.float32), np.array([[2.0], [8.0]]))]
            >>> server = row_bins(bins, np.zeros((1, 1)))
            >>> [server.units(np.array([x])).item() for x in (-1.0, 0.5, 2.0, 9.0)]
            [0.0, 1.0, 6.0, 10.0]
        """
        asked, factors = self.asked.copy(), self.factors.copy()
        asked.imag = factors[1::2] = numbers
        places = self.edges.searchsorted(asked, "right")
        places += self.shift
        units: FloatArray = factors.dot(self.rows.take(places, 0).reshape(len(factors), -1))
        return units


def row_bins(bins: Sequence[BinnedColumn], weight: FloatArray) -> RowBins:
    """Compile a first layer with binned columns for single rows.

    Args:
        bins: Some of the columns.
        weight: [M, H] rows of all columns as they are; zero for one that its bins tell alone.

    Returns:
        The look-ups, in float64.

    Example:
        >>> bins = [BinnedColumn(1, np.array([0.0, 1.0, 2.0], np.float32), np.ones((2, 4)))]
        >>> row_bins(bins, np.full((2, 4), 5.0)).units(np.array([1.0, 2.0], np.float32)).tolist()
        [17.0, 17.0, 17.0, 17.0]
    """
    binned = {each.column: each for each in bins}
    edges: list[ComplexArray] = []
    rows: list[FloatArray] = []
    for column, line in enumerate(weight):
        plain = np.hstack([np.zeros_like(line), line])[np.newaxis]
        if column in binned:
            edges.append(column + 1j * binned[column].edges.astype(np.float64))
            rows.append(_offsets_and_slopes(binned[column]) + plain)
        else:
            rows.append(plain)
    columns = np.arange(len(weight))
    return RowBins(
        edges=np.concatenate(edges) if edges else np.zeros(0, dtype=np.complex128),
        asked=columns.astype(np.complex128),
        shift=columns,
        rows=np.concatenate(rows),
        factors=np.tile([1.0, 0.0], len(columns)),
    )


def _offsets_and_slopes(binned: BinnedColumn) -> FloatArray:
    """[m + 2, 2 H]: below all edges, of each bin, and above all edges."""
    edges = binned.edges.astype(np.float64)[:, np.newaxis]
    slopes = binned.weight / np.diff(edges, axis=0)
    sums = np.cumsum(binned.weight, axis=0)
    nothing = np.zeros_like(sums[:1])
    offsets = np.vstack([nothing, sums - binned.weight - edges[:-1] * slopes, sums[-1:]])
    return np.hstack([offsets, np.vstack([nothing, slopes, nothing])])
