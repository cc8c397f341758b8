"""What the losses of an objective weigh in rows that lack a label or a teacher's word."""

from __future__ import annotations

import torch
from torch import Tensor

from kdtab.losses.balance import ComplementaryWeight, StaticWeights
from kdtab.losses.weights import KnownBalancer
from kdtab.tasks.trainingtask import Batch


def teacher_share(balancer: KnownBalancer) -> float:
    """The share that a row without soft targets gives back to its label.

    Args:
        balancer: Of the objective.

    Returns:
        1 less the label's own share; 0 where weights are no shares.

    Example:
        >>> teacher_share(ComplementaryWeight(0.25))
        0.75
    """
    match balancer:
        case ComplementaryWeight(student_weight=weight):
            return 1 - weight
        case StaticWeights():
            return 1 - balancer.student_share
        case _:
            return 0.0


def label_shares(balancer: KnownBalancer, losses: int) -> tuple[float, ...]:
    """What a row without a label gives of its label's share to each distillation loss.

    Args:
        balancer: Of the objective.
        losses: K.

    Returns:
        K numbers, in the proportion of the weights; 0 where weights are no shares.

    Example:
        >>> label_shares(StaticWeights((0.25, 0.5)), 2)
        (0.0833..., 0.1666...)
    """
    match balancer:
        case ComplementaryWeight(student_weight=weight):
            return (weight,) * losses
        case StaticWeights(weights=weights) if balancer.student_share < 1:
            own = balancer.student_share
            return tuple(own * weight / (1 - own) for weight in weights[:losses])
        case _:
            return (0.0,) * losses


def told_targets(batch: Batch, labelled: Tensor) -> Tensor:
    """The targets, and in rows without one what the teacher holds most likely.

    Args:
        batch: With soft targets.
        labelled: [B] which rows have a label.

    Returns:
        [B] class codes or [B, 1] values.

    Example:
        >>> rows = Batch(torch.zeros(2, 1), torch.tensor([0, -1]), torch.tensor([[1.0, 2.0]] * 2))
        >>> told_targets(rows, torch.tensor([True, False])).tolist()
        [0, 1]
    """
    assert batch.soft_targets is not None, "every batch has soft targets"
    soft = batch.soft_targets.nan_to_num(nan=0.0)
    if batch.targets.is_floating_point():
        return torch.where(labelled[:, None], batch.targets, soft)
    return torch.where(labelled, batch.targets, soft.argmax(dim=1))
