"""Rows of a polars frame as the libraries of foreign teachers take them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl
from returns.result import Success

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.data.cells import (
    EXACT_INTEGERS,
    TRUTH_WORDS,
    WHOLE_NUMBER_PATTERN,
    missing_rule,
    numbers,
    stripped_texts,
)
from kdtab.errors.extras import ExtraMissing
from kdtab.results import Checked, fail

if TYPE_CHECKING:
    import pandas

TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum)


def typed_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a type for each text column of nothing but numbers or truth values.

    A CSV read as text becomes what a teacher was fitted on: 64-bit integers or floats, booleans,
    and texts as they stand. To be done once for a whole table, so that no batch decides alone.

    Args:
        frame: [N] rows; columns that are not text stay as they are.

    Returns:
        [N] rows; the cells of a new type that are empty or a usual marker are null.

    Example:
        >>> read = pl.DataFrame({"age": ["39", "?"], "zip": ["007", "1"], "city": ["Ulm", "?"]})
        >>> typed_frame(read).to_dicts()[1]
        {'age': None, 'zip': '1', 'city': '?'}
    """
    return pl.DataFrame([_typed(column) for column in frame.get_columns()])


def typed_if_read_as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """`typed_frame` of a table of nothing but texts, which was read from a text file.

    In any other table a text is a text.

    Args:
        frame: [N] rows of the columns that a foreign teacher takes.

    Returns:
        [N] rows.

    Example:
        >>> typed_if_read_as_text(pl.DataFrame({"a": ["1"]})).dtypes
        [Int64]
        >>> typed_if_read_as_text(pl.DataFrame({"a": ["1"], "b": [2]})).dtypes
        [String, Int64]
    """
    return typed_frame(frame) if set(frame.dtypes) == {pl.String} else frame


def pandas_rows(
    frame: pl.DataFrame, *, texts_are_categories: bool = False
) -> Checked[pandas.DataFrame]:
    """Rows as pandas reads them: NaN where a cell is missing.

    Args:
        frame: [N] rows; not changed.
        texts_are_categories: Text columns become `category`, as a LightGBM model wants them.

    Returns:
        [N] rows, or `ExtraMissing` where pandas is not installed.

    Example:
        >>> rows = pandas_rows(pl.DataFrame({"a": [1, None], "b": ["x", None]})).unwrap()
        >>> rows["a"].tolist(), rows["b"].isna().tolist()
        ([1.0, nan], [False, True])
    """
    try:
        import pandas
    except ImportError:
        return fail(ExtraMissing(extra="pandas", package="pandas"))

    def column(series: pl.Series) -> object:
        dtype = series.dtype
        if isinstance(dtype, pl.Enum):
            return pandas.Categorical(series.to_list(), categories=dtype.categories.to_list())
        if dtype == pl.Categorical or (texts_are_categories and dtype == pl.String):
            present = series.drop_nulls().cast(pl.String).unique().sort().to_list()
            return pandas.Categorical(series.cast(pl.String).to_list(), categories=present)
        return _cells(series)

    columns = {series.name: column(series) for series in frame.get_columns()}
    return Success(pandas.DataFrame(columns, index=range(frame.height)))


def matrix_rows(frame: pl.DataFrame) -> npt.NDArray[np.float64] | npt.NDArray[np.object_]:
    """Rows as a matrix without names.

    Args:
        frame: [N] rows with D columns.

    Returns:
        [N, D] float64 with NaN where a cell is missing, or objects when a column is no number.

    Example:
        >>> matrix_rows(pl.DataFrame({"a": [1, None], "b": [True, False]})).tolist()
        [[1.0, 1.0], [nan, 0.0]]
    """
    if all(dtype.is_numeric() or dtype == pl.Boolean for dtype in frame.dtypes):
        floats: npt.NDArray[np.float64] = frame.cast(pl.Float64).to_numpy(order="c")
        return floats
    cells: npt.NDArray[np.object_] = np.empty(frame.shape, dtype=np.object_)
    for at, series in enumerate(frame.get_columns()):
        cells[:, at] = series.to_list()
    return cells


def columns_with_missing_texts(frame: pl.DataFrame) -> tuple[str, ...]:
    """The text columns in which a cell is null: libraries disagree on what that is.

    Args:
        frame: [N] rows.

    Returns:
        Names.

    Example:
        >>> columns_with_missing_texts(pl.DataFrame({"a": ["x", None], "b": [1, None]}))
        ('a',)
    """
    return tuple(
        series.name
        for series in frame.get_columns()
        if isinstance(series.dtype, TEXT_TYPES) and series.null_count()
    )


def matched_columns(wanted: Sequence[str], found: Sequence[str]) -> tuple[str | None, ...]:
    """The frame's columns under the names that a teacher knows them by.

    Args:
        wanted: Names as the teacher was fitted; LightGBM writes `_` for a blank, and skl2onnx for
            all that is no letter, digit or `_`.
        found: The frame's columns.

    Returns:
        For each wanted name the frame's column; None where there is none, or more than one.

    Example:
        >>> matched_columns(["a", "b_c", "d_e", "f_g"], ["b c", "a", "d-e", "f-g", "f+g"])
        ('a', 'b c', 'd-e', None)
    """
    known, mangled = set(found), _mangled(found)
    return tuple(name if name in known else mangled.get(name) for name in wanted)


def _mangled(found: Sequence[str]) -> dict[str, str]:
    mangled: dict[str, str] = {}
    for pattern in (r"\W", r" "):
        spelt = [re.sub(pattern, "_", name, flags=re.ASCII) for name in found]
        counts = Counter(spelt)
        mangled |= {new: old for new, old in zip(spelt, found, strict=True) if counts[new] == 1}
    return mangled


def _typed(series: pl.Series) -> pl.Series:
    if series.dtype != pl.String:
        return series
    rule = missing_rule(DEFAULT_MISSING_MARKERS)
    texts = stripped_texts(series, rule)
    values = numbers(series, rule)
    truths = texts.str.to_lowercase().is_in(TRUTH_WORDS).sum()
    present = len(texts) - texts.null_count()
    if present and truths == present:
        return values == 1
    if truths or values.null_count() > texts.null_count():
        return series
    whole = texts.str.contains(WHOLE_NUMBER_PATTERN).all() and present
    exact = (values.abs() < EXACT_INTEGERS).all()
    return values.cast(pl.Int64) if whole and exact else values


def _cells(series: pl.Series) -> object:
    dtype = series.dtype
    if dtype.is_integer() or dtype in (pl.Float32, pl.Float64) or dtype.is_temporal():
        return series.to_numpy()
    if dtype.is_numeric():
        return series.cast(pl.Float64).to_numpy()
    if dtype == pl.Boolean and not series.null_count():
        return series.to_numpy()
    cells = np.empty(len(series), dtype=np.object_)
    cells[:] = [float("nan") if cell is None else cell for cell in series.to_list()]
    return cells
