"""The columns that say which rows belong together, and which came first."""

from __future__ import annotations

from datetime import date, datetime, time

import numpy as np
import polars as pl
import pytest

from kdtab.data.foldcolumns import group_numbers, time_values
from kdtab.errors.columns import DatesAmbiguous, DatesUnreadable


def test_cells_of_one_value_are_one_group_and_missing_cells_none() -> None:
    column = pl.Series("who", ["7", "7.0", " 7", "8", None, "?", ""])
    numbers = group_numbers(column, ("", "?"))
    assert len(set(numbers[:3].tolist())) == 1
    assert len(set(numbers.tolist())) == 5


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("t", [3, 1, 2]),
        pl.Series("t", ["3", "1", "2"]),
        pl.Series("t", [date(2020, 1, 3), date(2020, 1, 1), date(2020, 1, 2)]),
        pl.Series("t", [datetime(2020, 1, 1, 3), datetime(2020, 1, 1, 1), datetime(2020, 1, 1, 2)]),
        pl.Series("t", ["2020-01-30", "2019-12-31", "2020-01-02"]),
        pl.Series("t", ["30/1/2020", "31/12/2019", "2/1/2020"]),
        pl.Series("t", [time(3), time(1), time(2)]),
    ],
    ids=str,
)
def test_whatever_tells_the_time_is_put_in_order(column: pl.Series) -> None:
    assert np.argsort(time_values(column, ()).unwrap()).tolist() == [1, 2, 0]


def test_a_missing_time_is_not_a_number() -> None:
    dates = time_values(pl.Series("t", [date(2020, 1, 3), None]), ()).unwrap()
    assert np.isnan(dates).tolist() == [False, True]


def test_texts_that_are_no_dates_or_two_are_refused() -> None:
    assert isinstance(time_values(pl.Series("t", ["soon"]), ()).failure().first, DatesUnreadable)
    both = time_values(pl.Series("t", ["1/2/2020", "2/1/2020"]), ()).failure().first
    assert isinstance(both, DatesAmbiguous)
