"""Series of another length: where the new steps lie, and what they are worth."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.data.resampling import resampled_series, step_weights

Kind = Literal["half_pixel", "endpoints"]
KINDS: tuple[Kind, ...] = ("half_pixel", "endpoints")
kinds = st.sampled_from(KINDS)
lengths = st.integers(1, 40)


def positions(steps: int, wanted: int, kind: Kind) -> list[float]:
    """The textbook formulas in floats, one step at a time."""
    if kind == "endpoints":
        return [at * (steps - 1) / max(1, wanted - 1) for at in range(wanted)]
    middles = [(at + 0.5) * steps / wanted - 0.5 for at in range(wanted)]
    return [min(max(middle, 0.0), steps - 1.0) for middle in middles]


@pytest.mark.parametrize(
    ("values", "wanted", "kind", "expected"),
    [
        ([0, 1, 2, 3], 2, "half_pixel", [0.5, 2.5]),
        ([0, 1, 2, 3], 2, "endpoints", [0, 3]),
        ([0, 10], 4, "half_pixel", [0, 2.5, 7.5, 10]),
        ([0, 10], 4, "endpoints", [0, 10 / 3, 20 / 3, 10]),
    ],
)
def test_the_goldens(values: list[float], wanted: int, kind: Kind, expected: list[float]) -> None:
    found = resampled_series(np.array(values, dtype=float)[:, None], wanted, kind)
    assert np.allclose(found.ravel(), expected, rtol=0, atol=1e-8)


@given(lengths, lengths, kinds, st.integers(0, 2**31))
def test_it_is_what_numpy_interpolates(steps: int, wanted: int, kind: Kind, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(steps, 2))
    found = resampled_series(values, wanted, kind)
    at = positions(steps, wanted, kind)
    expected = np.stack([np.interp(at, np.arange(steps), column) for column in values.T], axis=1)
    assert np.allclose(found, expected, rtol=0, atol=1e-9)


@given(lengths, kinds, st.integers(0, 2**31))
def test_the_same_length_changes_no_bit(steps: int, kind: Kind, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(3, steps, 2))
    assert np.array_equal(resampled_series(values, steps, kind), values)
    weights = step_weights(steps, steps, kind)
    assert weights.below.tolist() == list(range(steps))
    assert not weights.share.any()


@given(lengths, lengths, kinds, st.floats(-1e6, 1e6))
def test_no_value_leaves_the_range_of_the_series(
    steps: int, wanted: int, kind: Kind, level: float
) -> None:
    values = (np.arange(steps, dtype=np.float64) % 3 + np.float64(level))[:, None]
    found = resampled_series(values, wanted, kind)
    slack = 1e-9 * max(1.0, abs(level))
    assert found.min() >= values.min() - slack
    assert found.max() <= values.max() + slack


@given(lengths, lengths, kinds)
def test_time_reversed_before_is_time_reversed_after(steps: int, wanted: int, kind: Kind) -> None:
    if kind == "endpoints" and wanted == 1:
        return  # a single step is the first
    values = np.random.default_rng(steps * 100 + wanted).normal(size=(steps, 1))
    forward = resampled_series(values, wanted, kind)
    assert np.allclose(resampled_series(values[::-1], wanted, kind)[::-1], forward, atol=1e-9)


@given(st.integers(2, 40), st.integers(2, 40))
def test_endpoints_keeps_both_ends(steps: int, wanted: int) -> None:
    values = np.random.default_rng(steps).normal(size=(steps, 2))
    found = resampled_series(values, wanted, "endpoints")
    assert np.array_equal(found[0], values[0])
    assert np.array_equal(found[-1], values[-1])


@given(lengths, lengths, kinds)
def test_a_batch_is_resampled_as_its_series_are(steps: int, wanted: int, kind: Kind) -> None:
    values = np.random.default_rng(7).normal(size=(4, steps, 2))
    batch = resampled_series(values, wanted, kind)
    alone = [resampled_series(series, wanted, kind) for series in values]
    assert np.array_equal(batch, np.stack(alone))
