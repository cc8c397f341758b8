"""Reliability bins and the calibration error against their definitions."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.metrics.calibration import ReliabilityBin, calibration_error, reliability_bins
from oracles import calibration_error_twin

shares = st.one_of(st.sampled_from([0.0, 0.5, 0.5, 1.0, 1 - 1e-16]), st.floats(0, 1))
rows_of_shares = st.lists(st.tuples(shares, st.booleans()), min_size=1, max_size=60)


@given(rows_of_shares, st.integers(1, 15))
def test_every_row_is_in_one_bin_and_the_bins_are_ordered(
    rows: list[tuple[float, bool]], most: int
) -> None:
    said, found = np.array(rows, dtype=np.float64).T
    bins = reliability_bins(said, found, most)
    assert 1 <= len(bins) <= most
    assert sum(item.rows for item in bins) == len(rows)
    assert all(item.rows > 0 for item in bins)
    middles = [item.said for item in bins]
    assert middles == sorted(middles)
    total = math.fsum(item.rows * item.found for item in bins)
    assert total == pytest.approx(found.sum())


@given(st.permutations(range(40)), st.integers(1, 15))
def test_without_ties_bins_differ_by_one_row_at_most(order: list[int], most: int) -> None:
    said = np.array(order) / 40
    sizes = [item.rows for item in reliability_bins(said, np.zeros(40), most)]
    assert len(sizes) == most
    assert max(sizes) - min(sizes) <= 1


@given(rows_of_shares, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_decides_nothing(
    rows: list[tuple[float, bool]], random: Random
) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)
    first, second = (
        reliability_bins(*np.array(side, dtype=np.float64).T) for side in (rows, shuffled)
    )
    assert [item.rows for item in first] == [item.rows for item in second]
    assert calibration_error(first) == pytest.approx(calibration_error(second))


@given(rows_of_shares)
def test_the_error_is_the_twins(rows: list[tuple[float, bool]]) -> None:
    said, found = np.array(rows, dtype=np.float64).T
    expected = calibration_error_twin(said, found, 15)
    assert calibration_error(reliability_bins(said, found)) == pytest.approx(expected, abs=1e-12)


def test_a_model_that_is_sure_and_always_wrong_has_the_error_one() -> None:
    assert calibration_error(reliability_bins(np.ones(9), np.zeros(9))) == 1.0


def test_the_error_of_a_calibrated_model_is_small_and_of_an_overconfident_one_known() -> None:
    generator = np.random.default_rng(0)
    chance = generator.uniform(0.5, 1.0, 50_000)
    right = (generator.uniform(size=50_000) < chance).astype(np.float64)
    assert calibration_error(reliability_bins(chance, right)) < 0.01
    boasted = (chance + 1) / 2  # says 1 − (1 − p)/2 where p is true: wrong by (1 − p)/2, mean 1/8
    assert calibration_error(reliability_bins(boasted, right)) == pytest.approx(0.125, abs=0.01)


def test_no_rows_have_no_bins_and_no_error() -> None:
    assert reliability_bins(np.zeros(0), np.zeros(0)) == ()
    assert math.isnan(calibration_error(()))


def test_one_row_is_one_bin() -> None:
    assert reliability_bins(np.array([0.7]), np.array([1.0])) == (ReliabilityBin(1, 0.7, 1.0),)
