"""What the texts of a column say, each distinct text read once."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias, assert_never

import numpy as np
import polars as pl

from kdtab.data.arrays import CodeArray, IntArray
from kdtab.data.celltext import (
    INFINITY_PATTERN,
    NUMBER_PATTERN,
    TRUTH_WORDS,
    MissingRule,
    canonical_text,
    number,
    stripped_text,
)
from kdtab.data.coded import coded_parts, with_codes
from kdtab.data.plaincells import plain_texts

Reading: TypeAlias = Literal["stripped", "canonical", "number"]
MOST_REMEMBERED = 1_000
FEW_TEXTS = 64
"""Up to so many texts a dictionary is faster than a query."""


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
    codes: CodeArray | None

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
    texts, codes = plain_cells(cells)
    if codes is None or len(texts) > MOST_REMEMBERED:
        return ReadCells(_read(texts, reading, rule), codes)
    return ReadCells(_remembered(tuple(texts.to_list()), reading, rule), codes)


def plain_cells(cells: pl.Series) -> ReadCells:
    """Cells as texts that nobody has read yet, each distinct text once where that is faster.

    Args:
        cells: [N] cells of any type.

    Returns:
        Texts as they are written, null where a cell is null.

    Example:
        >>> found = plain_cells(pl.Series([" a", None] * 9))
        >>> found.values.to_list(), len(found.codes)
        ([' a', None], 18)
    """
    texts = cells if isinstance(cells.dtype, pl.Enum) else with_codes(plain_texts(cells))
    parts = coded_parts(texts)
    if parts is None:
        return ReadCells(plain_texts(texts), None)
    return ReadCells(parts.texts, parts.codes)


def text_counts(
    cells: pl.Series, reading: Reading, rule: MissingRule, rows: IntArray | None = None
) -> pl.DataFrame:
    """How often each text occurs among what cells say.

    Args:
        cells: [N] cells of any type.
        reading: "stripped" or "canonical".
        rule: What is missing.
        rows: Which cells to count; None: all.

    Returns:
        Columns `text` and `rows`, the most frequent first, ties by text; null is counted too.

    Example:
        >>> text_counts(pl.Series(["b", "a ", "a", None]), "stripped", MissingRule((), ())).rows()
        [('a', 2), (None, 1), ('b', 1)]
    """
    said = said_texts(cells, reading, rule, rows)
    if len(said) > FEW_TEXTS:
        counted = said.group_by("text").agg(pl.col("rows").sum())
        return counted.sort(["rows", "text"], descending=[True, False])
    totals: dict[str | None, int] = {}
    for text, count in said.iter_rows():
        totals[text] = totals.get(text, 0) + count
    order = sorted(totals, key=lambda text: (-totals[text], text is not None, text or ""))
    schema = {"text": pl.String, "rows": pl.Int64}
    return pl.DataFrame({"text": order, "rows": [totals[text] for text in order]}, schema=schema)


def said_texts(
    cells: pl.Series, reading: Reading, rule: MissingRule, rows: IntArray | None = None
) -> pl.DataFrame:
    """What cells say and how many say it, spelling by spelling: neither joined nor sorted.

    Args:
        cells: [N] cells of any type.
        reading: "stripped" or "canonical".
        rule: What is missing.
        rows: Which cells to count; None: all.

    Returns:
        Columns `text` and `rows`; a text stands once for each of its spellings or of its cells.

    Example:
        >>> said_texts(pl.Series(["a ", "a"]), "stripped", MissingRule((), ())).rows()
        [('a', 1), ('a', 1)]
    """
    read = read_texts(cells, reading, rule)
    if read.codes is None:
        texts = read.values if rows is None else read.values.gather(rows)
        return pl.DataFrame({"text": texts, "rows": np.ones(len(texts), dtype=np.int64)})
    codes = read.codes if rows is None else read.codes.take(rows)
    counts = np.bincount(codes, minlength=len(read.values))
    found = np.flatnonzero(counts)
    texts = read.values if len(found) == len(counts) else read.values.gather(found)
    return pl.DataFrame({"text": texts, "rows": counts[found]})


class SaidKinds(NamedTuple):
    """What texts look like, each flag for all of them.

    Attributes:
        truths: Every text is true or false.
        numbers: [K] whether it is written as a number.
        infinities: [K] whether it is written as an infinite one.

    Example:
        >>> said_kinds(pl.Series(["1", "inf"])).numbers.to_list()
        [True, False]
    """

    truths: bool
    numbers: pl.Series
    infinities: pl.Series


def said_kinds(texts: pl.Series) -> SaidKinds:
    """What texts look like, remembered for as few as most columns have.

    Args:
        texts: [K] stripped texts without nulls.

    Returns:
        The flags.

    Example:
        >>> said_kinds(pl.Series(["True", "false"])).truths
        True
    """
    if len(texts) > MOST_REMEMBERED:
        return _kinds(texts)
    return _remembered_kinds(tuple(texts.to_list()))


@lru_cache(maxsize=512)
def _remembered_kinds(texts: tuple[str, ...]) -> SaidKinds:
    return _kinds(pl.Series(texts, dtype=pl.String))


def _kinds(texts: pl.Series) -> SaidKinds:
    cell = pl.col("x")
    flags = texts.to_frame("x").select(
        truths=cell.str.to_lowercase().is_in(TRUTH_WORDS),
        numbers=cell.str.contains(NUMBER_PATTERN),
        infinities=cell.str.contains(INFINITY_PATTERN),
    )
    return SaidKinds(flags["truths"].all(), flags["numbers"], flags["infinities"])


def _read(texts: pl.Series, reading: Reading, rule: MissingRule) -> pl.Series:
    cell = pl.col("x")
    match reading:
        case "stripped":
            asked = stripped_text(cell, rule)
        case "canonical":
            asked = canonical_text(cell, rule)
        case "number":  # in two steps, since a number looks at its text many times
            texts, asked = _read(texts, "stripped", rule), number(cell)
        case _:
            assert_never(reading)
    return texts.to_frame("x").select(asked.alias(texts.name)).to_series()


@lru_cache(maxsize=512)
def _remembered(texts: tuple[str | None, ...], reading: Reading, rule: MissingRule) -> pl.Series:
    """Building and running an expression costs far more than the few texts of most columns."""
    return _read(pl.Series(texts, dtype=pl.String), reading, rule)
