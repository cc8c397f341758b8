"""What can be wrong with what a distillation task is given as its teacher."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, listed, quoted


class TeacherWeightsMissing(IssueValue):
    """A model's name alone: its weights would have to be downloaded, which kdtab never does.

    Example:
        >>> explain_task_teacher_issue(TeacherWeightsMissing(name="resnet50"))
        "the teacher 'resnet50' is only a name and kdtab downloads nothing: give teacher_pretrained_path (pretrained_path of a DistillationTeacher), a .safetensors file with its weights, or pass the module itself"
    """

    name: str


class TeacherWeightsForeign(IssueValue):
    """A file of weights that could run code when it is read, or that is no safetensors file.

    Example:
        >>> explain_task_teacher_issue(TeacherWeightsForeign(path="t.pth", found="a zip archive"))
        "'t.pth' is a zip archive; kdtab reads weights from safetensors files only and never unpickles: load it yourself with torch.load(..., weights_only=True) and pass the module, or write it anew with safetensors.torch.save_file"
    """

    path: str
    found: str


class TeacherWeightsBroken(IssueValue):
    """A safetensors file that is not whole.

    Example:
        >>> explain_task_teacher_issue(TeacherWeightsBroken(path="t.safetensors", reason="it ends early"))
        "'t.safetensors' is not a whole safetensors file: it ends early; copy it again or save it anew"
    """

    path: str
    reason: str


class TeacherWeightsUnfit(IssueValue):
    """Weights of another model, or of one with other inputs or classes.

    Example:
        >>> explain_task_teacher_issue(
        ...     TeacherWeightsUnfit(name="resnet18", path="t.safetensors", names=("fc.weight",))
        ... )
        "the weights in 't.safetensors' are not those of 'resnet18': 'fc.weight' absent, unknown or of another shape; check the name, num_classes and in_chans"
    """

    name: str
    path: str
    names: tuple[str, ...]


class TeacherNotCreated(IssueValue):
    """timm knows no model of that name, or cannot build it.

    Example:
        >>> explain_task_teacher_issue(TeacherNotCreated(name="resnt", reason="Unknown model (resnt)"))
        "timm does not create the teacher 'resnt': 'Unknown model (resnt)'; a kdtab bundle is given by its path, any other model as a module"
    """

    name: str
    reason: str


class TeacherNotFrozen(IssueValue):
    """A module of which no frozen view can be made.

    Example:
        >>> explain_task_teacher_issue(TeacherNotFrozen(found="Net", reason="it has a lock"))
        "no frozen view of the teacher 'Net' can be made: 'it has a lock'; kdtab never changes the module it is given, so it must be one that copy.deepcopy takes"
    """

    found: str
    reason: str


TaskTeacherIssue: TypeAlias = (
    TeacherWeightsMissing
    | TeacherWeightsForeign
    | TeacherWeightsBroken
    | TeacherWeightsUnfit
    | TeacherNotCreated
    | TeacherNotFrozen
)


def explain_task_teacher_issue(issue: TaskTeacherIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of what was given as the teacher of a task.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_task_teacher_issue(TeacherNotCreated(name="a", reason="b"))[:38]
        "timm does not create the teacher 'a': "
    """
    match issue:
        case TeacherWeightsMissing(name=name):
            return (
                f"the teacher {quoted(name)} is only a name and kdtab downloads nothing: give "
                "teacher_pretrained_path (pretrained_path of a DistillationTeacher), a "
                ".safetensors file with its weights, or pass the module itself"
            )
        case TeacherWeightsForeign(path=path, found=found):
            return (
                f"{quoted(path)} is {found}; kdtab reads weights from safetensors files only and "
                "never unpickles: load it yourself with torch.load(..., weights_only=True) and "
                "pass the module, or write it anew with safetensors.torch.save_file"
            )
        case TeacherWeightsBroken(path=path, reason=reason):
            return (
                f"{quoted(path)} is not a whole safetensors file: {reason}; copy it again or save "
                "it anew"
            )
        case TeacherWeightsUnfit(name=name, path=path, names=names):
            return (
                f"the weights in {quoted(path)} are not those of {quoted(name)}: {listed(names)} "
                "absent, unknown or of another shape; check the name, num_classes and in_chans"
            )
        case TeacherNotCreated(name=name, reason=reason):
            return (
                f"timm does not create the teacher {quoted(name)}: {quoted(reason)}; a kdtab "
                "bundle is given by its path, any other model as a module"
            )
        case TeacherNotFrozen(found=found, reason=reason):
            return (
                f"no frozen view of the teacher {quoted(found)} can be made: {quoted(reason)}; "
                "kdtab never changes the module it is given, so it must be one that "
                "copy.deepcopy takes"
            )
        case _:
            assert_never(issue)
