"""Files of series and of trajectories: HDF5 with train, val and test, read as untrusted bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from returns.result import Success

from kdtab.config.trajectories import (
    GroupName,
    GroupRecord,
    TrajectoryRecord,
)
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.disk.hdf5 import AnyNumbers, Hdf5File, Number, opened_hdf5
from kdtab.disk.seriesgroups import SeriesGroup, group_lengths, series_groups
from kdtab.disk.trajectoryrecord import record_in
from kdtab.errors.trajectories import (
    TrajectoriesChanged,
    TrajectoriesNotFinite,
    TrajectoryFileBroken,
)
from kdtab.results import Checked, Value, check, collect, fail

BLOCK_BYTES = 2**26


@dataclass(frozen=True, eq=False)
class TrajectoryFile:
    """A file of trajectories, open in another process.

    Attributes:
        file: The file.
        record: What it says of itself; None where another program wrote it.
        groups: Its groups, all of them with labels.

    Example:
        >>> TrajectoryFile.blocks.__name__
        'blocks'
    """

    file: Hdf5File
    record: TrajectoryRecord | None
    groups: tuple[SeriesGroup, ...]

    def numbers(self, group: SeriesGroup, name: str, rows: IntArray) -> Checked[AnyNumbers]:
        """Rows of one array of a group.

        Args:
            group: One of `groups`.
            name: data, labels or lengths.
            rows: [n] places from 0.

        Returns:
            [n, T, D_in] or [n, T + 1, D_out] float32, or [n] int64; or `TrajectoryFileBroken`.

        Example:
            >>> TrajectoryFile.numbers.__name__
            'numbers'
        """
        number: Number = "<i8" if name == "lengths" else "<f4"
        return self.file.rows(f"{group.place}/{name}", rows, number)

    def lengths(self, group: SeriesGroup) -> Checked[IntArray]:
        """How many steps of each series are its own.

        Args:
            group: One of `groups`.

        Returns:
            [N] from 1 to T, or `TrajectoryShapeInvalid`, `TrajectoryFileBroken`.

        Example:
            >>> TrajectoryFile.lengths.__name__
            'lengths'
        """
        return group_lengths(self.file, group)

    def blocks(self, group: SeriesGroup, name: str) -> Iterator[Checked[AnyNumbers]]:
        """One array of a group, some rows at a time.

        Args:
            group: One of `groups`.
            name: data, labels or lengths.

        Yields:
            Rows in order; after a failure nothing more.

        Example:
            >>> TrajectoryFile.blocks.__name__
            'blocks'
        """
        width = max(
            group.steps * group.input_dim, (group.label_steps or 1) * (group.output_dim or 1)
        )
        rows = max(1, BLOCK_BYTES // (4 * width))
        for begin in range(0, group.series, rows):
            places = np.arange(begin, min(begin + rows, group.series))
            block = self.numbers(group, name, places)
            yield block
            if not isinstance(block, Success):
                return


@contextmanager
def opened_trajectories(path: str | os.PathLike[str]) -> Iterator[Checked[TrajectoryFile]]:
    """A file of trajectories for as long as the block lasts; no number of it is verified yet.

    Args:
        path: A local file, by kdtab or by another program in seed 001's format.

    Yields:
        The file; or the issues of `opened_hdf5`, `TrajectoryShapeInvalid`, `TrajectoriesTooNew`.

    Example:
        >>> with opened_trajectories("no such file.h5") as found:
        ...     found.failure().first
        FileMissing(path='no such file.h5')
    """
    with opened_hdf5(path) as opened:
        yield opened.bind(with_record)


@dataclass(frozen=True, eq=False)
class TrajectoryGroup:
    """All series of a group, in memory.

    Attributes:
        data: [N, T, D_in] inputs.
        labels: [N, T + 1, D_out] states, t = 0 included; [N, T, D_out] where another program left
            t = 0 out.
        lengths: [N] how many steps of each series are its own; the rest is filled with zeros.

    Example:
        >>> x, y = np.zeros((1, 2, 1), np.float32), np.zeros((1, 3, 1), np.float32)
        >>> TrajectoryGroup(x, y, np.array([2])).lengths.tolist()
        [2]
    """

    data: Float32Array
    labels: Float32Array
    lengths: IntArray


@dataclass(frozen=True, eq=False)
class Trajectories:
    """All of a file of trajectories, in memory.

    Attributes:
        record: What the file says of itself; None where another program wrote it.
        groups: By name, in the order train, val, test.

    Example:
        >>> Trajectories(None, {}).record is None
        True
    """

    record: TrajectoryRecord | None
    groups: Mapping[GroupName, TrajectoryGroup]


def read_trajectories(path: str | os.PathLike[str]) -> Checked[Trajectories]:
    """Read a file of trajectories, and verify its numbers where its record knows them.

    Args:
        path: A local file.

    Returns:
        Every group; or the issues of `opened_trajectories`, and `TrajectoriesChanged`.

    Example:
        >>> read_trajectories("no such file.h5").failure().first
        FileMissing(path='no such file.h5')
    """
    with opened_trajectories(path) as opened:
        return opened.bind(
            lambda found: collect(_group(found, group) for group in found.groups).map(
                lambda groups: Trajectories(
                    found.record,
                    dict(zip((group.name for group in found.groups), groups, strict=True)),
                )
            )
        )


def with_record(file: Hdf5File) -> Checked[TrajectoryFile]:
    """A file of trajectories out of any HDF5 file: its arrays, and its record beside them.

    Args:
        file: A harmless file.

    Returns:
        The file; or `TrajectoryShapeInvalid`, `DimensionsDiffer`, `TrajectoriesTooNew`, and
        `TrajectoryFileBroken` where the record is not that of the arrays.

    Example:
        >>> with_record(Hdf5File("d.hdf5", {}, None)).failure().first.place
        '/train/data'
    """

    def whole(groups: tuple[SeriesGroup, ...]) -> Checked[TrajectoryFile]:
        if file.record is None:
            return Success(TrajectoryFile(file, None, groups))
        return record_in(file.path, file.record).bind(lambda record: _agreed(file, record, groups))

    return series_groups(file, with_labels=True).bind(whole)


def _agreed(
    file: Hdf5File, record: TrajectoryRecord, groups: tuple[SeriesGroup, ...]
) -> Checked[TrajectoryFile]:
    there = [
        (group.name, group.series, group.steps, group.input_dim, group.output_dim)
        for group in groups
    ]
    known = [
        (group.name, group.series, group.steps, record.input_dim, record.output_dim)
        for group in record.groups
    ]
    if there != known:
        return _broken(file.path, "its arrays are not those of its record")
    return Success(TrajectoryFile(file, record, groups))


def _group(found: TrajectoryFile, group: SeriesGroup) -> Checked[TrajectoryGroup]:
    names = ("data", "labels") + (("lengths",) if group.has_lengths else ())
    arrays = collect(found.numbers(group, name, np.arange(group.series)) for name in names)
    return arrays.bind(
        lambda read: check(
            *(
                changed_array(found, group, name, hashlib.sha256(array.tobytes()).hexdigest())
                or _not_finite(found, group, name, array)
                for name, array in zip(names, read, strict=True)
            )
        ).bind(
            lambda _: found.lengths(group).map(
                lambda lengths: TrajectoryGroup(read[0], read[1], lengths)  # type: ignore[arg-type]  # asked for as float32
            )
        )
    )


def changed_array(
    found: TrajectoryFile, group: SeriesGroup, name: str, digest: str
) -> TrajectoriesChanged | None:
    """Whether the bytes of an array are not those that the record knows.

    Args:
        found: The file.
        group: The group.
        name: data, labels or lengths.
        digest: sha256 of the array's bytes.

    Returns:
        The issue; None where they are, or where there is no record.

    Example:
        >>> changed_array.__name__
        'changed_array'
    """
    if found.record is None:
        return None
    known: GroupRecord = found.record.groups[[item.name for item in found.groups].index(group.name)]
    if getattr(known, f"{name}_sha256") == digest:
        return None
    return TrajectoriesChanged(path=found.file.path, place=f"{group.place}/{name}")


def _not_finite(
    found: TrajectoryFile, group: SeriesGroup, name: str, array: AnyNumbers
) -> TrajectoriesNotFinite | None:
    wrong = ~np.isfinite(array.reshape(len(array), -1))
    count, place = int(wrong.sum()), f"{group.place}/{name}"
    if not count:
        return None
    series = int(np.argmax(wrong.any(1))) + 1
    return TrajectoriesNotFinite(path=found.file.path, place=place, count=count, series=series)


def _broken(path: str, reason: str) -> Checked[Value]:
    return fail(TrajectoryFileBroken(path=path, reason=reason))
