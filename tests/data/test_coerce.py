"""Rows and frames of other libraries."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from types import MappingProxyType
from unittest.mock import patch

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.data import coerce
from kdtab.data.coerce import frame_from_any, frame_from_rows, series_from_cells
from kdtab.errors.columns import DuplicateColumns, RowsNotUnderstood
from kdtab.errors.issue import explain

pa = pytest.importorskip("pyarrow")


def test_a_polars_frame_is_taken_as_it_is() -> None:
    frame = pl.DataFrame({"a": [1]})
    assert frame_from_any(frame).unwrap() is frame


@pytest.mark.requirement("INV-T04")
def test_mappings_become_rows_and_are_not_changed() -> None:
    rows = [MappingProxyType({"a": 1}), MappingProxyType({"b": "x", 7: 8})]
    frame = frame_from_any(rows).unwrap()
    assert frame.to_dicts() == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


def test_rows_without_any_key_are_still_rows() -> None:
    assert frame_from_any([{}, {}]).unwrap().height == 2
    assert frame_from_any([{}], ["a"]).unwrap().to_dicts() == [{"a": None}]
    assert frame_from_any([], ["a"]).unwrap().shape == (0, 1)
    assert frame_from_any([]).unwrap().height == 0


def test_keys_that_no_frame_can_hold_are_passed_over() -> None:
    assert frame_from_any([{"\ud800": 1, "a\nb": 2}]).unwrap().columns == ["a\nb"]


@pytest.mark.parametrize(
    ("cells", "dtype"),
    [
        ([1, 2, None], pl.Int64),
        ([1, 2.5], pl.Float64),
        ([True, None], pl.Boolean),
        (["a", None], pl.String),
        ([True, 1], pl.String),
        ([2**63], pl.String),
        ([2**53 + 1, 0.5], pl.String),
        ([None], pl.String),
        ([np.float64(1.0), np.int8(3)], pl.Float64),
        ([object()], pl.String),
    ],
)
def test_a_column_of_one_simple_type_keeps_it(cells: list[object], dtype: pl.DataType) -> None:
    assert series_from_cells("a", cells).dtype == dtype


def test_numbers_too_large_for_a_float_lose_no_digit() -> None:
    assert series_from_cells("a", [2**53 + 1, 0.5]).to_list() == ["9007199254740993", "0.5"]


@pytest.mark.parametrize(
    ("data", "found", "index"),
    [
        ("table.csv", "str", None),
        (b"a", "bytes", None),
        (3, "int", None),
        (None, "NoneType", None),
        ({"a": [1]}, "dict", None),
        (np.zeros((1, 1)), "ndarray", None),
        ([{"a": 1}, [2]], "list", 1),
        ([1], "int", 0),
    ],
)
def test_what_is_no_table_is_refused_by_its_type(
    data: object, found: str, index: int | None
) -> None:
    issue = frame_from_any(data).failure().first
    assert issue == RowsNotUnderstood(found=found, index=index)
    assert found in explain(issue)


def test_pandas_columns_of_every_type_are_understood() -> None:
    frame = pd.DataFrame(
        {
            "i": [1, 2],
            "f": [0.5, np.nan],
            "b": [True, False],
            "I": pd.array([1, None], dtype="Int64"),
            "B": pd.array([True, None], dtype="boolean"),
            "s": ["x", None],
            "o": [{"a": 1}, pd.NA],
            "d": pd.Series([pd.Timestamp("2020-01-02"), pd.NaT]),
            "z": pd.Series([pd.Timestamp("2020-01-02T03:00+02:00"), pd.NaT]),
            "t": pd.to_timedelta(["1s", None]),
            "c": pd.Categorical(["1", None]),
            3: [1, 2],
        },
    )
    found = frame_from_any(frame.set_axis([7, 8])).unwrap()
    assert found.columns == [str(name) for name in frame.columns]
    first, second = found.to_dicts()
    assert (first["i"], first["f"], first["b"], first["I"], first["B"]) == (1, 0.5, True, 1, True)
    assert (first["s"], first["o"], first["c"], first["3"]) == ("x", '{"a": 1}', "1", 1)
    assert str(first["d"]) == "2020-01-02 00:00:00"
    assert first["z"] == "2020-01-02T01:00:00"
    assert found["c"].dtype == pl.Categorical
    missing = [name for name, cell in second.items() if cell is None or cell != cell]
    assert missing == ["f", "I", "B", "s", "o", "d", "z", "t", "c"]


def test_pandas_columns_of_one_name_are_refused() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"])
    assert frame_from_any(frame).failure().first == DuplicateColumns(names=("a",))
    mixed = pd.DataFrame([[1, 2]], columns=["1", 1])
    assert frame_from_any(mixed).failure().first == DuplicateColumns(names=("1",))


def test_pandas_is_understood_without_pyarrow() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import pandas as pd\n"
        "from kdtab.data.coerce import frame_from_any\n"
        "f = frame_from_any(pd.DataFrame({'a': ['x', None], 'b': [1, 2]})).unwrap()\n"
        "assert f.to_dicts() == [{'a': 'x', 'b': 1}, {'a': None, 'b': 2}]\n"
    )
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0


def test_arrow_tables_and_batches_are_understood() -> None:
    table = pa.table({"a": [1, None], "b": ["x", "y"]})
    assert frame_from_any(table).unwrap().to_dicts() == table.to_pylist()
    assert frame_from_any(table.to_batches()[0]).unwrap().to_dicts() == table.to_pylist()
    doubled = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert frame_from_any(doubled).failure().first == DuplicateColumns(names=("a",))


def test_named_columns_stand_there_once_and_in_order() -> None:
    assert frame_from_rows([{"b": 1}], ["a", "b", "a"]).columns == ["a", "b"]


def test_rows_that_make_up_what_they_lack_are_not_changed() -> None:
    rows = [defaultdict(int, a=1), defaultdict(int, b=2)]
    assert frame_from_rows(rows, ["a", "b"]).to_dicts() == [
        {"a": 1, "b": None},
        {"a": None, "b": 2},
    ]
    assert [dict(row) for row in rows] == [{"a": 1}, {"b": 2}]


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(-9, 9)), max_size=12))
def test_rows_are_turned_in_blocks_that_do_not_show(rows: list[dict[str, int]]) -> None:
    names = list(dict.fromkeys(key for row in rows for key in row))
    with patch.object(coerce, "ROWS_AT_ONCE", 3):
        frame = frame_from_any(rows).unwrap()
    assert frame.columns == names or not names
    assert frame.height == len(rows)
    for name in names:
        assert frame[name].to_list() == [row.get(name) for row in rows]
