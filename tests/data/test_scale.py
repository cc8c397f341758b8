"""Imputing and scaling."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.data.scale import (
    CLIP_BOUND,
    Scaler,
    TargetScaler,
    feature_medians,
    fit_scaler,
    fit_target_scaler,
    impute,
    mean_and_scale,
)

NOTHING = np.array([False])


def test_mean_and_deviation_are_those_of_numpy() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, size=1_000)
    mean, scale = mean_and_scale(values)
    assert mean == pytest.approx(values.mean(), rel=1e-14)
    assert scale == pytest.approx(values.std(), rel=1e-14)


@pytest.mark.requirement("REQ-T15")
def test_quantities_near_1_7e9_keep_their_differences() -> None:
    values = np.array([1.7e9 + step * 1e-3 for step in range(5)])
    scaled = fit_scaler(values[:, np.newaxis], NOTHING).transform(values[:, np.newaxis])[:, 0]
    assert np.diff(scaled) == pytest.approx(np.full(4, 2**0.5 / 2), rel=1e-3)
    target = fit_target_scaler(values)
    assert target.inverse_transform(target.transform(values)) == pytest.approx(values, abs=1e-6)


@pytest.mark.parametrize(
    "values",
    [[7.0, 7.0], [0.0, 0.0], [1.7e9, 1.7e9 + 2e-7], [0.1 + 0.2, 0.3], [5e-324, 0.0], [3.0]],
)
def test_a_column_that_varies_by_rounding_alone_is_constant(values: list[float]) -> None:
    mean, scale = mean_and_scale(np.array(values))
    assert scale == 1.0
    assert mean == pytest.approx(np.mean(values))


@pytest.mark.parametrize("magnitude", [1e-300, 1e-9, 1.0, 1e300, 8e307])
def test_a_column_of_any_magnitude_is_scaled_alike(magnitude: float) -> None:
    values = np.array([[-1.0], [0.0], [2.0]]) * magnitude
    scaled = fit_scaler(values, NOTHING).transform(values)
    expected = (np.array([-1.0, 0.0, 2.0]) - 1 / 3) / np.std([-1.0, 0.0, 2.0])
    assert scaled[:, 0] == pytest.approx(expected)


def test_indicators_stay_0_and_1() -> None:
    matrix = np.array([[1.0, 5.0], [0.0, 7.0], [0.0, 9.0]])
    scaler = fit_scaler(matrix, np.array([True, False]))
    assert scaler.transform(matrix)[:, 0].tolist() == [1.0, 0.0, 0.0]


def test_values_far_out_are_clipped_at_ten_deviations() -> None:
    scaler = fit_scaler(np.array([[0.0], [2.0]]), NOTHING)
    assert CLIP_BOUND == 10.0
    assert scaler.transform(np.array([[1e308], [-1e308], [1.5]])).tolist() == [[10], [-10], [0.5]]
    assert np.isnan(scaler.transform(np.array([[np.nan]]))).all()
    assert scaler.inverse_transform(np.array([[0.5]])).tolist() == [[1.5]]


def test_scalers_are_equal_by_content_and_frozen() -> None:
    scaler = Scaler(np.zeros(1), np.ones(1), 10.0)
    assert scaler == Scaler(np.zeros(1), np.ones(1), 10.0)
    assert hash(scaler) == hash(Scaler(np.zeros(1), np.ones(1), 10.0))
    for other in (Scaler(np.ones(1), np.ones(1), 10.0), Scaler(np.zeros(1), np.ones(1), 9.0), "s"):
        assert scaler != other
    with pytest.raises(FrozenInstanceError):
        scaler.clip = 3.0  # type: ignore[misc]  # that it is refused is the test


@pytest.mark.requirement("AC-T18")
def test_medians_are_those_of_the_cells_that_are_there() -> None:
    matrix = np.array([[1.0, np.nan, 1e308], [2.0, np.nan, 1.7e308], [np.nan, np.nan, np.nan]])
    assert feature_medians(matrix).tolist() == [1.5, 0.0, 1.35e308]


@pytest.mark.requirement("AC-T18", "EC-T03")
def test_missing_features_take_the_medians_and_zeros_where_the_shapes_differ() -> None:
    matrix = np.array([[np.nan, 1.0, np.inf]])
    assert impute(matrix, np.array([7.0, 8.0, 9.0])).tolist() == [[7.0, 1.0, 9.0]]
    assert impute(matrix, np.array([7.0, 8.0])).tolist() == [[0.0, 1.0, 0.0]]
    assert impute(matrix, None).tolist() == [[0.0, 1.0, 0.0]]
    assert impute(matrix, np.array([np.nan, 8.0, 9.0])).tolist() == [[0.0, 1.0, 9.0]]
    by_hand: Any = [7.0, 8.0, 9.0]
    assert impute(matrix, by_hand).tolist() == [[7.0, 1.0, 9.0]]
    assert np.isnan(matrix[0, 0])


def test_a_constant_target_is_moved_and_not_stretched() -> None:
    assert fit_target_scaler(np.array([4.0, 4.0])) == TargetScaler(mean=4.0, scale=1.0)
    assert fit_target_scaler(np.array([])) == TargetScaler(mean=0.0, scale=1.0)


@given(
    st.lists(
        st.tuples(st.floats(-9, 9) | st.just(float("nan")), st.integers(0, 4)),
        min_size=1,
        max_size=12,
    )
)
def test_counted_medians_are_those_of_the_repeated_values(pairs: list[tuple[float, int]]) -> None:
    values, counts = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    repeated = np.repeat(values, counts)
    present = repeated[np.isfinite(repeated)]
    found = feature_medians(values[:, np.newaxis], counts)
    np.testing.assert_array_equal(found, feature_medians(repeated[:, np.newaxis]))
    np.testing.assert_allclose(found[0], np.median(present) if len(present) else 0.0, atol=1e-12)
