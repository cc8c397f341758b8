"""Mean losses together with their gradients, for a step that needs no graph.

A graph of a dozen small operations costs more than their numbers. Each gradient here is that of the
mean over the rows, and has the type of what it is taken with respect to.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kdtab.losses.hard import NO_LABEL, cross_entropy_from_logits
from kdtab.losses.precision import at_least_float32
from kdtab.losses.soft import tempered_log_probabilities

LOG_OF_ZERO = -1e4
"""Stands for −∞ where 0 · log 0 must be 0: its exponential is an exact zero in every float type."""


def cross_entropy_with_gradient(
    logits: Tensor,
    labels: Tensor,
    *,
    class_weights: Tensor | None = None,
    label_smoothing: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """The mean of `cross_entropy_from_logits`, weighted by class, and its gradient.

    ∂/∂z_i = w_i · (softmax(z_i) − r_i) / Σ w, with r = (1 − ε) · onehot(y) + ε / C and w the class
    weight of the row's label.

    Args:
        logits: [N, C] z, any float type; float16 and bfloat16 are computed in float32.
        labels: [N] int64 class codes y, 0 to C − 1.
        class_weights: [C] float32 or wider; None: every row counts once.
        label_smoothing: ε in [0, 1].

    Returns:
        A scalar in float32 or wider, and [N, C].

    Example:
        >>> z = torch.tensor([[0.0, 0.0], [0.0, 0.0]])
        >>> cross_entropy_with_gradient(z, torch.tensor([0, 1]))
        (tensor(0.6931), tensor([[-0.2500,  0.2500],
                [ 0.2500, -0.2500]]))
    """
    log_probabilities = torch.log_softmax(at_least_float32(logits), -1)
    gradient = log_probabilities.exp()
    if label_smoothing > 0:
        gradient -= label_smoothing / logits.shape[1]
    of_label = gradient.new_full((1, 1), label_smoothing - 1).expand(len(gradient), 1)
    gradient.scatter_add_(1, labels[:, None], of_label)

    if label_smoothing == 0 and class_weights is None:
        loss = functional.nll_loss(log_probabilities, labels, ignore_index=NO_LABEL)
        return loss, gradient.div_(len(gradient)).to(logits.dtype)

    losses = cross_entropy_from_logits(logits, labels, label_smoothing=label_smoothing)
    weights = torch.ones_like(losses) if class_weights is None else class_weights[labels]
    shares = weights / weights.sum()
    return losses @ shares, gradient.mul_(shares[:, None]).to(logits.dtype)


def divergence_with_gradient(
    student_logits: Tensor, tempered_teacher_log_probabilities: Tensor, *, temperature: float
) -> tuple[Tensor, Tensor]:
    """The mean of `kl_divergence_from_log_probabilities`, and its gradient (REQ-KD17).

    ∂/∂s_i = T · (softmax(s_i / T) − p_i) / N.

    Args:
        student_logits: [N, C] s, any float type.
        tempered_teacher_log_probabilities: [N, C] log p at the same temperature, with −10,000 for
            −∞.
        temperature: T, above 0 and finite.

    Returns:
        A scalar in float32 or wider, and [N, C].

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> divergence_with_gradient(s, tempered_log_probabilities(t, temperature=1.0), temperature=1.0)
        (tensor(0.2691), tensor([[-0.2139,  0.1930,  0.0208],
                [ 0.0728,  0.0212, -0.0940]]))
    """
    teacher = at_least_float32(tempered_teacher_log_probabilities)
    student = tempered_log_probabilities(student_logits, temperature=temperature)
    probabilities = teacher.exp()
    total = torch.dot(probabilities.view(-1), (teacher - student).view(-1))
    gradient = student.exp_().sub_(probabilities).mul_(temperature / len(student))
    loss = total * (temperature * temperature / len(student))
    return loss, gradient.to(student_logits.dtype)


def mean_square_with_gradient(values: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of `squared_error`, and its gradient: 2 · (ŷ − y) / N (REQ-KD18).

    Args:
        values: [N, 1] ŷ in the unit of training, any float type.
        targets: [N, 1] y in the same unit.

    Returns:
        A scalar in float32 or wider, and [N, 1].

    Example:
        >>> mean_square_with_gradient(torch.tensor([[3.0], [1.0]]), torch.tensor([[1.0], [1.0]]))
        (tensor(2.), tensor([[2.],
                [0.]]))
    """
    assert values.shape == targets.shape, "one value for each target, or they would broadcast"
    difference = at_least_float32(values) - at_least_float32(targets)
    loss = difference.square().mean()
    return loss, difference.mul_(2 / len(values)).to(values.dtype)
