"""What a row is known by: the digest of its cells, whatever brought them and in whatever order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import polars as pl

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.data.cellcodes import FIRST_TEXT_CODE, Codes, cell_codes
from kdtab.data.cells import canonical_texts, missing_rule

KEY_BYTES = 16
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


def _cell_codes(cells: pl.Series) -> Codes:
    """A number's own bits, or the digest of a text."""
    codes, texts = cell_codes(cells)
    digests = np.array([_text_code(text) for text in texts.to_list()], dtype=np.uint64)
    is_text = codes >= FIRST_TEXT_CODE
    codes[is_text] = digests[codes[is_text] - FIRST_TEXT_CODE]
    return codes


def _text_code(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
