"""Balancers made from a user's numbers, or everything that is wrong with those."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import TypeAlias, TypeVar

from returns.result import Result

from kdtab.errors.issue import Issues
from kdtab.errors.objectives import (
    ObjectiveIssue,
    StudentLossMissing,
    WeightCountDiffers,
    WeightInvalid,
    WeightNameMissing,
    WeightNameUnknown,
    WeightRepeated,
    WeightsOverOne,
)
from kdtab.losses.balance import (
    STUDENT_LOSS,
    ComplementaryWeight,
    MagnitudeWeights,
    NamedWeights,
    StaticWeights,
    exact_sum,
)
from kdtab.losses.uncertainty import UncertaintyWeights
from kdtab.results import Checked, check

KnownBalancer: TypeAlias = (
    NamedWeights | ComplementaryWeight | StaticWeights | MagnitudeWeights | UncertaintyWeights
)
Chosen = TypeVar("Chosen", bound=KnownBalancer)


def named_weights(
    weights: Mapping[str, float], *, student_weight: float = 1.0
) -> Checked[NamedWeights]:
    """Fixed weights by term name.

    Args:
        weights: One for each distillation loss, by name.
        student_weight: Of the student's own loss.

    Returns:
        The balancer, or `WeightInvalid` for each weight that is negative or not finite, and where
        all are 0.

    Example:
        >>> named_weights({"soft": 5.0}).unwrap().weights
        (('soft', 5.0),)
        >>> named_weights({"soft": -1.0}).failure().first
        WeightInvalid(name='weight of soft', rule='must be a finite number of at least 0', found='-1.0')
    """
    named = {f"weight of {name}": weight for name, weight in weights.items()}
    every = {**named, "weight of the student's own loss": student_weight}
    found = [_negative(name, weight) for name, weight in every.items()]
    if not any(found) and not any(every.values()):
        found = [WeightInvalid(name="weights", rule="must not all be 0", found="0")]
    return check(*found).map(
        lambda _: NamedWeights(
            tuple((name, float(weight)) for name, weight in weights.items()), float(student_weight)
        )
    )


def complementary_weight(student_weight: float) -> Checked[ComplementaryWeight]:
    """A weight of the student's own loss that leaves the rest to the teacher.

    Args:
        student_weight: In [0, 1].

    Returns:
        The balancer, or `WeightInvalid`.

    Example:
        >>> complementary_weight(0.3).unwrap()
        ComplementaryWeight(student_weight=0.3)
        >>> complementary_weight(2.0).failure().first.found
        '2.0'
    """
    found = _outside_one("weight of the student's own loss", student_weight)
    return check(found).map(lambda _: ComplementaryWeight(float(student_weight)))


def static_weights(weights: float | Sequence[float]) -> Checked[StaticWeights]:
    """One weight for each distillation loss, the rest for the student's own.

    Args:
        weights: Each in [0, 1]; a single number is the weight of a single loss.

    Returns:
        The balancer, or `WeightInvalid` for each weight out of range, and `WeightsOverOne`.

    Example:
        >>> static_weights([0.7, 0.2, 0.1]).unwrap().student_share
        0.0
        >>> static_weights([0.7, 0.5]).failure().first
        WeightsOverOne(weights=(0.7, 0.5))
    """
    # None or a number of another library: told as a weight that is none
    every = tuple(weights) if isinstance(weights, Iterable) else (weights,)
    found: list[ObjectiveIssue | None] = [
        _outside_one(f"weights[{place}]", weight) for place, weight in enumerate(every)
    ]
    if not every:
        found = [WeightInvalid(name="weights", rule="must not be empty", found="()")]
    elif not any(found) and exact_sum(every) > 1:
        found = [WeightsOverOne(weights=every)]
    return check(*found).map(lambda _: StaticWeights(tuple(map(float, every))))


def magnitude_weights(*, logits: str, distillation_scale: float = 1.0) -> Checked[MagnitudeWeights]:
    """Losses brought to one size by ratios without a gradient.

    Args:
        logits: Name of the loss of the logits.
        distillation_scale: How large all distillation is beside the student's own loss, above 0.

    Returns:
        The balancer, or `WeightInvalid`.

    Example:
        >>> magnitude_weights(logits="soft", distillation_scale=0.0).failure().first.rule
        'must be a finite number above 0'
    """
    rule = "must be a finite number above 0"
    fits = _is_number(distillation_scale) and distillation_scale > 0
    found = WeightInvalid(name="distillation_scale", rule=rule, found=str(distillation_scale))
    return check(None if fits else found).map(
        lambda _: MagnitudeWeights(logits, float(distillation_scale))
    )


def uncertainty_weights(names: Sequence[str]) -> Checked[UncertaintyWeights]:
    """Weights that are learnt; their parameters are the caller's to train.

    Args:
        names: Of all terms, "hard" among them where the student has its own loss.

    Returns:
        A balancer with fresh parameters; `WeightInvalid` without a name, `WeightRepeated`.

    Example:
        >>> uncertainty_weights(("hard", "soft")).unwrap().names
        ('hard', 'soft')
    """
    twice = [WeightRepeated(name=name) for name, count in Counter(names).items() if count > 1]
    empty = WeightInvalid(name="names", rule="must not be empty", found="()")
    return check(*twice, None if names else empty).map(lambda _: UncertaintyWeights(tuple(names)))


def fitted_balancer(
    balancer: Chosen, terms: Sequence[str], *, student_loss: bool
) -> Result[Chosen, Issues]:
    """The balancer, once it is known which losses it will get.

    Args:
        balancer: Any of kdtab's.
        terms: Names of the distillation losses, in their order.
        student_loss: Whether the student's own loss is among what is combined.

    Returns:
        The same balancer; `WeightCountDiffers`, `WeightNameUnknown`, `WeightNameMissing`,
        `WeightRepeated` or `StudentLossMissing`, all that hold.

    Example:
        >>> balancer = static_weights([0.25, 0.5]).unwrap()
        >>> fitted_balancer(balancer, ("soft",), student_loss=True).failure().first
        WeightCountDiffers(weights=2, terms=('soft',))
        >>> fitted_balancer(balancer, ("soft", "hint"), student_loss=False).failure().first
        StudentLossMissing(weights=(0.25, 0.5))
    """
    return check(*_misfits(balancer, tuple(terms), student_loss)).map(lambda _: balancer)


def _misfits(
    balancer: KnownBalancer, terms: tuple[str, ...], student_loss: bool
) -> Iterator[ObjectiveIssue]:
    match balancer:
        case NamedWeights(weights=weights):
            yield from _unpaired(tuple(name for name, _ in weights), terms)
        case ComplementaryWeight(student_weight=weight):
            if not student_loss and weight > 0:
                yield StudentLossMissing(weights=(1 - weight,))
        case StaticWeights(weights=static):
            if len(static) != len(terms):
                yield WeightCountDiffers(weights=len(static), terms=terms)
            if not student_loss and exact_sum(static) < 1:
                yield StudentLossMissing(weights=static)
        case MagnitudeWeights(logits=logits):
            if logits not in terms:
                yield WeightNameUnknown(name=logits, known=terms)
        case UncertaintyWeights():
            yield from _unpaired(balancer.names, (STUDENT_LOSS,) * student_loss + terms)


def _unpaired(named: tuple[str, ...], terms: tuple[str, ...]) -> Iterator[ObjectiveIssue]:
    for name, count in Counter(named).items():
        if count > 1:
            yield WeightRepeated(name=name)
        if name not in terms:
            yield WeightNameUnknown(name=name, known=terms)
    yield from (WeightNameMissing(name=name, known=named) for name in terms if name not in named)


def _negative(name: str, weight: float) -> ObjectiveIssue | None:
    if _is_number(weight) and weight >= 0:
        return None
    return WeightInvalid(name=name, rule="must be a finite number of at least 0", found=str(weight))


def _outside_one(name: str, weight: float) -> ObjectiveIssue | None:
    if _is_number(weight) and 0 <= weight <= 1:
        return None
    return WeightInvalid(name=name, rule="must be a number between 0 and 1", found=str(weight))


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
