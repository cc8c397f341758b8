"""The trajectories that a run learns from: those that it names, or those its teacher makes."""

from __future__ import annotations

import os
from pathlib import Path

from returns.result import Result, Success

from kdtab.config.base import revise
from kdtab.config.sequences import Backend, DistillationConfig, TrajectoryRequest
from kdtab.disk.filestate import file_state
from kdtab.disk.trajectoryreuse import TrajectoryDataset, reused_trajectories
from kdtab.errors.trajectories import TrajectoriesAbsent
from kdtab.results import Checked, fail
from kdtab.teachers.sequences import sequence_teacher
from kdtab.teachers.trajectories import Heard, generate_trajectories, unheard

__all__ = ["DATA_NAME", "distillation_data", "generate_trajectories"]

DATA_NAME = "distillation_data.hdf5"
SHARED = ("subset_fraction", "max_samples", "batch_size")


def distillation_data(
    config: DistillationConfig,
    request: TrajectoryRequest,
    source: str | os.PathLike[str] | None,
    folder: str | os.PathLike[str],
    *,
    backend: Backend = "torch",
    heard: Heard = unheard,
) -> Checked[TrajectoryDataset]:
    """The trajectories that a run learns from: those that it names, or those its teacher makes.

    Args:
        config: Seed 001's five fields. Where the file at `distillation_data_path` exists, it is
            used, if it agrees with every field that was written down, and with teacher and source
            where their files are there. The seed is the student's then: the draw was made.
        request: What else is asked for; fields of the config that were written down come first.
        source: The series; None where the trajectories are there.
        folder: Of the run: `distillation_data.hdf5` goes there.
        backend: With what a teacher is computed.
        heard: As in `generate_trajectories`.

    Returns:
        The data set; or `TrajectoriesAbsent`, and the issues of `reused_trajectories`,
        `sequence_teacher`, `generate_trajectories`.

    Example:
        >>> config = DistillationConfig(distillation_data_path="no such file.hdf5")
        >>> distillation_data(config, TrajectoryRequest(), None, ".").failure().first
        TrajectoriesAbsent(path='no such file.hdf5')
    """
    written = {name: getattr(config, name) for name in SHARED if name in config.model_fields_set}
    asked, there = revise(request, **written).unwrap(), config.distillation_data_path
    teacher, target = config.teacher_model_path, Path(folder, DATA_NAME)
    if there is not None and Path(there).exists():
        return _named_data(there, asked, teacher, source, backend)
    if teacher is None or source is None:
        return fail(TrajectoriesAbsent(path=os.fspath(there or target)))
    return sequence_teacher(teacher, backend).bind(
        lambda found: generate_trajectories(
            source, found, target, asked, backend=backend, heard=heard
        )
    )


def _named_data(
    path: str | os.PathLike[str],
    asked: TrajectoryRequest,
    teacher: str | os.PathLike[str] | None,
    source: str | os.PathLike[str] | None,
    backend: Backend,
) -> Checked[TrajectoryDataset]:
    """Trajectories may travel without their teacher and source; those that are there must fit."""
    fingerprint: Checked[str | None] = Success(None)
    digest: Checked[str | None] = Success(None)
    if teacher is not None and Path(teacher).exists():
        fingerprint = sequence_teacher(teacher, backend).map(lambda found: found.info.fingerprint)
    if source is not None and Path(source).exists():
        digest = file_state(source).map(lambda state: state.sha256)
    return Result.do(
        dataset
        for teacher_fingerprint in fingerprint
        for source_sha256 in digest
        for dataset in reused_trajectories(
            path,
            asked,
            names=asked.model_fields_set - {"seed"},
            teacher_fingerprint=teacher_fingerprint,
            source_sha256=source_sha256,
        )
    )
