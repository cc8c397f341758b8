"""Text columns with few distinct texts as codes: what is asked of a cell is asked once for each text."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kdtab.data.arrays import CodeArray

FEWER_THAN = 4
"""A column is coded when it has this many times more cells than distinct texts."""

HEAD_ROWS = 4_096
"""So many cells tell most columns of a few words, and most columns whose texts stand alone."""

COMPARED_WORDS = 6
"""Comparing every cell with so few words is faster than looking each cell up among them."""

STANDING_ALONE = 0.99
"""A column is left as it is when this share of the texts of its head are different ones."""

_NULL = pl.Series([None], dtype=pl.String)


def code_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """The same rows, each text column that repeats itself as an `Enum` of its texts.

    Args:
        frame: [N] rows of any types.

    Returns:
        [N] rows with the same cells; other columns are as they were.

    Example:
        >>> code_texts(pl.DataFrame({"a": ["u", "v", None] * 9, "b": range(27)})).dtypes
        [Enum(categories=['u', 'v']), Int64]
    """
    return frame.with_columns(
        with_codes(series) for series in frame.get_columns() if series.dtype == pl.String
    )


def with_codes(texts: pl.Series) -> pl.Series:
    """A text column as an `Enum` of its texts, where it has far more cells than texts.

    Args:
        texts: [N] texts.

    Returns:
        [N] the same texts, nulls stay nulls; the column itself where most texts stand alone.

    Example:
        >>> with_codes(pl.Series(["u", "v"])).dtype
        String
    """
    head = texts.head(HEAD_ROWS)
    first = _distinct(head)
    if len(head) == len(texts):
        return texts if _stand_alone(first, texts) else texts.cast(pl.Enum(first))
    if len(first) > STANDING_ALONE * len(head):
        return texts
    if len(first) == len(_distinct(head.head(HEAD_ROWS // 2))) and not _stand_alone(first, texts):
        coded = _if_all_are(texts, first)
        if coded is not None:
            return coded
    distinct = _distinct(texts)
    return texts if _stand_alone(distinct, texts) else texts.cast(pl.Enum(distinct))


def _if_all_are(texts: pl.Series, words: pl.Series) -> pl.Series | None:
    """The column as an `Enum` of some words, unless it has others too."""
    if len(words) > COMPARED_WORDS or texts.null_count():
        coded = texts.cast(pl.Enum(words), strict=False)
        return coded if coded.null_count() == texts.null_count() else None
    each = words.cast(pl.Enum(words))
    coded, found = each[:1], 0
    for at, word in enumerate(words.to_list()):
        is_word = texts == word
        found += int(is_word.sum())
        coded = each[at : at + 1].zip_with(is_word, coded)
    return coded.rechunk().alias(texts.name) if found == len(texts) else None


def _distinct(texts: pl.Series) -> pl.Series:
    return texts.unique(maintain_order=True).drop_nulls()


def _stand_alone(distinct: pl.Series, texts: pl.Series) -> bool:
    return FEWER_THAN * len(distinct) >= len(texts)


@dataclass(frozen=True, eq=False)
class CodedParts:
    """A coded column taken apart.

    Attributes:
        texts: [K + 1] its texts, and null as the last.
        codes: [N] which of them each cell is, in the narrowest type that polars has for them.

    Example:
        >>> import numpy as np
        >>> CodedParts(pl.Series(["u", None]), np.array([0, 1, 0])).texts.to_list()
        ['u', None]
    """

    texts: pl.Series
    codes: CodeArray


def coded_parts(cells: pl.Series) -> CodedParts | None:
    """A coded column as texts and codes, where it has fewer texts than cells.

    Args:
        cells: [N] cells of any type.

    Returns:
        The parts; None for another type, or for a few rows of a column with many texts.

    Example:
        >>> parts = coded_parts(pl.Series(["v", "u", None], dtype=pl.Enum(["u", "v"])))
        >>> parts.texts.to_list(), parts.codes.tolist()
        (['u', 'v', None], [1, 0, 2])
    """
    dtype = cells.dtype
    if not isinstance(dtype, pl.Enum) or len(dtype.categories) >= len(cells):
        return None
    texts = dtype.categories.clone().append(_NULL)
    codes = cells.to_physical()
    if codes.null_count():  # 256 texts fit into a byte, but not a null beside them
        codes = codes.cast(pl.UInt32).fill_null(len(texts) - 1)
    return CodedParts(texts, codes.to_numpy())
