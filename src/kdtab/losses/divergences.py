"""Divergences between teacher and student beside the forward one. One number for each row."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kdtab.losses.precision import at_least_float32
from kdtab.losses.soft import kl_divergence_from_logits, tempered_log_probabilities


def reverse_kl_divergence_from_logits(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float
) -> Tensor:
    """T² · KL(q ‖ p) of each row, q the student's softmax(s / T), p the teacher's.

    KL = Σ_c q_c · (log q_c − log p_c): it seeks one mode of the teacher where the forward one
    covers all (MiniLLM, arXiv:2306.08543). A teacher's exact zero makes it infinite: smooth votes
    first.

    Args:
        student_logits: [..., C] s, any float type.
        teacher_logits: [..., C] t, logits or log-probabilities.
        temperature: T, above 0 and finite.

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> reverse_kl_divergence_from_logits(s, t, temperature=1.0)
        tensor([0.4061, 0.1634])
    """
    student = tempered_log_probabilities(student_logits, temperature=temperature)
    teacher = tempered_log_probabilities(teacher_logits, temperature=temperature)
    return _divergence(student, teacher) * (temperature * temperature)


def generalized_jensen_shannon_from_logits(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float, beta: float = 0.5
) -> Tensor:
    """T² · ((1 − β) · KL(p ‖ m) + β · KL(q ‖ m)) with m = β·p + (1 − β)·q, p the teacher.

    It runs without a jump from the forward KL at β = 0 to the reverse KL at β = 1; at β = ½ it is
    the Jensen-Shannon divergence.

    NOTE[DIFF]: the paper's own weights are the other way round, and vanish at both ends: that form
    is `gkd_jensen_shannon_from_logits`.

    Args:
        student_logits: [..., C] s, any float type.
        teacher_logits: [..., C] t, logits or log-probabilities.
        temperature: T, above 0 and finite.
        beta: β in [0, 1].

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> generalized_jensen_shannon_from_logits(s, t, temperature=1.0, beta=0.25).mean()
        tensor(0.1146)
    """
    assert 0 <= beta <= 1, "beta is a share between the two divergences"
    if beta == 0:
        return kl_divergence_from_logits(student_logits, teacher_logits, temperature=temperature)
    if beta == 1:
        return reverse_kl_divergence_from_logits(
            student_logits, teacher_logits, temperature=temperature
        )
    to_teacher, to_student = _to_the_mixture(student_logits, teacher_logits, temperature, beta)
    return ((1 - beta) * to_teacher + beta * to_student) * (temperature * temperature)


def gkd_jensen_shannon_from_logits(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float, beta: float = 0.5
) -> Tensor:
    """T² · (β · KL(p ‖ m) + (1 − β) · KL(q ‖ m)) with m = β·p + (1 − β)·q, as GKD has it.

    At β = 0 and β = 1 it would be 0, so both ends are replaced by definition: β = 0 is the forward
    KL, β = 1 the reverse one. It jumps there (Agarwal et al., arXiv:2306.13649).

    Args:
        student_logits: [..., C] s, any float type.
        teacher_logits: [..., C] t, logits or log-probabilities.
        temperature: T, above 0 and finite.
        beta: β in [0, 1].

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> [round(gkd_jensen_shannon_from_logits(s, t, temperature=1.0, beta=b).mean().item(), 4)
        ...  for b in (0.0, 0.01, 0.5)]
        [0.2691, 0.0027, 0.0661]
    """
    assert 0 <= beta <= 1, "beta is a share between the two divergences"
    if beta in (0, 1):
        return generalized_jensen_shannon_from_logits(
            student_logits, teacher_logits, temperature=temperature, beta=beta
        )
    to_teacher, to_student = _to_the_mixture(student_logits, teacher_logits, temperature, beta)
    return (beta * to_teacher + (1 - beta) * to_student) * (temperature * temperature)


def total_variation_from_logits(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float
) -> Tensor:
    """T · ½ · Σ_c |p_c − q_c| of each row, p the teacher's softmax(t / T), q the student's.

    Bounded by T, so that no row can dominate a batch. It is of first order in the logits, which is
    why its gradient keeps its size with a factor of T where the divergences need T²
    (f-distillation: Wen et al., arXiv:2307.15190).

    Args:
        student_logits: [..., C] s, any float type.
        teacher_logits: [..., C] t, logits or log-probabilities.
        temperature: T, above 0 and finite.

    Returns:
        [...] losses between 0 and T, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> total_variation_from_logits(s, t, temperature=1.0).sum()
        tensor(0.6158)
    """
    student = tempered_log_probabilities(student_logits, temperature=temperature).exp()
    teacher = tempered_log_probabilities(teacher_logits, temperature=temperature).exp()
    return (teacher - student).abs().sum(-1) * (0.5 * temperature)


def soft_cross_entropy_from_logits(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float
) -> Tensor:
    """T² · (−Σ_c p_c · log q_c) of each row: the forward KL plus the teacher's entropy.

    Its gradient is that of `kl_divergence_from_logits`; its value does not fall to 0
    (Hinton et al., arXiv:1503.02531).

    Args:
        student_logits: [..., C] s, any float type.
        teacher_logits: [..., C] t, logits or log-probabilities; −∞ is an exact zero.
        temperature: T, above 0 and finite.

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> soft_cross_entropy_from_logits(s, t, temperature=1.0)
        tensor([1.2712, 0.5509])
    """
    student = tempered_log_probabilities(student_logits, temperature=temperature)
    teacher = tempered_log_probabilities(teacher_logits, temperature=temperature).exp()
    terms = torch.where(teacher > 0, teacher * student, 0.0)
    return -terms.sum(-1) * (temperature * temperature)


def _divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p ‖ q) of each row, 0 · log 0 = 0."""
    p = log_p.exp()
    return torch.where(p > 0, p * (log_p - log_q), 0.0).sum(-1)


def _to_the_mixture(
    student_logits: Tensor, teacher_logits: Tensor, temperature: float, beta: float
) -> tuple[Tensor, Tensor]:
    """KL(p ‖ m) and KL(q ‖ m), for β strictly between 0 and 1."""
    student = tempered_log_probabilities(at_least_float32(student_logits), temperature=temperature)
    teacher = tempered_log_probabilities(at_least_float32(teacher_logits), temperature=temperature)
    mixture = torch.logaddexp(teacher + math.log(beta), student + math.log1p(-beta))
    return _divergence(teacher, mixture), _divergence(student, mixture)
