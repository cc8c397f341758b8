"""What can be wrong with a distillation task that the user's own loop runs."""

from __future__ import annotations

from typing import Literal, TypeAlias, assert_never

from kdtab.errors.base import IssueValue, listed, quoted
from kdtab.errors.taskteachers import TaskTeacherIssue, explain_task_teacher_issue

Side: TypeAlias = Literal["student", "teacher"]


class ScalerUnusable(IssueValue):
    """Constants of an input normalisation that no affine map can be made of.

    Example:
        >>> explain_task_module_issue(ScalerUnusable(side="teacher", reason="its scale is 0 at 2"))
        'the scaler of the teacher cannot be used: its scale is 0 at 2'
    """

    side: Side
    reason: str


class ScalersUnlike(IssueValue):
    """The inputs of student and teacher are not normalised along the same axis and columns.

    Example:
        >>> explain_task_module_issue(ScalersUnlike(student="2 columns", teacher="3 channels"))
        "the student's inputs are normalised by 2 columns, the teacher's by 3 channels: give both their scaler (student_scaler of the task, scaler of a DistillationTeacher)"
    """

    student: str
    teacher: str


class FeatureHeadUnknown(IssueValue):
    """Nothing says what the features of a module are.

    Example:
        >>> explain_task_module_issue(
        ...     FeatureHeadUnknown(side="student", found="Net", asked="fc", known=("a", "b"))
        ... )
        "the student 'Net' has no layer 'fc' whose input could be its features: its layers are 'a', 'b'"
        >>> explain_task_module_issue(
        ...     FeatureHeadUnknown(side="teacher", found="Net", asked=None, known=("a",))
        ... )
        "the features of the teacher 'Net' are not known: it has neither forward_features with forward_head nor a linear layer at its end; name the layer whose input they are with teacher_head. Its layers: 'a'"
    """

    side: Side
    found: str
    asked: str | None
    known: tuple[str, ...]


class FeatureHeadSilent(IssueValue):
    """The layer whose input the features are took no part in the forward pass.

    Example:
        >>> explain_task_module_issue(FeatureHeadSilent(head="fc"))
        "the layer 'fc' was not called in the forward pass, so its input cannot be the features: name another with student_head or teacher_head"
    """

    head: str


class FeatureWidthUnknown(IssueValue):
    """How wide the features are is not to be seen before the first batch.

    Example:
        >>> explain_task_module_issue(FeatureWidthUnknown(side="student", found="Net"))
        "the feature width of the student 'Net' is not known: it has no head_hidden_size and no num_features; pass student_feature_dim"
    """

    side: Side
    found: str


class FeatureShapesDiffer(IssueValue):
    """Features that differ in more than what a projection changes.

    Example:
        >>> explain_task_module_issue(FeatureShapesDiffer(student=(8, 4), teacher=(8, 3, 4)))
        'features of shape (8, 4) from the student do not fit (8, 3, 4) from the teacher: only the width may differ, and is projected; check student_feature_dim and teacher_feature_dim'
    """

    student: tuple[int, ...]
    teacher: tuple[int, ...]


class OutputsDiffer(IssueValue):
    """Outputs that would be broadcast against each other.

    Example:
        >>> explain_task_module_issue(OutputsDiffer(student=(8, 3), teacher=(8, 1)))
        'the student gives outputs of shape (8, 3), the teacher (8, 1): both must score the same rows and classes in the same order'
    """

    student: tuple[int, ...]
    teacher: tuple[int, ...]


class OutputNotTensor(IssueValue):
    """A module that gives back something else than one tensor.

    Example:
        >>> explain_task_module_issue(OutputNotTensor(side="teacher", found="tuple"))
        "the teacher returned 'tuple', not one tensor: wrap it in a module whose forward returns its logits"
    """

    side: Side
    found: str


class ClassAlone(IssueValue):
    """The softmax of one output is 1 whatever the output is: nothing would be taught.

    Example:
        >>> explain_task_module_issue(ClassAlone(loss_type="kl"))
        "loss_type 'kl' compares classes, and there is one output: use 'binary_kl' for one logit, 'squared_error' for a value"
    """

    loss_type: str


class TaskLossNotScalar(IssueValue):
    """A criterion that gives a loss for each row, to which no scalar may be added.

    Example:
        >>> explain_task_module_issue(TaskLossNotScalar(shape=(8,)))
        "the criterion returned a tensor of shape (8,), not one number: reduce it, for example with reduction='mean'"
    """

    shape: tuple[int, ...]


class NotDistributable(IssueValue):
    """A task that cannot be prepared for several processes, or not yet.

    Example:
        >>> explain_task_module_issue(NotDistributable(reason="there is no process group"))
        'the task cannot be prepared for several processes: there is no process group'
    """

    reason: str


TaskModuleIssue: TypeAlias = (
    TaskTeacherIssue
    | ScalerUnusable
    | ScalersUnlike
    | FeatureHeadUnknown
    | FeatureHeadSilent
    | FeatureWidthUnknown
    | FeatureShapesDiffer
    | OutputsDiffer
    | OutputNotTensor
    | ClassAlone
    | TaskLossNotScalar
    | NotDistributable
)

_FeatureIssue: TypeAlias = (
    FeatureHeadUnknown | FeatureHeadSilent | FeatureWidthUnknown | FeatureShapesDiffer
)


def explain_task_module_issue(issue: TaskModuleIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a task that the user's own loop runs.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_task_module_issue(FeatureHeadSilent(head="out"))[:47]
        "the layer 'out' was not called in the forward p"
    """
    match issue:
        case ScalerUnusable(side=side, reason=reason):
            return f"the scaler of the {side} cannot be used: {reason}"
        case ScalersUnlike(student=student, teacher=teacher):
            return (
                f"the student's inputs are normalised by {student}, the teacher's by {teacher}: "
                "give both their scaler (student_scaler of the task, scaler of a "
                "DistillationTeacher)"
            )
        case OutputsDiffer(student=student, teacher=teacher):
            return (
                f"the student gives outputs of shape {student}, the teacher {teacher}: both must "
                "score the same rows and classes in the same order"
            )
        case OutputNotTensor(side=side, found=found):
            return (
                f"the {side} returned {quoted(found)}, not one tensor: wrap it in a module whose "
                "forward returns its logits"
            )
        case ClassAlone(loss_type=loss_type):
            return (
                f"loss_type {quoted(loss_type)} compares classes, and there is one output: use "
                "'binary_kl' for one logit, 'squared_error' for a value"
            )
        case TaskLossNotScalar(shape=shape):
            return (
                f"the criterion returned a tensor of shape {shape}, not one number: reduce it, "
                "for example with reduction='mean'"
            )
        case NotDistributable(reason=reason):
            return f"the task cannot be prepared for several processes: {reason}"
        case (
            FeatureHeadUnknown() | FeatureHeadSilent() | FeatureWidthUnknown()
            | FeatureShapesDiffer()
        ):  # fmt: skip
            return _explain_feature_issue(issue)
        case _:
            return explain_task_teacher_issue(issue)


def _explain_feature_issue(issue: _FeatureIssue) -> str:
    match issue:
        case FeatureHeadUnknown(side=side, found=found, asked=None, known=known):
            return (
                f"the features of the {side} {quoted(found)} are not known: it has neither "
                "forward_features with forward_head nor a linear layer at its end; name the layer "
                f"whose input they are with {side}_head. Its layers: {listed(known)}"
            )
        case FeatureHeadUnknown(side=side, found=found, asked=asked, known=known):
            return (
                f"the {side} {quoted(found)} has no layer {quoted(asked)} whose input could be "
                f"its features: its layers are {listed(known)}"
            )
        case FeatureHeadSilent(head=head):
            return (
                f"the layer {quoted(head)} was not called in the forward pass, so its input "
                "cannot be the features: name another with student_head or teacher_head"
            )
        case FeatureWidthUnknown(side=side, found=found):
            return (
                f"the feature width of the {side} {quoted(found)} is not known: it has no "
                f"head_hidden_size and no num_features; pass {side}_feature_dim"
            )
        case FeatureShapesDiffer(student=student, teacher=teacher):
            return (
                f"features of shape {student} from the student do not fit {teacher} from the "
                "teacher: only the width may differ, and is projected; check student_feature_dim "
                "and teacher_feature_dim"
            )
        case _:
            assert_never(issue)
