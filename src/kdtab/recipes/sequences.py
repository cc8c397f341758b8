"""Train a student on a teacher's time courses, and tell how well it follows them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from returns.result import Result

from kdtab.config.base import revise
from kdtab.config.sequencerun import SequenceTraining
from kdtab.config.sequences import Backend
from kdtab.config.trajectories import GroupName, TrajectoryRecord
from kdtab.disk.trajectories import Trajectories, TrajectoryGroup
from kdtab.errors.trajectories import TrajectoryShapeInvalid
from kdtab.metrics.trajectories import CourseExample, TrajectoryError, trajectory_error
from kdtab.models.sequences import SequenceBundle
from kdtab.results import Checked, fail
from kdtab.shell.progress import SILENT, EpochRecord, Progress
from kdtab.shell.sequencebatches import SeriesRows
from kdtab.shell.sequences_fit import sequence_states
from kdtab.shell.sequencetraining import TrainedSequence, check_dimensions, train_sequence_bundle
from kdtab.tasks.sequences import TrajectoryTask
from kdtab.teachers.sequenceinfo import SequenceTeacherInfo

HELD_OUT_FIRST: tuple[GroupName, ...] = ("test", "val", "train")
SHOWN_SERIES = 3


@dataclass(frozen=True, eq=False)
class LearnedTrajectories:
    """A student, and how well it follows its teacher.

    Attributes:
        student: The trained bundle.
        errors: By group.
        history: Every epoch that was run.
        examples: Some series of the group that is held out the most.

    Example:
        >>> [field for field in LearnedTrajectories.__dataclass_fields__]
        ['student', 'errors', 'history', 'examples']
    """

    student: SequenceBundle
    errors: Mapping[GroupName, TrajectoryError]
    history: tuple[EpochRecord, ...]
    examples: tuple[CourseExample, ...]


def check_student(student: SequenceBundle, teacher: SequenceTeacherInfo) -> Checked[None]:
    """Whether a student has its teacher's inputs and outputs; worth knowing before generation.

    Args:
        student: Any bundle.
        teacher: What the teacher says of itself.

    Returns:
        None, or `DimensionsDiffer` with both numbers, for inputs and for outputs.

    Example:
        >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
        >>> student = new_sequence_bundle(example_spec(), random_seed=0)
        >>> check_student(student, SequenceTeacherInfo("rnn", 2, 5, "rnn-1")).failure().first
        DimensionsDiffer(what='outputs', one='the teacher', first=5, other='the student', second=1)
    """
    return check_dimensions("the teacher", teacher.input_dim, teacher.output_dim, student)


def learn_trajectories(
    student: SequenceBundle,
    trajectories: Trajectories,
    path: str | os.PathLike[str],
    training: SequenceTraining,
    *,
    backend: Backend = "torch",
    device: torch.device | None = None,
    progress: Progress = SILENT,
) -> Checked[LearnedTrajectories]:
    """Train a student on a teacher's time courses; the group val chooses the epoch.

    Args:
        student: Where the weights start; not changed.
        trajectories: What `read_trajectories` found.
        path: Their file, for messages.
        training: How.
        backend: torch or jax.
        device: Where torch computes; None: the CPU.
        progress: Hears of steps and epochs.

    Returns:
        The student and its errors; or `DimensionsDiffer`, `TrajectoryShapeInvalid` without a group
        train, `ExtraMissing`, `LossNotFinite`.

    Example:
        >>> learn_trajectories.__name__
        'learn_trajectories'
    """
    groups = trajectories.groups
    if "train" not in groups:
        expected = "an array of numbers [N, T, D]"
        named = os.fspath(path)
        return fail(
            TrajectoryShapeInvalid(
                path=named, place="/train/data", expected=expected, found="absent"
            )
        )
    train = groups["train"]
    widths = (train.data.shape[2], train.labels.shape[2])
    task = TrajectoryTask(training.time_pooling)
    return Result.do(
        _learned(trained, trajectories)
        for _ in check_dimensions("the data", *widths, student)
        for trained in train_sequence_bundle(
            student, task, _rows(train), _validation(groups), training, backend, device, progress
        )
    )


def _rows(group: TrajectoryGroup) -> SeriesRows:
    return SeriesRows(group.data, group.labels, group.lengths)


def _validation(groups: Mapping[GroupName, TrajectoryGroup]) -> SeriesRows | None:
    return _rows(groups["val"]) if "val" in groups else None


def _taught(trained: TrainedSequence, record: TrajectoryRecord | None) -> SequenceBundle:
    known: dict[str, object] = {"paradigm": "distillation"}
    if record is not None:
        known |= {
            "teacher_fingerprint": record.teacher_fingerprint,
            "source_sha256": record.source_sha256,
            "request": record.request,
        }
    bundle = trained.bundle
    return replace(bundle, provenance=revise(bundle.provenance, **known).unwrap())


def _learned(trained: TrainedSequence, trajectories: Trajectories) -> LearnedTrajectories:
    errors: dict[GroupName, TrajectoryError] = {}
    examples: dict[GroupName, tuple[CourseExample, ...]] = {}
    student = _taught(trained, trajectories.record)
    for name, group in trajectories.groups.items():
        states = sequence_states(student.network, group.data)
        first = states.shape[1] - group.labels.shape[1]
        states, lengths = states[:, first:], group.lengths + 1 - first
        errors[name] = trajectory_error(states, group.labels, lengths)
        examples[name] = tuple(
            CourseExample(
                name,
                place,
                group.labels[place, : lengths[place]],
                states[place, : lengths[place]],
                first,
            )
            for place in _spread_places(len(states))
        )
    shown = next(examples[name] for name in HELD_OUT_FIRST if name in examples)
    return LearnedTrajectories(student, errors, trained.history, shown)


def _spread_places(series: int) -> list[int]:
    """From the first to the last: neighbours may be windows of one day, or of one person."""
    return sorted(set(np.linspace(0, series - 1, SHOWN_SERIES).round().astype(int).tolist()))
