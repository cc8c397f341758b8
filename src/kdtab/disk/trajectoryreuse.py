"""Trajectories that are there already, if they are what is asked for."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from kdtab.config.sequences import TrajectoryRequest
from kdtab.config.trajectories import COMPARED, TrajectoryRecord, differing_keys
from kdtab.disk.trajectories import TrajectoryFile, opened_trajectories
from kdtab.disk.trajectoryreport import TrajectoryReport, described_trajectories
from kdtab.errors.issue import Issue
from kdtab.errors.trajectories import TrajectoriesOfOtherRun, TrajectoriesUnrecorded
from kdtab.results import Checked, check


@dataclass(frozen=True)
class TrajectoryDataset:
    """A file of trajectories to learn from.

    Attributes:
        path: The file.
        record: What it says of itself; None where another program wrote it.
        reused: Whether it was there already, so that no teacher was asked.

    Example:
        >>> TrajectoryDataset("run/distillation_data.hdf5", None, reused=True).reused
        True
    """

    path: str
    record: TrajectoryRecord | None
    reused: bool


def reused_trajectories(
    path: str | os.PathLike[str],
    request: TrajectoryRequest,
    *,
    names: Collection[str] = COMPARED,
    teacher_fingerprint: str | None = None,
    source_sha256: str | None = None,
    recorded: bool = False,
) -> Checked[TrajectoryDataset]:
    """A file of trajectories, if it is what a config asks for and every number is as written.

    Args:
        path: The file.
        request: What is asked for.
        names: The fields of the request to compare: those that its user wrote.
        teacher_fingerprint: Of the teacher asked for; None: any.
        source_sha256: Of the source asked for; None: any.
        recorded: Whether a file without a record is refused.

    Returns:
        The data set, or `TrajectoriesOfOtherRun`, `TrajectoriesUnrecorded`, `TrajectoriesChanged`,
        `TrajectoriesNotFinite` and the issues of `opened_trajectories`.

    Example:
        >>> reused_trajectories("no such file", TrajectoryRequest()).failure().first
        FileMissing(path='no such file')
    """
    named = os.fspath(path)

    def differing(record: TrajectoryRecord | None) -> Issue | None:
        if record is None:
            return TrajectoriesUnrecorded(path=named) if recorded else None
        found = differing_keys(
            record,
            request,
            teacher_fingerprint=teacher_fingerprint,
            source_sha256=source_sha256,
            names=names,
        )
        return TrajectoriesOfOtherRun(path=named, differing=found) if found else None

    def sound(report: TrajectoryReport) -> Checked[TrajectoryDataset]:
        return check(*report.issues).map(
            lambda _: TrajectoryDataset(named, report.record, reused=True)
        )

    def agreed(found: TrajectoryFile) -> Checked[TrajectoryDataset]:
        fine = check(differing(found.record))
        return fine.bind(lambda _: described_trajectories(found)).bind(sound)

    with opened_trajectories(named) as opened:
        return opened.bind(agreed)
