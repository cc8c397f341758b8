"""Nearest rows by the mixed distance, against a comparison of every pair."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.columns import ColumnOptions
from kdtab.config.training import TrainingConfig
from kdtab.data import neighbours
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import encode_features
from kdtab.data.neighbours import (
    distances_to,
    distances_to_others,
    metric_points,
    nearest_others,
)
from kdtab.data.prepare import prepare_table


def points(rows: int, columns: int, seed: int, shift: float = 0.0) -> Float32Array:
    drawn = np.random.default_rng(seed).standard_normal((rows, columns))
    return (drawn + shift).astype(np.float32)


def every_distance(found: Float32Array, others: Float32Array) -> FloatArray:
    return np.asarray(
        np.sqrt(((found[:, None].astype(np.float64) - others[None]) ** 2).sum(axis=2))
    )


@given(
    rows=st.integers(2, 40),
    columns=st.integers(1, 6),
    seed=st.integers(0, 99),
    shift=st.sampled_from([0.0, 50.0]),
    tile=st.sampled_from([1, 50, 8_000_000]),
)
def test_the_nearest_other_row_is_the_one_that_a_look_at_all_finds(
    rows: int, columns: int, seed: int, shift: float, tile: int
) -> None:
    line = points(rows, columns, seed, shift)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "TILE_CELLS", tile)
        found = nearest_others(line, np.random.default_rng(0))
    every = every_distance(line, line)
    np.fill_diagonal(every, np.inf)
    own = np.arange(rows)
    assert (found != own).all()
    np.testing.assert_allclose(every[own, found], every.min(axis=1), rtol=1e-3, atol=1e-3)
    sample = own[::2]
    np.testing.assert_allclose(
        distances_to_others(line, sample), every.min(axis=1)[sample], rtol=1e-3, atol=1e-3
    )


def test_distances_are_to_the_nearest_of_the_others() -> None:
    one, others = points(9, 3, 0), points(30, 3, 1)
    expected = every_distance(one, others).min(axis=1)
    np.testing.assert_allclose(distances_to(one, others), expected, rtol=1e-6)


def test_beyond_the_whole_search_each_row_finds_one_of_its_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighbours, "WHOLE_SEARCH_ROWS", 50)
    monkeypatch.setattr(neighbours, "BLOCK_ROWS", 25)
    line = points(200, 2, 0)
    found = nearest_others(line, np.random.default_rng(1))
    own = np.arange(200)
    assert (found != own).all()
    every = every_distance(line, line)
    typical = float(np.median(every))
    assert np.median(every[own, found]) < typical / 4
    again = nearest_others(line, np.random.default_rng(1))
    np.testing.assert_array_equal(found, again)


def test_a_category_a_truth_value_and_a_date_count_as_one_column_each() -> None:
    frame = pl.DataFrame(
        {
            "number": [0.0, 1.0, 2.0, 3.0] * 10,
            "kind": ["a", "b", "c", "d"] * 10,
            "flag": [True, False, True, True] * 10,
            "day": ["2020-01-01", "2020-06-05", "2021-03-09", "2022-11-30"] * 10,
            "y": [0.5, 1.5, 2.5, 3.5] * 10,
        }
    )
    config = TrainingConfig(target_column="y", task="regression")
    prepared = prepare_table(frame, config, ColumnOptions(date_columns=("day",))).unwrap()
    artifacts = prepared.artifacts

    def apart(**changes: object) -> float:
        rows = frame.head(1).drop("y")
        other = rows.with_columns(pl.lit(value).alias(name) for name, value in changes.items())
        matrix = encode_features(pl.concat([rows, other]), artifacts)
        first, second = metric_points(matrix, artifacts)
        return float(((first - second) ** 2).sum())

    spread = float(artifacts.scaler.scale[artifacts.vectorizer.feature_names.index("number")])
    assert apart(number=1.0) == pytest.approx(1 / spread**2, rel=1e-5)
    assert apart(kind="b") == pytest.approx(0.5, rel=1e-5)
    assert apart(flag=False) == pytest.approx(0.5, rel=1e-5)
    assert apart(day="2022-11-30") < 14  # not one for each of its fourteen features
    assert apart() == 0.0
