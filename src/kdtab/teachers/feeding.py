"""Rows of a frame as the inputs of an ONNX graph, in the types that it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import polars as pl

from kdtab.teachers.graph import Argument

Fed = npt.NDArray[np.generic]
TYPES: Mapping[str, tuple[pl.DataType, type[np.generic]]] = MappingProxyType(
    {
        "tensor(float)": (pl.Float32(), np.float32),
        "tensor(double)": (pl.Float64(), np.float64),
        "tensor(int64)": (pl.Int64(), np.int64),
        "tensor(int32)": (pl.Int32(), np.int32),
        "tensor(bool)": (pl.Boolean(), np.bool_),
        "tensor(string)": (pl.String(), np.object_),
    }
)


def matrix_width(given: Argument) -> int | None:
    """How many columns an input takes.

    Args:
        given: An input of a graph.

    Returns:
        The second of two sizes, None where any number goes or it is no matrix.

    Example:
        >>> from types import SimpleNamespace
        >>> matrix_width(SimpleNamespace(name="X", type="tensor(float)", shape=[None, 4]))
        4
    """
    width = given.shape[1] if len(given.shape) == 2 else None
    return width if isinstance(width, int) else None


def fed_matrix(frame: pl.DataFrame, given: Argument) -> dict[str, Fed]:
    """All columns as one input.

    Args:
        frame: [N] rows, the columns in the graph's order.
        given: The graph's only input.

    Returns:
        [N, D] by the input's name; NaN where a number is missing, "" where a text is.

    Raises:
        ValueError: A cell is missing and the graph takes whole numbers or truth values.

    Example:
        >>> from types import SimpleNamespace
        >>> given = SimpleNamespace(name="X", type="tensor(float)", shape=[None, 2])
        >>> fed_matrix(pl.DataFrame({"a": [1, None], "b": [2, 3]}), given)["X"].tolist()
        [[1.0, 2.0], [nan, 3.0]]
    """
    columns = [_cells(column, given) for column in frame.get_columns()]
    return {given.name: np.ascontiguousarray(np.stack(columns, axis=1))}


def fed_columns(frame: pl.DataFrame, inputs: Sequence[Argument]) -> dict[str, Fed]:
    """Each column as an input of its own.

    Args:
        frame: [N] rows, the columns in the order of the inputs.
        inputs: The graph's inputs, [N, 1] or [N].

    Returns:
        An array by each input's name.

    Raises:
        ValueError: A cell is missing and the graph takes whole numbers or truth values.

    Example:
        >>> from types import SimpleNamespace
        >>> given = SimpleNamespace(name="city", type="tensor(string)", shape=[None, 1])
        >>> fed_columns(pl.DataFrame({"city": ["Ulm", None]}), [given])["city"].tolist()
        [['Ulm'], ['']]
    """
    cells = {
        given.name: _cells(column, given)
        for given, column in zip(inputs, frame.get_columns(), strict=True)
    }
    flat = {given.name for given in inputs if len(given.shape) != 2}
    return {name: cell if name in flat else cell.reshape(-1, 1) for name, cell in cells.items()}


def _cells(column: pl.Series, given: Argument) -> Fed:
    wanted, dtype = TYPES.get(given.type, TYPES["tensor(float)"])
    cells = column.cast(wanted)
    if wanted == pl.String:
        return np.array(cells.fill_null("").to_list(), dtype=dtype)
    if cells.null_count() and not wanted.is_float():
        msg = f"column {column.name!r} has missing cells, and the graph takes {given.type}"
        raise ValueError(msg)
    return cells.to_numpy().astype(dtype)
