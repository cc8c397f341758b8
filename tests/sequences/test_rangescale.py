"""Features on one range: fitted on what was seen, constant features at its lower end."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kdtab.data.rangescale import SeenRange

matrices = arrays(
    np.float64,
    st.tuples(st.integers(1, 8), st.integers(1, 3)),
    elements=st.floats(-1e300, 1e300, width=64),
)


def fitted(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> SeenRange:
    return SeenRange.of_nothing(values.shape[-1]).with_values(values)


def test_the_golden() -> None:
    values = np.array([[0.0], [5.0], [10.0]])
    assert fitted(values).scaler(-1.0, 1.0).transform(values).ravel().tolist() == [-1.0, 0.0, 1.0]


def test_a_constant_feature_goes_to_the_minimum() -> None:
    values = np.array([[3.0, 1.0], [3.0, 2.0]])
    scaled = fitted(values).scaler(-1.0, 1.0).transform(values)
    assert scaled.tolist() == [[-1.0, -1.0], [-1.0, 1.0]]


@given(matrices)
def test_what_was_seen_fills_the_range_and_does_not_leave_it(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> None:
    scaled = fitted(values).scaler(-2.0, 3.0).transform(values)
    assert np.isfinite(scaled).all()
    assert scaled.min() >= -2.0
    assert scaled.max() <= 3.0 + 1e-12
    moves = values.max(0) / 2 > values.min(0) / 2
    assert np.allclose(scaled.max(0)[moves], 3.0)
    assert (scaled.min(0) == -2.0).all()


@given(matrices, st.integers(0, 8))
def test_fitting_in_two_batches_is_fitting_at_once(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], cut: int
) -> None:
    once, twice = fitted(values), fitted(values[:cut]).with_values(values[cut:])
    assert np.array_equal(once.least, twice.least)
    assert np.array_equal(once.greatest, twice.greatest)


@given(matrices, st.randoms(use_true_random=False))
def test_the_order_of_the_series_does_not_matter(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], draw: object
) -> None:
    order = np.random.default_rng(len(values)).permutation(len(values))
    one, other = fitted(values), fitted(values[order])
    assert np.array_equal(one.least, other.least)
    assert np.array_equal(one.greatest, other.greatest)


def test_other_series_may_leave_the_range() -> None:
    scaler = fitted(np.array([[0.0], [1.0]])).scaler(0.0, 1.0)
    assert scaler.transform(np.array([[2.0], [-1.0]])).ravel().tolist() == [2.0, -1.0]
