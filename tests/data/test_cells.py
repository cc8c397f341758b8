"""Cells as canonical texts, numbers and truth values."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pytest

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.data.cells import canonical_texts, missing_rule, numbers, stripped_texts, truths

RULE = missing_rule(DEFAULT_MISSING_MARKERS)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (True, "true"),
        ("True", "true"),
        ("TRUE", "true"),
        (1, "1"),
        (1.0, "1"),
        ("1", "1"),
        ("1.0", "1"),
        (" 1 ", "1"),
        ("+1", "1"),
        (-0.0, "0"),
        ("-0", "0"),
        ("1e3", "1000"),
        ("0.50", "0.5"),
        (0.5, "0.5"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("12345678901234567890123", "12345678901234567890123"),
        (Decimal("1.50"), "1.5"),
        ("a b ", "a b"),
        ("🙂", "🙂"),
        ([1, 2], "[1, 2]"),
        ({"a": 1}, '{"a": 1}'),
        (date(2020, 1, 2), "2020-01-02"),
        (b"\xff", "\ufffd"),
    ],
)
def test_a_value_has_one_canonical_text_whatever_holds_it(cell: object, text: str) -> None:
    assert canonical_texts(pl.Series([cell]), RULE).to_list() == [text]


@pytest.mark.parametrize(
    "cell",
    [None, float("nan"), float("inf"), "", "  ", "NA", "n/A", "NaN", "None", "NULL", ".", "?"],
)
def test_missing_cells_are_null_in_every_reading(cell: object) -> None:
    series = pl.Series([cell, cell], dtype=pl.Float64 if isinstance(cell, float) else pl.String)
    for read in (canonical_texts, stripped_texts, numbers, truths):
        assert read(series, RULE).to_list() == [None, None]


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1e-3", 0.001),
        ("+5", 5.0),
        (" 12 ", 12.0),
        ("0", 0.0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-1E+2", -100.0),
        ("true", 1.0),
        (False, 0.0),
        (timedelta(hours=1), 3600.0),
        (time(18, 0, 1), 64801.0),
        (Decimal("2.5"), 2.5),
    ],
)
def test_numbers_are_understood(cell: object, number: float) -> None:
    assert numbers(pl.Series([cell]), RULE).to_list() == [number]


@pytest.mark.parametrize(
    "text",
    [
        "1_000",
        "1,000",
        "2,5",
        "inf",
        "-Infinity",
        "007",
        "01234",
        "0x10",
        "1e",
        "٣",
        "1e400",
        "1 2",
    ],
)
def test_what_is_no_number_is_not_read_as_one(text: str) -> None:
    assert numbers(pl.Series([text]), RULE).to_list() == [None]


@pytest.mark.parametrize(
    ("series", "left"),
    [
        (pl.Series([-200, 1]), 1.0),
        (pl.Series([-200.0, 1.0]), 1.0),
        (pl.Series(["-200", "1"]), 1.0),
        (pl.Series([" -200.0", "1"]), 1.0),
        (pl.Series(["-2e2", "1"]), 1.0),
        (pl.Series(["-200,0", "1"]), 1.0),
    ],
)
def test_a_marker_that_is_a_number_matches_it_however_it_is_written(
    series: pl.Series, left: float
) -> None:
    rule = missing_rule(("-200",))
    assert numbers(series, rule).to_list() == [None, left]
    assert canonical_texts(series, rule).to_list() == [None, "1"]


def test_without_markers_only_null_nan_and_infinities_are_missing() -> None:
    assert canonical_texts(pl.Series(["", "NA"]), missing_rule(())).to_list() == ["", "NA"]


def test_float32_cells_have_the_text_that_a_person_sees() -> None:
    assert canonical_texts(pl.Series([0.1], dtype=pl.Float32), RULE).to_list() == ["0.1"]


def test_a_column_of_many_equal_texts_is_read_like_one_of_few() -> None:
    cells = ["1.0", "?", None, "x"]
    once = canonical_texts(pl.Series("c", cells), RULE).to_list()
    assert canonical_texts(pl.Series("c", cells * 50), RULE).to_list() == once * 50


def test_datetimes_of_a_polars_type_become_text_that_reads_as_iso() -> None:
    text = stripped_texts(pl.Series([datetime(2020, 1, 2, 3, 4, 5)]), RULE)[0]
    assert datetime.fromisoformat(text) == datetime(2020, 1, 2, 3, 4, 5)
