"""Which training rows a teacher is fitted on, and which of the others it labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from returns.result import Success

from kdtab.data.arrays import BoolArray, FloatArray, IntArray
from kdtab.data.dependence import bound_groups
from kdtab.errors.columns import TooFewRows
from kdtab.errors.configs import FieldInvalid
from kdtab.results import Checked, fail

LARGEST_TWINS = 0.5
"""Copies of one row stay together up to this share of a fold; more would be most of what it holds."""


@dataclass(frozen=True, eq=False)
class Folds:
    """Parts of the training rows, each labelled by a teacher that saw none of it.

    Attributes:
        parts: [N] the fold of each row, from 0; −1 where no teacher may speak of the row.
        fits: For each fold the rows that its teacher is fitted on, ascending.
        groups: [N] rows of one number depend on each other: never on both sides.
        identical_share: Share of the rows that have an identical twin.
        notes: What a person should know about how the folds were made.

    Example:
        >>> folds = fold_rows(np.array([0, 1, 0, 1]), np.arange(4), count=2, seed=0).unwrap()
        >>> sorted(folds.fits[0].tolist() + folds.rows(0).tolist())
        [0, 1, 2, 3]
    """

    parts: IntArray
    fits: tuple[IntArray, ...]
    groups: IntArray
    identical_share: float
    notes: tuple[str, ...] = ()

    def rows(self, fold: int) -> IntArray:
        """The rows that a fold's teacher labels, ascending.

        Args:
            fold: From 0.

        Returns:
            [·] row numbers, from 0.

        Example:
            >>> fold_rows(np.zeros(4), np.arange(4), count=4, seed=0).unwrap().rows(2).shape
            (1,)
        """
        return np.flatnonzero(self.parts == fold)

    @property
    def has_dependent_rows(self) -> bool:
        """Whether a row may depend on another one: twins, or rows of one group.

        Example:
            >>> fold_rows(np.zeros(4), np.arange(4), count=2, seed=0).unwrap().has_dependent_rows
            False
        """
        return len(np.unique(self.groups)) < len(self.groups)


def fold_rows(
    strata: IntArray,
    twins: IntArray,
    *,
    count: int,
    seed: int,
    groups: IntArray | None = None,
    times: FloatArray | None = None,
) -> Checked[Folds]:
    """Folds that are seeded and stratified, with rows that depend on each other on one side.

    Groups of rows are dealt out like cards, each class in turn and in it the large groups first,
    so that the folds differ by little in size and in their shares of a class. Copies of one row
    are a group, unless there are so many that they would fill half of a fold. With times nothing
    is drawn: the rows are cut into `count + 1` blocks of time, each but the first is a fold, and
    its teacher is fitted on the earlier rows that do not depend on any of it (forward chaining).

    Args:
        strata: [N] the class code of each row; all 0 for regression.
        twins: [N] the same number for identical rows, as from `twin_groups`.
        count: K, how many folds; fewer where there are not so many groups.
        seed: Of numpy's PCG64.
        groups: [N] the same number for rows that belong together, a patient or a machine.
        times: [N] when each row was made; NaN: not known, so no teacher speaks of it.

    Returns:
        The folds, `TooFewRows` below two rows, or `FieldInvalid` for a group or time column of
        one value.

    Example:
        >>> strata, twins = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 1, 2, 3, 4])
        >>> folds = fold_rows(strata, twins, count=2, seed=7).unwrap()
        >>> bool(folds.parts[1] == folds.parts[2]), sorted(np.bincount(folds.parts).tolist())
        (True, [3, 3])
    """
    if len(strata) < 2:
        return fail(TooFewRows(rows=len(strata)))
    share = float(np.mean(np.bincount(twins)[twins] > 1))
    apart, notes = _without_large(twins, len(strata) / count)
    if groups is not None and len(np.unique(groups)) < 2:
        return fail(_one_value("group_column"))
    bound, linked = (apart, ()) if groups is None else _bound(groups, apart, len(strata) / count)
    notes += linked
    if times is not None:
        return _chained(times, bound, count, share, notes)
    parts, dealt = _dealt(strata, bound, count, seed)
    fewer = (f"only {dealt} folds: there are no more groups of rows",) if dealt < count else ()
    fits = tuple(np.flatnonzero(parts != fold) for fold in range(dealt))
    return Success(Folds(parts, fits, bound, share, (*notes, *fewer)))


def _one_value(name: str) -> FieldInvalid:
    rule = "must have at least two values in the training rows"
    return FieldInvalid(name=name, rule=rule, found="one value")


def _without_large(twins: IntArray, fold_size: float) -> tuple[IntArray, tuple[str, ...]]:
    """Twins with those of large groups told apart."""
    sizes = np.bincount(twins)[twins]
    large = sizes > max(2.0, LARGEST_TWINS * fold_size)
    if not large.any():
        return twins, ()
    apart = twins.copy()
    apart[large] = int(twins.max()) + 1 + np.arange(int(large.sum()))
    note = (
        f"{int(large.sum()):,} rows have so many identical twins that they were told apart: "
        "a teacher may have seen a copy of a row that it labels"
    )
    return apart, (note,)


def _bound(groups: IntArray, twins: IntArray, fold_size: float) -> tuple[IntArray, tuple[str, ...]]:
    bound = bound_groups(groups, twins, fold_size)
    note = "so many groups have a row in common that identical rows may stand in two folds"
    return bound, (note,) if bound is groups else ()


def _dealt(strata: IntArray, bound: IntArray, count: int, seed: int) -> tuple[IntArray, int]:
    """The fold of each row, and how many folds there are."""
    generator = np.random.Generator(np.random.PCG64(seed))
    _, first, inverse, sizes = np.unique(
        bound, return_index=True, return_inverse=True, return_counts=True
    )
    folds = min(count, len(sizes))
    order = np.lexsort((generator.permutation(len(sizes)), -sizes, strata[first]))
    bounds = np.flatnonzero(np.diff(strata[first][order])) + 1
    cards = np.empty(len(sizes), dtype=np.int64)
    totals = np.zeros(folds)
    for stratum in np.split(order, bounds):
        emptiest = np.argsort(totals, kind="stable")
        cards[stratum] = emptiest[np.arange(len(stratum)) % folds]
        totals += np.bincount(cards[stratum], sizes[stratum], folds)
    parts: IntArray = cards[inverse]
    return parts, folds


def _chained(
    times: FloatArray, bound: IntArray, count: int, share: float, notes: tuple[str, ...]
) -> Checked[Folds]:
    known = np.isfinite(times)
    moments, ranks = np.unique(times[known], return_inverse=True)
    if len(moments) < 2:
        return fail(_one_value("time_column"))
    parts = np.full(len(times), -2, dtype=np.int64)
    parts[known] = _blocks(np.bincount(ranks), count + 1)[ranks] - 1
    folds = int(parts.max()) + 1
    fits = tuple(_independent(parts, bound, fold) for fold in range(folds))
    spoken = np.array([len(rows) > 0 for rows in fits], dtype=np.bool_)
    unlabelled = (parts < 0) | ~spoken[np.maximum(parts, 0)]
    note = (
        f"{int(unlabelled.sum()):,} rows have no earlier rows to fit a teacher on, or no time: "
        "they keep their own labels alone"
    )
    final: IntArray = np.where(unlabelled, -1, parts)
    return Success(Folds(final, fits, bound, share, (*notes, note)))


def _blocks(counts: IntArray, blocks: int) -> IntArray:
    """The block of each moment: equal shares of the rows, no moment in two blocks."""
    middles = np.cumsum(counts) - counts / 2
    shares = np.floor(middles / counts.sum() * blocks).astype(np.int64)
    _, dense = np.unique(shares, return_inverse=True)
    numbers: IntArray = dense
    return numbers


def _independent(parts: IntArray, bound: IntArray, fold: int) -> IntArray:
    """Earlier rows without a tie to the fold."""
    labelled: BoolArray = np.isin(bound, bound[parts == fold])
    return np.flatnonzero((parts >= -1) & (parts < fold) & ~labelled)
