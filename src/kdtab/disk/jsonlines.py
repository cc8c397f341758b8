"""Read JSON lines: one object per line, a column for every key, text where types are mixed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeAlias

import polars as pl

from kdtab.disk.headers import named_columns
from kdtab.errors.texts import JsonLineInvalid
from kdtab.results import Checked, fail

_Row: TypeAlias = dict[str, object]
_MOST_ISSUES = 10
_LARGEST_INT = 2**63 - 1
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}


def read_json_lines(path: str, text: bytes) -> Checked[pl.DataFrame]:
    r"""A frame with a column for every key, in the order of their first appearance.

    A column of only booleans, integers or numbers keeps that type; everything else becomes text, a
    nested value the text of its JSON. A key that a row lacks is null there, and so is an empty text.

    Args:
        path: The file's name, for messages.
        text: UTF-8 without byte order mark, not blank.

    Returns:
        The frame, or a `JsonLineInvalid` for each of the first ten wrong lines, or `HeaderBlank`.

    Example:
        >>> lines = b'{"title": "Up", "votes": 3}\n{"title": 1984, "tags": ["a"]}\n'
        >>> read_json_lines("a.jsonl", lines).unwrap().rows()
        [('Up', 3, None), ('1984', None, '["a"]')]
        >>> read_json_lines("a.jsonl", b"[1]").failure().first.reason
        'it is a list'
    """
    rows: list[_Row] = []
    issues: list[JsonLineInvalid] = []
    for at, line in enumerate(text.decode("utf-8").split("\n"), 1):
        row = _row(line) if line.strip() else None
        if isinstance(row, str):
            issues.append(JsonLineInvalid(path=path, row=at, reason=row))
        elif row is not None:
            rows.append(row)
        if len(issues) == _MOST_ISSUES:
            break
    return fail(*issues) if issues else _frame(path, rows)


def text_of_json(value: object) -> str | None:
    """A JSON value as the text of a cell: text as it is, everything else as compact JSON.

    Args:
        value: What `json.loads` gives, or a nested value of another format.

    Returns:
        One text, the same for equal values; None for None and for an empty text.

    Example:
        >>> text_of_json("a"), text_of_json(True), text_of_json({"k": [1, "é"]}), text_of_json("")
        ('a', 'true', '{"k": [1, "é"]}', None)
    """
    if value is None or isinstance(value, str):
        return value or None
    return json.dumps(value, ensure_ascii=False, default=str)


def _row(line: str) -> _Row | str:
    """The object of one line, or why there is none."""
    try:
        value: object = json.loads(line, object_pairs_hook=_object)
        if "\\u" in line:  # half a character may hide behind an escape; no frame can hold one
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        return f"{error.msg} at character {error.colno}"
    except UnicodeEncodeError:
        return "it holds half a character (a lone surrogate)"
    except RecursionError:
        return "it is nested too deeply"
    except ValueError as error:
        return str(error)
    if isinstance(value, dict):
        return {str(key): cell for key, cell in value.items()}
    return f"it is {_KINDS.get(type(value), 'a number')}"


def _object(pairs: list[tuple[str, object]]) -> _Row:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    repeated = next(name for name in names if names.count(name) > 1)
    raise ValueError(f"it names the key {repeated!a} more than once")


def _frame(path: str, rows: Sequence[_Row]) -> Checked[pl.DataFrame]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return named_columns(path, names, [_column([row.get(name) for row in rows]) for name in names])


def _column(cells: list[object]) -> pl.Series:
    kinds = {type(cell) for cell in cells} - {type(None)}
    if kinds == {bool}:
        return pl.Series(cells, dtype=pl.Boolean)
    if kinds == {int} and all(_fits(cell) for cell in cells):
        return pl.Series(cells, dtype=pl.Int64)
    if kinds <= {int, float} and float in kinds and all(_fits(cell) for cell in cells):
        numbers = [float(cell) if isinstance(cell, int | float) else None for cell in cells]
        return pl.Series(numbers, dtype=pl.Float64)
    return pl.Series([text_of_json(cell) for cell in cells], dtype=pl.String)


def _fits(cell: object) -> bool:
    return not isinstance(cell, int) or abs(cell) <= _LARGEST_INT
