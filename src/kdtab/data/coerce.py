"""Rows and frames of other libraries as polars frames."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from operator import itemgetter
from typing import Protocol, cast, runtime_checkable

import numpy as np
import polars as pl
from polars.exceptions import DuplicateError, SchemaError
from returns.result import Success

from kdtab.data.cells import EXACT_INTEGERS
from kdtab.data.values import cell_text, plain_cell, text_series
from kdtab.errors.columns import DuplicateColumns, RowsNotUnderstood
from kdtab.results import Checked, fail

INT64_BOUND = 2**63
ROWS_AT_ONCE = 256
NO_COLUMN = ""
"""Rows without a single key keep one empty column: a frame without columns has no rows."""


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that speaks the Arrow stream protocol, a pyarrow Table for one.

    Example:
        >>> isinstance(pl.DataFrame(), ArrowStream)
        True
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


def frame_from_any(data: object, names: Sequence[str] = ()) -> Checked[pl.DataFrame]:
    """A polars frame of the same rows, whatever brought them.

    Args:
        data: A frame of polars or pandas, an Arrow table, or a sequence of mappings. It is never
            changed; a polars frame comes back as it is.
        names: Columns that a frame made of mappings has, also where no row names them.

    Returns:
        The frame, or `RowsNotUnderstood`, `DuplicateColumns`.

    Example:
        >>> frame_from_any([{"a": 1}, {"b": "x"}]).unwrap().to_dicts()
        [{'a': 1, 'b': None}, {'a': None, 'b': 'x'}]
        >>> frame_from_any("table.csv").failure().first
        RowsNotUnderstood(found='str', index=None)
    """
    if isinstance(data, pl.DataFrame):
        return Success(data)
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.DataFrame):
        return _frame_from_pandas(cast("_PandasFrame", data))
    if isinstance(data, ArrowStream) and not isinstance(data, pl.Series):
        return _frame_from_arrow(data)
    if not isinstance(data, Sequence) or isinstance(data, str | bytes):
        return fail(RowsNotUnderstood(found=type(data).__name__, index=None))
    if not all(issubclass(kind, Mapping) for kind in set(map(type, data))):
        for index, row in enumerate(data):
            if not isinstance(row, Mapping):
                return fail(RowsNotUnderstood(found=type(row).__name__, index=index))
    return Success(frame_from_rows(data, [*names, *_keys(data)] or [NO_COLUMN]))


def frame_from_rows(rows: Sequence[Mapping[str, object]], names: Sequence[str]) -> pl.DataFrame:
    """Mappings as a frame; it never fails and never changes a row.

    Args:
        rows: [N] mappings with values of any type; an absent key is a missing cell.
        names: The columns to take, once each.

    Returns:
        [N] rows. A column of one simple type keeps it; others become canonical texts.

    Example:
        >>> frame_from_rows([{"a": True}, {"a": 1.5}, {}], ["a"])["a"].to_list()
        ['true', '1.5', None]
    """
    columns = dict.fromkeys(names)
    cells = _columns(rows, columns)
    return pl.DataFrame(
        [series_from_cells(name, column) for name, column in zip(columns, cells, strict=True)]
    )


def _columns(
    rows: Sequence[Mapping[str, object]], names: Collection[str]
) -> tuple[list[object], ...]:
    """By blocks of rows that stay in the cache while one column after the other is taken."""
    plain = set(map(type, rows)) == {dict}
    columns: tuple[list[object], ...] = tuple([] for _ in names)
    rest = iter(rows)
    while block := tuple(islice(rest, ROWS_AT_ONCE)):
        for name, column in zip(names, columns, strict=True):
            column.extend(_cells(block, name, plain=plain))
    return columns


def _cells(rows: Sequence[Mapping[str, object]], name: str, *, plain: bool) -> list[object]:
    """Asking a dictionary for what it lacks costs nothing but time; another mapping may add it."""
    if plain:
        with suppress(KeyError):
            return list(map(itemgetter(name), rows))
    return [row.get(name) for row in rows]


def series_from_cells(name: str, cells: Sequence[object]) -> pl.Series:
    """Python values as one column.

    Args:
        name: The column's name.
        cells: [N] values of any types.

    Returns:
        [N] Int64, Float64, Boolean or String; mixed types become texts that mean the same.

    Example:
        >>> series_from_cells("a", [1, 2.5, None]).to_list()
        [1.0, 2.5, None]
        >>> series_from_cells("a", [1, "x", [2]]).to_list()
        ['1', 'x', '[2]']
    """
    kinds = set(map(type, cells)) - {type(None)}
    if not kinds <= {bool, int, float, str}:
        cells = [plain_cell(cell) for cell in cells]
        kinds = set(map(type, cells)) - {type(None)}
    if kinds == {str}:
        return text_series(name, cast("list[str | None]", list(cells)))
    if kinds == {bool}:
        return pl.Series(name, cells, dtype=pl.Boolean)
    if kinds == {int} and all(-INT64_BOUND <= c < INT64_BOUND for c in _ints(cells)):
        return pl.Series(name, cells, dtype=pl.Int64)
    whole = _ints(cells) if kinds == {int, float} else []
    if kinds in ({float}, {int, float}) and all(abs(c) < EXACT_INTEGERS for c in whole):
        return pl.Series(name, cells, dtype=pl.Float64, strict=False)
    return text_series(name, [cell_text(cell) for cell in cells])


class _PandasColumn(Protocol):
    dtype: object

    def to_numpy(self) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]: ...

    def tolist(self) -> list[object]: ...


class _PandasFrame(Protocol):
    columns: Iterable[object]

    def items(self) -> Iterable[tuple[object, _PandasColumn]]: ...


def _ints(cells: Sequence[object]) -> list[int]:
    return [cell for cell in cells if isinstance(cell, int)]


def _keys(rows: Sequence[Mapping[object, object]]) -> list[str]:
    found: dict[object, None] = {}
    for row in rows:
        if type(row) is not dict or not row.keys() <= found.keys():
            found.update(dict.fromkeys(row))
    return [key for key in found if isinstance(key, str) and _is_unicode(key)]


def _is_unicode(key: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in key)


def _frame_from_pandas(frame: _PandasFrame) -> Checked[pl.DataFrame]:
    counts = Counter(str(name) for name in frame.columns)
    doubled = tuple(name for name, count in counts.items() if count > 1)
    if doubled:
        return fail(DuplicateColumns(names=doubled))
    return Success(
        pl.DataFrame([_pandas_series(str(name), cells) for name, cells in frame.items()])
    )


def _pandas_series(name: str, column: _PandasColumn) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iufbmM" and dtype.itemsize <= 8:
        return pl.Series(name, _in_microseconds(column.to_numpy()))
    cells = series_from_cells(name, column.tolist())
    return cells.cast(pl.String).cast(pl.Categorical) if str(dtype) == "category" else cells


def _in_microseconds(
    values: np.ndarray[tuple[int, ...], np.dtype[np.generic]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    if values.dtype.kind in "mM":
        return values.astype(f"{values.dtype.kind}8[us]")
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _frame_from_arrow(table: ArrowStream) -> Checked[pl.DataFrame]:
    try:
        return Success(pl.DataFrame(table))
    except DuplicateError:
        return fail(DuplicateColumns(names=_doubled_arrow_names(table)))
    except SchemaError:  # a stream of one column, a pandas Series for one
        return fail(RowsNotUnderstood(found=type(table).__name__, index=None))


def _doubled_arrow_names(table: ArrowStream) -> tuple[str, ...]:
    names: Sequence[str] = getattr(table, "column_names", ())
    return tuple(name for name, count in Counter(names).items() if count > 1)
