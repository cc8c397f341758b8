"""What can be wrong with what is given as a teacher, before it is asked about a row."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, did_you_mean, listed, quoted

TEACHERS = (
    "a ModelBundle, a fitted object with predict_proba or predict, a function of a frame, "
    "a path, or a sequence of (teacher, weight)"
)


class TeacherNotUnderstood(IssueValue):
    """An object that scores no rows.

    Example:
        >>> explain_source_issue(TeacherNotUnderstood(found="int", remedy=""))
        "a teacher is a ModelBundle, a fitted object with predict_proba or predict, a function of a frame, a path, or a sequence of (teacher, weight), not 'int'"
    """

    found: str
    remedy: str


class TeacherNameUnknown(IssueValue):
    """A text that is neither a file nor a kind of teacher.

    Example:
        >>> explain_source_issue(TeacherNameUnknown(name="forrest", kinds=("forest", "boosted")))
        "no teacher 'forrest': there is no such file, and kdtab fits 'forest', 'boosted'. Did you mean 'forest'?"
        >>> explain_source_issue(TeacherNameUnknown(name="forest", kinds=("forest",)))
        "'forest' is a teacher that kdtab fits on a table: pass the name to distill_student, or --teacher on the command line"
    """

    name: str
    kinds: tuple[str, ...]


class TeacherFileForeign(IssueValue):
    """A file that could run code, or that kdtab has no reader for.

    Example:
        >>> explain_source_issue(TeacherFileForeign(path="m.pkl", found="a pickle"))
        "'m.pkl' is a pickle, which kdtab never opens, since loading it runs code: pass the fitted object itself, or save it with skops (.skops) or as ONNX (.onnx)"
    """

    path: str
    found: str


class TeacherFileBroken(IssueValue):
    """A file of the right kind that cannot be a teacher.

    Example:
        >>> explain_source_issue(TeacherFileBroken(path="m.onnx", kind="an ONNX model", reason="it has no input"))
        "'m.onnx' cannot be used as an ONNX model: it has no input"
    """

    path: str
    kind: str
    reason: str


class TeacherTaskUnclear(IssueValue):
    """Nothing says whether the numbers are probabilities or values.

    Example:
        >>> explain_source_issue(TeacherTaskUnclear(name="score"))
        "the teacher 'score' does not say what it predicts: pass kdtab.resolve_teacher(…, task='classification', classes=…), or task='regression'"
    """

    name: str


class TeacherTaskOther(IssueValue):
    """The teacher says itself what it predicts, and it is not what was asked for.

    Example:
        >>> explain_source_issue(TeacherTaskOther(name="SVR", task="regression", asked="classification"))
        "the teacher 'SVR' is made for regression, and was given as one for classification"
    """

    name: str
    task: str
    asked: str


class TeacherClassesUnclear(IssueValue):
    """The columns of the teacher's outputs have no usable names.

    Example:
        >>> explain_source_issue(TeacherClassesUnclear(name="score", reason="it does not name its classes"))
        "the classes of the teacher 'score' are not clear: it does not name its classes; pass classes, one label for each column of its outputs, in their order"
    """

    name: str
    reason: str


class TeacherWithoutProbabilities(IssueValue):
    """A classifier that only says which class, not how sure it is.

    Example:
        >>> explain_source_issue(TeacherWithoutProbabilities(name="LinearSVC"))
        "the classifier 'LinearSVC' has no predict_proba, so there is nothing to learn from it beside labels: wrap it in sklearn.calibration.CalibratedClassifierCV"
    """

    name: str


class TeacherUnnamed(IssueValue):
    """A teacher whose content cannot be read, so that nothing tells it from another.

    Example:
        >>> explain_source_issue(TeacherUnnamed(name="score"))
        "the content of the teacher 'score' cannot be read to tell it from others: pass name, a text that changes whenever the teacher does"
    """

    name: str


class SkopsTypesUntrusted(IssueValue):
    """A skops file with types that nobody said are safe.

    Example:
        >>> explain_source_issue(SkopsTypesUntrusted(path="m.skops", types=("lightgbm.basic.Booster",)))
        "'m.skops' holds types that are not trusted: 'lightgbm.basic.Booster'; if you trust the file's maker, pass them as trusted"
    """

    path: str
    types: tuple[str, ...]


class EnsembleWeightsInvalid(IssueValue):
    """Weights that are no shares.

    Example:
        >>> explain_source_issue(EnsembleWeightsInvalid(reason="weight 2 is nan"))
        'the weights of an ensemble are finite, not negative, and not all zero: weight 2 is nan'
    """

    reason: str


class EnsembleTasksDiffer(IssueValue):
    """Members that predict different things.

    Example:
        >>> explain_source_issue(EnsembleTasksDiffer(members=("SVC: classification", "SVR: regression")))
        "the members of an ensemble have one task: 'SVC: classification', 'SVR: regression'"
    """

    members: tuple[str, ...]


TeacherSourceIssue: TypeAlias = (
    TeacherNotUnderstood
    | TeacherNameUnknown
    | TeacherFileForeign
    | TeacherFileBroken
    | TeacherTaskUnclear
    | TeacherTaskOther
    | TeacherClassesUnclear
    | TeacherWithoutProbabilities
    | TeacherUnnamed
    | SkopsTypesUntrusted
    | EnsembleWeightsInvalid
    | EnsembleTasksDiffer
)


def explain_source_issue(issue: TeacherSourceIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake in what was given as a teacher.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_source_issue(TeacherNotUnderstood(found="MLP", remedy="pass a function around it"))
        "'MLP' is not taken as a teacher: pass a function around it"
    """
    match issue:
        case TeacherNotUnderstood(found=found, remedy=remedy):
            if remedy:
                return f"{quoted(found)} is not taken as a teacher: {remedy}"
            return f"a teacher is {TEACHERS}, not {quoted(found)}"
        case TeacherNameUnknown(name=name, kinds=kinds):
            return _unknown_name(name, kinds)
        case TeacherFileForeign(path=path, found=found):
            return (
                f"{quoted(path)} is {found}, which kdtab never opens, since loading it runs code: "
                "pass the fitted object itself, or save it with skops (.skops) or as ONNX (.onnx)"
            )
        case TeacherFileBroken(path=path, kind=kind, reason=reason):
            return f"{quoted(path)} cannot be used as {kind}: {reason}"
        case SkopsTypesUntrusted(path=path, types=types):
            return (
                f"{quoted(path)} holds types that are not trusted: {listed(types)}; "
                "if you trust the file's maker, pass them as trusted"
            )
        case EnsembleWeightsInvalid(reason=reason):
            rule = "are finite, not negative, and not all zero"
            return f"the weights of an ensemble {rule}: {reason}"
        case EnsembleTasksDiffer(members=members):
            return f"the members of an ensemble have one task: {listed(members)}"
        case _:
            return _explain_description(issue)


def _explain_description(
    issue: TeacherTaskUnclear
    | TeacherTaskOther
    | TeacherClassesUnclear
    | TeacherWithoutProbabilities
    | TeacherUnnamed,
) -> str:
    name = quoted(issue.name)
    match issue:
        case TeacherTaskUnclear():
            return (
                f"the teacher {name} does not say what it predicts: "
                "pass kdtab.resolve_teacher(…, task='classification', classes=…), or task='regression'"
            )
        case TeacherTaskOther(task=task, asked=asked):
            return f"the teacher {name} is made for {task}, and was given as one for {asked}"
        case TeacherClassesUnclear(reason=reason):
            return (
                f"the classes of the teacher {name} are not clear: {reason}; pass classes, one "
                "label for each column of its outputs, in their order"
            )
        case TeacherWithoutProbabilities():
            return (
                f"the classifier {name} has no predict_proba, so there is nothing to learn from it "
                "beside labels: wrap it in sklearn.calibration.CalibratedClassifierCV"
            )
        case TeacherUnnamed():
            return (
                f"the content of the teacher {name} cannot be read to tell it from others: "
                "pass name, a text that changes whenever the teacher does"
            )
        case _:
            assert_never(issue)


def _unknown_name(name: str, kinds: tuple[str, ...]) -> str:
    if name in kinds:
        return (
            f"{quoted(name)} is a teacher that kdtab fits on a table: "
            "pass the name to distill_student, or --teacher on the command line"
        )
    hint = did_you_mean(name, kinds)
    return (
        f"no teacher {quoted(name)}: there is no such file, and kdtab fits {listed(kinds)}.{hint}"
    )
