"""One raw row through a network, with as few steps as there can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias, assert_never

import numpy as np

from kdtab.config.schema import DateColumn
from kdtab.data.arrays import Float32Array
from kdtab.serving.bins import RowBins, row_bins
from kdtab.serving.inputs import InputPlan, MeasuredColumn
from kdtab.serving.members import Floats, MeanOfHeads, SharedDense
from kdtab.serving.networks import (
    Affine,
    Dense,
    FoldedNetwork,
    Layer,
    Residual,
    layer_in_float32,
)
from kdtab.serving.readers import (
    NumberReader,
    PartsReader,
    PlaceReader,
    date_reader,
    number_reader,
    place_reader,
)

RowStep: TypeAlias = Callable[[Float32Array], Float32Array]


@dataclass(frozen=True, eq=False)
class RowServer:
    """A network compiled for single rows; it holds no buffers, so threads may share it.

    Attributes:
        numbers: Name and reader of each numeric and boolean column.
        dates: Name and reader of each date column.
        places: Name, look-up of plain texts, and reader of other cells of each categorical column.
        weight: [M + 1, H] float32, the rows of numbers, then of dates, then the bias.
        bins: The same with numbers and dates that enter by bins; None where none does.
        table: [P, H] float32, the rows of all categories.
        ones: [K] float32, one for each categorical column.
        network: What follows the first layer.

    Example:
        >>> from kdtab.data.cells import missing_rule
        >>> plan = InputPlan(missing_rule(()), (), (), np.zeros((0, 2)), np.ones(2))
        >>> row_server(plan, FoldedNetwork(np.zeros((0, 2)), np.ones(2), ())).outputs({}).tolist()
        [1.0, 1.0]
    """

    numbers: tuple[tuple[str, NumberReader], ...]
    dates: tuple[tuple[str, PartsReader], ...]
    places: tuple[tuple[str, Callable[[object], int | None], PlaceReader], ...]
    weight: Float32Array
    bins: RowBins | None
    table: Float32Array
    ones: Float32Array
    network: RowNetwork

    def outputs(self, row: Mapping[str, object]) -> Float32Array:
        """What the network says about one row.

        Args:
            row: Raw cells by column; an absent key is a missing cell.

        Returns:
            [C] float32 logits, or one value in the unit of training.

        Raises:
            OddCellError: On a cell that only the road of whole columns understands.

        Example:
            >>> from kdtab.data.cells import missing_rule
            >>> plan = InputPlan(missing_rule(()), (), (), np.zeros((0, 2)), np.ones(2))
            >>> row_server(plan, FoldedNetwork(np.zeros((0, 2)), np.ones(2), ())).outputs({}).shape
            (2,)
        """
        return self.outputs_of(*self.encoded(row))

    def encoded(self, row: Mapping[str, object]) -> tuple[list[float], list[int]]:
        """One row as the first layer takes it.

        Args:
            row: Raw cells by column; an absent key is a missing cell.

        Returns:
            [M + 1] scaled features and a one for the bias, and [K] rows of the table.

        Raises:
            OddCellError: On a cell that only the road of whole columns understands.

        Example:
            >>> from kdtab.data.cells import missing_rule
            >>> plan = InputPlan(missing_rule(()), (), (), np.zeros((0, 2)), np.ones(2))
            >>> row_server(plan, FoldedNetwork(np.zeros((0, 2)), np.ones(2), ())).encoded({})
            ([1.0], [])
        """
        cell_of = row.get
        values = [read(cell_of(name)) for name, read in self.numbers]
        for name, read_parts in self.dates:
            values += read_parts(cell_of(name))
        values.append(1.0)
        return values, self._rows_of(cell_of)

    def outputs_of(self, values: list[float], rows: list[int]) -> Float32Array:
        """What the network says about one encoded row.

        Args:
            values: [M + 1] scaled features and a one for the bias.
            rows: [K] rows of the table.

        Returns:
            [C] float32.

        Example:
            >>> from kdtab.data.cells import missing_rule
            >>> plan = InputPlan(missing_rule(()), (), (), np.zeros((0, 2)), np.ones(2))
            >>> server = row_server(plan, FoldedNetwork(np.zeros((0, 2)), np.ones(2), ()))
            >>> server.outputs_of([1.0], []).tolist()
            [1.0, 1.0]
        """
        numbers = np.array(values, dtype=np.float32)
        hidden: Float32Array
        if self.bins is None:
            hidden = numbers.dot(self.weight)
        else:
            hidden = self.bins.units(numbers).astype(np.float32)
        if rows:
            hidden += self.ones.dot(self.table.take(rows, 0))
        return self.network(hidden)

    def _rows_of(self, cell_of: Callable[[str], object]) -> list[int]:
        rows = []
        for name, find, read in self.places:
            cell = cell_of(name)
            try:
                place = find(cell)
            except TypeError:  # a list or a dictionary, which no look-up can find
                place = None
            rows.append(read(cell) if place is None else place)
        return rows


@dataclass(frozen=True, eq=False)
class RowNetwork:
    """The layers after the first one, for a single row.

    A row is bound by how fast the matrices are read: in float32, as blocks have them, they are
    half as long.

    Attributes:
        steps: What each layer makes of the units before it, in order.

    Example:
        >>> steps = (row_step(Dense(np.ones((2, 1)), np.zeros(1))),)
        >>> RowNetwork(steps)(np.ones(2, np.float32)).tolist()
        [2.0]
    """

    steps: tuple[RowStep, ...]

    def __call__(self, hidden: Float32Array) -> Float32Array:
        """Outputs of the first layer's; [H] to [C], and [H] is overwritten."""
        for step in self.steps:
            hidden = step(hidden)
        return hidden


def row_step(layer: Layer) -> RowStep:
    """Compile a layer for single rows: what it is, is asked once and not for every row.

    Args:
        layer: In any precision.

    Returns:
        [H] float32 to the units of the next layer; what it is given is overwritten.

    Example:
        >>> row_step(Affine(np.full(2, 3.0), np.ones(2)))(np.ones(2, np.float32)).tolist()
        [4.0, 4.0]
    """
    made = layer_in_float32(layer)
    match made:
        case Dense():
            return partial(_dense, made.weight, made.bias, np.zeros(len(made.weight), np.float32))
        case Residual():
            return partial(_residual, made, np.zeros_like(made.inner_bias))
        case Affine():
            return partial(_affine, made)
        case SharedDense():
            return lambda hidden: made.units(hidden[np.newaxis])[0]
        case MeanOfHeads():
            return lambda hidden: made.said(hidden[np.newaxis])[0]
        case _:
            assert_never(made)


def _dense(weight: Floats, bias: Floats, zeros: Floats, hidden: Float32Array) -> Float32Array:
    # To compare with an array is faster than with a number.
    units: Float32Array = np.maximum(hidden, zeros, out=hidden).dot(weight)
    units += bias
    return units


def _residual(layer: Residual, zeros: Floats, hidden: Float32Array) -> Float32Array:
    inner = hidden.dot(layer.inner_weight)
    inner += layer.inner_bias
    hidden += np.maximum(inner, zeros, out=inner).dot(layer.outer_weight)
    hidden += layer.outer_bias
    return hidden


def _affine(layer: Affine, hidden: Float32Array) -> Float32Array:
    hidden *= layer.scale
    hidden += layer.shift
    return hidden


def row_server(plan: InputPlan, network: FoldedNetwork) -> RowServer:
    """Compile a network for single rows.

    Args:
        plan: Its first layer.
        network: Its other layers.

    Returns:
        The server.

    Example:
        >>> from kdtab.config.schema import NumericColumn
        >>> from kdtab.data.cells import missing_rule
        >>> from kdtab.serving.inputs import MeasuredColumn
        >>> x = MeasuredColumn(NumericColumn(name="x", reason=""), np.zeros(1), np.ones(1), 10.0,
        ...                    np.zeros(1))
        >>> plan = InputPlan(missing_rule(()), (x,), (), np.full((1, 1), 3.0), np.ones(1))
        >>> server = row_server(plan, FoldedNetwork(np.full((1, 1), 3.0), np.ones(1), ()))
        >>> server.outputs({"x": 2}).tolist()
        [7.0]
    """
    rule = plan.rule
    order = _numbers_before_dates(plan.measured)
    place_of = {feature: place for place, feature in enumerate(order)}
    bins = [replace(binned, column=place_of[binned.column]) for binned in plan.bins]
    starts = np.cumsum([0, *(len(table.rows) for table in plan.categories)])
    places = tuple(
        _shifted(table.places, place_reader(table, rule), int(start))
        for table, start in zip(plan.categories, starts, strict=False)
    )
    bias = plan.bias[np.newaxis]
    weight = np.vstack([plan.weight[order], bias])
    return RowServer(
        numbers=tuple(
            (measured.column.name, number_reader(measured, rule))
            for measured in plan.measured
            if not isinstance(measured.column, DateColumn)
        ),
        dates=tuple(
            (measured.column.name, date_reader(measured, rule))
            for measured in plan.measured
            if isinstance(measured.column, DateColumn)
        ),
        places=tuple(
            (table.column.name, find, read)
            for table, (find, read) in zip(plan.categories, places, strict=True)
        ),
        weight=weight.astype(np.float32),
        bins=row_bins(bins, weight) if bins else None,
        table=np.vstack(
            [*(table.rows for table in plan.categories), np.zeros_like(bias)], dtype=np.float32
        ),
        ones=np.ones(len(plan.categories), dtype=np.float32),
        network=RowNetwork(tuple(row_step(layer) for layer in network.layers)),
    )


def _numbers_before_dates(columns: Sequence[MeasuredColumn]) -> list[int]:
    """The measured features in the order in which a row's are read."""
    features: dict[bool, list[int]] = {False: [], True: []}
    start = 0
    for measured in columns:
        end = start + len(measured.mean)
        features[isinstance(measured.column, DateColumn)].extend(range(start, end))
        start = end
    return features[False] + features[True]


def _shifted(
    places: Mapping[str, int], read: PlaceReader, start: int
) -> tuple[Callable[[object], int | None], PlaceReader]:
    """The look-ups of one column as rows of the table of all columns."""
    found: dict[object, int] = {text: place + start for text, place in places.items()}
    return found.get, lambda cell: read(cell) + start
