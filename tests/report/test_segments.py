"""Segments: every row in one, in an order that says something."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from kdtab.errors.columns import ColumnMissing
from kdtab.report.segments import MOST_SEGMENTS, segments_by_columns
from strategies import frames


@given(frames(), st.data())
def test_every_row_is_in_a_segment_with_a_name(frame: pl.DataFrame, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(frame.columns), max_size=3))
    found = segments_by_columns(frame, names).unwrap()
    assert [segmentation.column for segmentation in found] == names
    for segmentation in found:
        assert segmentation.codes.shape == (frame.height,)
        assert set(segmentation.codes.tolist()) == set(range(len(segmentation.labels)))
        assert len(segmentation.labels) <= MOST_SEGMENTS + 1


def test_numbers_are_cut_into_quarters_in_their_order() -> None:
    frame = pl.DataFrame({"age": [*range(99, -1, -1), None]})
    (found,) = segments_by_columns(frame, ["age"]).unwrap()
    assert found.labels == ("0 to 24.0", "25.0 to 49.0", "50.0 to 74.0", "75.0 to 99.0", "missing")
    assert [found.codes.tolist().count(code) for code in range(5)] == [25, 25, 25, 25, 1]


def test_numbers_that_were_read_as_text_are_numbers() -> None:
    numbers = pl.DataFrame({"age": [*range(99, -1, -1), None]})
    read = numbers.select(pl.col("age").cast(pl.String).fill_null("?"))
    (found,), (expected,) = (
        segments_by_columns(frame, ["age"]).unwrap() for frame in (read, numbers)
    )
    assert found.labels == expected.labels
    assert found.codes.tolist() == expected.codes.tolist()


def test_few_numbers_are_values() -> None:
    (found,) = segments_by_columns(pl.DataFrame({"sex": [1, 0, 1]}), ["sex"]).unwrap()
    assert found.labels == ("1", "0")


def test_the_most_frequent_values_come_first_and_the_rest_together() -> None:
    values = [letter for place, letter in enumerate("abcdefghij") for _ in range(20 - place)]
    (found,) = segments_by_columns(pl.DataFrame({"rows": values}), ["rows"]).unwrap()
    assert found.labels == (*"abcdefg", "all others")
    assert found.codes.tolist().count(7) == 13 + 12 + 11


def test_columns_that_are_not_there_are_named_all_at_once() -> None:
    found = segments_by_columns(pl.DataFrame({"age": [1]}), ["aeg", "age", "sex"]).failure()
    assert [issue.name for issue in found if isinstance(issue, ColumnMissing)] == ["aeg", "sex"]
