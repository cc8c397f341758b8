"""Cells as numbers of 64 bits, equal where their canonical texts are: a number's own, or a text's rank."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.data.arrays import CodeArray, FloatArray
from kdtab.data.cells import missing_rule, read_texts
from kdtab.data.celltext import EXACT_INTEGERS, NUMBER_PATTERN, WHOLE_NUMBER_PATTERN
from kdtab.data.readings import plain_cells

Codes: TypeAlias = npt.NDArray[np.uint64]
MISSING_CODE = np.uint64(0x7FF8_0000_0000_0000)
FIRST_TEXT_CODE = np.uint64(0xFFF8_0000_0000_0000)
_RULE = missing_rule(DEFAULT_MISSING_MARKERS)


class ExactCells(NamedTuple):
    """Cells as numbers where they are some, else as texts; once for each distinct text if that is less.

    Attributes:
        numbers: [K] float64; NaN where the cell is missing or a text.
        texts: [K] canonical texts, null where the cell is missing or a number; None if all are.
        places: [N] which of the K each cell is; None where each cell has its own.

    Example:
        >>> ExactCells(np.array([1.0]), None, None).numbers.tolist()
        [1.0]
    """

    numbers: FloatArray
    texts: pl.Series | None
    places: CodeArray | None


class CellCodes(NamedTuple):
    """Cells as codes.

    Attributes:
        codes: [N] uint64: the bits of a finite float64, `MISSING_CODE`, or `FIRST_TEXT_CODE` plus
            the rank of a text.
        texts: The distinct texts among the cells, sorted by their bytes.

    Example:
        >>> CellCodes(np.zeros(1, np.uint64), pl.Series([], dtype=pl.String)).codes.tolist()
        [0]
    """

    codes: Codes
    texts: pl.Series


def exact_cells(cells: pl.Series) -> ExactCells:
    """What cells say as numbers and texts, the default markers missing.

    A whole number past 2^53, which a float64 would round, stays a text; so do codes as `007`.

    Args:
        cells: [N] cells of any type.

    Returns:
        Two cells have one number or one text exactly when their canonical texts are equal.

    Example:
        >>> found = exact_cells(pl.Series(["1.0", " a", "007", "?"]))
        >>> found.numbers.tolist(), found.texts.to_list()
        ([1.0, nan, nan, nan], [None, 'a', '007', None])
    """
    if _holds_exact_numbers(cells):
        values = cells.cast(pl.String) if cells.dtype == pl.Float32 else cells  # `0.1` is 0.1
        return ExactCells(_numpy(values.cast(pl.Float64)), None, None)
    return _parted(*plain_cells(cells))


def cell_codes(cells: pl.Series) -> CellCodes:
    """Each cell as a number of 64 bits, the same whatever type holds the value.

    Args:
        cells: [N] cells of any type.

    Returns:
        Codes, and the texts that they are ranks of.

    Example:
        >>> found = cell_codes(pl.Series(["b", "1", "a", None, "b"]))
        >>> (found.codes - FIRST_TEXT_CODE)[[0, 2, 4]].tolist(), found.texts.to_list()
        ([1, 0, 1], ['a', 'b'])
        >>> bool(found.codes[1] == cell_codes(pl.Series([1])).codes[0])
        True
    """
    exact = exact_cells(cells)
    codes, texts = number_codes(exact.numbers), exact.texts
    distinct = pl.Series(dtype=pl.String)
    if texts is not None:
        if exact.places is not None:
            there = np.bincount(exact.places, minlength=len(codes)) > 0
            texts = texts.set(pl.Series(~there), None)
        distinct = texts.drop_nulls().unique().sort()
        ranks = texts.cast(pl.Enum(distinct)).to_physical()
        is_text = ranks.is_not_null().to_numpy()
        codes[is_text] = FIRST_TEXT_CODE + ranks.drop_nulls().to_numpy().astype(np.uint64)
    return CellCodes(codes if exact.places is None else codes[exact.places], distinct)


def number_codes(numbers: FloatArray) -> Codes:
    """The bits of numbers, 0.0 and -0.0 as one, and one code for all that are not finite.

    Args:
        numbers: [N] float64.

    Returns:
        [N] uint64, of memory of their own.

    Example:
        >>> number_codes(np.array([0.0, -0.0, 1.0])).tolist()
        [0, 0, 4607182418800017408]
    """
    positive = numbers + 0.0  # -0.0 becomes 0.0
    codes: Codes = positive.view(np.uint64)
    codes[~np.isfinite(positive)] = MISSING_CODE
    return codes


def _holds_exact_numbers(cells: pl.Series) -> bool:
    if cells.dtype.is_integer():
        ends = [end for end in (cells.min(), cells.max()) if isinstance(end, int)]
        return all(abs(end) < EXACT_INTEGERS for end in ends)
    return cells.dtype in (pl.Float64, pl.Float32)


def _parted(texts: pl.Series, places: CodeArray | None) -> ExactCells:
    """Texts as numbers and the rest, which alone is read as texts."""
    numbers = _exact_numbers(texts)
    if numbers.null_count() == texts.null_count():
        return ExactCells(_numpy(numbers), None, places)
    rest = read_texts(texts.set(numbers.is_not_null(), None), "canonical", _RULE)
    return ExactCells(_numpy(numbers), rest.every(), places)


def _exact_numbers(texts: pl.Series) -> pl.Series:
    """Texts that are numbers, null for others: for codes and for integers past 2^53."""
    text = pl.col("x")
    value = pl.when(text.str.contains(NUMBER_PATTERN)).then(text.cast(pl.Float64, strict=False))
    frame = texts.str.strip_chars().to_frame("x").with_columns(value.alias("value"))
    large = frame["value"].abs() >= EXACT_INTEGERS
    if large.any():
        whole = frame["x"].str.contains(WHOLE_NUMBER_PATTERN)
        return frame["value"].set(large & whole, None)
    return frame["value"]


def _numpy(values: pl.Series) -> FloatArray:
    return (values.fill_null(float("nan")) if values.null_count() else values).to_numpy()
