"""What one column of a table becomes: some columns of the matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from kdtab.data.arrays import CodeArray, FloatArray
from kdtab.data.scale import feature_medians


@dataclass(frozen=True, eq=False)
class NumberBlock:
    """The features of a column of numbers, truth values or dates.

    Attributes:
        place: Which columns of the matrix these are, w of them.
        numbers: w times [N] float64, NaN where the cell is missing; or w times [K], what the
            distinct cells say.
        codes: [N] which of the K each cell is; None where each cell has its own.

    Example:
        >>> NumberBlock(slice(0, 1), (np.array([1.0]),)).features().tolist()
        [[1.0]]
        >>> NumberBlock(slice(0, 1), (np.array([1.0]),), np.array([0, 0])).features().tolist()
        [[1.0], [1.0]]
    """

    place: slice
    numbers: tuple[FloatArray, ...]
    codes: CodeArray | None = None

    @property
    def rows(self) -> FloatArray:
        """Every row that the block holds: [N, w], or [K, w] with codes.

        Example:
            >>> NumberBlock(slice(0, 1), (np.array([1.0]),), np.array([0, 0])).rows.tolist()
            [[1.0]]
        """
        return np.column_stack(self.numbers)

    def medians(self) -> FloatArray:
        """The median of each feature over the rows where it is there.

        Returns:
            [w] float64, 0 for a feature that is missing in every row.

        Example:
            >>> NumberBlock(slice(0, 1), (np.array([3.0, 1.0]),), np.array([0, 0, 1])).medians()
            array([3.])
        """
        if self.codes is None:
            return feature_medians(self.rows)
        return feature_medians(self.rows, np.bincount(self.codes, minlength=len(self.numbers[0])))

    def each(self) -> Iterator[FloatArray]:
        """One feature after the other.

        Yields:
            [N] float64, w times.

        Example:
            >>> block = NumberBlock(slice(0, 1), (np.array([1.0]),), np.array([0, 0]))
            >>> [feature.tolist() for feature in block.each()]
            [[1.0, 1.0]]
        """
        for numbers in self.numbers:
            yield numbers if self.codes is None else numbers.take(self.codes)

    def features(self) -> FloatArray:
        """The block as a matrix.

        Returns:
            [N, w] float64.

        Example:
            >>> NumberBlock(slice(0, 2), (np.zeros(3), np.ones(3))).features().shape
            (3, 2)
        """
        return np.column_stack(tuple(self.each()))


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
    positions: CodeArray

    @property
    def rows(self) -> FloatArray:
        """Every row that the block can hold: [w + 1, w], the first one for position −1.

        Example:
            >>> IndicatorBlock(slice(0, 1), np.array([0])).rows.tolist()
            [[0.0], [1.0]]
        """
        width = self.place.stop - self.place.start
        return np.eye(width + 1, width, k=-1)

    @property
    def places(self) -> CodeArray:
        """Which of `rows` each cell is: [N].

        Example:
            >>> IndicatorBlock(slice(0, 1), np.array([0, -1])).places.tolist()
            [1, 0]
        """
        return self.positions + 1

    def features(self) -> FloatArray:
        """The block as a matrix.

        Returns:
            [N, w] float64.

        Example:
            >>> IndicatorBlock(slice(0, 1), np.array([0, -1])).features().tolist()
            [[1.0], [0.0]]
        """
        chosen: FloatArray = self.rows[self.places]
        return chosen


Block: TypeAlias = NumberBlock | IndicatorBlock
