"""What is in a file of trajectories, and all that is wrong with it, number by number."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

import numpy as np
from returns.result import Success

from kdtab.config.trajectories import GroupName, TrajectoryRecord
from kdtab.disk.hdf5 import opened_hdf5
from kdtab.disk.seriesgroups import SeriesGroup
from kdtab.disk.trajectories import TrajectoryFile, changed_array, with_record
from kdtab.errors.issue import Issue
from kdtab.errors.trajectories import TrajectoriesNotFinite
from kdtab.results import Checked, collect, either


@dataclass(frozen=True)
class GroupReport:
    """What a group of a file of trajectories holds.

    Attributes:
        name: train, val or test.
        series: N.
        steps: T of the inputs.
        input_dim: D_in.
        label_steps: T + 1; T where another program left t = 0 out.
        output_dim: D_out.
        shortest: Steps of the shortest series.
        inputs_not_finite: Inputs that are NaN or infinite.
        states_not_finite: States that are.

    Example:
        >>> GroupReport("train", 9, 4, 2, 5, 3, 4, 0, 0).label_steps
        5
    """

    name: GroupName
    series: int
    steps: int
    input_dim: int
    label_steps: int
    output_dim: int
    shortest: int
    inputs_not_finite: int
    states_not_finite: int


@dataclass(frozen=True)
class TrajectoryReport:
    """What a file of trajectories holds, and what is wrong with it.

    Attributes:
        path: The file.
        record: What it says of itself; None where another program wrote it, or it does not fit.
        groups: Counts and shapes; empty where the arrays do not fit together.
        issues: Everything that is wrong: shapes, dimensions, numbers, checksums.

    Example:
        >>> TrajectoryReport("d.hdf5", None, (), ()).is_valid
        True
    """

    path: str
    record: TrajectoryRecord | None
    groups: tuple[GroupReport, ...]
    issues: tuple[Issue, ...]

    @property
    def is_valid(self) -> bool:
        """Whether a student can learn from it.

        Example:
            >>> TrajectoryReport("d.hdf5", None, (), ()).is_valid
            True
        """
        return not self.issues


def trajectory_report(path: str | os.PathLike[str]) -> Checked[TrajectoryReport]:
    """Read every number of a file of trajectories, in pieces.

    Args:
        path: A local file.

    Returns:
        The report, also of a file whose arrays do not fit; a failure only where the file cannot be
        opened, or reading would do harm: the issues of `opened_hdf5`.

    Example:
        >>> trajectory_report("no such file.h5").failure().first
        FileMissing(path='no such file.h5')
    """
    named = os.fspath(path)
    with opened_hdf5(named) as opened:
        return opened.bind(
            lambda file: either(
                with_record(file),
                described_trajectories,
                lambda issues: Success(TrajectoryReport(named, None, (), issues.every)),
            )
        )


def described_trajectories(found: TrajectoryFile) -> Checked[TrajectoryReport]:
    """The report of a file that is open.

    Args:
        found: The file.

    Returns:
        The report, or `TrajectoryFileBroken`, `TrajectoryShapeInvalid` for lengths out of range.

    Example:
        >>> described_trajectories.__name__
        'described_trajectories'
    """

    def joined(parts: tuple[tuple[GroupReport, tuple[Issue, ...]], ...]) -> TrajectoryReport:
        groups = tuple(group for group, _ in parts)
        issues = tuple(issue for _, own in parts for issue in own)
        return TrajectoryReport(found.file.path, found.record, groups, issues)

    return collect(_described(found, group) for group in found.groups).map(joined)


@dataclass(frozen=True)
class _Seen:
    not_finite: int
    issues: tuple[Issue, ...]


def _described(
    found: TrajectoryFile, group: SeriesGroup
) -> Checked[tuple[GroupReport, tuple[Issue, ...]]]:
    names = ("data", "labels") + (("lengths",) if group.has_lengths else ())
    arrays = collect(_seen(found, group, name) for name in names)

    def report(seen: tuple[_Seen, ...], shortest: int) -> tuple[GroupReport, tuple[Issue, ...]]:
        described = GroupReport(
            name=group.name,
            series=group.series,
            steps=group.steps,
            input_dim=group.input_dim,
            label_steps=group.label_steps or 0,
            output_dim=group.output_dim or 0,
            shortest=shortest,
            inputs_not_finite=seen[0].not_finite,
            states_not_finite=seen[1].not_finite,
        )
        return described, tuple(issue for one in seen for issue in one.issues)

    return arrays.bind(
        lambda seen: found.lengths(group).map(lambda lengths: report(seen, int(lengths.min())))
    )


def _seen(found: TrajectoryFile, group: SeriesGroup, name: str) -> Checked[_Seen]:
    digest, wrong, first, row = hashlib.sha256(), 0, 0, 0
    for block in found.blocks(group, name):
        if not isinstance(block, Success):
            return block.map(lambda _: _Seen(0, ()))
        values = block.unwrap()
        digest.update(values.tobytes())
        bad = ~np.isfinite(values)
        if bad.any() and not wrong:
            first = row + int(np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))[0]) + 1
        wrong, row = wrong + int(bad.sum()), row + len(values)
    place, path = f"{group.place}/{name}", found.file.path
    changed = changed_array(found, group, name, digest.hexdigest())
    issues: list[Issue] = [] if changed is None else [changed]
    if wrong:
        issues.append(TrajectoriesNotFinite(path=path, place=place, count=wrong, series=first))
    return Success(_Seen(wrong, tuple(issues)))
