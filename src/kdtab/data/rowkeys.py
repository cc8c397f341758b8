"""What a row is known by: the digest of its cells, whatever brought them and in whatever order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.data.cells import (
    EXACT_INTEGERS,
    NUMBER_PATTERN,
    TRUTH_WORDS,
    WHOLE_NUMBER_PATTERN,
    canonical_texts,
    missing_rule,
    plain_texts,
)

KEY_BYTES = 16
_Codes: TypeAlias = npt.NDArray[np.uint64]
_MISSING = np.uint64(0x7FF8_0000_0000_0000)
_RULE = missing_rule(DEFAULT_MISSING_MARKERS)


def content_keys(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """A digest of the cells of each row; equal cells are those of `table_fingerprint`.

    Neither the order of the columns nor the type that holds a value matters: `1`, `1.0` and `"1.0"`
    are one, and so are all missing cells (the default markers included). Under the digest are eight
    bytes for each cell: a number's own, or a digest of a text.

    Args:
        frame: [N] rows.
        columns: The columns that count, all of them in the frame.

    Returns:
        [N] BLAKE2b digests of 16 bytes, keyed by the names of the columns.

    Example:
        >>> first = content_keys(pl.DataFrame({"a": [1, 2], "b": ["x", None]}), ["a", "b"])
        >>> second = content_keys(pl.DataFrame({"b": ["?", "x"], "a": ["2.0", "1"]}), ["b", "a"])
        >>> first.to_list() == second.reverse().to_list(), first[0] == first[1]
        (True, False)
    """
    names = sorted(columns)
    key = hashlib.blake2b("".join(f"{len(name)}:{name}" for name in names).encode()).digest()
    codes = np.zeros((frame.height, len(names)), dtype="<u8")
    for at, name in enumerate(names):
        codes[:, at] = _cell_codes(frame[name])
    cells, width = memoryview(codes.tobytes()), 8 * len(names)
    digests = [
        hashlib.blake2b(
            cells[row * width : (row + 1) * width], digest_size=KEY_BYTES, key=key
        ).digest()
        for row in range(frame.height)
    ]
    return pl.Series("key", digests, dtype=pl.Binary)


def id_texts(frame: pl.DataFrame, column: str) -> pl.Series:
    """The id of each row as one text: `7`, `7.0` and `"7"` are one id.

    Args:
        frame: [N] rows.
        column: The id column.

    Returns:
        [N] texts, null where the cell is missing.

    Example:
        >>> id_texts(pl.DataFrame({"row": [1.0, None]}), "row").to_list()
        ['1', None]
    """
    return canonical_texts(frame[column], _RULE).alias("id")


def _cell_codes(series: pl.Series) -> _Codes:
    if _holds_exact_numbers(series):
        return _number_codes(series.cast(pl.Float64))
    texts = plain_texts(series).str.strip_chars()
    values = _plain_numbers(texts)
    rest = texts.set(values.is_not_null(), None)
    return np.where(values.is_not_null().to_numpy(), _number_codes(values), _text_codes(rest))


def _holds_exact_numbers(series: pl.Series) -> bool:
    if series.dtype.is_integer():
        low, high = series.cast(pl.Float64).min(), series.cast(pl.Float64).max()
        ends = [end for end in (low, high) if isinstance(end, float)]
        return all(abs(end) < EXACT_INTEGERS for end in ends)
    return series.dtype == pl.Float64  # a Float32 means its shortest text, `0.1`


def _number_codes(values: pl.Series) -> _Codes:
    numbers = values.fill_null(float("nan")).to_numpy() + 0.0  # -0.0 becomes 0.0
    codes = np.ascontiguousarray(numbers, dtype="<f8").view("<u8")
    return np.where(np.isfinite(numbers), codes, _MISSING)


def _plain_numbers(texts: pl.Series) -> pl.Series:
    """Texts that are numbers, null for others: for codes (`007`) and for integers past 2^53."""
    cell = pl.col("x")
    value = cell.cast(pl.Float64, strict=False)
    exact = (value.abs() < EXACT_INTEGERS) | ~cell.str.contains(WHOLE_NUMBER_PATTERN)
    number = pl.when(cell.str.contains(NUMBER_PATTERN) & exact).then(value)
    return texts.to_frame("x").select(number).to_series()


def _text_codes(texts: pl.Series) -> _Codes:
    distinct = texts.unique()
    lower = distinct.str.to_lowercase()
    plain = distinct.to_frame("x").select(
        pl.when(lower.is_in(_RULE.words))
        .then(None)
        .when(lower.is_in(TRUTH_WORDS))
        .then(lower)
        .otherwise(pl.col("x"))
    )
    codes = [_text_code(text) for text in plain.to_series().to_list()]
    coded = texts.replace_strict(distinct, pl.Series(codes, dtype=pl.UInt64))
    return coded.to_numpy().astype(np.uint64)


def _text_code(text: str | None) -> int:
    if text is None:
        return int(_MISSING)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
