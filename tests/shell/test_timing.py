from __future__ import annotations

import polars as pl

from kdtab.shell.timing import BATCH_ROWS, BATCH_RUNS, SINGLE_RUNS, speed_of


def test_batches_are_of_one_size_and_rows_come_alone_whatever_the_table() -> None:
    heights: list[int] = []
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0]})
    speed = speed_of(lambda rows: heights.append(rows.height), frame)
    assert sorted(set(heights)) == [1, BATCH_ROWS]
    assert (heights.count(1), heights.count(BATCH_ROWS)) == (SINGLE_RUNS, BATCH_RUNS)
    assert speed.p50 is not None
    assert speed.p99 is not None
    assert 0 < speed.p50 <= speed.p99
    assert speed.rows_per_second > 0


def test_a_row_alone_is_given_by_name_to_who_takes_it_so() -> None:
    heights: list[int] = []
    asked: list[object] = []
    frame = pl.DataFrame({"x": [1.0, 2.0]})
    speed = speed_of(lambda rows: heights.append(rows.height), frame, asked.append)
    assert heights == [BATCH_ROWS] * BATCH_RUNS
    assert asked == [{"x": 1.0}, {"x": 2.0}] * (SINGLE_RUNS // 2)
    assert speed.p50 is not None
