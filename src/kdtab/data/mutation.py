"""Cells of training rows that take something of another row's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from kdtab.config.schema import FeatureColumn, NumericColumn
from kdtab.data.arrays import BoolArray, FloatArray, IntArray
from kdtab.data.artifacts import Artifacts
from kdtab.data.cells import EXACT_INTEGERS, MissingRule, canonical_texts, missing_rule, numbers

FEWEST_NUMBERS = 3
"""A column of two different numbers is a category that is written in numbers."""


@dataclass(frozen=True, eq=False)
class Cells:
    """One column of the training rows, and how its cells change.

    Attributes:
        column: As it was read.
        codes: [N] the same for cells of the same value, −1 for a missing one.
        numbers: [N] the values of a column whose cells are drawn anew, NaN where missing; None
            where a cell becomes the partner's.
        is_whole: All of these numbers are.
        spread: s of the standard deviation |a − b| / s.

    Example:
        >>> sex = Cells(pl.Series("sex", ["f", "m"]), np.array([0, 1]))
        >>> sex.differ(np.array([0]), np.array([1])).tolist()
        [True]
    """

    column: pl.Series
    codes: IntArray
    numbers: FloatArray | None = None
    is_whole: bool = False
    spread: float = 3.0

    def differ(self, parents: IntArray, partners: IntArray) -> BoolArray:
        """Whether a cell can change: both are there, and not the same.

        Args:
            parents: [M] row numbers.
            partners: [M] row numbers.

        Returns:
            [M] booleans.

        Example:
            >>> cells = Cells(pl.Series("x", [1, None]), np.array([0, -1]))
            >>> cells.differ(np.array([0, 0]), np.array([0, 1])).tolist()
            [False, False]
        """
        own, other = self.codes[parents], self.codes[partners]
        found: BoolArray = (own != other) & (own >= 0) & (other >= 0)
        return found

    def changed(
        self,
        parents: IntArray,
        partners: IntArray,
        changes: BoolArray,
        generator: np.random.Generator,
    ) -> pl.Series:
        """The column of M new rows.

        Args:
            parents: [M] row numbers.
            partners: [M] row numbers.
            changes: [M] which of them change here.
            generator: Draws the numbers.

        Returns:
            [M] cells of the column's own type.

        Example:
            >>> sex = Cells(pl.Series("sex", ["f", "m"]), np.array([0, 1]))
            >>> one, other = np.array([0, 0]), np.array([1, 1])
            >>> sex.changed(one, other, np.array([True, False]), np.random.default_rng(0)).to_list()
            ['m', 'f']
        """
        if self.numbers is None:
            return self.column.gather(np.where(changes, partners, parents))
        own = self.column.gather(parents)
        places = np.flatnonzero(changes)
        if not len(places):
            return own
        return own.scatter(
            places, _as_cells(self._drawn(parents, partners, places, generator), self)
        )

    def _drawn(
        self, parents: IntArray, partners: IntArray, at: IntArray, generator: np.random.Generator
    ) -> FloatArray:
        assert self.numbers is not None, "only numbers are drawn"
        a, b = self.numbers[parents[at]], self.numbers[partners[at]]
        with np.errstate(over="ignore"):
            drawn = b + np.abs(a - b) / self.spread * generator.standard_normal(len(at))
        whole = np.rint(drawn) if self.is_whole else drawn
        return np.clip(whole, np.nanmin(self.numbers), np.nanmax(self.numbers))


def changeable_cells(rows: pl.DataFrame, artifacts: Artifacts, spread: float) -> tuple[Cells, ...]:
    """The feature columns of which a cell can take another value.

    Args:
        rows: [N] training rows.
        artifacts: Say what the columns are.
        spread: s of the standard deviation |a − b| / s of a number.

    Returns:
        One value for each column that has at least two different cells.

    Example:
        >>> from kdtab.data.artifacts import fit_artifacts
        >>> rows = pl.DataFrame({"x": [1, 2, 4], "same": [5, 5, 5], "id": [1, 2, 3]})
        >>> columns = tuple(NumericColumn(name=name, reason="") for name in ("x", "same"))
        >>> [cells.column.name for cells in changeable_cells(rows, fit_artifacts(rows, columns, ()), 3.0)]
        ['x']
    """
    rule = missing_rule(artifacts.vectorizer.missing_markers)
    return tuple(_found(rows, artifacts.vectorizer.columns, rule, spread))


def with_cells(
    rows: pl.DataFrame,
    every: tuple[Cells, ...],
    parents: IntArray,
    partners: IntArray,
    changes: BoolArray,
    generator: np.random.Generator,
) -> pl.DataFrame:
    """New rows: the parents, some cells of them changed.

    Args:
        rows: [N] training rows.
        every: K columns that change.
        parents: [M] row numbers.
        partners: [M] row numbers.
        changes: [M, K] which cells change.
        generator: Draws the numbers.

    Returns:
        [M] rows with the columns of `rows`, in their order and types.

    Example:
        >>> rows = pl.DataFrame({"sex": ["f", "m"], "id": [7, 8]})
        >>> every = (Cells(rows["sex"], np.array([0, 1])),)
        >>> one, other = np.array([0]), np.array([1])
        >>> made = with_cells(rows, every, one, other, np.array([[True]]), np.random.default_rng(0))
        >>> made.rows()
        [('m', 7)]
    """
    made = rows[parents]
    return made.with_columns(
        cells.changed(parents, partners, changes[:, at], generator)
        for at, cells in enumerate(every)
    )


def _found(
    rows: pl.DataFrame, columns: tuple[FeatureColumn, ...], rule: MissingRule, spread: float
) -> Iterator[Cells]:
    for column in columns:
        if column.name in rows.columns:
            series = rows[column.name]
            cells = _numbers(series, rule, spread) if isinstance(column, NumericColumn) else None
            found = cells or Cells(series, _codes(canonical_texts(series, rule)))
            if len(np.unique(found.codes[found.codes >= 0])) > 1:
                yield found


def _numbers(series: pl.Series, rule: MissingRule, spread: float) -> Cells | None:
    """None where a number in between would be none: of two values, too large, or of other types."""
    values = numbers(series, rule)
    found: FloatArray = values.fill_null(float("nan")).to_numpy().astype(np.float64)
    there = found[np.isfinite(found)]
    writable = series.dtype.is_numeric() or series.dtype == pl.String
    if not writable or len(np.unique(there)) < FEWEST_NUMBERS:
        return None
    is_whole = bool((there == np.rint(there)).all())
    if is_whole and np.abs(there).max() >= EXACT_INTEGERS:
        return None
    return Cells(series, _codes(values), found, is_whole, spread)


def _codes(values: pl.Series) -> IntArray:
    codes: IntArray = values.rank("dense").cast(pl.Int64).fill_null(-1).to_numpy()
    return codes


def _as_cells(drawn: FloatArray, cells: Cells) -> pl.Series:
    values = pl.Series(cells.column.name, drawn)
    if cells.is_whole:
        values = values.cast(pl.Int64)
    return values.cast(cells.column.dtype)
