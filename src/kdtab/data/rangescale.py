"""Features of time series moved onto one range, fitted on the training series and applied once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from kdtab.data.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class RangeScaler:
    """x ↦ low + (x − least) · (high − low) / (greatest − least), feature by feature.

    Attributes:
        least: [D] the least value of each feature in the training series.
        greatest: [D] the greatest.
        low: Where the least goes, and every value of a feature that never changes.
        high: Where the greatest goes.

    Example:
        >>> scaler = RangeScaler(np.array([0.0]), np.array([10.0]), -1.0, 1.0)
        >>> scaler.transform(np.array([[0.0], [5.0], [10.0]])).ravel().tolist()
        [-1.0, 0.0, 1.0]
    """

    least: FloatArray
    greatest: FloatArray
    low: float
    high: float

    def transform(self, values: FloatArray) -> FloatArray:
        """The values on the range; those beyond the training series' leave it.

        Args:
            values: [..., D] in the unit of the source.

        Returns:
            [..., D] float64.

        Example:
            >>> scaler = RangeScaler(np.array([3.0]), np.array([3.0]), -1.0, 1.0)
            >>> scaler.transform(np.array([[3.0], [9.0]])).ravel().tolist()
            [-1.0, -1.0]
        """
        # Halves: the width of a feature from -1.7e308 to 1.7e308 is no float.
        width = self.greatest / 2 - self.least / 2
        moves = width > 0
        share = (values / 2 - self.least / 2) / np.where(moves, width, 1.0)
        return self.low + np.where(moves, share, 0.0) * (self.high - self.low)


@dataclass(frozen=True, eq=False)
class SeenRange:
    """The least and the greatest value of each feature so far, for fitting batch by batch.

    Attributes:
        least: [D]; infinity before the first batch.
        greatest: [D]; minus infinity before the first batch.

    Example:
        >>> seen = SeenRange.of_nothing(1).with_values(np.array([[3.0], [1.0]]))
        >>> seen.least.tolist(), seen.greatest.tolist()
        ([1.0], [3.0])
    """

    least: FloatArray
    greatest: FloatArray

    @classmethod
    def of_nothing(cls, features: int) -> Self:
        """Before the first batch.

        Args:
            features: D.

        Returns:
            An empty range.

        Example:
            >>> SeenRange.of_nothing(2).least.tolist()
            [inf, inf]
        """
        return cls(np.full(features, np.inf), np.full(features, -np.inf))

    def with_values(self, values: FloatArray) -> Self:
        """The range that also covers these values.

        Args:
            values: [..., D] finite; none at all change nothing.

        Returns:
            A new range.

        Example:
            >>> SeenRange.of_nothing(1).with_values(np.array([[[2.0]]])).least.tolist()
            [2.0]
        """
        flat = values.reshape(-1, values.shape[-1])
        if not len(flat):
            return self
        return type(self)(
            np.minimum(self.least, flat.min(0)), np.maximum(self.greatest, flat.max(0))
        )

    def scaler(self, low: float, high: float) -> RangeScaler:
        """The scaler fitted on all that was seen.

        Args:
            low: Where the least goes.
            high: Where the greatest goes.

        Returns:
            A scaler.

        Example:
            >>> SeenRange.of_nothing(1).with_values(np.array([[0.0], [4.0]])).scaler(0, 1).low
            0
        """
        return RangeScaler(self.least, self.greatest, low, high)
