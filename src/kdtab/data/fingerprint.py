"""A table's content as one short text, to tell whether two tables are the same."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from kdtab.data.arrays import IntArray
from kdtab.data.cellcodes import cell_codes
from kdtab.data.split import twins_of_columns


def table_fingerprint(frame: pl.DataFrame) -> str:
    """SHA-256 over the columns, sorted by name, each as its name, its cells' codes and its texts.

    Numbers are hashed as their bits, since writing them as texts takes longer than training does.
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
    digest = hashlib.sha256(f"kdtab table 2, {frame.height} rows".encode())
    for name in sorted(frame.columns):
        codes, texts = cell_codes(frame[name])
        lengths = texts.str.len_bytes().cast(pl.Int64).to_numpy()
        digest.update(hashlib.sha256(name.encode()).digest())
        digest.update(hashlib.sha256(np.ascontiguousarray(codes, dtype="<u8").data).digest())
        digest.update(hashlib.sha256(np.ascontiguousarray(lengths, dtype="<i8").data).digest())
        digest.update(hashlib.sha256("".join(texts.to_list()).encode()).digest())
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
    names = sorted(frame.columns)
    return twins_of_columns(pl.Series(name, cell_codes(frame[name]).codes) for name in names)
