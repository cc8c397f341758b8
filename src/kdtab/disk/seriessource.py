"""Time series that a teacher is asked about: of an HDF5 file, or of a table's file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, final

import numpy as np
from returns.result import Result, Success

from kdtab.config.sequences import SequenceColumns
from kdtab.config.trajectories import GroupName
from kdtab.data.arrays import IntArray
from kdtab.data.sequences import SequenceGroup, SeriesBatch, sequences_from_frame, step_mask
from kdtab.disk.filestate import FileState, file_state, is_unchanged
from kdtab.disk.hdf5 import AnyNumbers, Hdf5File, opened_hdf5
from kdtab.disk.seriesgroups import SeriesGroup, group_lengths, series_groups
from kdtab.disk.tables import read_table, table_suffixes
from kdtab.disk.trajectoryrecord import record_in
from kdtab.errors.sequences import SequenceColumnsNeeded
from kdtab.results import Checked, collect, fail


@dataclass(frozen=True)
class SourceGroup:
    """What is known of a group of series before one is read.

    Attributes:
        name: train, val or test.
        series: N.
        steps: T.
        input_dim: D_in.

    Example:
        >>> SourceGroup("train", 9, 4, 2).steps
        4
    """

    name: GroupName
    series: int
    steps: int
    input_dim: int


class SeriesSource(Protocol):
    """Series in groups, read some at a time, in the unit of their file.

    Example:
        >>> hasattr(SeriesSource, "batch")
        True
    """

    @property
    def path(self) -> str:
        """The file.

        Example:
            >>> isinstance(SeriesSource.path, property)
            True
        """
        ...

    @property
    def groups(self) -> tuple[SourceGroup, ...]:
        """The groups that are there, in the order train, val, test.

        Example:
            >>> isinstance(SeriesSource.groups, property)
            True
        """
        ...

    @property
    def is_scaled(self) -> bool:
        """Whether kdtab scaled the inputs when it wrote the file.

        Example:
            >>> isinstance(SeriesSource.is_scaled, property)
            True
        """
        ...

    def batch(self, group: GroupName, places: IntArray) -> Checked[SeriesBatch]:
        """Some series of a group.

        Args:
            group: One of `groups`.
            places: [n] which, from 0.

        Returns:
            [n, T, D_in] float64 and the lengths; or the issues of the file.
        """
        ...


@final
@dataclass(frozen=True, eq=False)
class Hdf5Source:
    """The arrays `data` of an HDF5 file, read as they are asked for.

    Attributes:
        path: The file.
        file: The file, open.
        is_scaled: Whether kdtab scaled the inputs when it wrote the file.

    Example:
        >>> Hdf5Source.batch.__name__
        'batch'
    """

    path: str
    file: Hdf5File
    is_scaled: bool
    _groups: tuple[SeriesGroup, ...]
    _lengths: Mapping[str, IntArray] = field(default_factory=dict)

    @property
    def groups(self) -> tuple[SourceGroup, ...]:
        """The groups that are there, in the order train, val, test.

        Example:
            >>> isinstance(Hdf5Source.groups, property)
            True
        """
        found = self._groups
        return tuple(SourceGroup(one.name, one.series, one.steps, one.input_dim) for one in found)

    def batch(self, group: GroupName, places: IntArray) -> Checked[SeriesBatch]:
        """Some series of a group.

        Args:
            group: One of `groups`.
            places: [n] which, from 0.

        Returns:
            [n, T, D_in] float64 and the lengths, or `TrajectoryFileBroken`.

        Example:
            >>> Hdf5Source.batch.__name__
            'batch'
        """
        place = next(found.place for found in self._groups if found.name == group)
        lengths = self._lengths[group][places]

        def filled(values: AnyNumbers) -> SeriesBatch:
            own = step_mask(lengths, values.shape[1])
            return SeriesBatch(np.where(own[..., None], values, 0.0), lengths)

        return self.file.rows(f"{place}/data", places, "<f8").map(filled)


@final
@dataclass(frozen=True, eq=False)
class TableSource:
    """The series of a table, which is in memory.

    Attributes:
        path: The table's file.
        sequences: Its groups.

    Example:
        >>> TableSource("a.csv", ()).is_scaled
        False
    """

    path: str
    sequences: tuple[SequenceGroup, ...]

    @property
    def is_scaled(self) -> bool:
        """Never: a table's numbers are in its own unit.

        Example:
            >>> TableSource("a.csv", ()).is_scaled
            False
        """
        return False

    @property
    def groups(self) -> tuple[SourceGroup, ...]:
        """The groups that are there, in the order train, val, test.

        Example:
            >>> TableSource("a.csv", ()).groups
            ()
        """
        return tuple(
            SourceGroup(group.name, len(group.series), group.steps, group.matrix.shape[1])
            for group in self.sequences
        )

    def batch(self, group: GroupName, places: IntArray) -> Checked[SeriesBatch]:
        """Some series of a group.

        Args:
            group: One of `groups`.
            places: [n] which, from 0.

        Returns:
            [n, T, D_in] float64 and the lengths; never a failure.

        Example:
            >>> TableSource.batch.__name__
            'batch'
        """
        return Success(next(one for one in self.sequences if one.name == group).batch(places))


@dataclass(frozen=True, eq=False)
class OpenedSource:
    """A source, and the state of its file.

    Attributes:
        series: The series.
        state: By which a change of the file is noticed.

    Example:
        >>> OpenedSource(TableSource("no such file", ()), FileState("0" * 64, 9, 0)).is_unchanged
        False
    """

    series: SeriesSource
    state: FileState

    @property
    def is_unchanged(self) -> bool:
        """Whether the file still is what it was when it was opened.

        Example:
            >>> OpenedSource(TableSource("", ()), FileState("0" * 64, 9, 0)).is_unchanged
            False
        """
        return is_unchanged(self.series.path, self.state)


@contextmanager
def opened_source(
    path: str | os.PathLike[str], columns: SequenceColumns | None = None, seed: int = 42
) -> Iterator[Checked[OpenedSource]]:
    """The series of a file for as long as the block lasts.

    Args:
        path: A table, by its suffix, or an HDF5 file of any suffix.
        columns: How a table becomes series; None for HDF5.
        seed: Of the draw of a table's series for val and test.

    Yields:
        The source; or `SequenceColumnsNeeded`, the issues of `read_table` and
        `sequences_from_frame`, or those of `opened_hdf5` and `series_groups`.

    Example:
        >>> with opened_source("no such file.h5") as found:
        ...     found.failure().first
        FileMissing(path='no such file.h5')
    """
    named = os.fspath(path)
    is_table = "".join(Path(named).suffixes[-2:]).lower().endswith(table_suffixes())
    state = file_state(named)
    if not isinstance(state, Success):
        yield fail(*state.failure())
    elif is_table == (columns is None):
        yield fail(SequenceColumnsNeeded(path=named, is_table=is_table))
    elif columns is not None:
        yield _table(named, columns, seed).map(lambda found: OpenedSource(found, state.unwrap()))
    else:
        with opened_hdf5(named) as opened:
            yield opened.bind(_hdf5).map(lambda found: OpenedSource(found, state.unwrap()))


def _table(path: str, columns: SequenceColumns, seed: int) -> Checked[SeriesSource]:
    return (
        read_table(path)
        .bind(lambda frame: sequences_from_frame(frame, columns, seed))
        .map(lambda groups: TableSource(path, groups))
    )


def _hdf5(file: Hdf5File) -> Checked[SeriesSource]:
    no_record: Checked[bool] = Success(False)
    text = file.record
    scaled = no_record if text is None else record_in(file.path, text).map(lambda r: r.is_scaled)
    return Result.do(
        Hdf5Source(file.path, file, is_scaled, groups, _by_name(groups, lengths))
        for groups in series_groups(file, with_labels=False)
        for is_scaled in scaled
        for lengths in collect(group_lengths(file, group) for group in groups)
    )


def _by_name(
    groups: tuple[SeriesGroup, ...], lengths: tuple[IntArray, ...]
) -> Mapping[str, IntArray]:
    return dict(zip((group.name for group in groups), lengths, strict=True))
