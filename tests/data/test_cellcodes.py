"""Cells as codes: equal exactly where canonical texts are."""

from __future__ import annotations

from datetime import date, time

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.data.cellcodes import MISSING_CODE, cell_codes, exact_cells, number_codes
from kdtab.data.cells import canonical_texts, missing_rule
from kdtab.data.coded import FEWER_THAN

RULE = missing_rule(DEFAULT_MISSING_MARKERS)
WRITTEN = st.sampled_from([
    None, "", " ", "?", "NA", "1", "1.0", " 1 ", "+1", "-0", "0", "-0.0", "007", "-007", "1e0", "1E2",
    ".5", "0.5", "5e-1", "true", "TRUE", "inf", "-Infinity", "nan", "1e999", "1" * 400, "a", "A", "1_0",
    "9007199254740993", "+9007199254740993", "9007199254740992", "9007199254740992.0", "1e16",
    "10000000000000000", "10000000000000000.0", "1e-7", "0.0000001", "1.", ".", "1e", "0x1", "é",
])  # fmt: skip
NUMBERS = st.floats(width=64).map(repr) | st.integers(-(2**70), 2**70).map(str)
cells_written = st.lists(WRITTEN | NUMBERS | st.text(max_size=3), min_size=1, max_size=12)


@given(cells=cells_written, repeated=st.sampled_from([1, FEWER_THAN + 1]))
def test_two_cells_have_one_code_exactly_when_their_canonical_texts_are_equal(
    cells: list[str | None], repeated: int
) -> None:
    series = pl.Series("x", cells * repeated, dtype=pl.String)
    canonical = canonical_texts(series, RULE).to_list()
    codes = cell_codes(series).codes.tolist()
    assert len(set(codes)) == len(set(canonical)) == len(set(zip(codes, canonical, strict=True)))
    assert [code == MISSING_CODE for code in codes] == [text is None for text in canonical]


@given(cells=cells_written)
def test_codes_do_not_depend_on_how_often_the_cells_occur(cells: list[str | None]) -> None:
    """A column with few distinct texts is read once for each of them."""
    once = cell_codes(pl.Series("x", cells, dtype=pl.String))
    often = cell_codes(pl.Series("x", cells * (FEWER_THAN + 1), dtype=pl.String))
    assert often.codes.tolist() == once.codes.tolist() * (FEWER_THAN + 1)
    assert often.texts.to_list() == once.texts.to_list()
    assert once.texts.to_list() == sorted(once.texts.to_list(), key=str.encode)


@given(values=st.lists(st.floats(width=64), min_size=1))
def test_a_float_and_its_text_have_one_code(values: list[float]) -> None:
    finite = [value if np.isfinite(value) else 0.25 for value in values]
    typed = pl.Series("x", finite, dtype=pl.Float64)
    kept = [f"{value!r}" for value in finite]
    assert cell_codes(typed).codes.tolist() == cell_codes(pl.Series("x", kept)).codes.tolist()


@pytest.mark.parametrize(
    "typed",
    [
        pl.Series("x", [True, False, None]),
        pl.Series("x", [date(2024, 2, 29), None]),
        pl.Series("x", [time(1, 2, 3), None]),
        pl.Series("x", [0.1, 1e10, None, float("nan"), -0.0], dtype=pl.Float32),
        pl.Series("x", [0.1, 1e300, None, float("inf"), -0.0], dtype=pl.Float64),
        pl.Series("x", [2**62, 1, None, -(2**53), 2**53 - 1], dtype=pl.Int64),
        pl.Series("x", [2**64 - 1, 1], dtype=pl.UInt64),
        pl.Series("x", [7, 255], dtype=pl.UInt8),
        pl.Series("x", ["1.50", "2"]).cast(pl.Decimal(10, 2)),
        pl.Series("x", ["a", "b", "1"], dtype=pl.Categorical),
        pl.Series("x", [[1, 2], None]),
        pl.Series("x", [None, None], dtype=pl.Null),
    ],
)
def test_typed_cells_have_the_codes_of_their_canonical_texts(typed: pl.Series) -> None:
    texts = canonical_texts(typed, RULE)
    for cells in (typed, typed[:1]):
        found, expected = cell_codes(cells), cell_codes(texts[: len(cells)])
        assert found.codes.tolist() == expected.codes.tolist()
        assert found.texts.to_list() == expected.texts.to_list()


def test_no_rows_have_no_codes() -> None:
    for dtype in (pl.String, pl.Float64, pl.Int64, pl.Enum(["a"]), pl.Null):
        found = cell_codes(pl.Series("x", [], dtype=dtype))
        assert (len(found.codes), len(found.texts)) == (0, 0)


def test_numbers_are_left_as_they_were() -> None:
    values = np.array([1.0, -0.0, np.inf])
    number_codes(values)
    assert np.signbit(values).tolist() == [False, True, False]
    assert np.isinf(values[2])


def test_a_cell_is_a_number_or_a_text_or_missing() -> None:
    found = exact_cells(pl.Series(["1", "x", "?", "007"] * 5))
    assert found.places is not None
    assert found.texts is not None
    numbers, texts = found.numbers[found.places], found.texts.gather(found.places)
    assert np.isfinite(numbers).tolist() == [True, False, False, False] * 5
    assert texts.to_list() == [None, "x", None, "007"] * 5
