"""Losses of rows, some of which cannot be had, each with its gradient, for a step without a graph.

The mean over a batch is the caller's: it knows what each row weighs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from kdtab.losses.precision import at_least_float32
from kdtab.losses.reduce import replaced_rows
from kdtab.losses.soft import tempered_log_probabilities


def has_label(targets: Tensor) -> Tensor:
    """Which rows have a target: the others have the class code −1, or the value NaN.

    Args:
        targets: [N] class codes or [N, 1] values.

    Returns:
        [N] booleans.

    Example:
        >>> has_label(torch.tensor([2, -1])).tolist(), has_label(torch.tensor([[0.5]])).tolist()
        ([True, False], [True])
    """
    return ~targets.isnan().any(dim=1) if targets.is_floating_point() else targets >= 0


def cross_entropies_with_gradients(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The cross-entropy of each row in nats, 0 without a label, and its gradient.

    ∂/∂z_i = softmax(z_i) − onehot(y_i), or 0.

    Args:
        logits: [N, C] z, any float type.
        labels: [N] class codes, −1 for none.

    Returns:
        [N] losses, and [N, C], both in float32 or wider.

    Example:
        >>> cross_entropies_with_gradients(torch.zeros(2, 2), torch.tensor([1, -1]))
        (tensor([0.6931, 0.0000]), tensor([[ 0.5000, -0.5000],
                [ 0.0000,  0.0000]]))
    """
    known = has_label(labels)
    log_probabilities = torch.log_softmax(at_least_float32(logits), -1)
    places = labels.clamp(min=0)[:, None]
    losses = torch.where(known, -log_probabilities.gather(1, places).squeeze(1), 0.0)
    gradients = log_probabilities.exp()
    gradients.scatter_add_(1, places, gradients.new_full((1, 1), -1.0).expand(len(labels), 1))
    return losses, torch.where(known[:, None], gradients, 0.0)


def divergences_with_gradients(
    student_logits: Tensor, tempered_teacher_log_probabilities: Tensor, *, temperature: float
) -> tuple[Tensor, Tensor]:
    """T² · KL of each row, 0 where the teacher did not speak, and its gradient.

    ∂/∂s_i = T · (softmax(s_i / T) − p_i), or 0.

    Args:
        student_logits: [N, C] s, any float type.
        tempered_teacher_log_probabilities: [N, C] log p at the same temperature, with −10,000 for
            −∞; NaN in rows without.
        temperature: T, above 0 and finite.

    Returns:
        [N] losses, and [N, C], both in float32 or wider.

    Example:
        >>> spoken = torch.tensor([[0.5, 0.5], [float("nan")] * 2]).log()
        >>> divergences_with_gradients(torch.zeros(2, 2), spoken, temperature=1.0)
        (tensor([0., 0.]), tensor([[0., 0.],
                [0., 0.]]))
    """
    teacher = at_least_float32(tempered_teacher_log_probabilities)
    spoken = ~teacher.isnan().any(dim=1)
    teacher = replaced_rows(teacher, spoken)
    student = tempered_log_probabilities(student_logits, temperature=temperature)
    probabilities = teacher.exp()
    losses = (probabilities * (teacher - student)).sum(dim=1) * temperature**2
    gradients = student.exp_().sub_(probabilities).mul_(temperature)
    return torch.where(spoken, losses, 0.0), torch.where(spoken[:, None], gradients, 0.0)


def squares_with_gradients(values: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The squared error of each row, 0 without a target, and its gradient 2 · (ŷ − y).

    Args:
        values: [N, 1] ŷ, any float type.
        targets: [N, 1] y, NaN for none.

    Returns:
        [N] losses, and [N, 1], both in float32 or wider.

    Example:
        >>> squares_with_gradients(torch.tensor([[3.0], [1.0]]), torch.tensor([[1.0], [float("nan")]]))
        (tensor([4., 0.]), tensor([[4.],
                [0.]]))
    """
    assert values.shape == targets.shape, "one value for each target, or they would broadcast"
    known = has_label(targets)
    difference = at_least_float32(values) - at_least_float32(replaced_rows(targets, known))
    difference = difference * known[:, None]
    return difference.square().squeeze(1), difference.mul_(2)
