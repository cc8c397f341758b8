"""The losses of S students at once on rows that lack a label or the teacher's word."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from kdtab.config.training import Task
from kdtab.tasks.trainingtask import Slope, Terms


class StackedRows(NamedTuple):
    """The rows of one step, across: a softmax along rows of memory is the faster one.

    Attributes:
        outputs: [S, C, B] logits or [S, 1, B] values.
        targets: [S, B] class codes, −1 for none; or [S, B, 1] values, NaN for none.
        soft_targets: [S, C, B] what the teacher said, at each student's temperature; NaN in rows
            without.

    Example:
        >>> StackedRows._fields
        ('outputs', 'targets', 'soft_targets')
    """

    outputs: Tensor
    targets: Tensor
    soft_targets: Tensor


def partial_slope(rows: StackedRows, task: Task, alphas: Tensor, hot: Tensor) -> Slope:
    """The terms and the gradients of `PartialTargetTask`, for each student its own.

    Args:
        rows: Of one step.
        task: Classification or regression.
        alphas: [S] weights of the hard loss.
        hot: [S, 1, 1] temperatures.

    Returns:
        "hard", "soft" and "loss", [S] each; and [S, B, C].

    Example:
        >>> nan = torch.full((1, 1, 1), float("nan"))
        >>> rows = StackedRows(torch.full((1, 1, 1), 2.0), nan, torch.ones(1, 1, 1))
        >>> partial_slope(rows, "regression", torch.tensor([0.5]), torch.ones(1, 1, 1)).gradient
        tensor([[[2.]]])
    """
    spoken = ~rows.soft_targets.isnan().any(1)  # [S, B]
    told = torch.where(spoken.unsqueeze(1), rows.soft_targets, 0.0)
    if task == "regression":
        labelled = ~rows.targets.isnan().any(2)
        known = torch.where(labelled.unsqueeze(2), rows.targets, 0.0)
        hard, of_hard = _squares(rows.outputs, known.mT)
        soft, of_soft = _squares(rows.outputs, told)
    else:
        labelled = rows.targets >= 0
        hard, of_hard = _cross_entropies(rows.outputs, rows.targets.clamp(min=0))
        soft, of_soft = _divergences(rows.outputs, told, hot)
    shares = torch.where(spoken, alphas[:, None], 1.0)
    of_label = torch.where(labelled, shares, 0.0)
    of_teacher = torch.where(spoken, torch.where(labelled, 1 - shares, 1.0), 0.0)
    terms: Terms = {
        "hard": torch.where(labelled, hard, 0.0).mean(1),
        "soft": torch.where(spoken, soft, 0.0).mean(1),
        "loss": (of_label * hard + of_teacher * soft).mean(1),
    }
    gradient = of_hard.mul_(of_label.unsqueeze(1)).add_(of_soft.mul_(of_teacher.unsqueeze(1)))
    return Slope(terms, gradient.div_(gradient.shape[2]).mT)


def _cross_entropies(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """[S, B] losses in nats, and softmax(z) − onehot(y)."""
    places = labels.unsqueeze(1)
    log_probabilities = torch.log_softmax(logits, 1)
    losses = -log_probabilities.gather(1, places).squeeze(1)
    gradient = log_probabilities.exp_()
    return losses, gradient.scatter_(1, places, -1.0, reduce="add")


def _divergences(logits: Tensor, tempered: Tensor, hot: Tensor) -> tuple[Tensor, Tensor]:
    """[S, B] T² · KL, and T · (softmax(s / T) − p)."""
    student = torch.log_softmax(logits / hot, 1)
    probabilities = tempered.exp()
    losses = (tempered - student).mul_(probabilities).sum(1) * hot.view(-1, 1).square()
    return losses, student.exp_().sub_(probabilities).mul_(hot)


def _squares(values: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """[S, B] squared errors, and 2 · (ŷ − y)."""
    difference = values - targets
    return difference.square().squeeze(1), difference.mul_(2)
