"""What students of one teacher share: the table, encoded once, and what the teacher said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import polars as pl
from returns.result import Result, Success
from torch import nn

from kdtab.bundle import ModelBundle
from kdtab.config.quantiles import median_place
from kdtab.config.training import CLASSIFICATION_ONLY, TrainingConfig
from kdtab.data.arrays import Float32Array
from kdtab.data.fingerprint import table_fingerprint
from kdtab.data.outputs import TeacherOutputs
from kdtab.data.prepare import PreparedTable, prepare_with_artifacts
from kdtab.errors.configs import ModeNeedsClassification
from kdtab.errors.issue import Issue, Issues
from kdtab.errors.teachers import TaskMismatch, TeacherOutputsInvalid
from kdtab.models.describe import StudentSize, student_defaults
from kdtab.results import check, fail
from kdtab.shell.extrarows import ExtraRows
from kdtab.shell.infer import network_outputs
from kdtab.shell.trained import DistillEvidence, FitPlan
from kdtab.teachers.evidence import gathered_evidence, rows_seen_by
from kdtab.teachers.morerows import MoreRows, check_more_rows, check_new_rows, more_rows
from kdtab.teachers.network import NetworkTeacher
from kdtab.teachers.source import (
    EstimatorSource,
    GivenSource,
    KindSource,
    TeacherSource,
    Teaching,
    prepared_for,
    teacher_source,
    teaching_of,
)
from kdtab.teachers.studentfit import Wish, student_plan
from kdtab.teachers.studenttask import objective_fits
from kdtab.teachers.studentview import student_targets
from kdtab.teachers.taught import Taught


@dataclass(frozen=True, eq=False)
class Instruction:
    """A table and its labels, ready for as many students as one likes.

    Attributes:
        prepared: The table, encoded and split.
        spoken: [N, C] what the teacher said of the training rows, as students take it.
        sizes: Of a student, where nobody asks for others.
        evidence: Of the teacher; None where nobody asked for it.
        known: Fields of the provenance that tell of the table and of the teacher.
        bundle: The teacher, where it is one.
        extra: Rows without a label that the teacher has labelled too.

    Example:
        >>> Instruction.__dataclass_params__.frozen
        True
    """

    prepared: PreparedTable
    spoken: Float32Array
    sizes: StudentSize
    evidence: DistillEvidence | None
    known: Mapping[str, object] = field(default_factory=dict)
    bundle: ModelBundle | None = None
    extra: ExtraRows | None = None

    def plan(self, wish: Wish) -> Result[FitPlan, Issues]:
        """What to fit for one student.

        Args:
            wish: Its config, temperature, alpha, objective and sizes.

        Returns:
            The plan, or the issues of `student_plan`.

        Example:
            >>> Instruction.plan.__name__
            'plan'
        """
        network: nn.Module | None = None if self.bundle is None else self.bundle.model
        provenance = wish.provenance(**self.known)
        planned = student_plan(self.prepared, self.sizes, self.spoken, provenance, wish, network)
        return planned.map(lambda plan: replace(plan, extra=self.extra))


def instruction_by(teacher: object, wish: Wish) -> Result[Instruction, Issues]:
    """Prepare the table for a teacher, and ask it, once.

    Args:
        teacher: As for `distill_student`.
        wish: The table, how it is labelled, and what the first student is to be: an objective that
            does not fit is refused before a teacher is fitted.

    Returns:
        The instruction; or every issue of the task, the columns, the target and the teacher.

    Example:
        >>> instruction_by.__name__
        'instruction_by'
    """
    if isinstance(teacher, ModelBundle):
        return _by_bundle(teacher, wish)
    return teacher_source(teacher, wish.room).bind(lambda source: _by_source(source, wish))


def _by_bundle(teacher: ModelBundle, wish: Wish) -> Result[Instruction, Issues]:
    room = wish.room
    return Result.do(
        Instruction(
            prepared,
            spoken,
            student_defaults(teacher.model),
            evidence,
            {"table_fingerprint": table, "teacher_fingerprint": teacher.fingerprint},
            teacher,
            extra,
        )
        for _ in check(*teacher_issues(teacher, room.config))
        for prepared in prepare_with_artifacts(
            room.frame, room.config, room.options, teacher.artifacts, teacher.task, room.labels
        )
        for _ in check_more_rows(prepared, wish)
        for spoken in _teacher_outputs(teacher, prepared, prepared.training.inputs)
        for table in Success(table_fingerprint(room.frame))
        for evidence in _bundle_evidence(teacher, spoken, prepared, wish, table)
        for extra in more_rows(_more_by_bundle(teacher, prepared, wish))
    )


def _more_by_bundle(teacher: ModelBundle, prepared: PreparedTable, wish: Wish) -> MoreRows:
    def speaks(_: pl.DataFrame, inputs: Float32Array) -> Result[Float32Array, Issues]:
        return _teacher_outputs(teacher, prepared, inputs)

    return MoreRows(prepared, wish.room.frame, speaks, wish)


def _by_source(source: TeacherSource, wish: Wish) -> Result[Instruction, Issues]:
    if isinstance(source, GivenSource) and isinstance(source.teacher, NetworkTeacher):
        return _by_bundle(source.teacher.bundle, wish)
    config = wish.room.config
    return Result.do(
        Instruction(
            prepared,
            teaching.spoken,
            StudentSize(config.hidden_dim, config.num_hidden_layers, config.dropout),
            teaching.evidence,
            _taught_facts(teaching, wish),
            extra=extra,
        )
        for prepared in prepared_for(source, wish.room)
        for _ in objective_fits(prepared, wish.knobs, _name_of(source))
        for _ in check_more_rows(prepared, wish)
        for _ in check_new_rows(source, wish)
        for teaching in _teaching(source, prepared, wish)
        for extra in more_rows(_more_by_source(teaching.evidence, prepared, wish))
    )


def _more_by_source(evidence: DistillEvidence, prepared: PreparedTable, wish: Wish) -> MoreRows:
    """The teacher of all training rows speaks of the others."""
    policy = wish.room.labels.missing_classes

    def speaks(rows: pl.DataFrame, _: Float32Array) -> Result[Float32Array, Issues]:
        return evidence.outputs_of(rows).bind(lambda said: student_targets(said, prepared, policy))

    return MoreRows(prepared, evidence.table, speaks, wish)


def _name_of(source: TeacherSource) -> str:
    match source:
        case KindSource(kind=kind):
            return kind
        case EstimatorSource(estimator=estimator):
            return type(estimator).__name__
        case GivenSource(teacher=teacher):
            return teacher.info.name


def _teaching(
    source: TeacherSource, prepared: PreparedTable, wish: Wish
) -> Result[Teaching, Issues]:
    try:
        return teaching_of(source, prepared, wish.room, partial(wish.progress.stage, "teacher"))
    finally:
        wish.progress.finish()


def _taught_facts(teaching: Teaching, wish: Wish) -> dict[str, object]:
    evidence = teaching.evidence
    return {
        "table_fingerprint": table_fingerprint(wish.room.frame),
        "teacher_kind": evidence.teacher.name,
        "teacher_fingerprint": evidence.teacher.fingerprint,
        "label_config": wish.room.labels,
        "label_method": evidence.method,
    }


def _bundle_evidence(
    teacher: ModelBundle, spoken: Float32Array, prepared: PreparedTable, wish: Wish, table: str
) -> Result[DistillEvidence | None, Issues]:
    """None where nobody asked: the teacher then speaks of the training rows and of no other."""
    if not wish.evidence:
        return Success(None)
    room, network = wish.room, NetworkTeacher(teacher)
    said = TeacherOutputs(network.info.output_kind, network.info.classes, np.empty((0, 1)))
    seen = rows_seen_by(teacher, table, room.config, room.labels)
    taught = Taught(network, "as_given", seen, said, missing=room.labels.missing_classes)
    return gathered_evidence(taught, spoken, prepared, room.frame, seconds=0.0)


def teacher_issues(teacher: ModelBundle, config: TrainingConfig) -> tuple[Issue, ...]:
    """What a config asks for that the teacher cannot give (REQ-KD06, REQ-KD07, REQ-T05).

    Args:
        teacher: A trained model.
        config: What is asked for.

    Returns:
        `TaskMismatch`, `ModeNeedsClassification`, or nothing.

    Example:
        >>> import polars as pl
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> teacher = train_model(frame, config, device="cpu").unwrap().bundle
        >>> teacher_issues(teacher, TrainingConfig(target_column="y", task="regression"))
        (TaskMismatch(requested='regression', teacher='classification'),)
    """
    found: list[Issue] = []
    if config.task not in ("auto", teacher.task):
        found.append(TaskMismatch(requested=config.task, teacher=teacher.task))
    elif teacher.task == "regression" and config.training_mode in CLASSIFICATION_ONLY:
        found.append(
            ModeNeedsClassification(mode=config.training_mode, reason="the task of the teacher")
        )
    return tuple(found)


def _teacher_outputs(
    teacher: ModelBundle, prepared: PreparedTable, inputs: Float32Array
) -> Result[Float32Array, Issues]:
    outputs = network_outputs(teacher.model, inputs)
    if teacher.quantiles and outputs.shape[1] == len(teacher.quantiles):
        outputs = outputs[:, [median_place(teacher.quantiles)]]
    expected = (len(inputs), prepared.output_dim)
    if outputs.shape != expected:
        return fail(TeacherOutputsInvalid(reason=f"shape {outputs.shape}, not {expected}"))
    lost = int((~np.isfinite(outputs)).any(axis=1).sum())
    if lost:
        return fail(
            TeacherOutputsInvalid(reason=f"{lost:,} of {len(outputs):,} rows are not finite")
        )
    return Success(outputs)
