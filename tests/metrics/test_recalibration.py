"""One temperature and one line: against a search, against least squares, and by their laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.metrics.logits import log_losses_from_logits
from kdtab.metrics.recalibration import COLDEST, HOTTEST, best_line, best_temperature

seeds = st.integers(0, 2**32 - 1)


def labelled_logits(seed: int, rows: int = 60, classes: int = 3) -> tuple[FloatArray, IntArray]:
    """Logits that are right about as often as they say, times a factor that spoils it."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(rows, classes)) * 2
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    codes = np.array([random.choice(classes, p=row) for row in shares])
    return logits * random.uniform(0.2, 5), codes


def smoothed_loss(logits: FloatArray, codes: IntArray, temperature: float) -> float:
    """The objective of the docstring, term by term."""
    rows, classes = logits.shape
    share = 1 / (rows + 1)
    every = np.stack(
        [log_losses_from_logits(logits / temperature, np.full(rows, c)) for c in range(classes)]
    )
    own = every[codes, np.arange(rows)]
    return float(np.mean((1 - share) * own + share * every.mean(axis=0)))


@given(seeds)
def test_no_temperature_of_a_fine_grid_has_a_smaller_smoothed_loss(seed: int) -> None:
    logits, codes = labelled_logits(seed)
    found = smoothed_loss(logits, codes, best_temperature(logits, codes))
    grid = np.exp(np.linspace(np.log(COLDEST), np.log(HOTTEST), 97))
    assert found <= min(smoothed_loss(logits, codes, float(t)) for t in grid) + 1e-9


@given(seeds, st.floats(0.3, 3))
def test_logits_times_a_factor_have_that_many_times_the_temperature(
    seed: int, factor: float
) -> None:
    logits, codes = labelled_logits(seed)
    once, times = best_temperature(logits, codes), best_temperature(logits * factor, codes)
    if 1.1 * COLDEST * 3 < once < HOTTEST / 3.5:
        assert times == pytest.approx(once * factor, rel=1e-6)


@given(seeds, st.lists(st.floats(-100, 100), min_size=60, max_size=60))
def test_a_number_added_to_all_logits_of_a_row_changes_nothing(
    seed: int, shifts: list[float]
) -> None:
    logits, codes = labelled_logits(seed)
    moved = logits + np.array(shifts)[:, np.newaxis]
    assert best_temperature(moved, codes) == pytest.approx(
        best_temperature(logits, codes), rel=1e-6
    )


@given(st.integers(1, 400), st.floats(0.1, 30))
def test_rows_that_are_all_right_ask_for_no_endless_certainty(rows: int, margin: float) -> None:
    """Both classes get odds of their smoothed shares: (1 − ε / 2) / (ε / 2), ε = 1 / (N + 1)."""
    logits = np.array([[margin, 0.0]] * rows)
    share = 1 / (rows + 1)
    wanted = np.clip(margin / np.log((1 - share / 2) / (share / 2)), COLDEST, HOTTEST)
    assert best_temperature(logits, np.zeros(rows, np.int64)) == pytest.approx(wanted, rel=1e-6)


def test_of_rows_that_are_always_wrong_the_answer_is_the_hottest() -> None:
    logits = np.array([[5.0, 0.0]] * 40)
    assert best_temperature(logits, np.ones(40, np.int64)) == pytest.approx(HOTTEST)


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_logits_that_say_nothing_stay_as_they_are(rows: int) -> None:
    assert best_temperature(np.zeros((rows, 3)), np.zeros(rows, np.int64)) == 1.0


@given(seeds, st.integers(0, 300), st.floats(-3, 3), st.floats(-5, 5), st.floats(0, 3))
def test_a_line_never_raises_the_squared_error_of_its_own_rows(
    seed: int, rows: int, slope: float, offset: float, noise: float
) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=rows)
    truth = slope * values + offset + noise * random.normal(size=rows)
    scale, shift = best_line(values, truth)
    assert scale >= 0
    if rows:
        before = np.mean((values - truth) ** 2)
        assert np.mean((scale * values + shift - truth) ** 2) <= before * (1 + 1e-9) + 1e-12


def test_with_many_rows_the_line_is_that_of_least_squares() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=20_000) * 2 + 7
    truth = 0.6 * values + 3 + 0.5 * random.normal(size=20_000)
    slope, intercept = np.polyfit(values, truth, 1)
    assert best_line(values, truth) == pytest.approx((slope, intercept), rel=1e-3)


def test_where_noise_explains_the_difference_little_is_corrected() -> None:
    """Over 400 draws of ten honest rows: the line is nearer to the identity than least squares."""
    random = np.random.default_rng(1)
    away, least_squares = [], []
    for _ in range(400):
        values = random.normal(size=10)
        truth = values + random.normal(size=10)
        away.append(abs(best_line(values, truth)[0] - 1))
        least_squares.append(abs(np.polyfit(values, truth, 1)[0] - 1))
    assert np.mean(away) < 0.6 * np.mean(least_squares)


@pytest.mark.parametrize("rows", [0, 1, 3, 50])
def test_values_that_are_true_or_all_alike_keep_their_slope(rows: int) -> None:
    line = np.linspace(-1, 1, rows)
    assert best_line(line, line) == (1.0, 0.0)
    alike = np.full(rows, 2.0)
    assert best_line(alike, alike + line)[0] == 1.0
