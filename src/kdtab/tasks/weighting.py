"""The weights of a task loss and of a distillation loss, in the three ways to give them."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import final

from torch import Tensor

from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issue
from kdtab.results import Checked, check

NOT_NEGATIVE = "must be a finite number, 0 or more"
A_SHARE = "must be between 0 and 1 where it is the only weight"
ABOVE_ZERO = "must be a finite number above 0"
NOT_BOTH_ZERO = "must be above 0 where the other weight is 0, or nothing is learnt"


@final
@dataclass(frozen=True)
class LossWeights:
    """loss = task · task_loss + distill · kd_loss.

    Attributes:
        task: Weight of the task loss.
        distill: Weight of the distillation loss.

    Example:
        >>> LossWeights(task=1.0, distill=5.0).distill
        5.0
    """

    task: float
    distill: float


def loss_weights(
    distill_loss_weight: float | None, task_loss_weight: float | None
) -> Checked[LossWeights]:
    """Independent, complementary or equal weights, as they were given.

    With a distillation weight both are independent, the task's 1 by default; with the task's alone
    they are complementary, distill = 1 − task; without any both are 1.

    Args:
        distill_loss_weight: 0 or more, or None.
        task_loss_weight: 0 or more, at most 1 on its own, or None.

    Returns:
        The weights, or `FieldInvalid` for each that is out of range.

    Example:
        >>> loss_weights(None, 0.25).unwrap()
        LossWeights(task=0.25, distill=0.75)
        >>> loss_weights(None, 2.0).failure().first.found
        '2.0'
    """
    given = {"distill_loss_weight": distill_loss_weight, "task_loss_weight": task_loss_weight}
    complementary = distill_loss_weight is None and task_loss_weight is not None
    found = [weight_problem(name, one) for name, one in given.items() if one is not None]
    if complementary and not any(found) and float(task_loss_weight or 0) > 1:
        found.append(_invalid("task_loss_weight", A_SHARE, task_loss_weight))
    if distill_loss_weight == 0 and task_loss_weight == 0:
        found.append(_invalid("distill_loss_weight", NOT_BOTH_ZERO, distill_loss_weight))
    return check(*found).map(lambda _: _weights(distill_loss_weight, task_loss_weight))


def weight_problem(name: str, weight: object) -> Issue | None:
    """What keeps a number from being a weight.

    Args:
        name: The argument's name.
        weight: What was given for it.

    Returns:
        `FieldInvalid`, or None for a finite number of 0 or more.

    Example:
        >>> weight_problem("task_loss_weight", -1.0).found
        '-1.0'
    """
    return None if _is_finite(weight, least=0.0) else _invalid(name, NOT_NEGATIVE, weight)


def temperature_problem(temperature: object) -> Issue | None:
    """What keeps a number from being a temperature.

    Args:
        temperature: What was given as T.

    Returns:
        `FieldInvalid`, or None for a finite number above 0.

    Example:
        >>> temperature_problem(float("nan")).found
        'nan'
    """
    fine = _is_finite(temperature, least=0.0) and temperature != 0
    return None if fine else _invalid("temperature", ABOVE_ZERO, temperature)


def weighted_loss(task_loss: Tensor, kd_loss: Tensor, weights: LossWeights) -> Tensor:
    """The sum task · task_loss + distill · kd_loss.

    A term without weight does not enter at all: 0 · inf would be nan.

    Args:
        task_loss: A scalar.
        kd_loss: A scalar.
        weights: Of both, not both 0.

    Returns:
        A scalar.

    Example:
        >>> import torch
        >>> weighted_loss(torch.tensor(torch.inf), torch.tensor(3.0), LossWeights(0.0, 2.0))
        tensor(6.)
    """
    if weights.task == 0:
        return weights.distill * kd_loss
    if weights.distill == 0:
        return weights.task * task_loss
    return weights.task * task_loss + weights.distill * kd_loss


def _weights(distill: float | None, task: float | None) -> LossWeights:
    if distill is not None:
        return LossWeights(1.0 if task is None else float(task), float(distill))
    return LossWeights(1.0, 1.0) if task is None else LossWeights(float(task), 1.0 - float(task))


def _is_finite(found: object, *, least: float) -> bool:
    return isinstance(found, Real) and isfinite(found) and float(found) >= least


def _invalid(name: str, rule: str, found: object) -> FieldInvalid:
    return FieldInvalid(name=name, rule=rule, found=str(found))
