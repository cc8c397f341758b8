"""A table's content as one text."""

from __future__ import annotations

import hashlib
import struct

import polars as pl
import pytest

from kdtab.data.fingerprint import table_fingerprint

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
    """The recipe written out: a header, then for each column its name, lengths and texts."""

    def hashed(content: bytes) -> bytes:
        return hashlib.sha256(content).digest()

    content = b"kdtab table 1, 2 rows"
    for name, lengths, cells in ((b"a", (1, 1), b"12"), (b"b", (1, -1), b"x")):
        content += hashed(name) + hashed(struct.pack("<2q", *lengths)) + hashed(cells)
    assert table_fingerprint(FRAME) == hashlib.sha256(content).hexdigest()
