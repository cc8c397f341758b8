"""DIST: how well the student's probabilities follow the teacher's, by correlation."""

from __future__ import annotations

import torch
from torch import Tensor

from kdtab.losses.soft import tempered_log_probabilities


def inter_class_correlation(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float
) -> Tensor:
    """T² · (1 − ρ) of each row, ρ the Pearson correlation of its probabilities over the classes.

    The relations between the classes of one row (DIST: Huang et al., arXiv:2205.10536). A row
    whose probabilities are all equal has no correlation: ρ = 0, without a gradient.

    Args:
        student_logits: [..., C] s, any float type, C at least 2.
        teacher_logits: [..., C] t, logits or log-probabilities.
        temperature: T, above 0 and finite.

    Returns:
        [...] losses between 0 and 2 · T², in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5], [0, 1, -1], [2, 0.5, 0.1]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0], [-1, 2, 0], [1, 1, -0.5]])
        >>> inter_class_correlation(s, t, temperature=1.0).mean()
        tensor(0.4003)
    """
    student = tempered_log_probabilities(student_logits, temperature=temperature).exp()
    teacher = tempered_log_probabilities(teacher_logits, temperature=temperature).exp()
    return _distance_of_correlation(student, teacher) * (temperature * temperature)


def intra_class_correlation_over_batch(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float
) -> Tensor:
    """T² · mean over classes of (1 − ρ), ρ the correlation of a class's probabilities over the rows.

    How rows compare with each other (DIST: Huang et al., arXiv:2205.10536). It sees a whole batch
    at once: parts of a batch do not add up to it.

    Args:
        student_logits: [N, C] s, any float type, N at least 2.
        teacher_logits: [N, C] t, logits or log-probabilities.
        temperature: T, above 0 and finite.

    Returns:
        A scalar between 0 and 2 · T², in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5], [0, 1, -1], [2, 0.5, 0.1]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0], [-1, 2, 0], [1, 1, -0.5]])
        >>> intra_class_correlation_over_batch(s, t, temperature=1.0)
        tensor(0.3656)
    """
    student = tempered_log_probabilities(student_logits, temperature=temperature).exp()
    teacher = tempered_log_probabilities(teacher_logits, temperature=temperature).exp()
    losses = _distance_of_correlation(student.T, teacher.T)  # [C]
    return losses.mean() * (temperature * temperature)


def dist_over_batch(
    student_logits: Tensor,
    teacher_logits: Tensor,
    *,
    temperature: float,
    inter_weight: float = 1.0,
    intra_weight: float = 1.0,
) -> Tensor:
    """β · mean over rows of the inter term + γ · the intra term (DIST: arXiv:2205.10536).

    Args:
        student_logits: [N, C] s, any float type, N at least 2.
        teacher_logits: [N, C] t, logits or log-probabilities.
        temperature: T, above 0 and finite.
        inter_weight: β, not negative.
        intra_weight: γ, not negative.

    Returns:
        A scalar in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5], [0, 1, -1], [2, 0.5, 0.1]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0], [-1, 2, 0], [1, 1, -0.5]])
        >>> dist_over_batch(s, t, temperature=1.0)
        tensor(0.7659)
    """
    inter = inter_class_correlation(student_logits, teacher_logits, temperature=temperature)
    intra = intra_class_correlation_over_batch(
        student_logits, teacher_logits, temperature=temperature
    )
    return inter_weight * inter.mean() + intra_weight * intra


def _distance_of_correlation(one: Tensor, other: Tensor) -> Tensor:
    """1 − ρ over the last dimension, as half the squared distance of unit vectors: never below 0."""
    first, has_first = _centred_unit(one)
    second, has_second = _centred_unit(other)
    distance = (first - second).square().sum(-1) / 2
    return torch.where(has_first & has_second, distance, 1.0)


def _centred_unit(values: Tensor) -> tuple[Tensor, Tensor]:
    """[..., n] vectors of mean 0 and length 1, and [...] whether there is one beyond rounding."""
    centred = values - values.mean(-1, keepdim=True)
    squares = centred.square().sum(-1, keepdim=True)
    rounding = torch.finfo(values.dtype).eps * values.detach().abs().sum(-1, keepdim=True)
    varied = squares > rounding.square()
    length = torch.where(varied, squares, 1.0).sqrt()
    return torch.where(varied, centred, 0.0) / length, varied.squeeze(-1)
