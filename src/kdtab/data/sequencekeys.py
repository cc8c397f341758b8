"""Which row of a table belongs to which series, at which moment, and in which group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from returns.result import Result, Success

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.config.sequences import SequenceColumns
from kdtab.config.trajectories import GROUPS
from kdtab.data.arrays import IntArray
from kdtab.data.cells import canonical_texts, missing_rule, numbers
from kdtab.data.moments import fit_date_column, timestamps
from kdtab.data.sampling import sample_count, sampled_places
from kdtab.errors.issue import Issue
from kdtab.errors.sequences import GroupsUnclear, NoSeriesLeft, SeriesKeyMissing, TimesRepeated
from kdtab.results import Checked, check, gather

_RULE = missing_rule(DEFAULT_MISSING_MARKERS)
_SPELLINGS = {"train": 0, "val": 1, "validation": 1, "valid": 1, "test": 2}
SIZES = {1: "validation", 2: "test"}
_SERIES, _TIME, _GROUP, _ROW, _NUMBER = "series", "time", "group", "row", "number"


@dataclass(frozen=True, eq=False)
class SeriesKeys:
    """The rows of a table in runs: those of one series in one group, in order of time.

    Attributes:
        order: [rows] the table's row at each place.
        names: [S] whose run it is.
        starts: [S] its first place.
        lengths: [S] its rows.
        groups: [S] 0 for train, 1 for val, 2 for test.

    Example:
        >>> frame = pl.DataFrame({"id": ["b", "a", "b"]})
        >>> keys = series_keys(frame, SequenceColumns(series_column="id"), seed=0).unwrap()
        >>> keys.order.tolist(), keys.names, keys.lengths.tolist()
        ([1, 0, 2], ('a', 'b'), [1, 2])
    """

    order: IntArray
    names: tuple[str, ...]
    starts: IntArray
    lengths: IntArray
    groups: IntArray


def series_keys(frame: pl.DataFrame, columns: SequenceColumns, seed: int) -> Checked[SeriesKeys]:
    """Sort the rows of a table into runs.

    Series come in order of their key, as numbers where all are, so that the order of the rows in
    the table does not matter where there is a time column.

    Args:
        frame: [rows] with every column that is named.
        columns: Which columns say what.
        seed: Of the draw of series for val and test.

    Returns:
        The runs, or every one of `SeriesKeyMissing`, `GroupsUnclear`, `TimesRepeated`,
        `NoSeriesLeft` and the issues of `fit_date_column`.

    Example:
        >>> frame = pl.DataFrame({"t": ["2020-01-02", "2020-01-01"]})
        >>> series_keys(frame, SequenceColumns(time_column="t"), seed=0).unwrap().order.tolist()
        [1, 0]
    """
    rows = frame.height
    one_series = pl.Series(_SERIES, [""] * rows, dtype=pl.String)
    key, moment, split = columns.series_column, columns.time_column, columns.split_column
    series = Success(one_series) if key is None else _series(frame, key)
    time = Success(pl.Series(_TIME, np.zeros(rows))) if moment is None else _time(frame, moment)
    group = (
        Success(pl.Series(_GROUP, np.zeros(rows, np.int64)))
        if split is None
        else _split(frame, split)
    )
    return Result.do(
        keys
        for _ in gather(series, time, group)
        for names in series
        for moments in time
        for groups in group
        for keys in _runs(names, moments, groups, columns, seed)
    )


def _series(frame: pl.DataFrame, column: str) -> Checked[pl.Series]:
    texts = canonical_texts(frame[column], _RULE).alias(_SERIES)
    return check(*_missing(texts, column)).map(lambda _: texts)


def _time(frame: pl.DataFrame, column: str) -> Checked[pl.Series]:
    cells = frame[column]
    if cells.dtype.is_integer():
        return _whole(cells, column)
    values = numbers(cells, _RULE) if cells.dtype not in (pl.Date, pl.Datetime) else None
    if values is not None and values.null_count() < len(values):
        return _whole(values, column)
    return fit_date_column(cells, _RULE, "time_column").bind(
        lambda fitted: _whole(timestamps(cells, fitted, _RULE).cast(pl.Int64), column)
    )


def _split(frame: pl.DataFrame, column: str) -> Checked[pl.Series]:
    texts = canonical_texts(frame[column], _RULE)
    lowered = texts.str.to_lowercase()
    known = lowered.replace_strict(_SPELLINGS, default=None, return_dtype=pl.Int64)
    strange = texts.filter(known.is_null() & texts.is_not_null())
    found: list[Issue] = _missing(texts, column)
    if len(strange):
        found.append(GroupsUnclear(column=column, reason=f"it holds {strange[0]!r}"))
    return check(*found).map(lambda _: known.alias(_GROUP))


def _whole(cells: pl.Series, column: str) -> Checked[pl.Series]:
    return check(*_missing(cells, column)).map(lambda _: cells.alias(_TIME))


def _missing(cells: pl.Series, column: str) -> list[Issue]:
    if not cells.null_count():
        return []
    first = int(cells.is_null().arg_true()[0]) + 1
    return [SeriesKeyMissing(column=column, rows=cells.null_count(), first_row=first)]


def _runs(
    names: pl.Series, moments: pl.Series, groups: pl.Series, columns: SequenceColumns, seed: int
) -> Checked[SeriesKeys]:
    counted = numbers(names, _RULE)
    by_number = counted if not counted.null_count() else pl.Series(np.zeros(len(names)))
    rows = pl.DataFrame(
        [groups, by_number.alias(_NUMBER), names, moments, pl.Series(_ROW, np.arange(len(names)))]
    ).sort(_GROUP, _NUMBER, _SERIES, _TIME, maintain_order=True)
    repeated = check(_repeated(rows, columns))
    runs = rows.group_by(_GROUP, _SERIES, maintain_order=True).len()
    lengths = runs["len"].cast(pl.Int64).to_numpy()
    keys = SeriesKeys(
        order=rows[_ROW].to_numpy(),
        names=tuple(runs[_SERIES].to_list()),
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
        groups=runs[_GROUP].to_numpy(),
    )
    return repeated.bind(lambda _: _with_shares(keys, columns, seed))


def _repeated(rows: pl.DataFrame, columns: SequenceColumns) -> TimesRepeated | None:
    if columns.time_column is None:
        return None
    twice = rows.filter(~pl.struct(_GROUP, _SERIES, _TIME).is_first_distinct())
    if twice.is_empty():
        return None
    first = twice.sort(_ROW).row(0, named=True)
    return TimesRepeated(
        column=columns.time_column,
        series=first[_SERIES],
        rows=twice.height,
        first_row=first[_ROW] + 1,
    )


def _with_shares(keys: SeriesKeys, columns: SequenceColumns, seed: int) -> Checked[SeriesKeys]:
    single = len(keys.names) == 1
    available = len(keys.order) if single else len(keys.names)
    asked = {1: columns.validation_size, 2: columns.test_size}
    sizes = {at: sample_count(available, share) for at, share in asked.items() if share}
    empty = check(
        *(
            NoSeriesLeft(
                group=GROUPS[at], available=available, fraction=asked[at], name=f"{SIZES[at]}_size"
            )
            for at, size in sizes.items()
            if size == 0
        )
    )
    if not sizes:
        return Success(keys)
    return empty.bind(lambda _: _ends(keys, sizes) if single else _drawn(keys, sizes, seed))


def _drawn(keys: SeriesKeys, sizes: Mapping[int, int], seed: int) -> Checked[SeriesKeys]:
    """Whole series for test, then for val out of the rest."""
    groups = keys.groups.copy()
    for at in sorted(sizes, reverse=True):
        left = np.flatnonzero(groups == 0)
        places = sampled_places(f"split {GROUPS[at]}", len(left), 1.0, sizes[at], seed).unwrap()
        groups[left[places]] = at
    return Success(SeriesKeys(keys.order, keys.names, keys.starts, keys.lengths, groups))


def _ends(keys: SeriesKeys, sizes: Mapping[int, int]) -> Checked[SeriesKeys]:
    """A single series, its end cut off for test, and the end of the rest for val."""
    cut = {0: len(keys.order) - sum(sizes.values()), **dict(sorted(sizes.items()))}
    lengths = np.array(list(cut.values()), dtype=np.int64)
    groups = np.array(list(cut), dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    return Success(SeriesKeys(keys.order, keys.names * len(cut), starts, lengths, groups))
