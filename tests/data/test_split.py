"""Which rows train, validate and test."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.data.split import (
    HASHED_AT_ONCE,
    Split,
    split_rows,
    stratum_quotas,
    twin_groups,
    twins_of_columns,
)
from kdtab.errors.columns import TooFewRows


def split(
    strata: list[int],
    twins: list[int] | None = None,
    test_size: float = 0.2,
    validation_size: float = 0.0,
    seed: int = 0,
) -> Split:
    """A split of rows 0 to N − 1."""
    rows = np.arange(len(strata))
    groups = rows if twins is None else np.array(twins)
    sizes = {"test_size": test_size, "validation_size": validation_size}
    return split_rows(rows, np.array(strata), groups, **sizes, seed=seed).unwrap()


@pytest.mark.requirement("REQ-KD14", "AC-KD14")
def test_each_class_gives_its_share() -> None:
    strata = [0] * 50 + [1] * 30 + [2] * 20
    parts = split(strata, validation_size=0.1)
    counts = [
        np.bincount(np.array(strata)[part]).tolist() for part in (parts.test, parts.validation)
    ]
    assert counts == [[10, 6, 4], [5, 3, 2]]
    assert parts.notes == ()


def test_shares_are_given_by_largest_remainder_and_one_row_is_left() -> None:
    generator = np.random.default_rng(0)
    counts = np.array([54, 28, 17, 1])
    assert stratum_quotas(counts, 20, generator).tolist() == [11, 6, 3, 0]
    assert stratum_quotas(np.array([2, 2]), 4, generator).tolist() == [1, 1]


@pytest.mark.requirement("EC-T02")
def test_one_class_is_split_like_any() -> None:
    parts = split([0] * 10)
    assert (len(parts.training), len(parts.test)) == (8, 2)


def test_a_class_of_one_row_trains() -> None:
    parts = split([0] * 9 + [1])
    assert 9 in parts.training
    assert len(parts.test) == 2


@pytest.mark.parametrize("seed", range(5))
def test_two_rows_give_one_to_train_and_one_to_test(seed: int) -> None:
    for strata in ([0, 0], [0, 1]):
        parts = split(strata, seed=seed)
        assert (len(parts.training), len(parts.test)) == (1, 1)
    assert split([0, 1]).notes
    assert not split([0, 0]).notes


def test_one_row_cannot_be_split() -> None:
    one = np.array([0])
    for rows in (one[:0], one):
        result = split_rows(rows, rows, rows, test_size=0.2, validation_size=0.0, seed=0)
        assert result.failure().first == TooFewRows(rows=len(rows))


def test_identical_rows_stay_on_one_side() -> None:
    twins = np.repeat(np.arange(100), 3).tolist()
    parts = split([0] * 300, twins, validation_size=0.2)
    sides = [
        set(np.array(twins)[part].tolist())
        for part in (parts.training, parts.validation, parts.test)
    ]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert len(parts.test) == 60
    assert parts.identical_share == 1.0


def test_so_many_identical_rows_that_none_fit_are_split_row_by_row_and_said() -> None:
    parts = split([0] * 100, [0] * 99 + [1], test_size=0.2)
    assert len(parts.test) == 20
    assert len(parts.notes) == 1
    assert parts.identical_share == 0.99


def test_the_same_seed_gives_the_same_split_and_another_gives_another() -> None:
    strata = [0, 1] * 50
    first, again, other = split(strata), split(strata), split(strata, seed=1)
    np.testing.assert_array_equal(first.test, again.test)
    assert first.test.tolist() != other.test.tolist()


def test_the_random_state_of_the_process_is_left_alone() -> None:
    np.random.seed(3)
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # a tuple, without arguments
    split([0, 1] * 10)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # as above


def test_a_thousand_classes_of_two_rows_are_split_without_loss() -> None:
    strata = np.repeat(np.arange(1_000), 2).tolist()
    parts = split(strata)
    assert len(parts.test) == 400
    assert set(np.array(strata)[parts.training].tolist()) == set(range(1_000))


def test_where_no_row_is_left_to_validate_on_it_is_said() -> None:
    parts = split([0, 0], validation_size=0.4)
    assert len(parts.validation) == 0
    assert parts.notes


def test_rows_are_twins_when_every_cell_is_equal_missing_ones_too() -> None:
    frame = pl.DataFrame(
        {"a": [1.0, None, float("nan"), None, 1.0], "b": [[1], [2], [2], [2], [1]], "c": ["x"] * 5}
    )
    assert twin_groups(frame).tolist() == [0, 1, 2, 1, 0]
    objects = pl.DataFrame({"o": pl.Series([{1}, {1}], dtype=pl.Object)})
    assert twin_groups(objects).tolist() == [0, 0]


def test_a_table_of_few_cells_is_not_split_by_its_labels() -> None:
    """Each cell has both labels: the test rows of a cell must not be those of one label."""
    random = np.random.default_rng(0)
    cells, chances = random.integers(0, 60, 3_000), random.uniform(0.1, 0.9, 60)
    labels = (random.uniform(size=3_000) < chances[cells]).astype(np.int64)
    for seed in range(5):
        split = split_rows(
            np.arange(3_000), labels, cells, test_size=0.2, validation_size=0.0, seed=seed
        ).unwrap()
        assert not set(cells[split.test]) & set(cells[split.training])
        assert 0.8 * 600 <= len(split.test) <= 1.2 * 600
        assert abs(labels[split.test].mean() - chances[cells[split.test]].mean()) < 0.06


@given(st.data())
def test_groups_of_mixed_labels_stay_whole_and_leave_every_class_a_training_row(
    data: st.DataObject,
) -> None:
    rows = data.draw(st.integers(2, 40))
    labels = np.array(data.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)))
    groups = np.array(data.draw(st.lists(st.integers(0, 30), min_size=rows, max_size=rows)))
    split = split_rows(
        np.arange(rows), labels, groups, test_size=0.3, validation_size=0.2, seed=1
    ).unwrap()
    assert sorted(np.concatenate([split.training, split.validation, split.test])) == list(
        range(rows)
    )
    assert len(split.test)
    assert len(split.training)
    if not split.notes:
        parts = (split.training, split.validation, split.test)
        held = [set(groups[part].tolist()) for part in parts]
        assert len(held[0] | held[1] | held[2]) == sum(map(len, held))
        assert set(labels[split.training].tolist()) == set(labels.tolist())


@given(st.integers(1, 3 * HASHED_AT_ONCE), st.integers(0, 2**32 - 1))
def test_twins_of_many_columns_are_the_rows_that_are_equal(columns: int, seed: int) -> None:
    cells = np.random.default_rng(seed).integers(0, 2, (20, columns))
    cells[:, : columns - 1] = cells[0, : columns - 1]  # rows differ in the last column, or not
    numbers: dict[tuple[int, ...], int] = {}
    expected = [numbers.setdefault(tuple(row), len(numbers)) for row in cells.tolist()]
    series = (pl.Series(str(at), cells[:, at]) for at in range(columns))
    assert twins_of_columns(series).tolist() == expected
