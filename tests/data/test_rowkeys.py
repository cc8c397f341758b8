"""What a row is known by."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.data.cells import EXACT_INTEGERS, canonical_texts, missing_rule
from kdtab.data.rowkeys import KEY_BYTES, content_keys, id_texts

CELLS = [
    None, "", " ", "?", "NA", "nan", "1", "1.0", " 1 ", "+1", "-0", "0", "0.0", "007", "7", "1e0",
    "1E2", "100", ".5", "0.5", "true", "TRUE", "True ", "false", "a", "A", "1,5", "1_0", "inf",
    "1e999", "9007199254740993", "9007199254740992", "0x1", "--1", "é", "e\u0301", "😀", "1\n2",
]  # fmt: skip


def keys(*columns: pl.Series) -> list[bytes]:
    frame = pl.DataFrame(columns)
    return content_keys(frame, frame.columns).to_list()


@given(st.lists(st.sampled_from(CELLS), min_size=2, max_size=2))
def test_two_texts_share_a_key_exactly_when_their_canonical_texts_are_equal(
    cells: list[str | None],
) -> None:
    series = pl.Series("x", cells, dtype=pl.String)
    one, other = canonical_texts(series, missing_rule(DEFAULT_MISSING_MARKERS)).to_list()
    first, second = keys(series)
    assert (first == second) == (one == other)


@given(st.lists(st.floats(width=64), min_size=1, max_size=5))
def test_numbers_and_their_texts_share_their_keys(values: list[float]) -> None:
    kept = [value if abs(value) < EXACT_INTEGERS else 0.25 for value in values]
    numbers = pl.Series("x", kept, dtype=pl.Float64)
    assert keys(numbers) == keys(pl.Series("x", [repr(value) for value in kept]))


@given(st.lists(st.tuples(st.integers(-9, 9), st.text(max_size=3)), min_size=1, max_size=6))
def test_neither_the_order_of_columns_nor_that_of_rows_matters(
    rows: list[tuple[int, str]],
) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.String}, orient="row")
    found = content_keys(frame, ["a", "b"]).to_list()
    assert content_keys(frame.select("b", "a"), ["b", "a"]).to_list() == found
    assert content_keys(frame.reverse(), ["a", "b"]).to_list() == found[::-1]


def test_a_cell_that_moves_to_the_next_column_is_another_row() -> None:
    moved = [pl.Series("a", ["xy", "x"]), pl.Series("b", ["z", "yz"])]
    assert len(set(keys(*moved))) == 2
    swapped = [pl.Series("a", ["1", None]), pl.Series("b", [None, "1"])]
    assert len(set(keys(*swapped))) == 2


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (pl.Series("x", [True, False, None]), ["true", "False", ""]),
        (pl.Series("x", [date(2024, 2, 29), None]), ["2024-02-29", None]),
        (pl.Series("x", [0.1, 1e10], dtype=pl.Float32), ["0.1", "10000000000"]),
        (pl.Series("x", [2**62, 1, None], dtype=pl.Int64), [str(2**62), "1.0", "?"]),
        (pl.Series("x", [7, 255], dtype=pl.UInt8), ["7", "2.55e2"]),
        (pl.Series("x", ["a", "b"], dtype=pl.Categorical), ["a", "b"]),
        (pl.Series("x", [None, None], dtype=pl.Null), ["", "?"]),
    ],
)
def test_typed_cells_have_the_keys_of_their_texts(typed: pl.Series, text: list[str]) -> None:
    assert keys(typed) == keys(pl.Series("x", text, dtype=pl.String))


def test_keys_stay_the_same_from_version_to_version() -> None:
    """The digests were computed with hashlib from the bytes that the docstring describes."""
    frame = pl.DataFrame({"b": ["x", None], "a": [1, 2]})
    assert [key.hex() for key in content_keys(frame, ["a", "b"]).to_list()] == [
        "1cc38a99907f2552a6c16467520f4302",
        "47711dce4a77cfc3c4441e9cb6201262",
    ]
    assert all(len(key) == KEY_BYTES for key in content_keys(frame, ["a", "b"]).to_list())


def test_a_frame_without_rows_has_no_keys() -> None:
    assert content_keys(pl.DataFrame({"x": []}), ["x"]).to_list() == []


def test_ids_are_one_text_however_they_are_written() -> None:
    assert id_texts(pl.DataFrame({"id": ["7", "7.0", " 7", "007", "?"]}), "id").to_list() == [
        "7", "7", "7", "007", None,
    ]  # fmt: skip
