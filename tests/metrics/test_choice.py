"""The rule that keeps the usual model unless another is better beyond doubt."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kdtab.metrics.choice import paired_lead, place_to_keep

LOSSES = arrays(np.float64, 12, elements=st.floats(0, 5))


@given(LOSSES, LOSSES)
def test_the_error_is_that_of_a_mean_of_independent_rows(one: np.ndarray, two: np.ndarray) -> None:
    lead, error = paired_lead(one, two)
    np.testing.assert_allclose(lead, np.mean(one - two), atol=1e-12)
    np.testing.assert_allclose(error, np.std(one - two, ddof=1) / math.sqrt(12), atol=1e-9)


def test_rows_that_are_there_twice_are_no_more_evidence_than_once() -> None:
    one, two = np.array([1.0, 2.0, 4.0, 8.0]), np.array([0.0, 3.0, 1.0, 2.0])
    codes = np.repeat(np.arange(4), 2)
    twice = paired_lead(one.repeat(2), two.repeat(2), codes)
    np.testing.assert_allclose(twice, paired_lead(one, two))
    assert paired_lead(one.repeat(2), two.repeat(2))[1] < twice[1]


@given(LOSSES, st.floats(0.01, 2))
def test_a_model_that_is_better_on_every_row_is_kept(losses: np.ndarray, by: float) -> None:
    assert place_to_keep([losses + 5, losses + 5 - by], 0) == 1
    assert place_to_keep([losses + 5 - by, losses + 5], 0) == 0


@given(LOSSES, LOSSES, st.integers(0, 1))
def test_what_is_kept_never_has_a_larger_mean_than_the_usual(
    one: np.ndarray, two: np.ndarray, usual: int
) -> None:
    kept = place_to_keep([one, two], usual)
    assert (one, two)[kept].mean() <= (one, two)[usual].mean()


def test_luck_within_the_noise_does_not_decide() -> None:
    generator = np.random.default_rng(0)
    usual = generator.exponential(size=60)
    others = [usual + generator.normal(0, 0.5, 60) for _ in range(40)]
    chosen = [place_to_keep([usual, other], 0) for other in others]
    smaller = [int(other.mean() < usual.mean()) for other in others]
    assert sum(chosen) < 0.6 * sum(smaller)


def test_a_model_without_a_finite_loss_is_never_kept() -> None:
    lost, found = np.full(3, np.nan), np.ones(3)
    assert place_to_keep([found, lost], 0) == 0
    assert place_to_keep([lost, found, found / 2], 0) == 2
    assert place_to_keep([lost], 0) == 0


def test_one_group_alone_decides_nothing() -> None:
    assert place_to_keep([np.ones(3), np.zeros(3)], 0, np.zeros(3, np.int64)) == 0
