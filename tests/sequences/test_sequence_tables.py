"""Tables as time series: order, windows and groups; nothing depends on the order of the rows."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.sequences import SequenceColumns
from kdtab.data.sequences import SequenceGroup, sequences_from_frame, step_mask
from kdtab.errors.columns import ColumnMissing, DatesAmbiguous
from kdtab.errors.sequences import (
    FeaturesNotNumeric,
    GroupsUnclear,
    NoSequenceFeatures,
    NoSeriesLeft,
    SeriesKeyMissing,
    TimesRepeated,
    WindowTooLong,
)

KEYED = SequenceColumns(series_column="id", time_column="t")


def table(lengths: list[int]) -> pl.DataFrame:
    """Series 0, 1, … of these lengths; x tells series and step."""
    ids = [number for number, length in enumerate(lengths) for _ in range(length)]
    steps = [step for length in lengths for step in range(length)]
    x = [100.0 * number + step for number, step in zip(ids, steps, strict=True)]
    return pl.DataFrame({"id": ids, "t": steps, "x": x})


def batches(groups: tuple[SequenceGroup, ...]) -> list[list[list[list[float]]]]:
    return [group.batch(np.arange(len(group.series))).values.tolist() for group in groups]


def test_series_of_different_length_are_filled_up_and_masked() -> None:
    (group,) = sequences_from_frame(table([2, 3]), KEYED).unwrap()
    batch = group.batch(np.array([0, 1]))
    assert batch.values[..., 0].tolist() == [[0, 1, 0], [100, 101, 102]]
    assert batch.lengths.tolist() == [2, 3]
    assert step_mask(batch.lengths, 3).tolist() == [[True, True, False], [True, True, True]]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(0, 2**31))
def test_the_order_of_the_rows_does_not_matter(lengths: list[int], seed: int) -> None:
    frame = table(lengths)
    order = np.random.default_rng(seed).permutation(frame.height)
    columns = SequenceColumns(series_column="id", time_column="t", test_size=0.3)
    one, other = (
        sequences_from_frame(rows, columns).map(batches) for rows in (frame, frame[order])
    )
    assert one == other


@given(st.integers(1, 30), st.integers(1, 8), st.integers(1, 8))
def test_windows_are_what_a_loop_cuts(rows: int, window: int, stride: int) -> None:
    columns = SequenceColumns(time_column="t", feature_columns=("x",), window=window, stride=stride)
    found = sequences_from_frame(table([rows]), columns)
    if window > rows:
        assert found.failure().first == WindowTooLong(group="train", window=window, longest=rows)
        return
    (group,) = found.unwrap()
    expected = [list(range(at, at + window)) for at in range(0, rows - window + 1, stride)]
    assert group.batch(np.arange(len(group.series))).values[..., 0].tolist() == expected
    assert group.unused == rows - len({step for cut in expected for step in cut})


def test_no_window_reaches_from_one_series_into_another() -> None:
    columns = SequenceColumns(series_column="id", time_column="t", window=2)
    (group,) = sequences_from_frame(table([3, 1, 4]), columns).unwrap()
    assert group.series == ("0", "2", "2")
    assert group.batch(np.arange(3)).values[..., 0].tolist() == [[0, 1], [200, 201], [202, 203]]


def test_numeric_keys_are_sorted_as_numbers() -> None:
    frame = pl.DataFrame({"id": ["10", "9", "9"], "x": [1.0, 2.0, 3.0]})
    (group,) = sequences_from_frame(frame, SequenceColumns(series_column="id")).unwrap()
    assert group.series == ("9", "10")


@pytest.mark.parametrize("as_text", [False, True])
def test_moments_may_be_dates_or_their_text(as_text: bool) -> None:
    start = datetime(2020, 2, 28, 22)
    moments = pl.Series("t", [start + timedelta(hours=hour) for hour in (3, 1, 2, 0)])
    frame = pl.DataFrame([moments, pl.Series("x", [3.0, 1.0, 2.0, 0.0])])
    if as_text:
        frame = frame.with_columns(pl.col("t").dt.to_string("%Y-%m-%d %H:%M:%S"))
    (group,) = sequences_from_frame(frame, SequenceColumns(time_column="t")).unwrap()
    assert group.matrix.ravel().tolist() == [0, 1, 2, 3]


def test_large_whole_numbers_keep_their_order() -> None:
    base = 2**60
    frame = pl.DataFrame({"t": [base + 1, base], "x": [1.0, 0.0]})
    (group,) = sequences_from_frame(frame, SequenceColumns(time_column="t")).unwrap()
    assert group.matrix.ravel().tolist() == [0, 1]


def test_an_ambiguous_date_is_refused_with_both_readings() -> None:
    frame = pl.DataFrame({"t": ["1/2/2020", "3/4/2020"], "x": [1.0, 2.0]})
    found = sequences_from_frame(frame, SequenceColumns(time_column="t")).failure().first
    assert isinstance(found, DatesAmbiguous)


def test_a_single_series_gives_its_end_in_order_of_time() -> None:
    columns = SequenceColumns(
        time_column="t", feature_columns=("x",), window=2, validation_size=0.2, test_size=0.3
    )
    groups = sequences_from_frame(table([20]), columns).unwrap()
    assert [group.name for group in groups] == ["train", "val", "test"]
    firsts = [
        group.batch(np.arange(len(group.series))).values[:, 0, 0].tolist() for group in groups
    ]
    assert firsts == [[0, 2, 4, 6, 8], [10, 12], [14, 16, 18]]


def test_whole_series_are_drawn_for_val_and_test() -> None:
    columns = SequenceColumns(
        series_column="id", time_column="t", validation_size=0.29, test_size=0.1
    )
    groups = sequences_from_frame(table([2] * 100), columns, seed=3).unwrap()
    assert [len(group.series) for group in groups] == [61, 29, 10]
    every = [name for group in groups for name in group.series]
    assert sorted(every, key=int) == [str(number) for number in range(100)]
    again = sequences_from_frame(table([2] * 100), columns, seed=4).unwrap()
    assert again[2].series != groups[2].series


def test_a_column_names_the_groups() -> None:
    frame = table([2, 2, 2]).with_columns(
        pl.Series("split", ["test", "test", "train", "train", "Validation", "Validation"])
    )
    columns = SequenceColumns(series_column="id", time_column="t", split_column="split")
    groups = sequences_from_frame(frame, columns).unwrap()
    assert [(group.name, group.series) for group in groups] == [
        ("train", ("1",)),
        ("val", ("2",)),
        ("test", ("0",)),
    ]


def test_a_share_that_is_no_series_is_refused_by_name() -> None:
    columns = SequenceColumns(series_column="id", time_column="t", test_size=0.1)
    found = sequences_from_frame(table([2, 2]), columns).failure().first
    assert found == NoSeriesLeft(group="test", available=2, fraction=0.1, name="test_size")


def test_every_missing_column_is_named() -> None:
    columns = SequenceColumns(series_column="ID", time_column="when", exclude_columns=("y",))
    found = sequences_from_frame(table([2]), columns).failure()
    assert [(issue.name, issue.role) for issue in found if isinstance(issue, ColumnMissing)] == [
        ("ID", "series_column"),
        ("when", "time_column"),
        ("y", "exclude_columns"),
    ]


def test_features_that_are_no_numbers_are_named_with_the_first_cell() -> None:
    frame = table([3]).with_columns(
        pl.Series("city", ["Ulm", "Ulm", "Bonn"]), pl.Series("y", [1.0, None, 2.0])
    )
    found = sequences_from_frame(frame, KEYED).failure().first
    assert found == FeaturesNotNumeric(names=("city", "y"), row=1, cell="Ulm")
    alone = SequenceColumns(series_column="id", time_column="t", feature_columns=("y",))
    empty = sequences_from_frame(frame, alone).failure().first
    assert empty == FeaturesNotNumeric(names=("y",), row=2, cell=None)


def test_no_feature_left_is_an_issue() -> None:
    columns = SequenceColumns(series_column="id", time_column="t", exclude_columns=("x",))
    found = sequences_from_frame(table([2]), columns).failure().first
    assert found == NoSequenceFeatures(columns=("id", "t", "x"))


def test_rows_without_key_and_repeated_moments_are_counted() -> None:
    frame = pl.DataFrame(
        {"id": ["a", None, "a", "b"], "t": [1, 2, None, 1], "x": [1.0, 2.0, 3.0, 4.0]}
    )
    found = sequences_from_frame(frame, KEYED).failure()
    assert list(found) == [
        SeriesKeyMissing(column="id", rows=1, first_row=2),
        SeriesKeyMissing(column="t", rows=1, first_row=3),
    ]
    twice = pl.DataFrame({"id": [1, 2, 1, 1], "t": [5, 5, 5, 5], "x": [1.0, 2.0, 3.0, 4.0]})
    repeated = sequences_from_frame(twice, KEYED).failure().first
    assert repeated == TimesRepeated(column="t", series="1", rows=2, first_row=3)


def test_an_unknown_group_is_named() -> None:
    frame = table([2]).with_columns(pl.lit("dev").alias("split"))
    columns = SequenceColumns(series_column="id", time_column="t", split_column="split")
    found = sequences_from_frame(frame, columns).failure().first
    assert found == GroupsUnclear(column="split", reason="it holds 'dev'")
