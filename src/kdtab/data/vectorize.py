"""Frames as matrices of numbers: the first half of the one road from rows to a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import polars as pl

from kdtab.config.schema import (
    BooleanColumn,
    CategoricalColumn,
    DateColumn,
    FeatureColumn,
    NumericColumn,
)
from kdtab.data.arrays import BoolArray, CodeArray, FloatArray, IntArray
from kdtab.data.blocks import Block, IndicatorBlock, NumberBlock
from kdtab.data.cells import (
    MissingRule,
    missing_rule,
    numbers,
    only_truths,
    plain_texts,
    read_numbers,
    read_texts,
    stripped_texts,
    truths,
)
from kdtab.data.coded import coded_parts
from kdtab.data.dates import date_feature_names, date_features
from kdtab.data.moments import timestamps
from kdtab.data.readings import FEW_TEXTS

NEITHER = -1


@dataclass(frozen=True)
class UnreadableCells:
    """Cells of one column that are there but mean nothing in it; they count as missing.

    Attributes:
        column: The column.
        count: How many cells.
        first_row: Number of the first such row, the first row is 1.
        example: The cell in that row.

    Example:
        >>> UnreadableCells(column="age", count=1, first_row=3, example="old").example
        'old'
    """

    column: str
    count: int
    first_row: int
    example: str


@dataclass(frozen=True)
class Vectorizer:
    """Which features each column gives, and how: plain data, fitted once.

    A numeric or boolean column is one feature, a date column its calendar features, a categorical
    column one feature (0 or 1) for each category, then one for rare values and one for missing
    cells where training had such. It is total: an absent column or an unreadable cell is missing,
    an unseen category is rare, or all zeros where there is no such feature.

    Attributes:
        columns: The feature columns, in the order of their features.
        missing_markers: Texts that mean "missing".

    Example:
        >>> age = NumericColumn(name="age", reason="a number type")
        >>> Vectorizer((age,), ("?",)).transform(pl.DataFrame({"age": ["39", "?"]})).tolist()
        [[39.0], [nan]]
    """

    columns: tuple[FeatureColumn, ...]
    missing_markers: tuple[str, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name for each column of the matrix.

        Example:
            >>> sex = CategoricalColumn(name="sex", reason="text", categories=("f", "m"),
            ...                         has_rare=False, has_missing=True)
            >>> Vectorizer((sex,), ()).feature_names
            ('sex = f', 'sex = m', 'sex is missing')
        """
        return tuple(name for column in self.columns for name in _feature_names(column))

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns that are read, in order.

        Example:
            >>> Vectorizer((NumericColumn(name="age", reason=""),), ()).column_names
            ('age',)
        """
        return tuple(column.name for column in self.columns)

    @property
    def indicators(self) -> BoolArray:
        """Which features are 0 or 1 for a category, never missing and never scaled: [D].

        Example:
            >>> Vectorizer((NumericColumn(name="age", reason=""),), ()).indicators.tolist()
            [False]
        """
        flags = [
            isinstance(column, CategoricalColumn)
            for column in self.columns
            for _ in _feature_names(column)
        ]
        return np.array(flags, dtype=np.bool_)

    def transform(self, frame: pl.DataFrame) -> FloatArray:
        """Rows as features, not yet imputed nor scaled.

        Args:
            frame: [N] rows with any columns, in any order; it is not changed.

        Returns:
            [N, D] float64; NaN where a number, a truth value or a date is missing.

        Example:
            >>> member = BooleanColumn(name="member", reason="a boolean type")
            >>> Vectorizer((member,), ()).transform(pl.DataFrame({"x": [1]})).tolist()
            [[nan]]
        """
        matrix = np.zeros((frame.height, len(self.feature_names)), dtype=np.float64)
        for block in self.blocks(frame):
            matrix[:, block.place] = block.features()
        return matrix

    def blocks(
        self,
        frame: pl.DataFrame,
        wanted: Callable[[FeatureColumn], bool] = lambda _: True,
        rows: IntArray | None = None,
    ) -> Iterator[Block]:
        """The features of one column after the other, so that no whole matrix need be held.

        Args:
            frame: [N] rows with any columns, in any order; it is not changed.
            wanted: Which columns; the cells of others are not looked at.
            rows: Numbers of the rows to take, column by column; None: all.

        Yields:
            One block for each wanted column, in order.

        Example:
            >>> age = NumericColumn(name="age", reason="a number type")
            >>> [block.place for block in Vectorizer((age,), ()).blocks(pl.DataFrame({"age": [3]}))]
            [slice(0, 1, None)]
        """
        rule = missing_rule(self.missing_markers)
        start = 0
        for column in self.columns:
            stop = start + len(_feature_names(column))
            if wanted(column):
                cells = _cells(frame, column.name)
                taken = cells if rows is None else cells.gather(rows)
                yield _block(slice(start, stop), taken, column, rule)
            start = stop

    def unreadable(self, frame: pl.DataFrame) -> tuple[UnreadableCells, ...]:
        """The cells that `transform` takes for missing although something stands there.

        Args:
            frame: [N] rows.

        Returns:
            One value for each column that has such cells.

        Example:
            >>> age = NumericColumn(name="age", reason="a number type")
            >>> Vectorizer((age,), ()).unreadable(pl.DataFrame({"age": ["1", "old"]}))
            (UnreadableCells(column='age', count=1, first_row=2, example='old'),)
        """
        rule = missing_rule(self.missing_markers)
        present = (column for column in self.columns if column.name in frame.columns)
        return tuple(
            found for column in present for found in _unreadable(frame[column.name], column, rule)
        )


def _cells(frame: pl.DataFrame, name: str) -> pl.Series:
    if name in frame.columns:
        return frame[name]
    return pl.Series(name, [None], dtype=pl.String).new_from_index(0, frame.height)


def _feature_names(column: FeatureColumn) -> tuple[str, ...]:
    match column:
        case NumericColumn() | BooleanColumn():
            return (column.name,)
        case DateColumn():
            return date_feature_names(column)
        case CategoricalColumn():
            rare = (f"{column.name} is rare",) if column.has_rare else ()
            missing = (f"{column.name} is missing",) if column.has_missing else ()
            return (*(f"{column.name} = {text}" for text in column.categories), *rare, *missing)
        case _:
            assert_never(column)


def _block(place: slice, cells: pl.Series, column: FeatureColumn, rule: MissingRule) -> Block:
    match column:
        case NumericColumn():
            values, codes = read_numbers(cells, rule)
            return NumberBlock(place, (_with_nan(values),), codes)
        case BooleanColumn():
            values, codes = read_numbers(cells, rule)
            return NumberBlock(place, (_with_nan(only_truths(values)),), codes)
        case DateColumn():
            coded = coded_parts(cells)
            distinct, codes = (cells, None) if coded is None else (coded.texts, coded.codes)
            parts = date_features(distinct, column, rule)
            return NumberBlock(place, tuple(_with_nan(part) for part in parts), codes)
        case CategoricalColumn():
            return IndicatorBlock(place, category_positions(cells, column, rule))
        case _:
            assert_never(column)


def category_positions(cells: pl.Series, column: CategoricalColumn, rule: MissingRule) -> CodeArray:
    """Which feature of a categorical column each cell sets to 1.

    Args:
        cells: [N] cells of any type.
        column: The column.
        rule: What is missing.

    Returns:
        [N] positions in the order of its features, −1 where the cell has none; narrow integers.

    Example:
        >>> sex = CategoricalColumn(name="sex", reason="text", categories=("f", "m"),
        ...                         has_rare=False, has_missing=True)
        >>> category_positions(pl.Series(["m", None, " x"]), sex, missing_rule(())).tolist()
        [1, 2, -1]
    """
    read = read_texts(cells, "canonical", rule)
    found = _positions(read.values, column)
    return found if read.codes is None else found.take(read.codes)


def _positions(texts: pl.Series, column: CategoricalColumn) -> CodeArray:
    kept = len(column.categories)
    rare = kept if column.has_rare else NEITHER
    missing = kept + column.has_rare if column.has_missing else NEITHER
    if len(texts) <= FEW_TEXTS:
        places: dict[str | None, int] = {text: at for at, text in enumerate(column.categories)}
        places[None] = missing
        return np.array([places.get(text, rare) for text in texts.to_list()], dtype=_narrow(kept))
    known, at = pl.Series(column.categories, dtype=pl.String), pl.Series(np.arange(kept))
    positions = texts.replace_strict(known, at, default=rare, return_dtype=pl.Int64)
    return positions.set(texts.is_null(), missing).to_numpy().astype(_narrow(kept))


def _narrow(categories: int) -> type[np.int16 | np.int64]:
    return np.int16 if categories < np.iinfo(np.int16).max // 2 else np.int64


def _with_nan(values: pl.Series) -> FloatArray:
    return values.fill_null(float("nan")).to_numpy()


def _unreadable(
    cells: pl.Series, column: FeatureColumn, rule: MissingRule
) -> Iterator[UnreadableCells]:
    match column:
        case NumericColumn():
            values = numbers(cells, rule)
        case BooleanColumn():
            values = truths(cells, rule)
        case DateColumn():
            values = timestamps(cells, column, rule)
        case CategoricalColumn():
            return
        case _:
            assert_never(column)
    if not values.null_count():
        return
    without = values.is_null().arg_true()
    lost = without.filter(stripped_texts(cells.gather(without), rule).is_not_null())
    if len(lost):
        example = plain_texts(cells.gather(lost[:1]))[0]
        yield UnreadableCells(column.name, len(lost), int(lost[0]) + 1, example)
