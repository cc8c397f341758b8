"""Losses on logits themselves, on one logit, and on the teacher's choice. One number each row."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kdtab.losses.precision import at_least_float32


def logit_squared_error(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """(1 / C) · Σ_c (s_c − t_c)² of each row: the denominator is the number of classes.

    Logits are compared as they are, their common level too (Ba and Caruana, arXiv:1312.6184; Kim
    et al., arXiv:2105.08919). It needs logits: the log of an exact zero has no distance.

    Args:
        student_logits: [..., C] s, any float type.
        teacher_logits: [..., C] t, finite.

    Returns:
        [...] losses, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> logit_squared_error(s, t)
        tensor([0.7200, 0.9767])
    """
    assert student_logits.shape == teacher_logits.shape, "logits of the same rows and classes"
    difference = at_least_float32(student_logits) - at_least_float32(teacher_logits)
    return difference.square().mean(-1)


def teacher_label_cross_entropy(student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """−log softmax(s)_k of each row, k the class that the teacher finds likeliest.

    The teacher's choice in the place of a label, without its doubts (the hard distillation of
    DeiT, arXiv:2012.12877). Of classes that it finds equally likely it chooses the first.

    Args:
        student_logits: [..., C] s, any float type.
        teacher_logits: [..., C] t, logits or log-probabilities.

    Returns:
        [...] losses in nats, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> teacher_label_cross_entropy(s, t).mean()
        tensor(0.9138)
    """
    chosen = teacher_logits.argmax(-1, keepdim=True)
    spoken = functional.log_softmax(at_least_float32(student_logits), -1)
    return -spoken.gather(-1, chosen).squeeze(-1)


def binary_kl_divergence_from_logits(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float
) -> Tensor:
    """T² · KL of each row for two classes told by one logit: p = σ(t / T), q = σ(s / T).

    KL = p · log(p / q) + (1 − p) · log((1 − p) / (1 − q)): the same number that two logits
    (0, s) and (0, t) give.

    Args:
        student_logits: [N] or [N, 1] s, the log-odds of the second class, any float type.
        teacher_logits: t, of the same shape; ±∞ is certainty.
        temperature: T, above 0 and finite.

    Returns:
        [N] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s, t = torch.tensor([0.3, -1.2]), torch.tensor([1.0, -0.5])
        >>> binary_kl_divergence_from_logits(s, t, temperature=2.0).mean()
        tensor(0.0591)
    """
    losses = _binary_divergence(student_logits, teacher_logits, temperature)
    assert losses.dim() == 1 or losses.shape[1:] == (1,), "one logit for each row"
    return losses.flatten()


def multilabel_kl_divergence_from_logits(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float
) -> Tensor:
    """T² · (1 / L) · Σ_l KL(σ(t_l / T) ‖ σ(s_l / T)): L questions with yes or no for each row.

    The denominator is the number of labels, so that tables with many do not shout (Yang et al.,
    arXiv:2308.06453).

    Args:
        student_logits: [..., L] s, log-odds, any float type.
        teacher_logits: [..., L] t; ±∞ is certainty.
        temperature: T, above 0 and finite.

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s, t = torch.tensor([[0.3, -1.2]]), torch.tensor([[1.0, -0.5]])
        >>> multilabel_kl_divergence_from_logits(s, t, temperature=1.0)
        tensor([0.0532])
    """
    return _binary_divergence(student_logits, teacher_logits, temperature).mean(-1)


def _binary_divergence(
    student_logits: Tensor, teacher_logits: Tensor, temperature: float
) -> Tensor:
    """Of each logit; 1 − σ(z) is σ(−z), so no logarithm is taken of a rounded number."""
    assert student_logits.shape == teacher_logits.shape, "a logit of each for the same question"
    student = at_least_float32(student_logits) / temperature
    teacher = at_least_float32(teacher_logits) / temperature
    halves = [
        _expected_difference(functional.logsigmoid(sign * teacher), sign * student)
        for sign in (1.0, -1.0)
    ]
    return (halves[0] + halves[1]) * (temperature * temperature)


def _expected_difference(log_p: Tensor, student: Tensor) -> Tensor:
    p = log_p.exp()
    return torch.where(p > 0, p * (log_p - functional.logsigmoid(student)), 0.0)
