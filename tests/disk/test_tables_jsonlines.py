"""JSON lines: any object on each line gives a frame, and mixed types give text."""

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdtab.config.tables import ReadOptions
from kdtab.disk.tables import read_table
from kdtab.errors.texts import JsonLineInvalid
from strategies import json_objects


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json") / "a.jsonl"


def _read(path: Path, text: str) -> pl.DataFrame:
    path.write_text(text, encoding="utf-8")
    return read_table(path).unwrap()


def _reasons(path: Path, text: str) -> list[tuple[int, str]]:
    path.write_text(text, encoding="utf-8")
    issues = read_table(path).failure()
    return [(issue.row, issue.reason) for issue in issues if isinstance(issue, JsonLineInvalid)]


@settings(max_examples=100, deadline=None)
@given(rows=json_objects())
def test_any_objects_give_a_frame_of_flat_columns_with_a_row_for_each(
    path: Path, rows: list[dict[str, object]]
) -> None:
    frame = _read(path, "\n".join(json.dumps(row) for row in rows))
    assert frame.height == len(rows)
    assert set(frame.columns) == {name for row in rows for name in row}
    assert set(frame.dtypes) <= {pl.String(), pl.Int64(), pl.Float64(), pl.Boolean()}


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(-(2**63) + 1, 2**63 - 1), st.booleans()), min_size=1))
def test_columns_of_one_type_read_back_equal(path: Path, rows: list[tuple[int, bool]]) -> None:
    frame = _read(path, "\n".join(json.dumps({"i": i, "b": b}) for i, b in rows))
    assert frame.rows() == rows


def test_mixed_types_become_text(path: Path) -> None:
    frame = _read(path, '{"t": "Up"}\n{"t": 1984}\n{"t": true}\n{"t": null}\n{"t": 1.5}\n')
    assert frame["t"].to_list() == ["Up", "1984", "true", None, "1.5"]


def test_integers_and_floats_are_numbers_together(path: Path) -> None:
    assert _read(path, '{"x": 1}\n{"x": 2.5}\n').schema == {"x": pl.Float64()}


def test_an_integer_too_large_for_64_bits_keeps_its_digits_as_text(path: Path) -> None:
    digits = "123456789012345678901234567890"
    assert _read(path, f'{{"x": 1}}\n{{"x": {digits}}}\n')["x"].to_list() == ["1", digits]


def test_a_key_that_is_absent_is_missing_and_a_new_key_a_new_column(path: Path) -> None:
    assert _read(path, '{"a": 1}\n\n{"b": 2}\n').rows() == [(1, None), (None, 2)]


def test_every_wrong_line_is_reported_with_its_row(path: Path) -> None:
    text = '{"a": 1}\n[1]\n\n{"a": }\n3\n{"a": 1, "a": 2}\n{"a": "\\ud800"}\n'
    assert _reasons(path, text) == [
        (2, "it is a list"),
        (4, "Expecting value at character 7"),
        (5, "it is a number"),
        (6, "it names the key 'a' more than once"),
        (7, "it holds half a character (a lone surrogate)"),
    ]


def test_of_very_many_wrong_lines_the_first_ten_are_reported(path: Path) -> None:
    assert len(_reasons(path, "x\n" * 1_000)) == 10


def test_nesting_beyond_the_stack_is_an_issue(path: Path) -> None:
    assert _reasons(path, "[" * 200_000) == [(1, "it is nested too deeply")]


def test_another_encoding_is_read_by_its_name(path: Path) -> None:
    path.write_bytes('{"ä": "ö"}\n'.encode("latin-1"))
    assert read_table(path, ReadOptions(encoding="latin-1")).unwrap().rows() == [("ö",)]
