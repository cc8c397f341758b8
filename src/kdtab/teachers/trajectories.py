"""Ask a teacher for its states over time, batch by batch, into one file that survives a kill."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from returns.result import Result, Success

from kdtab.config.sequences import Backend, TrajectoryRequest
from kdtab.config.trajectories import TrajectoryRecord
from kdtab.data.arrays import IntArray
from kdtab.data.rangescale import RangeScaler
from kdtab.disk.hdf5 import check_h5py
from kdtab.disk.seriessource import OpenedSource, opened_source
from kdtab.disk.trajectoryparts import (
    begin_staging,
    end_staging,
    part_path,
    read_part,
    staging_folder,
    write_part,
)
from kdtab.disk.trajectoryreuse import TrajectoryDataset, reused_trajectories
from kdtab.disk.trajectorywriter import GroupPlan, assemble_trajectories
from kdtab.errors.trajectories import SourceChanged
from kdtab.results import Checked, check, collect, fail, gather
from kdtab.teachers.sequenceasking import Asking
from kdtab.teachers.sequenceteacher import SequenceTeacher

Heard: TypeAlias = Callable[[int, int], None]


def unheard(_done: int, _series: int) -> None:
    """Progress that nobody hears of.

    Example:
        >>> unheard(32, 1000)
    """


def generate_trajectories(
    source: str | os.PathLike[str],
    teacher: SequenceTeacher,
    target: str | os.PathLike[str],
    request: TrajectoryRequest | None = None,
    *,
    backend: Backend = "torch",
    heard: Heard = unheard,
) -> Checked[TrajectoryDataset]:
    """Write inputs and a teacher's states into an HDF5 file, or find that they are there.

    Memory does not grow with the number of series. Each finished batch is a file in a folder beside
    the target, so the same call goes on where an earlier one was killed, and ends in the same
    bytes; the target only ever is a whole file. Series of one length are asked about together, so
    that no teacher sees the zeros that fill up the shorter ones.

    Args:
        source: A table, or an HDF5 file with data [N, T, D_in] in train, val, test or alone.
        teacher: Who has the states.
        target: The file to write; its folder exists.
        request: Which series, and what is done to them before.
        backend: With what the teacher is computed; recorded.
        heard: Is told, after each batch, the series that are done and all of them.

    Returns:
        The data set; or `DimensionsDiffer` with both numbers, `NoSeriesLeft`, `SourceScaled`,
        `ScalingWithoutTrain`, `InputsNotFinite`, `StatesInvalid`, `SourceChanged`; where the target
        is there, `TrajectoriesOfOtherRun` with the keys that differ, `TrajectoriesUnrecorded`,
        `TrajectoriesChanged`; and the issues of source, teacher and disk. Finished parts stay.

    Example:
        >>> generate_trajectories.__name__
        'generate_trajectories'
    """
    asked, named = request or TrajectoryRequest(), os.fspath(target)
    with opened_source(source, asked.columns, asked.seed) as opened:
        return opened.bind(
            lambda found: _generated(
                _Run(Asking(found.series, teacher, asked), named, backend, heard), found
            )
        )


@dataclass(frozen=True, eq=False)
class _Run:
    asking: Asking
    target: str
    backend: Backend
    heard: Heard

    @property
    def path(self) -> str:
        return self.asking.source.path

    def record(self, source_sha256: str) -> TrajectoryRecord:
        info = self.asking.teacher.info
        return TrajectoryRecord(
            kdtab_version=version("kdtab"),
            teacher=info.name,
            teacher_fingerprint=info.fingerprint,
            backend=self.backend,
            source_sha256=source_sha256,
            request=self.asking.request,
            input_dim=info.input_dim,
            output_dim=info.output_dim,
        )


def _generated(run: _Run, opened: OpenedSource) -> Checked[TrajectoryDataset]:
    asking, record = run.asking, run.record(opened.state.sha256)
    if Path(run.target).exists():
        return reused_trajectories(
            run.target,
            asking.request,
            teacher_fingerprint=record.teacher_fingerprint,
            source_sha256=record.source_sha256,
            recorded=True,
        ).map(partial(_swept, run))
    return Result.do(
        _swept(run, TrajectoryDataset(run.target, ended, reused=False))
        for _ in gather(check_h5py(), check(*asking.problems()))
        for places in collect(asking.places(group) for group in asking.source.groups)
        for scaler in asking.scaler(places[0])
        for folder in begin_staging(run.target)
        for plans in _filled(run, folder, record.plan, scaler, places)
        for _ in check(None if opened.is_unchanged else SourceChanged(path=run.path))
        for ended in assemble_trajectories(run.target, folder, record, plans, scaler)
    )


def _swept(run: _Run, dataset: TrajectoryDataset) -> TrajectoryDataset:
    end_staging(staging_folder(run.target))
    return dataset


def _filled(
    run: _Run,
    folder: str,
    plan: str,
    scaler: RangeScaler | None,
    places: tuple[IntArray, ...],
) -> Checked[tuple[GroupPlan, ...]]:
    """Every part that is not there yet, batch by batch."""
    asking, done, series = run.asking, 0, sum(len(chosen) for chosen in places)
    plans: list[GroupPlan] = []
    for group, chosen in zip(asking.source.groups, places, strict=True):
        parts: list[str] = []
        for number, some in enumerate(asking.batches(chosen)):
            path = part_path(folder, group.name, number)
            if not isinstance(read_part(path, plan), Success):
                part = asking.part(group, scaler, some)
                written = part.bind(partial(write_part, path, plan))
                if not isinstance(written, Success):
                    return fail(*written.failure())
            parts.append(path)
            done += len(some)
            run.heard(done, series)
        steps = asking.request.target_seq_len or group.steps
        plans.append(GroupPlan(group.name, group.series, len(chosen), steps, tuple(parts)))
    return Success(tuple(plans))
