"""Whole frames through a network, in blocks that stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import polars as pl

from kdtab.config.schema import BooleanColumn, DateColumn, NumericColumn
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.cells import MissingRule, numbers, seconds_or_numbers, truths
from kdtab.data.dates import date_features
from kdtab.serving.bins import BlockBins, block_bins
from kdtab.serving.blas import PREDICTIONS
from kdtab.serving.inputs import InputPlan, MeasuredColumn
from kdtab.serving.members import MeanOfHeads, SharedDense
from kdtab.serving.networks import (
    Affine,
    Dense,
    FoldedNetwork,
    Layer,
    Residual,
    layer_in_float32,
)
from kdtab.serving.places import JointTable, Places, joint_tables

BLOCK_ROWS = 512
"""A block's hidden units fit in the second level of the cache, and so do the matrices of a student."""


@dataclass(frozen=True, eq=False)
class FrameServer:
    """A network compiled for frames; each call has buffers of its own, so threads may share it.

    Attributes:
        plan: The first layer, told by columns.
        weight: [M, H] float32 the rows of the measured features.
        bins: All measured features where some enter by bins; None where none does.
        joints: The look-ups; the bias is in the rows of the first one.
        layers: What follows, in float32.
        output_dim: C.

    Example:
        >>> from kdtab.data.cells import missing_rule
        >>> plan = InputPlan(missing_rule(()), (), (), np.zeros((0, 2)), np.ones(2))
        >>> server = frame_server(plan, FoldedNetwork(np.zeros((0, 2)), np.ones(2), ()))
        >>> server.outputs(pl.DataFrame({"x": [1, 2]})).tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """

    plan: InputPlan
    weight: Float32Array
    bins: BlockBins | None
    joints: tuple[JointTable, ...]
    layers: tuple[Layer, ...]
    output_dim: int

    def outputs(self, frame: pl.DataFrame) -> Float32Array:
        """What the network says about raw rows.

        Args:
            frame: [N] rows with any columns in any order; not changed.

        Returns:
            [N, C] float32 logits, or [N, 1] values in the unit of training.

        Example:
            >>> from kdtab.data.cells import missing_rule
            >>> plan = InputPlan(missing_rule(()), (), (), np.zeros((0, 2)), np.ones(2))
            >>> server = frame_server(plan, FoldedNetwork(np.zeros((0, 2)), np.ones(2), ()))
            >>> server.outputs(pl.DataFrame({"x": []})).shape
            (0, 2)
        """
        return self.outputs_of(self.inputs_of(frame), self.places_of(frame))

    def inputs_of(self, frame: pl.DataFrame) -> Float32Array:
        """The measured features of raw rows, scaled.

        Args:
            frame: [N] rows with any columns in any order; not changed.

        Returns:
            [M, N] float32, one line for each feature.

        Example:
            >>> from kdtab.data.cells import missing_rule
            >>> plan = InputPlan(missing_rule(()), (), (), np.zeros((0, 2)), np.ones(2))
            >>> server = frame_server(plan, FoldedNetwork(np.zeros((0, 2)), np.ones(2), ()))
            >>> server.inputs_of(pl.DataFrame({"x": [1, 2]})).shape
            (0, 2)
        """
        inputs = np.empty((len(self.weight), frame.height), dtype=np.float32)
        start = 0
        for measured in self.plan.measured:
            end = start + len(measured.mean)
            _write_scaled(inputs[start:end], frame, measured, self.plan.rule)
            start = end
        return inputs

    def places_of(self, frame: pl.DataFrame) -> list[Places]:
        """The rows of each look-up that raw rows take.

        Args:
            frame: [N] rows with any columns in any order; not changed.

        Returns:
            [N] for each joint table.

        Example:
            >>> from kdtab.data.cells import missing_rule
            >>> plan = InputPlan(missing_rule(()), (), (), np.zeros((0, 2)), np.ones(2))
            >>> server = frame_server(plan, FoldedNetwork(np.zeros((0, 2)), np.ones(2), ()))
            >>> [places.tolist() for places in server.places_of(pl.DataFrame({"x": [1, 2]}))]
            [[0, 0]]
        """
        return [joint.places_of(frame, self.plan.rule) for joint in self.joints]

    def outputs_of(self, inputs: Float32Array, places: Sequence[Places]) -> Float32Array:
        """What the network says about encoded rows.

        Args:
            inputs: [M, N] scaled features, one line for each feature.
            places: [N] rows of each joint table.

        Returns:
            [N, C] float32.

        Example:
            >>> from kdtab.data.cells import missing_rule
            >>> plan = InputPlan(missing_rule(()), (), (), np.ones((1, 2)), np.ones(2))
            >>> server = frame_server(plan, FoldedNetwork(np.ones((1, 2)), np.ones(2), ()))
            >>> rows = np.array([[3.0, 4.0]], dtype=np.float32)
            >>> server.outputs_of(rows, [np.zeros(2, dtype=np.intp)]).tolist()
            [[4.0, 4.0], [5.0, 5.0]]
        """
        count = inputs.shape[1]
        outputs = np.empty((count, self.output_dim), dtype=np.float32)
        block = min(BLOCK_ROWS, count)
        width = self.weight.shape[1]
        hidden, spare, third = (np.empty((block, width), dtype=np.float32) for _ in range(3))
        encoded = None if self.bins is None else self.bins.buffer(block)
        with PREDICTIONS.on_one_thread():
            for start in range(0, count, BLOCK_ROWS):
                end = min(start + BLOCK_ROWS, count)
                size = end - start
                first, other = hidden[:size], spare[:size]
                np.take(self.joints[0].rows, places[0][start:end], axis=0, out=first, mode="clip")
                for joint, found in zip(self.joints[1:], places[1:], strict=True):
                    np.take(joint.rows, found[start:end], axis=0, out=other, mode="clip")
                    first += other
                if self.bins is not None and encoded is not None:
                    self.bins.write(inputs[:, start:end], encoded[:, :size], other)
                    first += other
                elif len(self.weight):
                    np.dot(inputs[:, start:end].T, self.weight, out=other)
                    first += other
                _write_outputs(outputs[start:end], self.layers, first, other, third[:size])
        return outputs


def frame_server(plan: InputPlan, network: FoldedNetwork) -> FrameServer:
    """Compile a network for frames.

    Args:
        plan: Its first layer.
        network: Its other layers.

    Returns:
        The server.

    Example:
        >>> from kdtab.data.cells import missing_rule
        >>> x = MeasuredColumn(NumericColumn(name="x", reason=""), np.zeros(1), np.ones(1), 10.0,
        ...                    np.zeros(1))
        >>> plan = InputPlan(missing_rule(()), (x,), (), np.full((1, 1), 3.0), np.ones(1))
        >>> server = frame_server(plan, FoldedNetwork(np.full((1, 1), 3.0), np.ones(1), ()))
        >>> server.outputs(pl.DataFrame({"x": ["2", None]})).tolist()
        [[7.0], [1.0]]
    """
    layers = tuple(layer_in_float32(layer) for layer in network.layers)
    last = network.layers[-1] if network.layers else None
    assert last is None or isinstance(last, Dense | MeanOfHeads), "a network ends in a head"
    return FrameServer(
        plan=plan,
        weight=plan.weight.astype(np.float32),
        bins=block_bins(plan.bins, plan.weight) if plan.bins else None,
        joints=joint_tables(plan.categories, plan.bias),
        layers=layers,
        output_dim=last.bias.shape[-1] if last is not None else len(plan.bias),
    )


def _write_scaled(
    lines: Float32Array, frame: pl.DataFrame, measured: MeasuredColumn, rule: MissingRule
) -> None:
    """The column's features, scaled and clipped in float64, then cast once: [F, N]."""
    if measured.column.name not in frame.columns:
        lines[:] = measured.fill[:, np.newaxis]
        return
    parts = _features(frame[measured.column.name], measured, rule)
    scaling = zip(parts, measured.mean, measured.scale, measured.fill, strict=True)
    for line, (values, mean, scale, fill) in zip(lines, scaling, strict=True):
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = values - mean
            scaled /= scale
        np.clip(scaled, -measured.clip, measured.clip, out=scaled)
        known = np.isfinite(values)
        if not known.all():
            scaled[~known] = fill
        line[:] = scaled


def _features(cells: pl.Series, measured: MeasuredColumn, rule: MissingRule) -> list[FloatArray]:
    """Unscaled features [N] each, NaN or infinite where missing."""
    column = measured.column
    match column:
        case NumericColumn() if cells.dtype.is_numeric() or cells.dtype == pl.Boolean:
            values = seconds_or_numbers(cells).to_numpy()
            if rule.numbers:
                values = np.where(np.isin(values, rule.numbers), np.nan, values)
            return [values]
        case NumericColumn():
            return [numbers(cells, rule).to_numpy()]
        case BooleanColumn():
            return [truths(cells, rule).to_numpy()]
        case DateColumn():
            return [part.to_numpy() for part in date_features(cells, column, rule)]
        case _:
            assert_never(column)


def _write_outputs(
    outputs: Float32Array,
    layers: Sequence[Layer],
    hidden: Float32Array,
    spare: Float32Array,
    third: Float32Array,
) -> None:
    """What the layers make of hidden units: [B, H] to [B, C]; three buffers of [B, H] are used up."""
    for place, layer in enumerate(layers, start=1):
        match layer:
            case Dense(weight=weight, bias=bias):
                hidden.clip(0.0, np.inf, out=hidden)  # relu; maximum takes three times as long
                made = outputs if place == len(layers) else spare
                np.dot(hidden, weight, out=made)
                made += bias
                hidden, spare = made, hidden
            case Residual():
                np.dot(hidden, layer.inner_weight, out=spare)
                spare += layer.inner_bias
                spare.clip(0.0, np.inf, out=spare)
                np.dot(spare, layer.outer_weight, out=third)
                third += layer.outer_bias
                hidden += third
            case Affine(scale=scale, shift=shift):
                hidden *= scale
                hidden += shift
            case SharedDense():
                hidden, spare = layer.units(hidden, out=spare), hidden
            case MeanOfHeads():
                outputs[:] = layer.said(hidden)
            case _:
                assert_never(layer)
    if not layers:
        outputs[:] = hidden
