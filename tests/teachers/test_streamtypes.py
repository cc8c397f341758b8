"""Types of a table in pieces are those of the whole table."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success

from kdtab.disk.tablestream import TablePiece
from kdtab.teachers.rows import typed_frame
from kdtab.teachers.streamtypes import streamed_types, typed_as

CELLS = [None, "?", "1", "0", "-3", "2.5", "true", "False", "007", "Ulm", "9007199254740993"]


@given(cells=st.lists(st.sampled_from(CELLS), min_size=1, max_size=12), rows=st.integers(1, 5))
def test_pieces_with_the_types_of_all_of_them_are_the_typed_whole(
    cells: list[str | None], rows: int
) -> None:
    frame = pl.DataFrame({"x": cells, "n": range(len(cells))}, schema_overrides={"x": pl.String})
    parts = [frame.slice(first, rows) for first in range(0, frame.height, rows)]
    pieces = (Success(TablePiece(0, 0, part.height, part, 1.0)) for part in parts)
    types = streamed_types(pieces).unwrap()
    whole = typed_frame(frame)
    assert pl.concat([typed_as(part, types) for part in parts]).equals(whole)
