"""What can be wrong with turning a model into one that learns from a teacher, and back."""

from __future__ import annotations

from typing import Literal, TypeAlias, assert_never

from kdtab.errors.base import IssueValue, listed, quoted


class ModelNotConvertible(IssueValue):
    """A model that kdtab cannot teach, or learn from, as it is.

    Example:
        >>> explain_conversion_issue(ModelNotConvertible(
        ...     side="student", found="Net", reason="it is converted already; export it first"
        ... ))
        "the student of type 'Net' cannot be used: it is converted already; export it first"
    """

    side: Literal["student", "teacher"]
    found: str
    reason: str


class ModelNotConverted(IssueValue):
    """A call that takes what `convert` returned got another model.

    Example:
        >>> explain_conversion_issue(ModelNotConverted(found="Linear"))
        "a model that convert returned is needed, this is of type 'Linear'"
    """

    found: str


class ModelsShareTensors(IssueValue):
    """Student and teacher are one in part, so that to freeze the one would freeze the other.

    Example:
        >>> explain_conversion_issue(ModelsShareTensors(names=("emb.weight",)))
        "student and teacher share 'emb.weight': the teacher must stay as it is while the student learns; give it a copy (copy.deepcopy)"
    """

    names: tuple[str, ...]


class ModeUnknown(IssueValue):
    """A mode of conversion that kdtab does not have.

    Example:
        >>> explain_conversion_issue(ModeUnknown(found="layerwise_kd"))
        "mode must be [('kd_loss', config)], got 'layerwise_kd'"
    """

    found: str


class BalancerMissing(IssueValue):
    """Several losses, and nothing that says what they count.

    Example:
        >>> explain_conversion_issue(BalancerMissing(terms=("MSELoss_0", "MSELoss_1")))
        "several losses need a loss_balancer: 'MSELoss_0', 'MSELoss_1' have no weights"
    """

    terms: tuple[str, ...]


class NotPickled(IssueValue):
    """A converted model is no plain model, and its class has no home to be found in.

    Example:
        >>> explain_conversion_issue(NotPickled(found="Net"))
        "a converted 'Net' is not pickled: export it and pickle the student, or keep both with kdtab.metamodel.save"
    """

    found: str


class StateUnsavable(IssueValue):
    """A state that no safetensors file can hold.

    Example:
        >>> explain_conversion_issue(StateUnsavable(name="head._extra_state", reason="a dict is no tensor"))
        "'head._extra_state' cannot be saved: a dict is no tensor"
    """

    name: str
    reason: str


class StateForeign(IssueValue):
    """A file that is no whole state of `kdtab.metamodel.save`.

    Example:
        >>> explain_conversion_issue(StateForeign(path="a.bin", reason="its checksum differs"))
        "'a.bin' is no whole state that kdtab.metamodel.save wrote: its checksum differs"
    """

    path: str
    reason: str


class StateDiffers(IssueValue):
    """A state of another model, teacher or set of losses.

    Example:
        >>> explain_conversion_issue(StateDiffers(path="a.st", reason="the teacher is another"))
        "'a.st' does not fit the model: the teacher is another; nothing was changed"
    """

    path: str
    reason: str


ConversionIssue: TypeAlias = (
    ModelNotConvertible
    | ModelNotConverted
    | ModelsShareTensors
    | ModeUnknown
    | BalancerMissing
    | NotPickled
    | StateUnsavable
    | StateForeign
    | StateDiffers
)


def explain_conversion_issue(issue: ConversionIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a conversion.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_conversion_issue(ModelNotConverted(found="Linear"))
        "a model that convert returned is needed, this is of type 'Linear'"
    """
    match issue:
        case ModelNotConvertible(side=side, found=found, reason=reason):
            return f"the {side} of type {quoted(found)} cannot be used: {reason}"
        case ModelNotConverted(found=found):
            return f"a model that convert returned is needed, this is of type {quoted(found)}"
        case ModelsShareTensors(names=names):
            return (
                f"student and teacher share {listed(names)}: the teacher must stay as it is while "
                "the student learns; give it a copy (copy.deepcopy)"
            )
        case ModeUnknown(found=found):
            return f"mode must be [('kd_loss', config)], got {quoted(found)}"
        case BalancerMissing(terms=terms):
            return f"several losses need a loss_balancer: {listed(terms)} have no weights"
        case NotPickled(found=found):
            return (
                f"a converted {quoted(found)} is not pickled: export it and pickle the student, "
                "or keep both with kdtab.metamodel.save"
            )
        case StateUnsavable(name=name, reason=reason):
            return f"{quoted(name)} cannot be saved: {reason}"
        case StateForeign(path=path, reason=reason):
            return f"{quoted(path)} is no whole state that kdtab.metamodel.save wrote: {reason}"
        case StateDiffers(path=path, reason=reason):
            return f"{quoted(path)} does not fit the model: {reason}; nothing was changed"
        case _:
            assert_never(issue)
