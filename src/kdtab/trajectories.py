"""Trajectories of a teacher, file to file: the door of seed 001's Python API.

Everything here raises: `KdtabError` (a `ValueError`) or one of its subclasses that is also the
builtin exception that callers expect. `error.issues` holds every problem that was found.
"""

from __future__ import annotations

import os
from typing import TypeAlias

from returns.result import Result

from kdtab.config.base import parse_config
from kdtab.config.sequences import (
    Backend,
    Resampling,
    SequenceColumns,
    TrajectoryRequest,
    check_backend,
)
from kdtab.disk.trajectoryreport import TrajectoryReport, trajectory_report
from kdtab.disk.trajectoryreuse import TrajectoryDataset
from kdtab.errors.raised import raise_issues
from kdtab.results import either, gather
from kdtab.teachers.sequences import sequence_teacher
from kdtab.teachers.trajectories import generate_trajectories

__all__ = ["generate_teacher_trajectories", "validate_distillation_dataset"]

Path: TypeAlias = str | os.PathLike[str]


def generate_teacher_trajectories(
    teacher_model_path: Path,
    source_data_path: Path,
    output_path: Path,
    subset_fraction: float = 1.0,
    max_samples: int | None = None,
    batch_size: int = 32,
    target_seq_len: int | None = None,
    scale_min: float | None = None,
    scale_max: float | None = None,
    backend: Backend = "torch",
    *,
    seed: int = 42,
    resampling: Resampling = "half_pixel",
    columns: SequenceColumns | None = None,
) -> TrajectoryDataset:
    """Write a teacher's states over time into an HDF5 file, or find that they are there.

    The file has train, val and test as the source has them, each with `data` [N, T, D_in] and
    `labels` [N, T + 1, D_out] in float32, t = 0 included; `lengths` [N] where series are shorter
    than T; and a record of teacher, source and arguments. The same call after a kill goes on where
    it was, and ends in the same bytes.

    Args:
        teacher_model_path: A sequence bundle, an ONNX graph, or recorded trajectories (HDF5).
        source_data_path: An HDF5 file with data [N, T, D_in], or a table (with `columns`).
        output_path: The file to write; one that is there is used if it is what is asked for.
        subset_fraction: Share of each group, drawn at random, in (0, 1].
        max_samples: The most series of a group, after the fraction.
        batch_size: Series that the teacher is asked about at a time.
        target_seq_len: Steps to which each series is resampled; None leaves it.
        scale_min: Where the least value of each feature of the training series goes.
        scale_max: Where the greatest goes; None with `scale_min`: nothing is scaled.
        backend: With what a bundle is computed: torch or jax.
        seed: Of the draw.
        resampling: half_pixel or endpoints.
        columns: How the rows of a table are time series.

    Returns:
        The path, the record, and whether it was there already.

    Raises:
        KdtabError: A `ValueError`: arguments out of range, numbers that do not fit together, a
            teacher or a file that is never opened, trajectories of another run.
        FileNotFoundError: No file at one of the paths.
        ImportError: Without h5py: `kdtab[sequences]`.

    Example:
        >>> generate_teacher_trajectories("no such teacher.soen", "source.hdf5", "out.hdf5")
        Traceback (most recent call last):
        kdtab.errors.raised.MissingFileError: no file at 'no such teacher.soen': check the path and its spelling
    """
    given: dict[str, object] = {
        "subset_fraction": subset_fraction,
        "max_samples": max_samples,
        "batch_size": batch_size,
        "target_seq_len": target_seq_len,
        "scale_min": scale_min,
        "scale_max": scale_max,
        "seed": seed,
        "resampling": resampling,
        "columns": columns,
    }
    request = parse_config(TrajectoryRequest, given)
    generated = Result.do(
        dataset
        for _ in gather(request, check_backend(backend))
        for asked in request
        for teacher in sequence_teacher(teacher_model_path, backend)
        for dataset in generate_trajectories(
            source_data_path, teacher, output_path, asked, backend=backend
        )
    )
    return either(generated, lambda dataset: dataset, raise_issues)


def validate_distillation_dataset(path: Path) -> TrajectoryReport:
    """What a file of trajectories holds, and everything that is wrong with it.

    Args:
        path: An HDF5 file in seed 001's format, by kdtab or by another program.

    Returns:
        Counts, shapes and numbers that are not finite, group by group; every mismatch of shapes,
        dimensions and checksums as an issue.

    Raises:
        KdtabError: A `ValueError`: a file that cannot be read, or that could do harm.
        FileNotFoundError: No file at the path.

    Example:
        >>> validate_distillation_dataset("no such file.hdf5")
        Traceback (most recent call last):
        kdtab.errors.raised.MissingFileError: no file at 'no such file.hdf5': check the path and its spelling
    """
    return either(trajectory_report(path), lambda report: report, raise_issues)
