"""Which series are used: exact counts, seeded, nested, sorted."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from kdtab.data.sampling import sample_count, sampled_places
from kdtab.errors.issue import explain
from kdtab.errors.sequences import NoSeriesLeft

counts = st.integers(1, 500)
cents = st.integers(1, 100)
seeds = st.integers(0, 2**32 - 1)


def drawn(available: int, cent: int, seed: int) -> set[int]:
    """The places of a hundredth times so much; none where there are none."""
    found = sampled_places("train", available, cent / 100, None, seed)
    return set(found.unwrap().tolist()) if isinstance(found, Success) else set()


@pytest.mark.parametrize(
    ("available", "fraction", "most", "expected"),
    [
        (10_000, 0.5, None, 5_000),
        (10_000, 0.5, 1_000, 1_000),
        (10_000, 1.0, 1_000, 1_000),
        (100, 0.29, None, 29),
        (100, 0.57, None, 57),
        (10, 0.25, None, 2),
    ],
)
def test_the_goldens(available: int, fraction: float, most: int | None, expected: int) -> None:
    assert sample_count(available, fraction, most) == expected
    places = sampled_places("train", available, fraction, most, seed=0).unwrap()
    assert len(places) == expected


@given(counts, cents)
def test_a_count_is_the_floor_of_the_product_as_it_is_written(available: int, cent: int) -> None:
    exact = Fraction(cent, 100) * available
    assert sample_count(available, cent / 100) == exact.numerator // exact.denominator


@given(counts, cents, cents, seeds)
def test_a_larger_fraction_keeps_what_a_smaller_one_chose(
    available: int, one: int, other: int, seed: int
) -> None:
    low, high = sorted((one, other))
    assert drawn(available, low, seed) <= drawn(available, high, seed)


@given(counts, st.integers(1, 600), seeds)
def test_a_larger_cap_keeps_what_a_smaller_one_chose(available: int, most: int, seed: int) -> None:
    small = sampled_places("val", available, 1.0, most, seed).unwrap()
    large = sampled_places("val", available, 1.0, most + 1, seed).unwrap()
    assert set(small.tolist()) <= set(large.tolist())


@given(counts, cents, seeds)
def test_places_are_sorted_distinct_and_there(available: int, cent: int, seed: int) -> None:
    found = sampled_places("train", available, cent / 100, None, seed)
    if not isinstance(found, Success):
        assert sample_count(available, cent / 100) == 0
        return
    places: list[int] = found.unwrap().tolist()
    assert len(places) == sample_count(available, cent / 100)
    assert places == sorted(set(places))
    assert places[0] >= 0
    assert places[-1] < available


def test_the_choice_is_random_and_not_the_first_rows() -> None:
    every = np.array(
        [sampled_places("train", 100, 0.1, None, seed).unwrap() for seed in range(300)]
    )
    hits = np.bincount(every.ravel(), minlength=100)
    # 300 draws of 10 of 100: each series 30 times on average, with a deviation of about 5.2.
    assert hits.min() > 10
    assert hits.max() < 55


def test_groups_are_drawn_apart() -> None:
    train, val = (sampled_places(name, 1_000, 0.1, None, 42).unwrap() for name in ("train", "val"))
    assert train.tolist() != val.tolist()


def test_the_draw_of_a_seed_never_changes() -> None:
    places = sampled_places("train", 20, 0.25, None, seed=42).unwrap()
    assert places.tolist() == [4, 5, 10, 11, 13]  # as numpy 2.4 drew it: PCG64's raw numbers


def test_none_left_names_the_number_and_the_fraction() -> None:
    issue = sampled_places("val", 9, 0.1, None, seed=0).failure().first
    assert issue == NoSeriesLeft(group="val", available=9, fraction=0.1)
    assert "subset_fraction 0.1 of the 9 series in 'val'" in explain(issue)
