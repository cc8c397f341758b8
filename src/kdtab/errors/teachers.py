"""What can be wrong with a teacher, alone or beside a table."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.answers import TeacherAnswerIssue, explain_answer_issue
from kdtab.errors.base import IssueValue, listed
from kdtab.errors.morerows import MoreRowsIssue, explain_more_rows_issue
from kdtab.errors.sources import TeacherSourceIssue, explain_source_issue


class TeacherMissing(IssueValue):
    """REQ-KD03: neither a path nor a bundle was given.

    Example:
        >>> explain_teacher_issue(TeacherMissing())
        'teacher_path or teacher_bundle is required.'
    """


class TaskMismatch(IssueValue):
    """REQ-KD07: the task asked for is not the teacher's.

    Example:
        >>> explain_teacher_issue(TaskMismatch(requested="regression", teacher="classification"))
        'Requested task does not match teacher task.'
    """

    requested: str
    teacher: str


class LabelEncoderMissing(IssueValue):
    """REQ-KD12: a classification teacher without its label encoder.

    Example:
        >>> explain_teacher_issue(LabelEncoderMissing())
        'Teacher model is missing a label encoder.'
    """


class NoTeacherColumns(IssueValue):
    """The table has not one feature column of the teacher.

    Example:
        >>> explain_teacher_issue(NoTeacherColumns(expected=("age",), found=("x", "y")))
        "the table has no feature column of the teacher: it knows 'age', the table has 'x', 'y'"
    """

    expected: tuple[str, ...]
    found: tuple[str, ...]


class NoModelColumns(IssueValue):
    """The table to predict has not one feature column of the model.

    Example:
        >>> explain_teacher_issue(NoModelColumns(expected=("age",), found=("x", "y")))
        "the table has no feature column of the model: it knows 'age', the table has 'x', 'y'"
    """

    expected: tuple[str, ...]
    found: tuple[str, ...]


class LabelsUnknown(IssueValue):
    """The table has labels that the teacher's label encoder does not know.

    Example:
        >>> explain_teacher_issue(LabelsUnknown(labels=("c",), rows=3, classes=("a", "b")))
        "3 rows have a label that the teacher does not know: 'c'. Its classes: 'a', 'b'"
    """

    labels: tuple[str, ...]
    rows: int
    classes: tuple[str, ...]


class TeacherOutputsInvalid(IssueValue):
    """The teacher's outputs are not usable: not finite, or of another shape.

    Example:
        >>> explain_teacher_issue(TeacherOutputsInvalid(reason="3 of 10 rows are not finite"))
        'the teacher gave unusable outputs: 3 of 10 rows are not finite'
    """

    reason: str


class ClassesDiffer(IssueValue):
    """The teacher and the table do not have the same classes.

    Example:
        >>> explain_teacher_issue(ClassesDiffer(only_teacher=("c",), only_table=()))
        "the teacher's classes are not the table's: only the teacher knows 'c'. Classes are matched by name: name those of the teacher in their order (--teacher-classes), or say that a missing class has probability 0 (--missing-classes zero)"
    """

    only_teacher: tuple[str, ...]
    only_table: tuple[str, ...]


TeacherIssue: TypeAlias = (
    TeacherMissing
    | TaskMismatch
    | LabelEncoderMissing
    | NoTeacherColumns
    | NoModelColumns
    | LabelsUnknown
    | TeacherOutputsInvalid
    | ClassesDiffer
    | MoreRowsIssue
    | TeacherSourceIssue
    | TeacherAnswerIssue
)


def explain_teacher_issue(issue: TeacherIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a teacher.

    Returns:
        One sentence without a line break; the seeds' texts stand to the letter.

    Example:
        >>> explain_teacher_issue(TeacherMissing())
        'teacher_path or teacher_bundle is required.'
    """
    if isinstance(issue, TeacherSourceIssue):
        return explain_source_issue(issue)
    if isinstance(issue, TeacherAnswerIssue):
        return explain_answer_issue(issue)
    if isinstance(issue, MoreRowsIssue):
        return explain_more_rows_issue(issue)
    match issue:
        case TeacherMissing():
            return "teacher_path or teacher_bundle is required."
        case TaskMismatch():
            return "Requested task does not match teacher task."
        case LabelEncoderMissing():
            return "Teacher model is missing a label encoder."
        case NoTeacherColumns(expected=expected, found=found):
            return (
                "the table has no feature column of the teacher: "
                f"it knows {listed(expected)}, the table has {listed(found)}"
            )
        case NoModelColumns(expected=expected, found=found):
            return (
                "the table has no feature column of the model: "
                f"it knows {listed(expected)}, the table has {listed(found)}"
            )
        case LabelsUnknown(labels=labels, rows=rows, classes=classes):
            return (
                f"{rows:,} rows have a label that the teacher does not know: {listed(labels)}. "
                f"Its classes: {listed(classes)}"
            )
        case TeacherOutputsInvalid(reason=reason):
            return f"the teacher gave unusable outputs: {reason}"
        case ClassesDiffer(only_teacher=only_teacher, only_table=only_table):
            return (
                f"the teacher's classes are not the table's: {_sides(only_teacher, only_table)}. Classes are matched by "
                "name: name those of the teacher in their order (--teacher-classes), or say that a "
                "missing class has probability 0 (--missing-classes zero)"
            )
        case _:
            assert_never(issue)


def _sides(only_teacher: tuple[str, ...], only_table: tuple[str, ...]) -> str:
    sides = (("teacher knows", only_teacher), ("table has", only_table))
    return " and ".join(f"only the {side} {listed(names)}" for side, names in sides if names)
