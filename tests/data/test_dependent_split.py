"""Splits of rows that belong together, and of rows that follow each other."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.columns import ColumnOptions
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.dependence import bound_groups, linked_rows
from kdtab.data.dependentsplit import RowTies, split_dependent_rows
from kdtab.data.prepare import prepare_table
from kdtab.data.split import Split
from kdtab.errors.columns import ColumnMissing, DatesUnreadable, TooFewRows
from kdtab.errors.configs import FieldInvalid
from kdtab.results import Checked

SIZES = {"test_size": 0.2, "validation_size": 0.2}


def split(
    strata: IntArray,
    groups: IntArray | None = None,
    times: FloatArray | None = None,
    twins: IntArray | None = None,
    seed: int = 0,
    validation_size: float = 0.2,
) -> Checked[Split]:
    """A split of rows 0 to N − 1."""
    rows = np.arange(len(strata))
    return split_dependent_rows(
        rows,
        strata,
        rows if twins is None else twins,
        RowTies(groups, times),
        test_size=0.2,
        validation_size=validation_size,
        seed=seed,
    )


def parts_of(found: Split) -> list[IntArray]:
    return [found.training, found.validation, found.test]


@given(
    groups=st.lists(st.integers(0, 12), min_size=4, max_size=80).filter(lambda g: len(set(g)) > 2),
    seed=st.integers(0, 50),
    classes=st.integers(1, 4),
)
def test_a_group_is_never_on_two_sides(groups: list[int], seed: int, classes: int) -> None:
    numbers = np.array(groups)
    strata = np.arange(len(groups)) % classes
    found = split(strata, groups=numbers, seed=seed).unwrap()
    sides = [set(numbers[part].tolist()) for part in parts_of(found)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert sorted(np.concatenate(parts_of(found)).tolist()) == list(range(len(groups)))
    assert len(found.test) > 0
    assert len(found.training) > 0


@given(
    times=st.lists(st.integers(0, 15), min_size=4, max_size=80).filter(lambda t: len(set(t)) > 2),
)
def test_the_latest_rows_are_tested_on_and_no_moment_is_in_two_parts(times: list[int]) -> None:
    moments = np.array(times, dtype=np.float64)
    found = split(np.zeros(len(times), dtype=np.int64), times=moments).unwrap()
    training, validation, test = (moments[part] for part in parts_of(found))
    assert training.max() < test.min()
    if len(validation):
        assert training.max() < validation.min()
        assert validation.max() < test.min()


def test_the_shares_are_as_near_as_groups_and_classes_allow() -> None:
    groups = np.repeat(np.arange(100), 5)
    strata = (groups % 4 == 0).astype(np.int64)
    found = split(strata, groups=groups).unwrap()
    assert [len(part) for part in parts_of(found)] == [300, 100, 100]
    assert [int(strata[part].sum()) for part in parts_of(found)] == [75, 25, 25]
    assert found.notes == ()


def test_one_large_group_is_left_to_training() -> None:
    groups = np.array([0] * 90 + list(range(1, 11)))
    found = split(np.zeros(100, dtype=np.int64), groups=groups, validation_size=0.0).unwrap()
    assert set(groups[found.test].tolist()) <= set(range(1, 11))
    assert len(found.test) == 10 - len(set(groups[found.training].tolist()) - {0})


def test_two_groups_give_one_side_each() -> None:
    groups = np.array([0] * 7 + [1] * 3)
    found = split(np.zeros(10, dtype=np.int64), groups=groups, validation_size=0.0).unwrap()
    assert found.test.tolist() == [7, 8, 9]


def test_a_class_that_one_group_has_trains() -> None:
    groups = np.repeat(np.arange(20), 3)
    strata = (groups == 4).astype(np.int64)
    for seed in range(20):
        found = split(strata, groups=groups, seed=seed).unwrap()
        assert 12 in found.training


def test_a_class_that_no_side_can_keep_is_counted() -> None:
    found = split(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), validation_size=0.0).unwrap()
    assert found.notes == ("classes without a training row: 1",)


def test_identical_rows_bind_their_groups() -> None:
    groups, twins = np.arange(40) // 2, np.arange(40)
    twins[2] = twins[0]
    for seed in range(10):
        found = split(np.zeros(40, dtype=np.int64), groups=groups, twins=twins, seed=seed).unwrap()
        assert sum(0 in part and 2 in part for part in parts_of(found)) == 1


def test_a_group_before_and_after_the_cut_leaves_the_training_rows() -> None:
    times, groups = np.arange(100.0), np.arange(100)
    groups[[3, 95]] = 3
    found = split(np.zeros(100, dtype=np.int64), groups=groups, times=times).unwrap()
    assert 3 not in np.concatenate(parts_of(found))
    assert 95 in found.test
    assert found.notes == ("rows left out, since they depend on a later row that is held out: 1",)


def test_groups_that_are_always_there_and_a_time_are_refused_together() -> None:
    times, groups = np.arange(60.0), np.arange(60) % 3
    lost = split(np.zeros(60, dtype=np.int64), groups=groups, times=times).failure().first
    assert isinstance(lost, FieldInvalid)
    assert "stand without time_column" in lost.rule


def test_so_many_twins_across_the_cut_that_they_stay_are_said() -> None:
    times, twins = np.arange(60.0), np.arange(60) % 3
    found = split(np.zeros(60, dtype=np.int64), times=times, twins=twins).unwrap()
    assert len(np.concatenate(parts_of(found))) == 60
    assert found.notes == ("so many rows are identical that some stand on both sides",)


def test_a_row_without_a_time_trains_and_is_counted() -> None:
    times = np.arange(20.0)
    times[[4, 19]] = np.nan
    found = split(np.zeros(20, dtype=np.int64), times=times, validation_size=0.0).unwrap()
    assert {4, 19} <= set(found.training.tolist())
    assert found.test.tolist() == [15, 16, 17, 18]
    assert found.notes == ("rows without a time, which train and are never held out: 2",)


@pytest.mark.parametrize(
    ("ties", "name"),
    [
        (RowTies(groups=np.zeros(9, dtype=np.int64)), "group_column"),
        (RowTies(times=np.zeros(9)), "time_column"),
        (RowTies(times=np.full(9, np.nan)), "time_column"),
    ],
)
def test_a_column_of_one_value_is_refused(ties: RowTies, name: str) -> None:
    nine = np.arange(9)
    lost = split_dependent_rows(nine, nine * 0, nine, ties, **SIZES, seed=0).failure().first
    assert isinstance(lost, FieldInvalid)
    assert lost.name == name


def test_one_row_cannot_be_split() -> None:
    lost = split(np.array([0]), groups=np.array([0])).failure().first
    assert lost == TooFewRows(rows=1)


@given(
    first=st.lists(st.integers(0, 5), min_size=1, max_size=30),
    seed=st.integers(0, 20),
)
def test_linked_rows_are_the_finest_grouping_that_both_allow(first: list[int], seed: int) -> None:
    one = np.array(first)
    two = np.random.default_rng(seed).integers(0, 6, len(one))
    linked = linked_rows(one, two)
    for grouping in (one, two):
        for number in set(grouping.tolist()):
            assert len(set(linked[grouping == number].tolist())) == 1
    for number in set(linked.tolist()):
        reached, before = {int(np.flatnonzero(linked == number)[0])}, 0
        while len(reached) > before:
            before = len(reached)
            at = list(reached)
            reached = set(np.flatnonzero(np.isin(one, one[at]) | np.isin(two, two[at])).tolist())
        assert reached == set(np.flatnonzero(linked == number).tolist())


def test_groups_that_would_all_be_joined_stay_as_they_are() -> None:
    groups = np.repeat(np.arange(10), 2)
    twins = np.array([0, 1] * 10)
    assert bound_groups(groups, twins, part_size=6) is groups


FRAME = pl.DataFrame(
    {
        "x": [float(at) for at in range(60)],
        "who": [f"p{at % 12}" for at in range(60)],
        "day": [f"2020-{1 + at % 12:02d}-01" for at in range(60)],
        "y": ["a", "b", "b"] * 20,
    }
)
CONFIG = TrainingConfig(target_column="y", validation_size=0.2)


def test_a_table_is_split_by_its_columns() -> None:
    grouped, timed = (
        prepare_table(FRAME, CONFIG, ColumnOptions(), labels).unwrap().split
        for labels in (LabelConfig(group_column="who"), LabelConfig(time_column="day"))
    )
    who, day = FRAME["who"].to_numpy(), FRAME["day"].to_numpy()
    assert not set(who[grouped.test]) & set(who[grouped.training])
    assert not set(who[grouped.validation]) & set(who[grouped.training])
    assert max(day[timed.training]) < min(day[timed.validation]) < min(day[timed.test])


def test_without_these_columns_the_split_is_what_it_was() -> None:
    first = prepare_table(FRAME, CONFIG, ColumnOptions()).unwrap().split
    again = prepare_table(FRAME, CONFIG, ColumnOptions(), LabelConfig(folds=3)).unwrap().split
    for one, other in zip(parts_of(first), parts_of(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_columns_that_are_absent_or_no_times_are_refused() -> None:
    lost = prepare_table(FRAME, CONFIG, ColumnOptions(), LabelConfig(group_column="whom"))
    columns = tuple(FRAME.columns)
    assert lost.failure().first == ColumnMissing(name="whom", role="group_column", columns=columns)
    unread = prepare_table(FRAME, CONFIG, ColumnOptions(), LabelConfig(time_column="who"))
    assert isinstance(unread.failure().first, DatesUnreadable)
