"""Text columns with few distinct texts as codes: what is asked of a cell is asked once for each text."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kdtab.data.arrays import IntArray

FEWER_THAN = 4
"""A column is coded when it has this many times more cells than distinct texts."""


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
    distinct = texts.unique(maintain_order=True).drop_nulls()
    if FEWER_THAN * len(distinct) >= len(texts):
        return texts
    return texts.cast(pl.Enum(distinct))


@dataclass(frozen=True, eq=False)
class CodedParts:
    """A coded column taken apart.

    Attributes:
        texts: [K + 1] its texts, and null as the last.
        codes: [N] which of them each cell is.

    Example:
        >>> import numpy as np
        >>> CodedParts(pl.Series(["u", None]), np.array([0, 1, 0])).texts.to_list()
        ['u', None]
    """

    texts: pl.Series
    codes: IntArray


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
    texts = dtype.categories.extend_constant(None, 1)
    codes: IntArray = cells.to_physical().cast(pl.Int64).fill_null(len(texts) - 1).to_numpy()
    return CodedParts(texts, codes)
