"""Single Python values as text."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum

import numpy as np
import pandas as pd
import pytest

from kdtab.data.values import cell_text, text_series


class Size(str, Enum):  # noqa: UP042  # the str() of a StrEnum is its value
    """A text with a name."""

    LARGE = "L"


class Unspeakable:
    """Its text raises."""

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("a", "a"),
        (np.str_("a"), "a"),
        (Size.LARGE, "L"),
        (np.bool_(True), "true"),
        (np.int8(3), "3"),
        (np.float32(0.5), "0.5"),
        (np.longdouble(0.5), "0.5"),
        (10**30, "1" + "0" * 30),
        (Decimal("1E+2"), "1E+2"),
        (date(2020, 1, 2), "2020-01-02"),
        (datetime(2020, 1, 2, 3), "2020-01-02T03:00:00"),
        (datetime(2020, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2020-01-02T01:00:00"),
        (datetime(2020, 1, 2, tzinfo=UTC), "2020-01-02T00:00:00"),
        (time(1, 0, 1), "3601.0"),
        (timedelta(seconds=1), "1.0"),
        (np.timedelta64(1, "s"), "1.0"),
        (np.datetime64("2020-01-02"), "2020-01-02"),
        (pd.Timestamp("2020-01-02"), "2020-01-02T00:00:00"),
        ([1, None], "[1, null]"),
        ({"b": 1, "a": 2}, '{"a": 2, "b": 1}'),
        ({1: {2}}, '{"1": "<set>"}'),
    ],
)
def test_values_of_any_type_become_text(cell: object, text: str) -> None:
    assert cell_text(cell) == text


@pytest.mark.parametrize(
    "cell",
    [
        None,
        float("nan"),
        float("-inf"),
        np.float32("nan"),
        Decimal("NaN"),
        Decimal("sNaN"),
        pd.NA,
        pd.NaT,
        np.datetime64("NaT"),
        np.timedelta64("NaT"),
    ],
)
def test_values_that_are_no_value_are_missing(cell: object) -> None:
    assert cell_text(cell) is None


def test_a_number_beyond_all_use_is_missing() -> None:
    assert cell_text(10**5000) is None


def test_a_value_that_cannot_be_written_is_named_by_its_type() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert cell_text(endless) == "<list>"
    assert cell_text(Unspeakable()) == '"<Unspeakable>"'
    assert cell_text({(1, 2): 3}) == "<dict>"
    assert cell_text(datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))) is None


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert text_series("a", ["\ud800b", None]).to_list() == ["?b", None]
