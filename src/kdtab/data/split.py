"""Which rows train, validate and test: seeded, stratified, identical rows together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.data.arrays import BoolArray, Float32Array, IntArray
from kdtab.data.cells import plain_texts
from kdtab.errors.columns import TooFewRows
from kdtab.results import Checked, fail

DUPLICATION_LIMIT = 0.5
"""A part that keeps identical rows together must reach this share of its quota."""

HASHED_AT_ONCE = 8
"""So many columns are hashed in one call: the digests of a whole wide table are never held."""


@dataclass(frozen=True, eq=False)
class Split:
    """Three sets of row numbers that share no row.

    Attributes:
        training: [·] row numbers, ascending; every stratum has one where that is possible.
        validation: [·] row numbers, ascending; empty where none were asked for.
        test: [·] row numbers, ascending, never empty.
        identical_share: Share of the rows that have an identical twin.
        notes: What a person should know about how the rows were split.

    Example:
        >>> one = np.array([0])
        >>> Split(one, one[:0], one + 1, 0.0, ()).test.tolist()
        [1]
    """

    training: IntArray
    validation: IntArray
    test: IntArray
    identical_share: float
    notes: tuple[str, ...]


def twin_groups(frame: pl.DataFrame) -> IntArray:
    """A number for each row, the same for identical rows, counted in order of appearance.

    Args:
        frame: [N] rows; the order of its columns does not matter.

    Returns:
        [N] int64 from 0.

    Example:
        >>> twin_groups(pl.DataFrame({"a": [1, 2, 1], "b": ["x", "x", "x"]})).tolist()
        [0, 1, 0]
    """
    return twins_of_columns(_hashable(frame[name]) for name in sorted(frame.columns))


def twins_of_columns(columns: Iterable[pl.Series]) -> IntArray:
    """`twin_groups` of columns that come one after the other and are not held.

    Args:
        columns: At least one, each of [N] cells.

    Returns:
        [N] int64 from 0.

    Example:
        >>> twins_of_columns(pl.Series([1, 2, 1]) for _ in range(3)).tolist()
        [0, 1, 0]
    """
    rest = iter(columns)
    hashes = _row_hashes(tuple(islice(rest, HASHED_AT_ONCE)))
    while some := tuple(islice(rest, HASHED_AT_ONCE)):
        hashes = _row_hashes((hashes, *some))
    numbered = pl.DataFrame({"hash": hashes}).with_row_index()
    first = numbered.select(pl.col("index").min().over("hash")).to_series().to_numpy()
    number = np.cumsum(first == np.arange(len(first))) - 1
    groups: IntArray = number[first]
    return groups


def input_hashes(inputs: Float32Array) -> IntArray:
    """A number for each encoded row, the same for rows that are equal in every column.

    Args:
        inputs: [N, D]; rows of other matrices of D columns can be compared by theirs.

    Returns:
        [N] hashes, which are not counted from 0 and mean nothing in another run.

    Example:
        >>> one, other, same = input_hashes(np.array([[1, 2], [2, 1], [1, 2]], dtype=np.float32))
        >>> bool(one == same), bool(one == other)
        (True, False)
    """
    hashes: IntArray = pl.DataFrame(inputs).hash_rows(seed=0).to_numpy()
    return hashes


def split_rows(
    rows: IntArray,
    strata: IntArray,
    twins: IntArray,
    *,
    test_size: float,
    validation_size: float,
    seed: int,
) -> Checked[Split]:
    """Rows to test on, then rows to validate on, the rest to train on.

    Each stratum gives its share by largest remainder and keeps at least one training row. Groups of
    identical rows are drawn whole, in a seeded order, as long as they fit what is left of the share;
    where that fills less than half of a part, its rows are drawn one by one, and the notes say so.
    The test rows do not depend on `validation_size`.

    Args:
        rows: [N] the row numbers to share out.
        strata: [N] the class code of each row; all 0 for regression.
        twins: [N] as from `twin_groups`.
        test_size: Share of the rows to test on, in (0, 1).
        validation_size: Share of the rows to validate on, in [0, 1).
        seed: Of numpy's PCG64.

    Returns:
        The split, or `TooFewRows` below two rows. Only where each row is a class of its own does a
        class lose its training row, so that one row can be tested on.

    Example:
        >>> ten = np.arange(10)
        >>> split = split_rows(ten, ten % 2, ten, test_size=0.2, validation_size=0.0, seed=1).unwrap()
        >>> sorted((split.test % 2).tolist()), len(split.training)
        ([0, 1], 8)
    """
    if len(rows) < 2:
        return fail(TooFewRows(rows=len(rows)))
    generator = np.random.Generator(np.random.PCG64(seed))
    _, strata = np.unique(strata, return_inverse=True)
    wanted = _rounded(len(rows) * test_size, most=len(rows) - 1)
    in_test, test_notes = _drawn("test", strata, twins, wanted, generator)
    rest = np.flatnonzero(~in_test)
    in_validation = np.zeros(len(rest), dtype=np.bool_)
    notes: tuple[str, ...] = ()
    if validation_size:
        wanted = _rounded(len(rows) * validation_size, most=len(rest) - 1)
        in_validation, notes = _drawn("validation", strata[rest], twins[rest], wanted, generator)
    return Success(
        Split(
            training=rows[rest[~in_validation]],
            validation=rows[rest[in_validation]],
            test=rows[in_test],
            identical_share=float(np.mean(np.bincount(twins)[twins] > 1)),
            notes=(*test_notes, *notes),
        )
    )


def stratum_quotas(counts: IntArray, total: int, generator: np.random.Generator) -> IntArray:
    """How many rows each stratum gives: its share by largest remainder, one row left at least.

    Args:
        counts: [S] rows of each stratum.
        total: Rows that are wanted from all.
        generator: Decides between equal remainders.

    Returns:
        [S] quotas, at most `counts − 1` each.

    Example:
        >>> stratum_quotas(np.array([6, 3, 1]), 2, np.random.default_rng(0)).tolist()
        [1, 1, 0]
    """
    ideal = counts * (total / counts.sum())
    quotas = np.minimum(np.floor(ideal).astype(np.int64), counts - 1)
    order = np.lexsort((generator.permutation(len(counts)), quotas - ideal))
    open_strata = order[quotas[order] < counts[order] - 1]
    quotas[open_strata[: max(0, total - int(quotas.sum()))]] += 1
    result: IntArray = quotas
    return result


def _drawn(
    part: str, strata: IntArray, twins: IntArray, wanted: int, generator: np.random.Generator
) -> tuple[BoolArray, tuple[str, ...]]:
    if wanted < 1:
        return np.zeros(len(strata), dtype=np.bool_), (f"no row is left for {part}",)
    counts = np.bincount(strata, minlength=int(strata.max()) + 1)
    present = np.flatnonzero(counts)
    quotas = np.zeros(len(counts), dtype=np.int64)
    quotas[present] = stratum_quotas(counts[present], wanted, generator)
    if not quotas.any():
        return _one_of_singletons(part, len(strata), generator)
    drawn = _draw_groups(strata, twins, quotas, generator)
    if drawn.sum() >= DUPLICATION_LIMIT * quotas.sum():
        return drawn, ()
    note = (
        f"so many rows are identical that the {part} rows could not be kept apart from them: "
        "some rows stand on both sides"
    )
    return _draw_groups(strata, np.arange(len(strata)), quotas, generator), (note,)


def _one_of_singletons(
    part: str, rows: int, generator: np.random.Generator
) -> tuple[BoolArray, tuple[str, ...]]:
    drawn = np.zeros(rows, dtype=np.bool_)
    if part != "test":
        return drawn, (f"every class has one row left: no row for {part}",)
    drawn[generator.integers(rows)] = True
    return drawn, ("every class has one row: the class of the test row is not trained on",)


def _draw_groups(
    strata: IntArray, twins: IntArray, quotas: IntArray, generator: np.random.Generator
) -> BoolArray:
    _, first, groups, sizes = np.unique(
        twins, return_index=True, return_inverse=True, return_counts=True
    )
    mixed = bool((strata != strata[first][groups]).any())
    stratum_of = strata[_any_member(groups, generator) if mixed else first]
    shuffled = generator.permutation(len(sizes))
    by_stratum = shuffled[np.argsort(stratum_of[shuffled], kind="stable")]
    bounds = np.searchsorted(stratum_of[by_stratum], np.arange(len(quotas) + 1))
    chosen = np.zeros(len(sizes), dtype=np.bool_)
    for stratum in np.flatnonzero(quotas):
        candidates = by_stratum[bounds[stratum] : bounds[stratum + 1]]
        _choose(chosen, candidates, sizes, int(quotas[stratum]))
    if mixed:
        _give_back(chosen, strata, groups, sizes)
    drawn: BoolArray = chosen[groups]
    return drawn


def _any_member(groups: IntArray, generator: np.random.Generator) -> IntArray:
    """[G] one row of each group: a group of several classes counts as one of them by its share."""
    order = generator.permutation(len(groups))
    _, first = np.unique(groups[order], return_index=True)
    member: IntArray = order[first]
    return member


def _give_back(chosen: BoolArray, strata: IntArray, groups: IntArray, sizes: IntArray) -> None:
    """A class whose rows were all drawn, beside those of other classes, gets a small group back."""
    for stratum in np.unique(strata):
        holding = np.unique(groups[strata == stratum])
        if chosen[holding].all():
            chosen[holding[np.argmin(sizes[holding])]] = False


def _choose(chosen: BoolArray, candidates: IntArray, sizes: IntArray, room: int) -> None:
    while room > 0:
        candidates = candidates[sizes[candidates] <= room]
        fitting = int(np.searchsorted(np.cumsum(sizes[candidates]), room, side="right"))
        if fitting == 0:
            return
        taken, candidates = candidates[:fitting], candidates[fitting:]
        chosen[taken] = True
        room -= int(sizes[taken].sum())


def _rounded(rows: float, most: int) -> int:
    return min(max(1, int(np.floor(rows + 0.5))), most)


def _row_hashes(columns: Sequence[pl.Series]) -> pl.Series:
    named = {str(at): cells for at, cells in enumerate(columns)}
    return pl.DataFrame(named).hash_rows(seed=0)


def _hashable(series: pl.Series) -> pl.Series:
    return plain_texts(series) if series.dtype == pl.Object else series
