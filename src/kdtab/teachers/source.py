"""Which road a teacher takes to its labels: fitted by kdtab, fitted again, or asked as it is."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TypeAlias

import polars as pl
from returns.result import Result, Success

from kdtab.config.base import revise
from kdtab.config.teachers import TEACHER_KINDS, LabelConfig, TeacherKind
from kdtab.config.training import Task
from kdtab.data.arrays import Float32Array
from kdtab.data.folds import Folds
from kdtab.data.labelled import TableRequest, check_request, decide_task
from kdtab.data.prepare import PreparedTable, prepare_table, prepare_with_artifacts
from kdtab.disk.labels import LabelStore
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.teachers import TaskMismatch
from kdtab.results import Checked, fail
from kdtab.shell.trained import DistillEvidence
from kdtab.teachers.classroom import Classroom
from kdtab.teachers.crossfit import Heard, unheard
from kdtab.teachers.estimator import EstimatorTeacher
from kdtab.teachers.evidence import gathered_evidence
from kdtab.teachers.networkfit import supervised_network_fit
from kdtab.teachers.refit import Estimator, can_be_refitted, estimator_refit, estimator_task
from kdtab.teachers.resolve import nameless_width, resolve_teacher
from kdtab.teachers.rows import typed_if_read_as_text
from kdtab.teachers.stored import StoredTeacher
from kdtab.teachers.studentview import student_classes, student_targets
from kdtab.teachers.taught import (
    Taught,
    taught_as_given,
    taught_by_estimator,
    taught_by_kind,
    training_folds,
)
from kdtab.teachers.teacher import Teacher


@dataclass(frozen=True)
class KindSource:
    """A teacher that kdtab fits itself.

    Example:
        >>> KindSource("forest").kind
        'forest'
    """

    kind: TeacherKind


@dataclass(frozen=True, eq=False)
class EstimatorSource:
    """An estimator whose clones are fitted.

    Example:
        >>> EstimatorSource.__dataclass_params__.frozen
        True
    """

    estimator: Estimator


@dataclass(frozen=True, eq=False)
class GivenSource:
    """A teacher that is asked as it is.

    Example:
        >>> GivenSource.__dataclass_params__.frozen
        True
    """

    teacher: Teacher


TeacherSource: TypeAlias = KindSource | EstimatorSource | GivenSource


@dataclass(frozen=True, eq=False)
class Teaching:
    """What a student learns from.

    Attributes:
        spoken: [N, C] log-probabilities or logits, or [N, 1] scaled values, for the training rows;
            NaN in rows of which no teacher could speak.
        evidence: How they came about.

    Example:
        >>> Teaching.__dataclass_params__.frozen
        True
    """

    spoken: Float32Array
    evidence: DistillEvidence


def teacher_source(teacher: object, room: Classroom) -> Checked[TeacherSource]:
    """The road that a teacher takes.

    Args:
        teacher: The name of a kind, an estimator, a label store, or what `resolve_teacher` takes.
        room: The table; where the teacher does not know its task, the target decides it.

    Returns:
        The source; `FieldInvalid` for a policy that this teacher cannot follow; the issues of
        `resolve_teacher`.

    Example:
        >>> import torch
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> frame = pl.DataFrame({"x": [1, 2], "y": ["a", "b"]})
        >>> config, cpu = TrainingConfig(target_column="y"), torch.device("cpu")
        >>> room = Classroom(frame, config, ColumnOptions(), LabelConfig(), cpu)
        >>> teacher_source("boosted", room).unwrap()
        KindSource(kind='boosted')
        >>> teacher_source("boosted", Classroom(
        ...     frame, config, ColumnOptions(), LabelConfig(labels="as_given"), cpu)).failure().first.name
        'labels'
    """
    policy = room.labels.labels
    for kind in TEACHER_KINDS:
        if isinstance(teacher, str) and teacher == kind:
            rule = f"must be auto or in_sample with the teacher '{kind}', which is fitted here"
            bad = FieldInvalid(name="labels", rule=rule, found=policy)
            return fail(bad) if policy == "as_given" else Success(KindSource(kind))
    if isinstance(teacher, LabelStore):
        return _given(StoredTeacher(teacher), room.labels)
    if policy != "as_given" and can_be_refitted(teacher):
        return Success(EstimatorSource(teacher))
    return _resolved(teacher, room).bind(lambda found: _given(found, room.labels))


def prepared_for(source: TeacherSource, room: Classroom) -> Checked[PreparedTable]:
    """The table, encoded with the teacher's artifacts where it has some, else with its own.

    Args:
        source: Whose task it is.
        room: The table.

    Returns:
        The prepared table, `TaskMismatch`, or the issues of preparing.

    Example:
        >>> import torch
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> frame = pl.DataFrame({"x": [1, 2, 3, 4], "y": ["a", "b", "a", "b"]})
        >>> config, cpu = TrainingConfig(target_column="y"), torch.device("cpu")
        >>> room = Classroom(frame, config, ColumnOptions(), LabelConfig(), cpu)
        >>> prepared_for(KindSource("forest"), room).unwrap().task
        'classification'
    """
    task, config, frame, options = _task_of(source), room.config, room.frame, room.options
    if task is not None and config.task not in ("auto", task):
        return fail(TaskMismatch(requested=config.task, teacher=task))
    artifacts = source.teacher.info.artifacts if isinstance(source, GivenSource) else None
    if artifacts is not None and task is not None:
        return prepare_with_artifacts(frame, config, options, artifacts, task, room.labels)
    decided = config if task is None else revise(config, task=task).unwrap()
    return prepare_table(frame, decided, options, room.labels)


def teaching_of(
    source: TeacherSource, prepared: PreparedTable, room: Classroom, heard: Heard = unheard
) -> Checked[Teaching]:
    """Fit and ask the teacher, once.

    Args:
        source: The teacher's road.
        prepared: The room's table, split and encoded.
        room: The table.
        heard: Is told of every fit.

    Returns:
        Labels of the training rows with their evidence, or the issues of the folds and the teacher.

    Example:
        >>> import torch
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> frame = pl.DataFrame({"x": list(range(50)), "y": ["a", "b"] * 25})
        >>> config, cpu = TrainingConfig(target_column="y"), torch.device("cpu")
        >>> room = Classroom(frame, config, ColumnOptions(), LabelConfig(), cpu)
        >>> source = KindSource("extra_trees")
        >>> teaching = teaching_of(source, prepared_for(source, room).unwrap(), room).unwrap()
        >>> teaching.spoken.shape, teaching.evidence.saw_training_rows
        ((40, 2), 'no')
    """
    began = perf_counter()
    table = _table_for(source, room)
    return Result.do(
        Teaching(spoken, evidence)
        for taught in _taught(source, table, prepared, room, heard)
        for spoken in student_targets(taught.outputs, prepared, taught.missing)
        for evidence in gathered_evidence(
            taught, spoken, prepared, table, seconds=perf_counter() - began
        )
    )


def _resolved(teacher: object, room: Classroom) -> Checked[Teacher]:
    """A teacher that does not know its task predicts the table's."""
    asked: Task | None = None if room.config.task == "auto" else room.config.task
    first = resolve_teacher(teacher, task=asked)
    if isinstance(first, Success) or asked is not None:
        return first
    request = TableRequest(room.frame, room.config, room.options)
    decided = check_request(request).bind(lambda _: decide_task(request))
    again = decided.bind(lambda decision: resolve_teacher(teacher, task=decision.task))
    return again.lash(lambda _: first)


def _given(teacher: Teacher, labels: LabelConfig) -> Checked[TeacherSource]:
    estimator = teacher.estimator if isinstance(teacher, EstimatorTeacher) else None
    if labels.labels != "as_given" and can_be_refitted(estimator):
        return Success(EstimatorSource(estimator))
    if labels.labels == "in_sample":
        rule = f"must be auto or as_given with {teacher.info.name}, which cannot be fitted again"
        return fail(FieldInvalid(name="labels", rule=rule, found="in_sample"))
    return Success(GivenSource(teacher))


def _task_of(source: TeacherSource) -> Task | None:
    match source:
        case KindSource():
            return None
        case EstimatorSource(estimator=estimator):
            return estimator_task(estimator)
        case GivenSource(teacher=teacher):
            return teacher.info.task


def _table_for(source: TeacherSource, room: Classroom) -> pl.DataFrame:
    """Foreign teachers take typed columns and no target; nameless ones what the student is given."""
    match source:
        case KindSource() | GivenSource(teacher=StoredTeacher()):
            return room.frame
        case GivenSource(teacher=teacher) if nameless_width(teacher) == len(_features(room)):
            return typed_if_read_as_text(room.frame.select(_features(room)))
        case EstimatorSource() | GivenSource():
            return typed_if_read_as_text(room.frame.drop(room.config.target_column))


def _features(room: Classroom) -> tuple[str, ...]:
    return TableRequest(room.frame, room.config, room.options).feature_names


def _taught(
    source: TeacherSource,
    table: pl.DataFrame,
    prepared: PreparedTable,
    room: Classroom,
    heard: Heard,
) -> Checked[Taught]:
    seed, labels = room.config.random_seed, room.labels
    match source:
        case GivenSource(teacher=teacher):
            heard("asked about the training rows")
            return taught_as_given(teacher, table, prepared, labels)
        case KindSource(kind=kind):
            fit_network = supervised_network_fit(prepared, room.device)
            return _folds(prepared, room).bind(
                lambda folds: taught_by_kind(
                    kind,
                    prepared,
                    folds,
                    labels,
                    seed=seed,
                    fit_network=fit_network,
                    heard=heard,
                )
            )
        case EstimatorSource(estimator=estimator):
            columns = _features(room)
            return Result.do(
                taught
                for refit in estimator_refit(estimator, columns, student_classes(prepared))
                for folds in _folds(prepared, room)
                for taught in taught_by_estimator(refit, table, prepared, folds, labels, heard)
            )


def _folds(prepared: PreparedTable, room: Classroom) -> Checked[Folds]:
    return training_folds(
        room.frame,
        prepared,
        room.labels,
        seed=room.config.random_seed,
        markers=room.options.missing_markers,
    )
