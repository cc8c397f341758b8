"""What the texts of a column say, each distinct text read once."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias, assert_never

import numpy as np
import polars as pl

from kdtab.data.arrays import IntArray
from kdtab.data.celltext import MissingRule, canonical_text, number, stripped_text
from kdtab.data.coded import coded_parts, with_codes
from kdtab.data.plaincells import plain_texts

Reading: TypeAlias = Literal["stripped", "canonical", "number"]
MOST_REMEMBERED = 1_000


class ReadCells(NamedTuple):
    """What cells say, held once for each distinct text where that is less.

    Attributes:
        values: [K] what the distinct texts say, or [N] what each cell says.
        codes: [N] which of the K each cell is; None where each cell has its own.

    Example:
        >>> ReadCells(pl.Series(["u", None]), np.array([0, 1, 0])).every().to_list()
        ['u', None, 'u']
    """

    values: pl.Series
    codes: IntArray | None

    def every(self) -> pl.Series:
        """What each cell says.

        Returns:
            [N] values.

        Example:
            >>> ReadCells(pl.Series(["u"]), None).every().to_list()
            ['u']
        """
        return self.values if self.codes is None else self.values.gather(self.codes)


def read_texts(cells: pl.Series, reading: Reading, rule: MissingRule) -> ReadCells:
    """What cells say as texts, each distinct text read once where that is faster.

    Args:
        cells: [N] cells of any type.
        reading: What is asked of a text.
        rule: What is missing.

    Returns:
        Texts or numbers, null where the cell is missing, or is no number where one is asked for.

    Example:
        >>> read = read_texts(pl.Series(["1.0"] * 9), "canonical", MissingRule((), ()))
        >>> read.values.to_list(), len(read.codes)
        (['1', None], 9)
    """
    texts = cells if isinstance(cells.dtype, pl.Enum) else with_codes(plain_texts(cells))
    parts = coded_parts(texts)
    if parts is None:
        return ReadCells(_read(plain_texts(texts), reading, rule), None)
    if len(parts.texts) > MOST_REMEMBERED:
        return ReadCells(_read(parts.texts, reading, rule), parts.codes)
    return ReadCells(_remembered(tuple(parts.texts.to_list()), reading, rule), parts.codes)


def text_counts(cells: pl.Series, reading: Reading, rule: MissingRule) -> pl.DataFrame:
    """How often each text occurs among what cells say.

    Args:
        cells: [N] cells of any type.
        reading: "stripped" or "canonical".
        rule: What is missing.

    Returns:
        Columns `text` and `rows`, the most frequent first, ties by text; null is counted too.

    Example:
        >>> text_counts(pl.Series(["b", "a ", "a", None]), "stripped", MissingRule((), ())).rows()
        [('a', 2), (None, 1), ('b', 1)]
    """
    read = read_texts(cells, reading, rule)
    if read.codes is None:
        counted = read.values.alias("text").value_counts(name="rows")
        texts = counted.with_columns(pl.col("rows").cast(pl.Int64))
        return texts.sort(["rows", "text"], descending=[True, False])
    rows = np.bincount(read.codes, minlength=len(read.values))
    totals: dict[str | None, int] = {}
    for text, count in zip(read.values.to_list(), rows.tolist(), strict=True):
        if count:
            totals[text] = totals.get(text, 0) + count
    order = sorted(totals, key=lambda text: (-totals[text], text is not None, text or ""))
    schema = {"text": pl.String, "rows": pl.Int64}
    return pl.DataFrame({"text": order, "rows": [totals[text] for text in order]}, schema=schema)


def _read(texts: pl.Series, reading: Reading, rule: MissingRule) -> pl.Series:
    cell = pl.col("x")
    match reading:
        case "stripped":
            asked = stripped_text(cell, rule)
        case "canonical":
            asked = canonical_text(cell, rule)
        case "number":
            asked = number(stripped_text(cell, rule))
        case _:
            assert_never(reading)
    return texts.to_frame("x").select(asked.alias(texts.name)).to_series()


@lru_cache(maxsize=512)
def _remembered(texts: tuple[str | None, ...], reading: Reading, rule: MissingRule) -> pl.Series:
    """Building and running an expression costs far more than the few texts of most columns."""
    return _read(pl.Series(texts, dtype=pl.String), reading, rule)
