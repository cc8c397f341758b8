"""Imputing and scaling: statistics of the training rows, in float64, safe for any finite number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kdtab.data.arrays import BoolArray, FloatArray, IntArray

CLIP_BOUND = 10.0
"""Encoded inputs lie within ten standard deviations of the training mean."""

ROUNDING = 8 * float(np.finfo(np.float64).eps)
"""A spread below this share of a column's magnitude is rounding noise, not information."""

LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, eq=False)
class Scaler:
    """x ↦ clip((x − mean) / scale, −clip, clip), feature by feature.

    Two scalers are equal when their numbers are.

    Attributes:
        mean: [D] float64.
        scale: [D] float64, above 0.
        clip: Bound of the result, in standard deviations.

    Example:
        >>> Scaler(np.array([1.0]), np.array([2.0]), clip=10.0).transform(np.array([[5.0]])).tolist()
        [[2.0]]
    """

    mean: FloatArray
    scale: FloatArray
    clip: float

    def transform(self, matrix: FloatArray) -> FloatArray:
        """Features in standard deviations from the training mean, within ±clip.

        Args:
            matrix: [N, D] float64.

        Returns:
            [N, D] float64; a NaN stays NaN.

        Example:
            >>> Scaler(np.zeros(1), np.ones(1), clip=10.0).transform(np.array([[1e300]])).tolist()
            [[10.0]]
        """
        with np.errstate(over="ignore"):
            scaled: FloatArray = (matrix - self.mean) / self.scale
        return np.clip(scaled, -self.clip, self.clip)

    def part(self, place: slice) -> Scaler:
        """The scaler of some of the features.

        Args:
            place: Which.

        Returns:
            A scaler of as many features.

        Example:
            >>> Scaler(np.zeros(3), np.ones(3), clip=10.0).part(slice(1, 3)).mean.tolist()
            [0.0, 0.0]
        """
        return Scaler(self.mean[place], self.scale[place], self.clip)

    def inverse_transform(self, matrix: FloatArray) -> FloatArray:
        """Back to the units of the columns; what was clipped stays clipped.

        Args:
            matrix: [N, D] float64.

        Returns:
            [N, D] float64.

        Example:
            >>> Scaler(np.array([1.0]), np.array([2.0]), clip=10.0).inverse_transform(
            ...     np.array([[2.0]])
            ... ).tolist()
            [[5.0]]
        """
        with np.errstate(over="ignore"):
            restored: FloatArray = matrix * self.scale + self.mean
        return np.clip(restored, -LARGEST, LARGEST)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Scaler)
            and np.array_equal(self.mean, other.mean)
            and np.array_equal(self.scale, other.scale)
            and self.clip == other.clip
        )

    def __hash__(self) -> int:
        return hash((len(self.mean), self.clip))


@dataclass(frozen=True)
class TargetScaler:
    """y ↦ (y − mean) / scale, in float64, so that targets near 1.7e9 keep their differences.

    Attributes:
        mean: In the units of the target.
        scale: In the units of the target, above 0.

    Example:
        >>> TargetScaler(mean=1.0, scale=2.0).transform(np.array([5.0])).tolist()
        [2.0]
    """

    mean: float
    scale: float

    def transform(self, values: npt.NDArray[np.floating]) -> FloatArray:
        """Targets in standard deviations from the training mean.

        Args:
            values: Any shape and float type, in the units of the target.

        Returns:
            The same shape, float64.

        Example:
            >>> TargetScaler(mean=1.7e9, scale=1.0).transform(np.array([1.7e9 + 0.5])).tolist()
            [0.5]
        """
        with np.errstate(over="ignore"):
            scaled: FloatArray = (np.asarray(values, dtype=np.float64) - self.mean) / self.scale
        return np.clip(scaled, -LARGEST, LARGEST)

    def inverse_transform(self, values: npt.NDArray[np.floating]) -> FloatArray:
        """Back to the units of the target.

        Args:
            values: Any shape and float type, in standard deviations.

        Returns:
            The same shape, float64.

        Example:
            >>> TargetScaler(mean=1.0, scale=2.0).inverse_transform(np.array([2.0])).tolist()
            [5.0]
        """
        with np.errstate(over="ignore"):
            restored: FloatArray = np.asarray(values, dtype=np.float64) * self.scale + self.mean
        return np.clip(restored, -LARGEST, LARGEST)


def fit_scaler(matrix: FloatArray, indicators: BoolArray, clip: float = CLIP_BOUND) -> Scaler:
    """Mean and standard deviation (with N) of each feature.

    Args:
        matrix: [N, D] finite float64, the training rows, imputed.
        indicators: [D] features that keep mean 0 and scale 1.
        clip: Bound of encoded inputs, in standard deviations.

    Returns:
        The scaler; a feature that is constant, or nearly so for its magnitude, has scale 1.

    Example:
        >>> fit_scaler(np.array([[1.0, 7.0], [3.0, 7.0]]), np.array([False, False])).scale.tolist()
        [1.0, 1.0]
        >>> fit_scaler(np.array([[1e300], [-1e300]]), np.array([False])).scale.tolist()
        [1e+300]
    """
    mean = np.zeros(matrix.shape[1])
    scale = np.ones(matrix.shape[1])
    for at in np.flatnonzero(~indicators):
        mean[at], scale[at] = mean_and_scale(matrix[:, at])
    return Scaler(mean, scale, clip)


def fit_target_scaler(values: FloatArray) -> TargetScaler:
    """Mean and standard deviation (with N) of the training targets.

    Args:
        values: [N] finite float64.

    Returns:
        The scaler; scale 1 for a constant target.

    Example:
        >>> fit_target_scaler(np.array([1.0, 3.0]))
        TargetScaler(mean=2.0, scale=1.0)
    """
    mean, scale = mean_and_scale(values)
    return TargetScaler(mean=mean, scale=scale)


def mean_and_scale(values: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation without overflow: the numbers are divided by a power of two.

    Args:
        values: [N] finite float64.

    Returns:
        The mean, and √mean((x − mean)²) or 1 where that is nothing but rounding; (0, 1) without
        rows.

    Example:
        >>> mean_and_scale(np.array([1.7e9, 1.7e9 + 2]))
        (1700000001.0, 1.0)
    """
    if not len(values):
        return 0.0, 1.0
    largest = float(np.abs(values).max())
    exponent = int(np.frexp(largest)[1])
    small = np.ldexp(np.ascontiguousarray(values), -exponent)
    centre = float(small.mean())
    centre += float((small - centre).mean())
    spread = float(np.sqrt(np.mean((small - centre) ** 2)))
    scale = float(np.ldexp(spread, exponent))
    constant = spread <= ROUNDING or scale < np.finfo(np.float64).tiny
    return float(np.ldexp(centre, exponent)), 1.0 if constant else scale


def feature_medians(matrix: FloatArray, counts: IntArray | None = None) -> FloatArray:
    """The median of each feature over the rows where it is there.

    Args:
        matrix: [N, D] float64, NaN where missing.
        counts: [N] how many rows each row stands for; None: itself.

    Returns:
        [D] float64, 0 for a feature that is missing in every row.

    Example:
        >>> feature_medians(np.array([[1.0, np.nan], [4.0, np.nan], [np.nan, np.nan]])).tolist()
        [2.5, 0.0]
    """
    features = (matrix[:, at] for at in range(matrix.shape[1]))
    return np.array([_median(values, counts) for values in features], dtype=np.float64)


def impute(matrix: FloatArray, medians: FloatArray | None) -> FloatArray:
    """Missing features filled with the training medians, infinities too.

    Args:
        matrix: [N, D] float64.
        medians: [D]; None or another shape fills with zeros instead (EC-T03).

    Returns:
        [N, D] finite float64, a new array.

    Example:
        >>> impute(np.array([[np.nan, 1.0]]), np.array([7.0, 8.0])).tolist()
        [[7.0, 1.0]]
        >>> impute(np.array([[np.nan, 1.0]]), np.array([7.0])).tolist()
        [[0.0, 1.0]]
    """
    return np.where(np.isfinite(matrix), matrix, imputed_values(medians, matrix.shape[1]))


def imputed_values(medians: FloatArray | None, features: int) -> FloatArray:
    """What stands in for each missing feature.

    Args:
        medians: [D]; None or another shape gives zeros instead (EC-T03).
        features: D.

    Returns:
        [D] finite float64.

    Example:
        >>> imputed_values(np.array([7.0, np.nan]), 2).tolist(), imputed_values(None, 1).tolist()
        ([7.0, 0.0], [0.0])
    """
    if medians is None or np.shape(medians) != (features,):
        return np.zeros(features)
    given = np.asarray(medians, dtype=np.float64)
    return np.where(np.isfinite(given), given, 0.0)


def _median(values: FloatArray, counts: IntArray | None) -> float:
    there = np.isfinite(values) if counts is None else np.isfinite(values) & (counts > 0)
    present = values[there]
    if not len(present):
        return 0.0
    low, high = _middle(present, None if counts is None else counts[there])
    return low if low == high else low / 2 + high / 2


def _middle(values: FloatArray, counts: IntArray | None) -> tuple[float, float]:
    """The two numbers in the middle of the sorted ones; which zero has a sign is not asked."""
    total = len(values) if counts is None else int(counts.sum())
    middle = [(total - 1) // 2, total // 2]
    if counts is None:
        low, high = np.partition(values, middle)[middle].tolist()
    else:
        order = np.argsort(values)
        up_to = np.cumsum(counts[order])
        low, high = values[order[np.searchsorted(up_to, middle, side="right")]].tolist()
    return low + 0.0, high + 0.0
