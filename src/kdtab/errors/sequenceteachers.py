"""What can be wrong with a teacher of time series, alone or beside a source or a student."""

from __future__ import annotations

from typing import Literal, TypeAlias, assert_never

from kdtab.errors.base import IssueValue, quoted


class DimensionsDiffer(IssueValue):
    """Two that must fit together do not have the same number of something.

    Attributes:
        what: "inputs" or "outputs" at a step, or "steps".
        one: Who has the first number.
        first: That number.
        other: Who has the second.
        second: That number.

    Example:
        >>> explain_sequence_teacher_issue(
        ...     DimensionsDiffer(what="inputs", one="the teacher", first=8, other="the source", second=5)
        ... )
        'the teacher has 8 inputs at a step and the source has 5: they must be the same'
    """

    what: Literal["inputs", "outputs", "steps"]
    one: str
    first: int
    other: str
    second: int


class StatesInvalid(IssueValue):
    """A teacher's states have another shape than they must, or are not finite.

    Example:
        >>> explain_sequence_teacher_issue(StatesInvalid(teacher="rnn", reason="they are [2, 5, 3], not [2, 6, 3]"))
        "the teacher 'rnn' gave unusable states: they are [2, 5, 3], not [2, 6, 3]"
    """

    teacher: str
    reason: str


class SequenceTeacherForeign(IssueValue):
    """A file that could run code, or that no reader of teachers of time series knows.

    Example:
        >>> explain_sequence_teacher_issue(SequenceTeacherForeign(path="t.pt2", found="a torch program"))
        "'t.pt2' is a torch program and no teacher that kdtab opens (torch files and pickles never, since loading them can run code): export the teacher as ONNX (.onnx), or record its states in an HDF5 file (data, labels) and name that"
    """

    path: str
    found: str


class NotSequenceBundle(IssueValue):
    """A kdtab bundle whose network takes no time series.

    Example:
        >>> explain_sequence_teacher_issue(NotSequenceBundle(path="t.kdtab", kind="table"))
        "'t.kdtab' is not a sequence bundle: it holds a model of kind 'table'"
    """

    path: str
    kind: str


class SeriesUnrecorded(IssueValue):
    """A recorded teacher is asked about series that it has no states of.

    Example:
        >>> explain_sequence_teacher_issue(SeriesUnrecorded(path="t.h5", count=3, asked=32))
        "'t.h5' has no states of 3 of 32 series: a recorded teacher only knows the inputs that it was recorded on, resampled and scaled alike"
    """

    path: str
    count: int
    asked: int


SequenceTeacherIssue: TypeAlias = (
    DimensionsDiffer | StatesInvalid | SequenceTeacherForeign | NotSequenceBundle | SeriesUnrecorded
)


def explain_sequence_teacher_issue(issue: SequenceTeacherIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a teacher of time series.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_sequence_teacher_issue(NotSequenceBundle(path="b", kind="table"))
        "'b' is not a sequence bundle: it holds a model of kind 'table'"
    """
    match issue:
        case DimensionsDiffer(what=what, one=one, first=first, other=other, second=second):
            unit = "steps" if what == "steps" else f"{what} at a step"
            return f"{one} has {first:,} {unit} and {other} has {second:,}: they must be the same"
        case StatesInvalid(teacher=teacher, reason=reason):
            return f"the teacher {quoted(teacher)} gave unusable states: {reason}"
        case SequenceTeacherForeign(path=path, found=found):
            return (
                f"{quoted(path)} is {found} and no teacher that kdtab opens (torch files and pickles "
                "never, since loading them can run code): export the teacher as ONNX (.onnx), or "
                "record its states in an HDF5 file (data, labels) and name that"
            )
        case NotSequenceBundle(path=path, kind=kind):
            return (
                f"{quoted(path)} is not a sequence bundle: it holds a model of kind {quoted(kind)}"
            )
        case SeriesUnrecorded(path=path, count=count, asked=asked):
            return (
                f"{quoted(path)} has no states of {count:,} of {asked:,} series: a recorded "
                "teacher only knows the inputs that it was recorded on, resampled and scaled alike"
            )
        case _:
            assert_never(issue)
