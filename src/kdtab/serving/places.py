"""Categories of whole columns as look-ups, several columns at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.cells import MissingRule
from kdtab.data.values import text_series
from kdtab.data.vectorize import NEITHER, category_positions
from kdtab.serving.inputs import CategoryTable

MOST_JOINT_ROWS = 1_024
"""Categorical columns share one look-up as long as their combinations are no more than this."""

Places: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class TextPlaces:
    """How the texts of a categorical column become rows of its table, by one cast of polars.

    Attributes:
        table: The column.
        known: The texts of its `places`, as the categories of an enumeration.
        places: [known + 1] the row of each, then that of a missing cell.

    Example:
        >>> from kdtab.data.cells import missing_rule
        >>> from kdtab.config.schema import CategoricalColumn
        >>> code = CategoricalColumn(name="code", reason="", categories=("1", "a"), has_rare=True,
        ...                          has_missing=False)
        >>> table = CategoryTable(code, {"1": 0, "a": 1}, 2, 3, np.zeros((4, 5)))
        >>> cells = pl.Series(["a", "?", " 1 ", "b", None])
        >>> text_places(table).of_cells(cells, missing_rule(("?",))).tolist()
        [1, 3, 0, 2, 3]
    """

    table: CategoryTable
    known: pl.Enum
    places: Places

    def of_column(self, frame: pl.DataFrame, rule: MissingRule) -> Places:
        """The row of each cell of the column, wherever it stands in a frame.

        Args:
            frame: [N] raw rows; an absent column is missing.
            rule: What is missing.

        Returns:
            [N] rows of the table.

        Example:
            >>> from kdtab.data.cells import missing_rule
            >>> from kdtab.config.schema import CategoricalColumn
            >>> code = CategoricalColumn(name="code", reason="", categories=("1",), has_rare=False,
            ...                          has_missing=False)
            >>> table = CategoryTable(code, {"1": 0}, 1, 1, np.zeros((2, 5)))
            >>> text_places(table).of_column(pl.DataFrame({"x": [7]}), missing_rule(())).tolist()
            [1]
        """
        name = self.table.column.name
        if name not in frame.columns:
            return np.full(frame.height, self.table.missing, dtype=np.intp)
        return self.of_cells(frame[name], rule)

    def of_cells(self, cells: pl.Series, rule: MissingRule) -> Places:
        """The row of each cell.

        Args:
            cells: [N] of any type.
            rule: What is missing.

        Returns:
            [N] rows of the table.

        Example:
            >>> from kdtab.data.cells import missing_rule
            >>> from kdtab.config.schema import CategoricalColumn
            >>> code = CategoricalColumn(name="code", reason="", categories=("1",), has_rare=False,
            ...                          has_missing=False)
            >>> table = CategoryTable(code, {"1": 0}, 1, 1, np.zeros((2, 5)))
            >>> text_places(table).of_cells(pl.Series([1.0, 2.0]), missing_rule(())).tolist()
            [0, 1]
        """
        if cells.dtype != pl.String:
            return self._of_any(cells, rule)
        codes = cells.cast(self.known, strict=False)
        unknown = codes.null_count() - cells.null_count()
        numbered = codes.to_physical().cast(pl.UInt32).fill_null(len(self.places) - 1)
        found = self.places.take(numbered.to_numpy())
        if unknown:
            odd = codes.is_null() & cells.is_not_null()
            found[odd.to_numpy()] = self._of_any(cells.filter(odd), rule)
        return found

    def _of_any(self, cells: pl.Series, rule: MissingRule) -> Places:
        positions = category_positions(cells, self.table.column, rule)
        return np.where(positions == NEITHER, len(self.table.rows) - 1, positions)


@dataclass(frozen=True, eq=False)
class JointTable:
    """Some categorical columns as one look-up: a row for each combination of their features.

    Attributes:
        members: The columns.
        rows: [product of their rows, H] float32, the first member varying slowest.

    Example:
        >>> JointTable((), np.zeros((1, 4), dtype=np.float32)).rows.shape
        (1, 4)
    """

    members: tuple[TextPlaces, ...]
    rows: Float32Array

    def places_of(self, frame: pl.DataFrame, rule: MissingRule) -> Places:
        """The row of each frame's row.

        Args:
            frame: [N] raw rows; an absent column is missing.
            rule: What is missing.

        Returns:
            [N] rows of the table.

        Example:
            >>> from kdtab.data.cells import missing_rule
            >>> table = JointTable((), np.zeros((1, 4), dtype=np.float32))
            >>> table.places_of(pl.DataFrame({"x": [1, 2]}), missing_rule(())).tolist()
            [0, 0]
        """
        places: Places = np.zeros(frame.height, dtype=np.intp)
        for member in self.members:
            places = places * len(member.table.rows)
            places += member.of_column(frame, rule)
        return places


def text_places(table: CategoryTable) -> TextPlaces:
    """Compile the texts of a categorical column.

    Args:
        table: The column.

    Returns:
        Its texts as rows of the table.

    Example:
        >>> from kdtab.config.schema import CategoricalColumn
        >>> code = CategoricalColumn(name="code", reason="", categories=("1", "a"), has_rare=True,
        ...                          has_missing=False)
        >>> text_places(CategoryTable(code, {"1": 0, "a": 1}, 2, 3, np.zeros((4, 5)))).places.tolist()
        [0, 1, 3]
    """
    known = text_series("", list(table.places))
    return TextPlaces(
        table, pl.Enum(known), np.array([*table.places.values(), table.missing], dtype=np.intp)
    )


def joint_tables(tables: Sequence[CategoryTable], bias: FloatArray) -> tuple[JointTable, ...]:
    """Join the look-ups of small columns, so that a row needs fewer of them.

    Args:
        tables: The categorical columns.
        bias: [H] what every row begins with; it goes into the rows of the first look-up.

    Returns:
        At least one table, also without columns.

    Example:
        >>> from kdtab.config.schema import CategoricalColumn
        >>> code = CategoricalColumn(name="code", reason="", categories=("1", "a"), has_rare=False,
        ...                          has_missing=False)
        >>> column = CategoryTable(code, {"1": 0, "a": 1}, 2, 2, np.zeros((3, 5)))
        >>> [len(joint.rows) for joint in joint_tables([column] * 8, np.zeros(5))]
        [729, 9]
    """
    groups: list[list[CategoryTable]] = [[]]
    combinations = 1
    for table in sorted(tables, key=lambda table: len(table.rows)):
        if combinations * len(table.rows) > MOST_JOINT_ROWS and groups[-1]:
            groups.append([])
            combinations = 1
        groups[-1].append(table)
        combinations *= len(table.rows)
    starts = [bias, *(np.zeros_like(bias) for _ in groups[1:])]
    return tuple(_joined(group, start) for group, start in zip(groups, starts, strict=True))


def _joined(tables: Sequence[CategoryTable], start: FloatArray) -> JointTable:
    def crossed(rows: FloatArray, table: CategoryTable) -> FloatArray:
        sums: FloatArray = rows[:, np.newaxis] + table.rows
        return sums.reshape(-1, rows.shape[1])

    rows = reduce(crossed, tables, start[np.newaxis])
    return JointTable(tuple(text_places(table) for table in tables), rows.astype(np.float32))
