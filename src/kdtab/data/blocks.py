"""What one column of a table becomes: some columns of the matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from kdtab.data.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class NumberBlock:
    """The features of a column of numbers, truth values or dates.

    Attributes:
        place: Which columns of the matrix these are, w of them.
        numbers: w times [N] float64, NaN where the cell is missing.

    Example:
        >>> NumberBlock(slice(0, 1), (np.array([1.0]),)).features().tolist()
        [[1.0]]
    """

    place: slice
    numbers: tuple[FloatArray, ...]

    def features(self) -> FloatArray:
        """The block as a matrix.

        Returns:
            [N, w] float64.

        Example:
            >>> NumberBlock(slice(0, 2), (np.zeros(3), np.ones(3))).features().shape
            (3, 2)
        """
        return np.column_stack(self.numbers)


@dataclass(frozen=True, eq=False)
class IndicatorBlock:
    """The features of a categorical column: at most one of them is 1 in each row.

    Attributes:
        place: Which columns of the matrix these are, w of them.
        positions: [N] which of the w is 1; −1 for none.

    Example:
        >>> IndicatorBlock(slice(0, 2), np.array([1, -1])).features().tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """

    place: slice
    positions: IntArray

    @property
    def rows(self) -> FloatArray:
        """Every row that the block can hold: [w + 1, w], the last one for position −1.

        Example:
            >>> IndicatorBlock(slice(0, 1), np.array([0])).rows.tolist()
            [[1.0], [0.0]]
        """
        width = self.place.stop - self.place.start
        return np.eye(width + 1, width)

    def features(self) -> FloatArray:
        """The block as a matrix.

        Returns:
            [N, w] float64.

        Example:
            >>> IndicatorBlock(slice(0, 1), np.array([0, -1])).features().tolist()
            [[1.0], [0.0]]
        """
        chosen: FloatArray = self.rows[self.positions]
        return chosen


Block: TypeAlias = NumberBlock | IndicatorBlock
