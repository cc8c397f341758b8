"""Splits of rows that depend on each other: a group stays on one side, the latest rows are tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from returns.result import Success

from kdtab.data.arrays import BoolArray, FloatArray, IntArray
from kdtab.data.dependence import bound_groups
from kdtab.data.split import DUPLICATION_LIMIT, Split, stratum_quotas
from kdtab.errors.columns import TooFewRows
from kdtab.errors.configs import FieldInvalid
from kdtab.results import Checked, fail


@dataclass(frozen=True, eq=False)
class RowTies:
    """What ties rows to each other; at least one of the two.

    Attributes:
        groups: [N] the same number for rows that belong together; None where none do.
        times: [N] when each row was made, NaN where that is not known; None without a time.

    Example:
        >>> RowTies(groups=np.array([0, 0, 1])).times is None
        True
    """

    groups: IntArray | None = None
    times: FloatArray | None = None


def split_dependent_rows(
    rows: IntArray,
    strata: IntArray,
    twins: IntArray,
    ties: RowTies,
    *,
    test_size: float,
    validation_size: float,
    seed: int,
) -> Checked[Split]:
    """Rows to test on, then rows to validate on, so that neither depends on a training row.

    With groups, whole groups are drawn in a seeded order, first those that keep every class below
    its share, then those that fill the part; each class keeps a training row where its groups allow
    it. With times nothing is drawn: the latest rows are the test rows, those before them the
    validation rows, and no moment is in two parts. Earlier rows that share a group with a held-out
    row are in no part, and those with all their cells in common are not either, unless most would be.
    A row without a time trains.

    Args:
        rows: [N] the row numbers to share out.
        strata: [N] the class code of each row; all 0 for regression.
        twins: [N] as from `twin_groups`.
        ties: Groups, times, or both.
        test_size: Share of the rows to test on, in (0, 1).
        validation_size: Share of the rows to validate on, in [0, 1).
        seed: Of numpy's PCG64.

    Returns:
        The split; `TooFewRows` below two rows; `FieldInvalid` for a group or time column of one
        value, or where no training row is left.

    Example:
        >>> ten, times = np.arange(10), np.arange(10.0)
        >>> split = split_dependent_rows(
        ...     ten, ten * 0, ten, RowTies(times=times), test_size=0.2, validation_size=0.1, seed=0
        ... ).unwrap()
        >>> split.test.tolist(), split.validation.tolist()
        ([8, 9], [7])
    """
    if len(rows) < 2:
        return fail(TooFewRows(rows=len(rows)))
    wanted = [
        max(1, round(len(rows) * size)) if size else 0 for size in (test_size, validation_size)
    ]
    parts = (
        _by_group(strata, twins, ties.groups, wanted, seed)
        if ties.times is None and ties.groups is not None
        else _by_time(twins, ties, wanted)
    )
    return parts.map(lambda found: _split(rows, strata, twins, found))


@dataclass(frozen=True, eq=False)
class _Parts:
    training: BoolArray
    validation: BoolArray
    test: BoolArray
    notes: tuple[str, ...]


def _split(rows: IntArray, strata: IntArray, twins: IntArray, parts: _Parts) -> Split:
    untaught = len(np.setdiff1d(strata, strata[parts.training]))
    lost = (f"classes without a training row: {untaught:,}",) if untaught else ()
    return Split(
        training=rows[parts.training],
        validation=rows[parts.validation],
        test=rows[parts.test],
        identical_share=float(np.mean(np.bincount(twins)[twins] > 1)),
        notes=(*parts.notes, *lost),
    )


def _by_group(
    strata: IntArray, twins: IntArray, groups: IntArray, wanted: Sequence[int], seed: int
) -> Checked[_Parts]:
    bound = bound_groups(groups, twins, wanted[0])
    note = "so many groups have a row in common that identical rows may stand on both sides"
    notes: tuple[str, ...] = (note,) if bound is groups else ()
    if len(np.unique(bound)) < 2:
        return fail(_invalid("group_column", "must have at least two values", "one value"))
    generator = np.random.Generator(np.random.PCG64(seed))
    _, codes = np.unique(strata, return_inverse=True)
    test = _drawn_groups(codes, bound, wanted[0], generator)
    rest, validation = np.flatnonzero(~test), np.zeros(len(strata), dtype=np.bool_)
    if wanted[1] and len(np.unique(bound[rest])) > 1:
        validation[rest] = _drawn_groups(codes[rest], bound[rest], wanted[1], generator)
    elif wanted[1]:
        notes += ("no group is left for validation",)
    return Success(_Parts(~test & ~validation, validation, test, notes))


def _drawn_groups(
    strata: IntArray, bound: IntArray, wanted: int, generator: np.random.Generator
) -> BoolArray:
    """At least one group, and not all of them."""
    _, numbers = np.unique(bound, return_inverse=True)
    held = _class_counts(numbers, strata)
    totals = np.bincount(strata, minlength=int(strata.max()) + 1)
    quotas = np.zeros(len(totals), dtype=np.int64)
    present = np.flatnonzero(totals)
    quotas[present] = stratum_quotas(totals[present], wanted, generator)
    order = generator.permutation(len(held)).tolist()
    taken, room = _within(order, held, quotas.tolist(), wanted)
    least = (totals - 1).tolist()
    for number in taken:
        for code, count in held[number]:
            least[code] -= count
    more, _ = _within([number for number in order if number not in taken], held, least, room)
    chosen = taken | more or {_smallest(order, held, totals.tolist())}
    return np.isin(numbers, list(chosen))


def _class_counts(numbers: IntArray, strata: IntArray) -> list[list[tuple[int, int]]]:
    """For each group its classes and their rows."""
    width = int(strata.max()) + 1
    pairs, counts = np.unique(numbers * width + strata, return_counts=True)
    held: list[list[tuple[int, int]]] = [[] for _ in range(int(numbers.max()) + 1)]
    for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
        held[pair // width].append((pair % width, count))
    return held


def _within(
    order: Sequence[int], held: list[list[tuple[int, int]]], limits: Sequence[int], room: int
) -> tuple[set[int], int]:
    """The groups that fit, one after the other, within a limit for each class and one for all."""
    left, chosen = list(limits), set()
    for number in order:
        size = sum(count for _, count in held[number])
        if size <= room and all(count <= left[code] for code, count in held[number]):
            chosen.add(number)
            room -= size
            for code, count in held[number]:
                left[code] -= count
    return chosen, room


def _smallest(
    order: Sequence[int], held: list[list[tuple[int, int]]], totals: Sequence[int]
) -> int:
    """Of the groups after which every class has a row left, where there is one."""

    def cost(number: int) -> tuple[int, int]:
        lost = sum(count == totals[code] for code, count in held[number])
        return lost, sum(count for _, count in held[number])

    return min(order, key=cost)


def _by_time(twins: IntArray, ties: RowTies, wanted: Sequence[int]) -> Checked[_Parts]:
    times = ties.times if ties.times is not None else np.zeros(len(twins))
    known = np.isfinite(times)
    if len(np.unique(times[known])) < 2:
        return fail(_invalid("time_column", "must have at least two values", "one value"))
    test = known & (times >= _cut(times[known], wanted[0]))
    before = known & ~test
    validation = np.zeros(len(times), dtype=np.bool_)
    notes: tuple[str, ...] = ()
    if wanted[1] and len(np.unique(times[before])) > 1:
        validation = before & (times >= _cut(times[before], wanted[1]))
    elif wanted[1]:
        notes = ("no moment is left for validation",)
    training = ~test & ~validation
    validation, apart = _untied(validation, test, twins, ties.groups)
    training, also = _untied(training, test | validation, twins, ties.groups)
    if not training.any():
        rule = "must leave rows to train on, or stand without time_column"
        found = "every earlier row shares a group with a later one"
        return fail(_invalid("group_column", rule, found))
    left_out = int((~(training | validation | test)).sum())
    return Success(
        _Parts(
            training,
            validation,
            test,
            tuple(
                dict.fromkeys((*notes, *_time_notes(int((~known).sum()), left_out), *apart, *also))
            ),
        )
    )


def _untied(
    part: BoolArray, later: BoolArray, twins: IntArray, groups: IntArray | None
) -> tuple[BoolArray, tuple[str, ...]]:
    """The rows of a part that depend on no later row; of identical ones as long as most are left."""
    own = part if groups is None else part & ~np.isin(groups, groups[later])
    alone = own & ~np.isin(twins, twins[later])
    if alone.sum() >= DUPLICATION_LIMIT * own.sum():
        return alone, ()
    note = "so many rows are identical that some stand on both sides"
    return own, (note,)


def _time_notes(without_time: int, left_out: int) -> tuple[str, ...]:
    notes = (
        ("rows without a time, which train and are never held out", without_time),
        ("rows left out, since they depend on a later row that is held out", left_out),
    )
    return tuple(f"{words}: {count:,}" for words, count in notes if count)


def _cut(times: FloatArray, wanted: int) -> float:
    """The moment from which about so many rows were made; never the first one."""
    moments, counts = np.unique(times, return_counts=True)
    from_here = np.cumsum(counts[::-1])[::-1]
    return float(moments[1 + int(np.argmin(np.abs(from_here[1:] - wanted)))])


def _invalid(name: str, rule: str, found: str) -> FieldInvalid:
    return FieldInvalid(name=name, rule=f"{rule} in the rows with a target", found=found)
