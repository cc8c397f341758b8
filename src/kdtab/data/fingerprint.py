"""A table's content as one short text, to tell whether two tables are the same."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.data.cells import canonical_texts, missing_rule


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
    rule = missing_rule(DEFAULT_MISSING_MARKERS)
    digest = hashlib.sha256(f"kdtab table 1, {frame.height} rows".encode())
    for name in sorted(frame.columns):
        texts = canonical_texts(frame[name], rule)
        lengths = texts.str.len_bytes().cast(pl.Int64).fill_null(-1).to_numpy()
        digest.update(hashlib.sha256(name.encode()).digest())
        digest.update(hashlib.sha256(np.ascontiguousarray(lengths, dtype="<i8").tobytes()).digest())
        digest.update(hashlib.sha256("".join(texts.drop_nulls().to_list()).encode()).digest())
    return digest.hexdigest()
