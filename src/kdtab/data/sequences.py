"""Tables as time series: rows put in order, cut into windows, sorted into groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from returns.result import Result, Success

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.config.sequences import SequenceColumns
from kdtab.config.trajectories import GROUPS, GroupName
from kdtab.data.arrays import BoolArray, FloatArray, IntArray
from kdtab.data.cells import missing_rule, numbers, stripped_texts
from kdtab.data.sequencekeys import SeriesKeys, series_keys
from kdtab.errors.columns import ColumnMissing
from kdtab.errors.issue import Issue
from kdtab.errors.sequences import FeaturesNotNumeric, NoSequenceFeatures, WindowTooLong
from kdtab.results import Checked, check, collect, fail, gather

_RULE = missing_rule(DEFAULT_MISSING_MARKERS)


@dataclass(frozen=True, eq=False)
class SeriesBatch:
    """Some series, those that are shorter than the longest filled with zeros at their end.

    Attributes:
        values: [n, T, D].
        lengths: [n] how many steps of each are its own, from 1 to T.

    Example:
        >>> SeriesBatch(np.zeros((1, 3, 2)), np.array([2])).values.shape
        (1, 3, 2)
    """

    values: FloatArray
    lengths: IntArray


@dataclass(frozen=True, eq=False)
class SequenceGroup:
    """The sequences of one group, kept as places in the one matrix of all rows.

    Attributes:
        name: train, val or test.
        series: [N] the series that each sequence was cut from.
        starts: [N] its first row in the matrix.
        lengths: [N] its steps.
        matrix: [rows, D] the inputs, rows of one series together and in order of time.
        features: [D] the columns.
        unused: Rows of the group that filled no window.

    Example:
        >>> frame = pl.DataFrame({"t": [2, 1, 3], "x": [20.0, 10.0, 30.0]})
        >>> groups = sequences_from_frame(frame, SequenceColumns(time_column="t", window=2)).unwrap()
        >>> groups[0].batch(np.array([0])).values.ravel().tolist(), groups[0].unused
        ([10.0, 20.0], 1)
    """

    name: GroupName
    series: tuple[str, ...]
    starts: IntArray
    lengths: IntArray
    matrix: FloatArray
    features: tuple[str, ...]
    unused: int

    @property
    def steps(self) -> int:
        """T: the steps of the longest sequence.

        Example:
            >>> frame = pl.DataFrame({"id": [1, 1, 2], "x": [1.0, 2.0, 3.0]})
            >>> columns = SequenceColumns(series_column="id")
            >>> sequences_from_frame(frame, columns).unwrap()[0].steps
            2
        """
        return int(self.lengths.max())

    def batch(self, places: IntArray) -> SeriesBatch:
        """Some of the sequences.

        Args:
            places: [n] which, from 0.

        Returns:
            [n, T, D] values with T of the whole group, and their lengths.

        Example:
            >>> frame = pl.DataFrame({"id": [1, 1, 2], "x": [1.0, 2.0, 3.0]})
            >>> columns = SequenceColumns(series_column="id")
            >>> group = sequences_from_frame(frame, columns).unwrap()[0]
            >>> group.batch(np.array([1])).values.tolist()
            [[[3.0], [0.0]]]
        """
        lengths = self.lengths[places]
        own = step_mask(lengths, self.steps)
        rows = self.starts[places][:, None] + np.arange(self.steps)
        held = np.minimum(rows, len(self.matrix) - 1)
        return SeriesBatch(np.where(own[..., None], self.matrix[held], 0.0), lengths)


def step_mask(lengths: IntArray, steps: int) -> BoolArray:
    """Which steps of each series are its own.

    Args:
        lengths: [N] from 0 to T. For states, which begin at t = 0, one more than the inputs'.
        steps: T.

    Returns:
        [N, T] True where t < length.

    Example:
        >>> step_mask(np.array([1, 3]), 3).tolist()
        [[True, False, False], [True, True, True]]
    """
    return np.arange(steps) < lengths[:, None]


def sequences_from_frame(
    frame: pl.DataFrame, columns: SequenceColumns, seed: int = 42
) -> Checked[tuple[SequenceGroup, ...]]:
    """The time series of a table.

    Rows of one series come in order of time, whatever their order in the table; a window never
    reaches from one series, or one group, into another. With `validation_size` or `test_size`,
    whole series are drawn; a single series gives its end, in order of time.

    Args:
        frame: [rows] of any column types; not changed.
        columns: Which columns say what.
        seed: Of the draw of series.

    Returns:
        The groups that are there, in the order train, val, test; or every one of `ColumnMissing`,
        `NoSequenceFeatures`, `FeaturesNotNumeric`, `SeriesKeyMissing`, `TimesRepeated`,
        `GroupsUnclear`, `NoSeriesLeft`, `WindowTooLong` and the issues of `fit_date_column`.

    Example:
        >>> frame = pl.DataFrame({"id": ["b", "a", "b"], "t": [2, 1, 1], "x": [1.0, 2.0, 3.0]})
        >>> columns = SequenceColumns(series_column="id", time_column="t")
        >>> group, = sequences_from_frame(frame, columns).unwrap()
        >>> group.series, group.matrix.ravel().tolist()
        (('a', 'b'), [2.0, 3.0, 1.0])
    """
    absent = check(*_absent_columns(frame, columns))
    if not isinstance(absent, Success):
        return fail(*absent.failure())
    matrix, keys = _matrix(frame, columns), series_keys(frame, columns, seed)
    return Result.do(
        groups
        for _ in gather(matrix, keys)
        for values in matrix
        for ordered in keys
        for groups in _groups(values, _features(frame, columns), ordered, columns)
    )


def _absent_columns(frame: pl.DataFrame, columns: SequenceColumns) -> list[Issue]:
    named = [
        *(("series_column", [columns.series_column]),),
        *(("time_column", [columns.time_column]),),
        *(("split_column", [columns.split_column]),),
        *(("feature_columns", columns.feature_columns or ()),),
        *(("exclude_columns", columns.exclude_columns),),
    ]
    return [
        ColumnMissing(name=name, role=role, columns=tuple(frame.columns))
        for role, names in named
        for name in names
        if name is not None and name not in frame.columns
    ]


def _features(frame: pl.DataFrame, columns: SequenceColumns) -> tuple[str, ...]:
    if columns.feature_columns is not None:
        return columns.feature_columns
    keys = (columns.series_column, columns.time_column, columns.split_column)
    return tuple(name for name in frame.columns if name not in (*keys, *columns.exclude_columns))


def _matrix(frame: pl.DataFrame, columns: SequenceColumns) -> Checked[FloatArray]:
    names = _features(frame, columns)
    if not names:
        return fail(NoSequenceFeatures(columns=tuple(frame.columns)))
    cells = [numbers(frame[name], _RULE) for name in names]
    wrong = [column for column in cells if column.null_count()]
    if wrong:
        row = int(wrong[0].is_null().arg_true()[0])
        text = stripped_texts(frame[wrong[0].name].slice(row, 1), _RULE)[0]
        named = tuple(column.name for column in wrong)
        return fail(FeaturesNotNumeric(names=named, row=row + 1, cell=text))
    return Success(np.stack([column.to_numpy() for column in cells], axis=1))


def _groups(
    matrix: FloatArray, features: tuple[str, ...], keys: SeriesKeys, columns: SequenceColumns
) -> Checked[tuple[SequenceGroup, ...]]:
    ordered = matrix[keys.order]
    present = [(at, name) for at, name in enumerate(GROUPS) if (keys.groups == at).any()]
    return collect(_group(ordered, features, keys, at, name, columns) for at, name in present)


def _group(
    ordered: FloatArray,
    features: tuple[str, ...],
    keys: SeriesKeys,
    at: int,
    name: GroupName,
    columns: SequenceColumns,
) -> Checked[SequenceGroup]:
    runs = np.flatnonzero(keys.groups == at)
    starts, lengths = keys.starts[runs], keys.lengths[runs]
    if columns.window is None:
        series = tuple(keys.names[run] for run in runs)
        return Success(SequenceGroup(name, series, starts, lengths, ordered, features, 0))
    window, stride = columns.window, columns.stride or columns.window
    if lengths.max() < window:
        issue = WindowTooLong(group=name, window=window, longest=int(lengths.max()))
        return fail(issue)
    cut = [np.arange(0, length - window + 1, stride) for length in lengths.tolist()]
    counts = [len(places) for places in cut]
    named = np.repeat(runs, counts)
    first = np.concatenate([start + places for start, places in zip(starts, cut, strict=True)])
    reached = sum(_covered(len(places), window, stride) for places in cut)
    return Success(
        SequenceGroup(
            name=name,
            series=tuple(keys.names[run] for run in named),
            starts=first,
            lengths=np.full(len(first), window, dtype=np.int64),
            matrix=ordered,
            features=features,
            unused=int(lengths.sum()) - reached,
        )
    )


def _covered(windows: int, window: int, stride: int) -> int:
    """Rows that lie in some window."""
    return 0 if not windows else window + (windows - 1) * min(window, stride)
