"""Whether the losses and weights of an objective fit a task, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from returns.result import Result

from kdtab.config.balancers import (
    AnyBalancer,
    ComplementaryBalancer,
    MagnitudeBalancer,
    NamedBalancer,
    StaticBalancer,
    UncertaintyBalancer,
)
from kdtab.config.objectives import (
    AnyLoss,
    DecoupledLoss,
    DivergenceLoss,
    HuberLoss,
    PinballLoss,
    RelationalLoss,
    SquaredErrorLoss,
    TeacherBoundedLoss,
)
from kdtab.config.training import Task
from kdtab.errors.issue import Issues
from kdtab.errors.objectives import (
    LossNeedsMoreClasses,
    LossNeedsTask,
    LossOverBatchAccumulated,
    ObjectiveIssue,
    WeightRepeated,
)
from kdtab.losses.balance import STUDENT_LOSS
from kdtab.losses.weights import (
    KnownBalancer,
    complementary_weight,
    fitted_balancer,
    magnitude_weights,
    named_weights,
    static_weights,
    uncertainty_weights,
)
from kdtab.results import Checked, check, fail

LEAST_CLASSES = 3
OF_VALUES = (SquaredErrorLoss, HuberLoss, PinballLoss, TeacherBoundedLoss)


def is_over_batch(loss: AnyLoss) -> bool:
    """Whether a loss sees a whole batch and gives one number for it.

    Args:
        loss: Any.

    Returns:
        True for the losses whose kind says so.

    Example:
        >>> is_over_batch(RelationalLoss(kind="similarity_preserving_over_batch"))
        True
    """
    return loss.kind.endswith("_over_batch")


def fitting_losses(
    losses: tuple[AnyLoss, ...], *, task: Task, classes: int, accumulation: int = 1
) -> Checked[tuple[AnyLoss, ...]]:
    """The losses of an objective, if each can teach something here.

    Args:
        losses: What a user chose; empty: the usual one of the task.
        task: Classification or regression.
        classes: C of classification.
        accumulation: From how many parts a step is put together.

    Returns:
        At least one loss; or `LossNeedsTask`, `LossNeedsMoreClasses`, `LossOverBatchAccumulated`
        for each that does not fit.

    Example:
        >>> fitting_losses((), task="regression", classes=1).unwrap()
        (SquaredErrorLoss(kind='squared_error'),)
        >>> fitting_losses((DecoupledLoss(),), task="classification", classes=2).failure().first
        LossNeedsMoreClasses(loss='decoupled_kl', classes=2, least=3)
    """
    usual = SquaredErrorLoss() if task == "regression" else DivergenceLoss(kind="forward_kl")
    chosen = losses or (usual,)
    found = [issue for loss in chosen for issue in _misfits(loss, task, classes, accumulation)]
    return check(*found).map(lambda _: chosen)


def _misfits(
    loss: AnyLoss, task: Task, classes: int, accumulation: int
) -> Iterator[ObjectiveIssue]:
    needs = task_of(loss)
    if needs not in (None, task):
        yield LossNeedsTask(loss=loss.kind, needs=str(needs), task=task, known=kinds_of(task))
    elif needs_three_classes(loss) and classes < LEAST_CLASSES:
        yield LossNeedsMoreClasses(loss=loss.kind, classes=classes, least=LEAST_CLASSES)
    if is_over_batch(loss) and accumulation > 1:
        yield LossOverBatchAccumulated(loss=loss.kind, accumulation=accumulation)


def task_of(loss: AnyLoss) -> Task | None:
    """The task that a loss belongs to.

    Args:
        loss: Any.

    Returns:
        Classification or regression; None for relations of rows, which any outputs have.

    Example:
        >>> task_of(HuberLoss())
        'regression'
    """
    if isinstance(loss, RelationalLoss):
        return None
    return "regression" if isinstance(loss, OF_VALUES) else "classification"


def needs_three_classes(loss: AnyLoss) -> bool:
    """Whether a loss teaches nothing where there are only two classes.

    Args:
        loss: Any.

    Returns:
        True for decoupled distillation and for standardised logits.

    Example:
        >>> needs_three_classes(DecoupledLoss())
        True
    """
    return isinstance(loss, DecoupledLoss) or loss.kind == "standardized_kl"


def kinds_of(task: Task) -> tuple[str, ...]:
    """The kinds of losses that a task can have.

    Args:
        task: Classification or regression.

    Returns:
        Names, as a config has them.

    Example:
        >>> kinds_of("regression")[:2]
        ('relational_distance_over_batch', 'relational_angle_over_batch')
    """
    of_values = {family for family in get_args(AnyLoss) if family in OF_VALUES}
    fitting = [
        family
        for family in get_args(AnyLoss)
        if family is RelationalLoss or (family in of_values) == (task == "regression")
    ]
    return tuple(
        kind for family in fitting for kind in get_args(family.model_fields["kind"].annotation)
    )


def balancer_from_spec(spec: AnyBalancer, names: tuple[str, ...]) -> Result[KnownBalancer, Issues]:
    """A balancer for losses of these names, beside the hard loss.

    Args:
        spec: Which, with its numbers.
        names: Of the distillation losses, in their order.

    Returns:
        The balancer, or whatever is wrong with its weights.

    Example:
        >>> balancer_from_spec(StaticBalancer(weights=(0.25,)), ("soft",)).unwrap()
        StaticWeights(weights=(0.25,))
        >>> balancer_from_spec(StaticBalancer(weights=(0.25,)), ("soft", "hint")).failure().first
        WeightCountDiffers(weights=1, terms=('soft', 'hint'))
    """
    return _from_spec(spec, names).bind(
        lambda balancer: fitted_balancer(balancer, names, student_loss=True)
    )


def _from_spec(spec: AnyBalancer, names: tuple[str, ...]) -> Result[KnownBalancer, Issues]:
    match spec:
        case NamedBalancer(weights=weights, student_weight=student_weight):
            given = [weight.name for weight in weights]
            twice = sorted({name for name in given if given.count(name) > 1})
            if twice:
                return fail(*(WeightRepeated(name=name) for name in twice))
            by_name = {weight.name: weight.weight for weight in weights}
            return named_weights(by_name, student_weight=student_weight).map(_known)
        case ComplementaryBalancer(student_weight=student_weight):
            return complementary_weight(student_weight).map(_known)
        case StaticBalancer(weights=static):
            return static_weights(static).map(_known)
        case MagnitudeBalancer(logits=logits, distillation_scale=scale):
            return magnitude_weights(logits=logits, distillation_scale=scale).map(_known)
        case UncertaintyBalancer():
            return uncertainty_weights((STUDENT_LOSS, *names)).map(_known)


def _known(balancer: KnownBalancer) -> KnownBalancer:
    """The same, as one of the union: a Result of one member is no Result of the union."""
    return balancer
