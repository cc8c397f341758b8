"""Which rows a fold's teacher sees: laws of honest folds, then examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.folds import Folds, fold_rows
from kdtab.errors.columns import TooFewRows
from kdtab.errors.configs import FieldInvalid

SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.integers(2, 8)


@st.composite
def rows_of_folds(draw: st.DrawFn) -> tuple[IntArray, IntArray, IntArray]:
    """Classes, twins of few and of many rows, and groups, all of the same rows."""
    size = draw(st.integers(2, 60))
    strata = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    twins = draw(st.lists(st.integers(0, size), min_size=size, max_size=size))
    groups = draw(st.lists(st.integers(0, 9), min_size=size, max_size=size))
    return np.array(strata), np.array(twins), np.array(groups)


def leaks(folds: Folds) -> bool:
    """Whether a teacher labels a row that it saw, or one that depends on a row that it saw."""
    return any(
        len(np.intersect1d(folds.groups[seen], folds.groups[folds.rows(fold)])) > 0
        for fold, seen in enumerate(folds.fits)
    )


@given(rows=rows_of_folds(), count=COUNTS, seed=SEEDS)
def test_each_row_is_labelled_once_by_a_teacher_of_all_rows_that_it_does_not_depend_on(
    rows: tuple[IntArray, IntArray, IntArray], count: int, seed: int
) -> None:
    strata, twins, _ = rows
    folds = fold_rows(strata, twins, count=count, seed=seed).unwrap()
    labelled = np.concatenate([folds.rows(fold) for fold in range(len(folds.fits))])
    assert sorted(labelled.tolist()) == list(range(len(strata)))
    for fold, seen in enumerate(folds.fits):
        assert sorted([*seen, *folds.rows(fold)]) == list(range(len(strata)))
    assert not leaks(folds)


@given(rows=rows_of_folds(), count=COUNTS, seed=SEEDS)
def test_identical_rows_stand_in_one_fold_unless_they_would_fill_half_of_it(
    rows: tuple[IntArray, IntArray, IntArray], count: int, seed: int
) -> None:
    strata, twins, _ = rows
    folds = fold_rows(strata, twins, count=count, seed=seed).unwrap()
    for twin in np.unique(twins):
        same = np.flatnonzero(twins == twin)
        if len(same) <= max(2, len(strata) / count / 2):
            assert len(np.unique(folds.parts[same])) == 1
        else:
            assert any("told apart" in note for note in folds.notes)


@given(rows=rows_of_folds(), count=COUNTS, seed=SEEDS)
def test_rows_of_one_group_always_stand_in_one_fold(
    rows: tuple[IntArray, IntArray, IntArray], count: int, seed: int
) -> None:
    strata, twins, groups = rows
    folds = fold_rows(strata, twins, count=count, seed=seed, groups=groups)
    if len(np.unique(groups)) < 2:
        assert isinstance(folds.failure().first, FieldInvalid)
        return
    parts = folds.unwrap().parts
    assert all(len(np.unique(parts[groups == group])) == 1 for group in np.unique(groups))
    assert not leaks(folds.unwrap())


@given(
    times=st.lists(st.floats(0, 9) | st.just(float("nan")), min_size=2, max_size=60),
    rows=rows_of_folds(),
    count=COUNTS,
)
def test_a_teacher_of_later_rows_never_labels_earlier_ones(
    times: list[float], rows: tuple[IntArray, IntArray, IntArray], count: int
) -> None:
    when: FloatArray = np.array(times)
    twins = np.resize(rows[1], len(when))
    strata = np.zeros(len(when), dtype=np.int64)
    folds = fold_rows(strata, twins, count=count, seed=0, times=when)
    if len(np.unique(when[~np.isnan(when)])) < 2:
        assert isinstance(folds.failure().first, FieldInvalid)
        return
    found = folds.unwrap()
    assert not leaks(found)
    assert (found.parts[np.isnan(when)] == -1).all()
    for fold, seen in enumerate(found.fits):
        if len(seen) and len(found.rows(fold)):
            assert when[seen].max() < when[found.rows(fold)].min()


@given(counts=st.lists(st.integers(1, 20), min_size=1, max_size=4), count=COUNTS, seed=SEEDS)
def test_folds_without_twins_differ_by_one_row_in_size_and_in_each_class(
    counts: list[int], count: int, seed: int
) -> None:
    strata = np.repeat(np.arange(len(counts)), counts)
    if len(strata) < 2:
        return
    folds = fold_rows(strata, np.arange(len(strata)), count=count, seed=seed).unwrap()
    for rows in (np.arange(len(strata)), *(np.flatnonzero(strata == c) for c in set(strata))):
        sizes = np.bincount(folds.parts[rows], minlength=len(folds.fits))
        assert sizes.max() - sizes.min() <= 1


@given(rows=rows_of_folds(), seed=SEEDS)
def test_the_same_seed_gives_the_same_folds(
    rows: tuple[IntArray, IntArray, IntArray], seed: int
) -> None:
    first, again = (fold_rows(rows[0], rows[1], count=3, seed=seed).unwrap() for _ in range(2))
    assert first.parts.tobytes() == again.parts.tobytes()


def test_another_seed_gives_other_folds() -> None:
    strata, twins = np.zeros(50, dtype=np.int64), np.arange(50)
    first, other = (fold_rows(strata, twins, count=5, seed=seed).unwrap() for seed in (0, 1))
    assert (first.parts != other.parts).any()


def test_a_table_that_stands_there_twice_leaks_nothing() -> None:
    twins = np.tile(np.arange(40), 2)
    folds = fold_rows(np.zeros(80, dtype=np.int64), twins, count=5, seed=3).unwrap()
    assert (folds.parts[:40] == folds.parts[40:]).all()
    assert (folds.identical_share, folds.notes) == (1.0, ())


def test_rows_of_two_kinds_alone_are_told_apart_or_nothing_could_be_learnt() -> None:
    folds = fold_rows(np.tile([0, 1], 50), np.tile([0, 1], 50), count=5, seed=0).unwrap()
    assert len(folds.fits) == 5
    assert "told apart" in folds.notes[0]


def test_fewer_groups_than_folds_give_fewer_folds() -> None:
    groups = np.repeat([0, 1, 2], 10)
    folds = fold_rows(np.zeros(30, dtype=np.int64), np.arange(30), count=5, seed=0, groups=groups)
    assert len(folds.unwrap().fits) == 3
    assert folds.unwrap().notes == ("only 3 folds: there are no more groups of rows",)


def test_groups_with_a_row_in_common_are_one_unless_that_joins_nearly_all() -> None:
    groups, strata = np.repeat(np.arange(20), 5), np.zeros(100, dtype=np.int64)
    pair = np.arange(100)
    pair[5] = 4
    folds = fold_rows(strata, pair, count=4, seed=0, groups=groups).unwrap()
    assert len(set(folds.parts[:10].tolist())) == 1
    chain = np.where(np.arange(100) % 5 == 0, np.arange(100) - 1, np.arange(100)) + 1
    folds = fold_rows(strata, chain, count=4, seed=0, groups=groups).unwrap()
    assert len(folds.fits) == 4
    assert folds.notes[0].startswith("so many groups have a row in common")


def test_one_row_has_no_folds() -> None:
    one = np.zeros(1, dtype=np.int64)
    assert fold_rows(one, one, count=2, seed=0).failure().first == TooFewRows(rows=1)


def test_the_earliest_rows_are_left_without_a_teacher_and_counted() -> None:
    folds = fold_rows(
        np.zeros(12, dtype=np.int64), np.arange(12), count=3, seed=0, times=np.arange(12.0)
    ).unwrap()
    assert folds.parts.tolist() == [-1] * 3 + [0] * 3 + [1] * 3 + [2] * 3
    assert [len(seen) for seen in folds.fits] == [3, 6, 9]
    assert folds.notes[0].startswith("3 rows have no earlier rows")


@pytest.mark.parametrize("planted", [False, True])
def test_a_planted_leak_is_seen_by_the_law(planted: bool) -> None:
    folds = fold_rows(np.zeros(9, dtype=np.int64), np.arange(9), count=3, seed=0).unwrap()
    fits = (np.arange(9), *folds.fits[1:]) if planted else folds.fits
    assert leaks(Folds(folds.parts, fits, folds.groups, 0.0)) is planted
