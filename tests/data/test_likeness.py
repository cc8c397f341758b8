"""Rows take the columns and types of the table that they are put beside."""

from __future__ import annotations

from datetime import date

import polars as pl

from kdtab.data.likeness import rows_like

TABLE = pl.DataFrame(
    {
        "age": [39, 40],
        "height": [1.7, 1.8],
        "member": [True, False],
        "city": ["Ulm", "Bonn"],
        "born": [date(1980, 1, 2), date(1981, 3, 4)],
    }
)


def test_a_table_that_was_read_as_text_gets_the_types() -> None:
    texts = pl.DataFrame(
        {
            "born": ["1990-05-06", "?"],
            "city": ["Kiel", ""],
            "member": ["false", "True"],
            "height": ["1.9", "?"],
            "age": ["41", "na"],
            "target": ["a", "b"],
        }
    )
    found = rows_like(texts, TABLE)
    assert found.schema == TABLE.schema
    assert found["age"].to_list() == [41, None]
    assert found["height"].to_list() == [1.9, None]
    assert found["member"].to_list() == [False, True]
    assert found["born"].to_list() == [date(1990, 5, 6), None]


def test_an_absent_column_is_missing_everywhere() -> None:
    found = rows_like(pl.DataFrame({"age": [1, 2, 3]}), TABLE)
    assert found.height == 3
    assert found.schema == TABLE.schema
    assert found["city"].null_count() == 3


def test_fractions_are_not_cut_off() -> None:
    found = rows_like(pl.DataFrame({"age": [1.5]}), TABLE.select("age"))
    assert found["age"].to_list() == [1.5]


def test_rows_of_the_same_types_stay_as_they_are() -> None:
    assert rows_like(TABLE, TABLE).equals(TABLE)
