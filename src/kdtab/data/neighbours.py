"""How far rows of mixed columns lie from each other, and which other row is nearest."""

from __future__ import annotations

from typing import assert_never

import numpy as np

from kdtab.config.schema import (
    BooleanColumn,
    CategoricalColumn,
    DateColumn,
    FeatureColumn,
    NumericColumn,
)
from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.artifacts import Artifacts
from kdtab.data.vectorize import Vectorizer

WHOLE_SEARCH_ROWS = 20_000
"""Up to so many rows each is compared with every other one."""

BLOCK_ROWS = 10_000
"""Of more rows, each is compared with those of its random block."""

TILE_CELLS = 8_000_000
"""Distances that are held at a time: 32 MB."""

OF_A_CATEGORY = 0.5
"""What a differing category adds to the squared distance (Bucilă et al. 2006)."""


def metric_points(inputs: Float32Array, artifacts: Artifacts) -> Float32Array:
    """Encoded rows as points whose Euclidean distance is the mixed one.

    d² = Σ (difference of a standardised number)² + ½ for each differing category or truth value. The
    features of one date count together as one number.

    Args:
        inputs: [N, D] rows as `encode_features` gives them.
        artifacts: Those that encoded them.

    Returns:
        [N, D] float32.

    Example:
        >>> sex = CategoricalColumn(name="sex", reason="", categories=("f", "m"), has_rare=False,
        ...                         has_missing=False)
        >>> from kdtab.data.scale import Scaler
        >>> known = Artifacts(Vectorizer((sex,), ()), Scaler(np.zeros(2), np.ones(2), 10.0),
        ...                   None, None, None)
        >>> man, woman = metric_points(np.eye(2, dtype=np.float32), known)
        >>> float(((man - woman) ** 2).sum())
        0.5
    """
    weights: list[FloatArray] = [np.zeros(0)]
    start = 0
    for column in artifacts.vectorizer.columns:
        stop = start + len(Vectorizer((column,), ()).feature_names)
        weights.append(_weights(column, artifacts.scaler.scale[start:stop]))
        start = stop
    return inputs * np.concatenate(weights).astype(np.float32)


def nearest_others(points: Float32Array, generator: np.random.Generator) -> IntArray:
    """The nearest other row of each row.

    Beyond 20,000 rows the search stays inside of random blocks of about 10,000.

    Args:
        points: [N, D], at least two rows, no two the same.
        generator: Draws the blocks; not asked below 20,000 rows.

    Returns:
        [N] row numbers.

    Example:
        >>> line = np.array([[0.0], [1.0], [5.0]], dtype=np.float32)
        >>> nearest_others(line, np.random.default_rng(0)).tolist()
        [1, 0, 1]
    """
    rows = len(points)
    if rows <= WHOLE_SEARCH_ROWS:
        return _nearest(points, points, skips_itself=True)
    found = np.empty(rows, dtype=np.int64)
    for block in np.array_split(generator.permutation(rows), round(rows / BLOCK_ROWS)):
        own = points[block]
        found[block] = block[_nearest(own, own, skips_itself=True)]
    return found


def distances_to(points: Float32Array, others: Float32Array) -> FloatArray:
    """How far each row is from the nearest of other rows.

    Args:
        points: [N, D].
        others: [M, D], at least one.

    Returns:
        [N] distances.

    Example:
        >>> distances_to(np.array([[3.0]], np.float32), np.array([[1.0], [9.0]], np.float32)).tolist()
        [2.0]
    """
    return _apart(points, others[_nearest(points, others, skips_itself=False)])


def distances_to_others(points: Float32Array, sample: IntArray) -> FloatArray:
    """How far some of the rows are from their nearest other row.

    Args:
        points: [N, D], at least two rows.
        sample: [n] row numbers.

    Returns:
        [n] distances.

    Example:
        >>> line = np.array([[0.0], [1.0], [5.0]], dtype=np.float32)
        >>> distances_to_others(line, np.array([2, 0])).tolist()
        [4.0, 1.0]
    """
    asked = points[sample]
    return _apart(asked, points[_nearest(asked, points, skips_itself=True, places=sample)])


def _weights(column: FeatureColumn, scale: FloatArray) -> FloatArray:
    match column:
        case NumericColumn():
            return np.ones(1)
        case DateColumn():
            return np.full(len(scale), len(scale) ** -0.5)
        case BooleanColumn():
            return np.asarray(scale * OF_A_CATEGORY**0.5)
        case CategoricalColumn():
            return np.full(len(scale), (OF_A_CATEGORY / 2) ** 0.5)
        case _:
            assert_never(column)


def _nearest(
    points: Float32Array,
    others: Float32Array,
    *,
    skips_itself: bool,
    places: IntArray | None = None,
) -> IntArray:
    """By |o|² − 2·p·o, which orders the others of one point as their distance does."""
    centre = others.mean(axis=0)  # small numbers lose less where they are subtracted
    moved, asked = others - centre, points - centre
    squares = np.einsum("nd,nd->n", moved, moved)
    itself = np.arange(len(points)) if places is None else places
    found = np.empty(len(points), dtype=np.int64)
    tile = max(1, TILE_CELLS // len(others))
    for start in range(0, len(points), tile):
        part = slice(start, start + tile)
        apart = asked[part] @ moved.T
        apart *= -2
        apart += squares
        if skips_itself:
            apart[np.arange(len(apart)), itself[part]] = np.inf
        found[part] = apart.argmin(axis=1)
    return found


def _apart(points: Float32Array, others: Float32Array) -> FloatArray:
    difference = points.astype(np.float64) - others
    distances: FloatArray = np.sqrt(np.einsum("nd,nd->n", difference, difference))
    return distances
