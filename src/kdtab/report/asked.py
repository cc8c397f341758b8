"""A teacher, a student and its scratch student asked about the same rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl
from returns.result import Result, Success

from kdtab.bundle import ModelBundle
from kdtab.config.columns import ColumnOptions
from kdtab.config.manifest import Provenance
from kdtab.config.teachers import TEACHER_KINDS
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.report.answers import (
    Clock,
    bundle_outputs,
    check_columns,
    rows_for,
    teacher_outputs,
)
from kdtab.report.comparison import Comparison, compared_outputs
from kdtab.report.heldout import ChosenRows, chosen_rows
from kdtab.report.history import (
    METHODS,
    differences_from,
    draw_seed,
    run_facts,
    taught_by_another,
)
from kdtab.report.inputs import MeasuredRows, ModelOutputs
from kdtab.report.side_by_side import summarize
from kdtab.report.summary import Role, Summary
from kdtab.report.truth import measured_rows, rows_with_target, student_request
from kdtab.results import Checked, check
from kdtab.shell.timing import speed_of
from kdtab.teachers.network import NetworkTeacher
from kdtab.teachers.resolve import resolve_teacher
from kdtab.teachers.teacher import Teacher

HELD_OUT = "held out when both models were trained"
HELD_OUT_OF_STUDENT = "held out when the student was trained; what the teacher saw is not known"


@dataclass(frozen=True, eq=False)
class AskedModels:
    """Models that were asked about the same rows.

    Attributes:
        chosen: Which rows of the table these are.
        rows: Their truth.
        teacher: What the teacher said.
        student: What the student said.
        scratch: What the student without a teacher said; None without one.
        unit: The student's unit of training, in units of the target.
        facts: How the student came about, as names and values.
        notes: Sentences that a person should read.
        earlier_notes: Those of the student's training.
        random_seed: Of a report's draws.

    Example:
        >>> AskedModels.__dataclass_params__.frozen
        True
    """

    chosen: ChosenRows
    rows: MeasuredRows
    teacher: ModelOutputs
    student: ModelOutputs
    scratch: ModelOutputs | None
    unit: float
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    earlier_notes: tuple[str, ...]
    random_seed: int

    def comparison(self) -> Comparison:
        """Teacher and student in a few figures.

        Returns:
            Both sides' figures.

        Example:
            >>> AskedModels.comparison.__name__
            'comparison'
        """
        unseen = self.chosen.unseen_by
        held_out = HELD_OUT if "teacher" in unseen else HELD_OUT_OF_STUDENT
        rows_were = held_out if unseen else self.chosen.which
        return compared_outputs(self.rows, rows_were, self.teacher, self.student, unit=self.unit)

    def summary(self) -> Summary:
        """All models side by side, with intervals: what `distill --report` gives.

        Returns:
            The report as plain data; without a scratch student the gain is left out.

        Example:
            >>> AskedModels.summary.__name__
            'summary'
        """
        earlier = (f"when the student was trained: {note}" for note in self.earlier_notes)
        return summarize(
            self.rows,
            self.teacher,
            self.student,
            self.scratch,
            facts=self.facts,
            notes=(*earlier, *self.notes),
            random_seed=self.random_seed,
        )


def ask_models(
    teacher: object,
    student: ModelBundle,
    frame: pl.DataFrame,
    *,
    scratch: ModelBundle | None = None,
    segments: Sequence[str] = (),
    target_column: str | None = None,
    columns: ColumnOptions | None = None,
    clock: Clock = speed_of,
) -> Result[AskedModels, Issues]:
    """Ask all models about the rows that they can be measured on.

    Args:
        teacher: As for `report_comparison`.
        student: What was distilled.
        frame: Raw rows, the target among the columns.
        scratch: The same student without a teacher.
        segments: Columns to look at the rows by.
        target_column: The target; None takes the student's.
        columns: Which columns count; None takes what the student recorded.
        clock: Takes the time that they need.

    Returns:
        What they said; or the issues of `resolve_teacher` and of the teacher, `TaskMismatch`,
        `ColumnMissing`, `NoModelColumns`, `LabelEncoderMissing`, `LabelsUnknown`, `ClassesDiffer`
        (unless the student was distilled with classes that one side lacks), `FieldInvalid` for a
        kind of teacher, which is nowhere kept.

    Example:
        >>> ask_models.__name__
        'ask_models'
    """
    request = student_request(student, frame, target_column, columns)
    alone: Checked[Teacher | None] = (
        Success(None) if scratch is None else resolve_teacher(scratch, task=student.task)
    )
    return Result.do(
        found
        for _kept in check(kept_nowhere(teacher))
        for speaker in resolve_teacher(teacher, task=student.task)
        for baseline in alone
        for every in rows_with_target(student, request)
        for _ in check_columns(student, frame)
        for chosen in chosen_rows(request, every, _records(speaker, student, scratch))
        for rows in measured_rows(
            student, request, chosen.labelled, which=chosen.which, segments=segments
        )
        for found in _asked(_Models(speaker, student, baseline, clock), frame, chosen, rows)
    )


def kept_nowhere(teacher: object) -> FieldInvalid | None:
    """Why a kind of teacher, which distil fits and forgets, cannot be asked later.

    Args:
        teacher: What was given as one.

    Returns:
        The issue, or None for anything else.

    Example:
        >>> kept_nowhere("forest").found
        'forest'
    """
    if not isinstance(teacher, str) or teacher not in TEACHER_KINDS:
        return None
    rule = (
        "must be a model that is kept: distill fits a teacher of this kind and keeps only the "
        "student, so take --report there"
    )
    return FieldInvalid(name="teacher", rule=rule, found=teacher)


@dataclass(frozen=True, eq=False)
class _Models:
    teacher: Teacher
    student: ModelBundle
    scratch: Teacher | None
    clock: Clock


def _records(
    teacher: Teacher, student: ModelBundle, scratch: ModelBundle | None
) -> dict[Role, Provenance | None]:
    known = teacher.bundle.provenance if isinstance(teacher, NetworkTeacher) else None
    records: dict[Role, Provenance | None] = {"teacher": known, "student": student.provenance}
    return records if scratch is None else {**records, "scratch": scratch.provenance}


def _asked(
    models: _Models, frame: pl.DataFrame, chosen: ChosenRows, rows: MeasuredRows
) -> Result[AskedModels, Issues]:
    teacher, student, clock = models.teacher, models.student, models.clock
    known, tested = student.provenance, frame[chosen.labelled.rows]
    policy = "error" if known.label_config is None else known.label_config.missing_classes
    asked = rows_for(teacher, frame, rows.target)[chosen.labelled.rows]
    return Result.do(
        AskedModels(
            chosen=chosen,
            rows=rows,
            teacher=said,
            student=bundle_outputs("student", student, tested, clock=clock),
            scratch=alone,
            unit=1.0 if student.target_scaler is None else student.target_scaler.scale,
            facts=_facts(known),
            notes=tuple(_notes(models, chosen)),
            earlier_notes=known.notes,
            random_seed=draw_seed(known),
        )
        for said in teacher_outputs(teacher, asked, rows.classes, policy, clock=clock)
        for alone in _alone(models, tested, rows)
    )


def _alone(
    models: _Models, tested: pl.DataFrame, rows: MeasuredRows
) -> Checked[ModelOutputs | None]:
    if models.scratch is None:
        return Success(None)
    said = teacher_outputs(models.scratch, tested, rows.classes, clock=models.clock)
    return said.map(lambda outputs: replace(outputs, name="scratch student"))


def _facts(known: Provenance) -> tuple[tuple[str, str], ...]:
    labels = None if known.label_method is None else METHODS.get(known.label_method)
    taught = () if labels is None else (("labels", labels),)
    return (*taught, *run_facts(known))


def _notes(models: _Models, chosen: ChosenRows) -> Iterator[str]:
    teacher, student, scratch = models.teacher, models.student, models.scratch
    if not chosen.unseen_by:
        yield (
            "warning: the models may have been trained on some of these rows: their losses, and "
            "what was kept, may be better here than on rows that they never saw"
        )
    another = taught_by_another(student.provenance, teacher.info)
    if another is not None:
        yield another
    if isinstance(scratch, NetworkTeacher):
        differing = differences_from(student, scratch.bundle)
        if differing:
            yield (
                "warning: the scratch student is not this student without its teacher "
                f"({'; '.join(differing)}), so the gain is not the teacher's alone"
            )
