"""The paired bootstrap, and the share of a teacher's lead that a student kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdtab.data.arrays import FloatArray
from kdtab.metrics.bootstrap import group_count, interval_of, resampled_means
from kdtab.metrics.retention import Retained, TeacherNotBetter, TooFewRows, gain_retained
from oracles import resampled_means_twin

seeds = st.integers(0, 1_000)


def losses(seed: int, rows: int = 60) -> FloatArray:
    """Losses of a scratch student: positive, skewed."""
    return np.random.default_rng(seed).gamma(1.0, 0.5, rows)


@given(seeds, st.integers(1, 12), st.integers(1, 3), st.booleans())
def test_resampled_means_are_those_of_drawing_groups_one_by_one(
    seed: int, rows: int, width: int, grouped: bool
) -> None:
    generator = np.random.default_rng(seed)
    columns = generator.normal(size=(rows, width))
    groups = np.unique(generator.integers(0, 4, rows), return_inverse=True)[1] if grouped else None
    found = resampled_means(columns, np.random.default_rng(seed), draws=5, groups=groups)
    expected = resampled_means_twin(columns, np.random.default_rng(seed), 5, groups)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@given(seeds)
def test_every_row_as_its_own_group_is_no_groups(seed: int) -> None:
    columns = losses(seed).reshape(-1, 2)
    first, second = (
        resampled_means(columns, np.random.default_rng(seed), draws=9, groups=groups)
        for groups in (None, np.arange(30))
    )
    np.testing.assert_array_equal(first, second)


def test_the_interval_of_a_mean_is_that_of_the_normal_law() -> None:
    values = np.random.default_rng(1).normal(2.0, 3.0, (900, 1))
    found = interval_of(resampled_means(values, np.random.default_rng(2))[:, 0])
    half = 1.96 * values.std() / 30
    assert found.low == pytest.approx(values.mean() - half, abs=0.05)
    assert found.high == pytest.approx(values.mean() + half, abs=0.05)


def test_twice_the_same_rows_do_not_narrow_a_grouped_interval() -> None:
    values = losses(0).reshape(-1, 1)
    twice, groups = np.concatenate([values, values]), np.tile(np.arange(60), 2)
    once = interval_of(resampled_means(values, np.random.default_rng(3))[:, 0])
    grouped = interval_of(resampled_means(twice, np.random.default_rng(3), groups=groups)[:, 0])
    blind = interval_of(resampled_means(twice, np.random.default_rng(3))[:, 0])
    assert (grouped.low, grouped.high) == pytest.approx((once.low, once.high))
    assert blind.high - blind.low < 0.8 * (once.high - once.low)


def test_ninety_five_of_a_hundred_intervals_cover_the_truth() -> None:
    covered = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(0.0, 1.0, (100, 1))
        drawn = resampled_means(values, np.random.default_rng(seed), draws=200)
        covered += interval_of(drawn[:, 0]).covers(0.0)
    assert 0.9 <= covered / 200 <= 0.99


@given(seeds, st.floats(-0.5, 1.5))
@settings(max_examples=30)
def test_a_student_that_keeps_a_share_of_every_rows_lead_keeps_that_share(
    seed: int, share: float
) -> None:
    scratch = losses(seed)
    lead = np.random.default_rng(seed + 1).uniform(0.05, 0.2, len(scratch))
    kept = gain_retained(
        scratch, scratch - share * lead, scratch - lead, np.random.default_rng(0), draws=200
    )
    assert isinstance(kept, Retained)
    assert kept.value == pytest.approx(share, abs=1e-9)
    assert kept.interval.low == pytest.approx(share, abs=1e-9)
    assert kept.interval.high == pytest.approx(share, abs=1e-9)
    assert kept.lead_interval.low > 0


@given(seeds, st.floats(-0.3, 0.3), st.floats(0, 2))
@settings(max_examples=60)
def test_there_is_a_number_only_where_the_lead_is_beyond_chance_and_it_is_finite(
    seed: int, lead: float, noise: float
) -> None:
    generator = np.random.default_rng(seed)
    scratch, student = losses(seed), losses(seed + 1)
    teacher = scratch - lead + generator.normal(0, noise, len(scratch))
    kept = gain_retained(scratch, student, teacher, generator, draws=100)
    if isinstance(kept, Retained):
        assert kept.lead_interval.low > 0
        assert np.isfinite([kept.value, kept.interval.low, kept.interval.high]).all()
        assert kept.interval.low <= kept.interval.high
    else:
        assert isinstance(kept, TeacherNotBetter)
        assert kept.lead_interval.low <= 0


def test_a_teacher_like_scratch_is_not_better_and_a_worse_one_is_called_worse() -> None:
    scratch, generator = losses(0, 400), np.random.default_rng(0)
    noise = generator.normal(0.0, 0.3, 400)
    even = gain_retained(scratch, scratch, scratch + noise, generator)
    worse = gain_retained(scratch, scratch, scratch + noise + 0.2, generator)
    assert isinstance(even, TeacherNotBetter)
    assert isinstance(worse, TeacherNotBetter)
    assert not even.worse
    assert worse.worse


def test_rows_that_are_copies_of_one_are_too_few() -> None:
    scratch = np.ones(100)
    groups = np.zeros(100, dtype=np.int64)
    found = gain_retained(scratch, scratch, scratch - 1, np.random.default_rng(0), groups=groups)
    assert found == TooFewRows(rows=1, least=20)
    assert group_count(100, groups) == 1


def test_the_same_generator_gives_the_same_interval() -> None:
    sides = [losses(seed) for seed in (1, 2)]
    first, second = (
        gain_retained(sides[0], sides[1], sides[0] - 0.3, np.random.default_rng(7))
        for _ in range(2)
    )
    assert first == second
