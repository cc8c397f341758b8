"""Sentences about a student that is fitted already."""

from __future__ import annotations

from dataclasses import replace

from kdtab.bundle import ModelBundle
from kdtab.config.base import revise
from kdtab.models.describe import parameter_count
from kdtab.shell.trained import TrainedModel


def with_size_note(student: TrainedModel, teacher: ModelBundle | None) -> TrainedModel:
    """Say it where a student has as many parameters as its teacher, or more (EC-KD03).

    Args:
        student: Fitted.
        teacher: Its teacher where that is a bundle; the size of others is not comparable.

    Returns:
        The student, in the other case with a note in report and provenance.

    Example:
        >>> with_size_note.__name__
        'with_size_note'
    """
    if teacher is None:
        return student
    small, large = parameter_count(student.bundle.model), parameter_count(teacher.model)
    if small < large:
        return student
    note = f"the student is not smaller than its teacher: {small:,} and {large:,} parameters"
    return with_notes(student, (note,))


def with_notes(student: TrainedModel, notes: tuple[str, ...]) -> TrainedModel:
    """A student with more to say, in its report and in its record.

    Args:
        student: Fitted.
        notes: Sentences.

    Returns:
        The same student; its own notes go first.

    Example:
        >>> with_notes.__name__
        'with_notes'
    """
    every = (*student.report.notes, *notes)
    provenance = revise(student.bundle.provenance, notes=every).unwrap()
    return replace(
        student,
        bundle=replace(student.bundle, provenance=provenance),
        report=replace(student.report, notes=every),
    )
