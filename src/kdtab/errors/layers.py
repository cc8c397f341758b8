"""What can be wrong with pairs of layers, with what they gave, and with the losses between them."""

from __future__ import annotations

from typing import Literal, TypeAlias, assert_never

from kdtab.errors.base import IssueValue, listed, quoted
from kdtab.errors.conversions import ConversionIssue, explain_conversion_issue

Side: TypeAlias = Literal["student", "teacher"]
Pair: TypeAlias = tuple[str, str]


class LayerUnknown(IssueValue):
    """A model has no layer of this name, or none that fits this pattern.

    Example:
        >>> explain_layer_issue(LayerUnknown(side="student", name="haed", near=("head",)))
        "the student has no layer 'haed'; near it: 'head'"
    """

    side: Side
    name: str
    near: tuple[str, ...]


class LayerCountsDiffer(IssueValue):
    """Two patterns fit different numbers of layers, so that no order pairs them.

    Example:
        >>> explain_layer_issue(LayerCountsDiffer(
        ...     pair=("blocks.*", "layers.*"), student=("blocks.0",), teacher=("layers.0", "layers.1")
        ... ))
        "'blocks.*' fits 1 layers of the student ('blocks.0'), 'layers.*' fits 2 of the teacher ('layers.0', 'layers.1'): name patterns that fit equally many, or the pairs one by one"
    """

    pair: Pair
    student: tuple[str, ...]
    teacher: tuple[str, ...]


class LayerPairedTwice(IssueValue):
    """Two entries of the criterion give the same two layers a loss.

    Example:
        >>> explain_layer_issue(LayerPairedTwice(pair=("a", "b")))
        "the layers 'a' (student) and 'b' (teacher) are paired twice: leave one of the two entries out, or write one loss that adds both"
    """

    pair: Pair


class LayerOutputMissing(IssueValue):
    """A layer of a pair gave nothing since the last loss.

    Example:
        >>> explain_layer_issue(LayerOutputMissing(pair=("h", "h"), side="teacher", ran=False))
        "the layers 'h' (student) and 'h' (teacher) cannot be compared: the teacher has not run since the last loss; call the model on a batch before each loss"
    """

    pair: Pair
    side: Side
    ran: bool


class LayerOutputStale(IssueValue):
    """What a layer gave was used for a loss already, or has been overwritten in place since.

    Example:
        >>> explain_layer_issue(LayerOutputStale(pair=("h", "h"), side="student", overwritten=False))
        "the layers 'h' (student) and 'h' (teacher) cannot be compared: the loss of the student's last forward was taken already; call the model on a batch before each loss"
    """

    pair: Pair
    side: Side
    overwritten: bool


class LayerWidthsDiffer(IssueValue):
    """The outputs of a pair have shapes that its loss cannot compare.

    Example:
        >>> explain_layer_issue(LayerWidthsDiffer(
        ...     pair=("h", "h"), loss="MSELoss", student=(2, 8), teacher=(2, 16), reason=""
        ... ))
        "MSELoss cannot compare the layers 'h' (student, [2, 8]) and 'h' (teacher, [2, 16]): pass example=batch to convert, so that it inserts a projection where only widths differ, or a loss that takes both shapes"
    """

    pair: Pair
    loss: str
    student: tuple[int, ...]
    teacher: tuple[int, ...]
    reason: str


class ClassCountsDiffer(IssueValue):
    """A loss over classes stands between outputs of different classes.

    Example:
        >>> explain_layer_issue(ClassCountsDiffer(pair=("", ""), loss="MFTLoss", student=3, teacher=4))
        "MFTLoss compares classes, but the student's '' has 3 and the teacher's '' has 4: a projection between classes would mean nothing"
    """

    pair: Pair
    loss: str
    student: int
    teacher: int


class LayerOutputForeign(IssueValue):
    """A layer gives something other than one tensor, to a loss that takes tensors.

    Example:
        >>> explain_layer_issue(LayerOutputForeign(pair=("rnn", "rnn"), side="student", found="tuple"))
        "the student's layer in the pair 'rnn' (student) and 'rnn' (teacher) gives a tuple, the loss takes a tensor: write a loss that takes what the layer gives"
    """

    pair: Pair
    side: Side
    found: str


class LossArgumentUnknown(IssueValue):
    """An argument of `compute_kd_loss` that no loss takes.

    Example:
        >>> explain_layer_issue(LossArgumentUnknown(name="lables", known=("labels",)))
        "no loss takes an argument 'lables'; the losses take 'labels'"
    """

    name: str
    known: tuple[str, ...]


class LossArgumentMissing(IssueValue):
    """An argument that a loss needs beside the two outputs.

    Example:
        >>> explain_layer_issue(LossArgumentMissing(loss="MFTLoss_0", names=("labels",)))
        "MFTLoss_0 needs 'labels': pass it by name to compute_kd_loss"
    """

    loss: str
    names: tuple[str, ...]


class LossNotScalar(IssueValue):
    """The total is no single number, so that nothing can learn from it.

    Example:
        >>> explain_layer_issue(LossNotScalar(terms=("MSELoss_0 [4, 2]",)))
        "the total loss is not one number; the terms are 'MSELoss_0 [4, 2]': reduce them (reduction=, loss_reduction_fn=), or pass skip_balancer=True to get them as they are"
    """

    terms: tuple[str, ...]


LayerIssue: TypeAlias = (
    LayerUnknown
    | LayerCountsDiffer
    | LayerPairedTwice
    | LayerOutputMissing
    | LayerOutputStale
    | LayerWidthsDiffer
    | ClassCountsDiffer
    | LayerOutputForeign
    | LossArgumentUnknown
    | LossArgumentMissing
    | LossNotScalar
    | ConversionIssue
)


def explain_layer_issue(issue: LayerIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of layers, or of converting a model.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_layer_issue(LayerUnknown(side="teacher", name="zzz", near=()))
        "the teacher has no layer 'zzz'"
    """
    if isinstance(issue, ConversionIssue):
        return explain_conversion_issue(issue)
    match issue:
        case LayerUnknown(side=side, name=name, near=near):
            hint = f"; near it: {listed(near)}" if near else ""
            return (
                f"the {side} has no layer {'that fits ' if '*' in name else ''}{quoted(name)}{hint}"
            )
        case LayerCountsDiffer(pair=(student, teacher)):
            return (
                f"{quoted(student)} fits {len(issue.student):,} layers of the student "
                f"({listed(issue.student)}), {quoted(teacher)} fits {len(issue.teacher):,} of the "
                f"teacher ({listed(issue.teacher)}): name patterns that fit equally many, or the "
                "pairs one by one"
            )
        case LayerPairedTwice(pair=pair):
            return (
                f"the layers {_named(pair)} are paired twice: leave one of the two entries out, "
                "or write one loss that adds both"
            )
        case LayerOutputMissing() | LayerOutputStale():
            return f"the layers {_named(issue.pair)} cannot be compared: {_unusable(issue)}"
        case _:
            return _explain_loss_issue(issue)


def _explain_loss_issue(
    issue: LayerWidthsDiffer
    | ClassCountsDiffer
    | LayerOutputForeign
    | LossArgumentUnknown
    | LossArgumentMissing
    | LossNotScalar,
) -> str:
    match issue:
        case LayerWidthsDiffer(pair=(student, teacher), loss=loss, reason=reason):
            said = f" ({quoted(reason)})" if reason else ""
            return (
                f"{loss} cannot compare the layers {quoted(student)} (student, "
                f"{list(issue.student)}) and {quoted(teacher)} (teacher, {list(issue.teacher)})"
                f"{said}: pass example=batch to convert, so that it inserts a projection where "
                "only widths differ, or a loss that takes both shapes"
            )
        case ClassCountsDiffer(pair=(student, teacher), loss=loss):
            return (
                f"{loss} compares classes, but the student's {quoted(student)} has "
                f"{issue.student:,} and the teacher's {quoted(teacher)} has {issue.teacher:,}: "
                "a projection between classes would mean nothing"
            )
        case LayerOutputForeign(pair=pair, side=side, found=found):
            return (
                f"the {side}'s layer in the pair {_named(pair)} gives a {found}, the loss takes a "
                "tensor: write a loss that takes what the layer gives"
            )
        case LossArgumentUnknown(name=name, known=known):
            takes = f"take {listed(known)}" if known else "take none"
            return f"no loss takes an argument {quoted(name)}; the losses {takes}"
        case LossArgumentMissing(loss=loss, names=names):
            return f"{loss} needs {listed(names)}: pass it by name to compute_kd_loss"
        case LossNotScalar(terms=terms):
            return (
                f"the total loss is not one number; the terms are {listed(terms)}: reduce them "
                "(reduction=, loss_reduction_fn=), or pass skip_balancer=True to get them as "
                "they are"
            )
        case _:
            assert_never(issue)


def _named(pair: Pair) -> str:
    return f"{quoted(pair[0])} (student) and {quoted(pair[1])} (teacher)"


def _unusable(issue: LayerOutputMissing | LayerOutputStale) -> str:
    side = issue.side
    remedy = "call the model on a batch before each loss"
    match issue:
        case LayerOutputMissing(ran=True):
            return (
                f"the {side}'s last forward did not reach its layer; pair a layer that every "
                "forward runs"
            )
        case LayerOutputMissing():
            return f"the {side} has not run since the last loss; {remedy}"
        case LayerOutputStale(overwritten=True):
            return (
                f"what the {side} gave was changed in place since its forward; work on a copy "
                "of the output, or take the loss before"
            )
        case LayerOutputStale():
            return f"the loss of the {side}'s last forward was taken already; {remedy}"
        case _:
            assert_never(issue)
