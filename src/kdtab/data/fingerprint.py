"""A table's content as one short text, to tell whether two tables are the same."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.data.arrays import IntArray
from kdtab.data.cells import canonical_texts, missing_rule, read_texts
from kdtab.data.split import twin_groups

_RULE = missing_rule(DEFAULT_MISSING_MARKERS)


def table_fingerprint(frame: pl.DataFrame) -> str:
    """SHA-256 over the columns, sorted by name, each as its name and its canonical cells in order.

    The order of the columns does not matter, nor does the type that holds a value: `1`, `1.0` and
    `"1.0"` are one, and so are all missing cells (the default markers included). The order of the
    rows does matter.

    Args:
        frame: [N] rows.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> first = table_fingerprint(pl.DataFrame({"a": [1, 2], "b": ["x", None]}))
        >>> first == table_fingerprint(pl.DataFrame({"b": ["x", "?"], "a": ["1", "2.0"]}))
        True
        >>> first == table_fingerprint(pl.DataFrame({"a": [2, 1], "b": ["x", None]}))
        False
    """
    digest = hashlib.sha256(f"kdtab table 1, {frame.height} rows".encode())
    for name in sorted(frame.columns):
        texts = canonical_texts(frame[name], _RULE)
        lengths = texts.str.len_bytes().cast(pl.Int64).fill_null(-1).to_numpy()
        digest.update(hashlib.sha256(name.encode()).digest())
        digest.update(hashlib.sha256(np.ascontiguousarray(lengths, dtype="<i8").tobytes()).digest())
        digest.update(hashlib.sha256("".join(texts.drop_nulls().to_list()).encode()).digest())
    return digest.hexdigest()


def row_twins(frame: pl.DataFrame) -> IntArray:
    """A number for each row, the same for rows that are one row to `table_fingerprint`.

    Tables with one fingerprint so have the same twins, and a split that keeps twins together is
    the same for all of them, however their cells are spelt.

    Args:
        frame: [N] rows; the order of its columns does not matter.

    Returns:
        [N] int64 from 0, counted in order of appearance.

    Example:
        >>> row_twins(pl.DataFrame({"a": ["1", "2", "1.0"], "b": ["?", "x", None]})).tolist()
        [0, 1, 0]
    """
    return twin_groups(pl.DataFrame([_digests(frame[name]) for name in frame.columns]))


def _digests(cells: pl.Series) -> pl.Series:
    """[N] UInt64, the same for cells of one canonical text."""
    if cells.dtype.is_numeric():
        finite = cells.set(~cells.is_finite(), None) if cells.dtype.is_float() else cells
        return finite.hash(seed=0)
    if cells.dtype in (pl.String, pl.Enum):
        read = read_texts(cells, "canonical", _RULE)
        return read._replace(values=read.values.hash(seed=0)).every().alias(cells.name)
    return canonical_texts(cells, _RULE).hash(seed=0)
