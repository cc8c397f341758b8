"""Divergence from a teacher whose distribution the label has corrected. One number each row."""

from __future__ import annotations

import torch
from torch import Tensor

from kdtab.losses.soft import (
    kl_divergence_from_log_probabilities,
    tempered_log_probabilities,
)


def label_corrected_log_probabilities(
    teacher_logits: Tensor, labels: Tensor, *, temperature: float, threshold: float
) -> Tensor:
    """Log of p' = (1 − m) · p + m · onehot(y): the teacher's p = softmax(t / T), its label put right.

    Where the teacher is wrong, m = (p_max − p_y + δ) / (1 + p_max − p_y), and y then leads the
    teacher's choice by δ. Where it is right, m = (min(1, p_y + δ) − p_max) / (1 − p_max): y gains
    δ, and 0 where p_max = 1 (minifinetuning, arXiv:2506.15702). A teacher that finds y as likely
    as any other class is right. No gradient reaches the teacher.

    Args:
        teacher_logits: [..., C] t, logits or log-probabilities.
        labels: [...] int64 class codes y.
        temperature: T, above 0 and finite.
        threshold: δ in [0, 1].

    Returns:
        [..., C] natural log-probabilities, −∞ for an exact zero, in float32 or wider.

    Example:
        >>> t = torch.tensor([[2.0, 1.0, 0.1]])
        >>> label_corrected_log_probabilities(
        ...     t, torch.tensor([1]), temperature=1.0, threshold=0.2
        ... ).exp()
        tensor([[0.3722, 0.5722, 0.0557]])
    """
    with torch.no_grad():
        spoken = tempered_log_probabilities(teacher_logits, temperature=temperature)
        wanted = labels.unsqueeze(-1)
        share = _label_share(spoken, wanted, threshold)  # [..., 1] m
        others = torch.log1p(-share) + spoken
        lifted = torch.logaddexp(others.gather(-1, wanted), share.log())
        return others.scatter(-1, wanted, lifted)


def label_corrected_kl_divergence(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    temperature: float,
    threshold: float = 0.2,
) -> Tensor:
    """T² · KL(p' ‖ softmax(s / T)) of each row, p' the teacher's distribution put right by y.

    See `label_corrected_log_probabilities` for p' (minifinetuning, arXiv:2506.15702). At δ = 0 and
    a teacher that is right it is the forward KL.

    Args:
        student_logits: [..., C] s, any float type.
        teacher_logits: [..., C] t, logits or log-probabilities.
        labels: [...] int64 class codes y.
        temperature: T, above 0 and finite.
        threshold: δ in [0, 1]: by how much the label should lead.

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> label_corrected_kl_divergence(
        ...     s, t, torch.tensor([1, 2]), temperature=1.0, threshold=0.2
        ... ).mean()
        tensor(0.2175)
    """
    corrected = label_corrected_log_probabilities(
        teacher_logits, labels, temperature=temperature, threshold=threshold
    )
    return kl_divergence_from_log_probabilities(student_logits, corrected, temperature=temperature)


def _label_share(spoken: Tensor, wanted: Tensor, threshold: float) -> Tensor:
    """M of each row, between 0 and 1."""
    assert 0 <= threshold <= 1, "the threshold is a difference of two probabilities"
    p = spoken.exp()
    p_label, p_most = p.gather(-1, wanted), p.max(-1, keepdim=True).values
    lead = p_most - p_label
    # 1 − p_y as the sum of the others keeps its digits where p_y is near 1
    rest = p.scatter(-1, wanted, 0.0).sum(-1, keepdim=True)
    right = torch.where(rest > 0, rest.clamp(max=threshold) / rest, 0.0)
    return torch.where(lead > 0, (lead + threshold) / (1 + lead), right).clamp(max=1.0)
