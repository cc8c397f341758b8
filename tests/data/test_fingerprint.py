"""A table's content as one text."""

from __future__ import annotations

import hashlib
import math
import struct
from io import BytesIO
from typing import TypeAlias

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.data.coded import code_texts
from kdtab.data.fingerprint import row_twins, table_fingerprint

GOLDEN = "c11e74f0cf2f9496631daf370d5f68ac6a17b0bfc38d87dcbaeca305b1ad1ac6"
Row: TypeAlias = tuple[int | None, float | None, str | None, bool | None]
SCHEMA = {"whole": pl.Int64, "number": pl.Float64, "text": pl.String, "truth": pl.Boolean}
row = st.tuples(
    st.none() | st.integers(-(2**60), 2**60) | st.integers(-3, 3),
    st.none()
    | st.floats(allow_infinity=False, width=64)
    | st.sampled_from([0.0, -0.0, 1e-5, 1e16]),
    st.none() | st.text(max_size=3) | st.sampled_from(["a", "007", "1.0", "?", "+1", "TRUE", "é"]),
    st.none() | st.booleans(),
)
FRAME = pl.DataFrame({"a": [1, 2], "b": ["x", None]})


def test_the_type_that_holds_a_value_does_not_matter() -> None:
    for other in (FRAME.cast(pl.String), FRAME.with_columns(pl.col("a").cast(pl.Float32))):
        assert table_fingerprint(other) == table_fingerprint(FRAME)


@pytest.mark.parametrize(
    "other",
    [
        pl.DataFrame({"a": [1, 3], "b": ["x", None]}),
        pl.DataFrame({"a": [2, 1], "b": ["x", None]}),
        pl.DataFrame({"a": [1, 2], "c": ["x", None]}),
        pl.DataFrame({"a": [1, 2], "b": [None, "x"]}),
        pl.DataFrame({"a": [1], "b": ["x"]}),
        pl.DataFrame({"a": [12, None], "b": ["x", None]}),
        pl.DataFrame({"a": [1, 2]}),
        pl.DataFrame(),
    ],
)
def test_any_change_of_content_shows(other: pl.DataFrame) -> None:
    assert table_fingerprint(other) != table_fingerprint(FRAME)


def test_it_is_what_its_docstring_says() -> None:
    """The recipe written out: a header, then for each column its name, codes, lengths and texts."""

    def hashed(content: bytes) -> bytes:
        return hashlib.sha256(content).digest()

    frame = pl.DataFrame({"b": ["x", None, "a", "x", "-0"], "a": [1.0, 2, 0.5, -3, math.inf]})
    missing, first_text = 0x7FF8 << 48, 0xFFF8 << 48
    numbers = struct.pack("<4dQ", 1, 2, 0.5, -3, missing)
    mixed = struct.pack("<4Qd", first_text + 1, missing, first_text, first_text + 1, 0)
    content = b"kdtab table 2, 5 rows"
    for name, cells, lengths, texts in ((b"a", numbers, (), b""), (b"b", mixed, (1, 1), b"ax")):
        packed = struct.pack(f"<{len(lengths)}q", *lengths)
        content += hashed(name) + hashed(cells) + hashed(packed) + hashed(texts)
    assert table_fingerprint(frame) == hashlib.sha256(content).hexdigest()


def test_it_stays_the_same_from_version_to_version() -> None:
    """Computed with struct and hashlib alone; a record of a model holds such digests for years."""
    frame = pl.DataFrame({"n": ["1.50", "007", "?", "é"], "m": [0.1, -0.0, None, 2.0**60]})
    assert table_fingerprint(frame) == GOLDEN


@given(rows=st.lists(row, min_size=1, max_size=12), repeated=st.sampled_from([1, 9]))
def test_a_typed_table_and_its_texts_have_one_fingerprint(rows: list[Row], repeated: int) -> None:
    typed = pl.DataFrame(rows * repeated, schema=SCHEMA, orient="row")
    file = BytesIO()
    typed.write_csv(file)
    read = pl.read_csv(file.getvalue(), infer_schema=False)
    file = BytesIO()
    typed.write_parquet(file)
    stored = pl.read_parquet(BytesIO(file.getvalue()))
    prints = {table_fingerprint(frame) for frame in (typed, read, stored, code_texts(read))}
    assert len(prints) == 1


@given(rows=st.lists(row, min_size=2, max_size=12), at=st.integers(1, 11))
def test_pieces_of_memory_and_categories_do_not_matter(rows: list[Row], at: int) -> None:
    whole = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    pieces = pl.concat([whole[:at], whole[at:]], rechunk=False)
    known = pl.Enum(sorted({"never there", *whole["text"].drop_nulls()}))
    for other in (pieces, whole.with_columns(pl.col("text").cast(known))):
        assert table_fingerprint(other) == table_fingerprint(whole)


@given(rows=st.lists(row, min_size=1, max_size=6), seed=st.integers(0, 99))
def test_another_order_of_different_rows_shows(rows: list[Row], seed: int) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    other = frame.sample(fraction=1, shuffle=True, seed=seed)
    same = row_twins(pl.concat([frame, other]))
    told_apart = same[: len(rows)].tolist() != same[len(rows) :].tolist()
    assert (table_fingerprint(frame) != table_fingerprint(other)) == told_apart
