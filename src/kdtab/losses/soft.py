"""Losses against what a teacher said. One number for each row, in log space throughout."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kdtab.losses.precision import at_least_float32


def tempered_log_probabilities(
    logits_or_log_probabilities: Tensor, *, temperature: float
) -> Tensor:
    """Log softmax(z / T) of each row.

    Log-probabilities are logits too: for z = log p this is log(p^(1/T) / Σ p^(1/T)), the tempered
    probabilities renormalised. An exact zero (log p = −∞) stays one. softmax(p / T) would turn
    (1, 0) into (0.62, 0.38), which is wrong (design 3.4).

    Args:
        logits_or_log_probabilities: [N, C] z, any float type; −∞ allowed, not in a whole row.
        temperature: T, above 0 and finite.

    Returns:
        [N, C] natural log-probabilities, in float32 or wider.

    Example:
        >>> tempered_log_probabilities(torch.tensor([[0.64, 0.36]]).log(), temperature=2.0).exp()
        tensor([[0.5714, 0.4286]])
        >>> tempered_log_probabilities(torch.tensor([[1.0, 0.0]]).log(), temperature=2.0).exp()
        tensor([[1., 0.]])
    """
    return functional.log_softmax(at_least_float32(logits_or_log_probabilities) / temperature, -1)


def kl_divergence_from_log_probabilities(
    student_logits: Tensor,
    tempered_teacher_log_probabilities: Tensor,
    *,
    temperature: float,
) -> Tensor:
    """T² · KL(p ‖ softmax(s / T)) of each row, with the teacher's p tempered beforehand.

    KL = Σ_c p_c · (log p_c − log softmax(s / T)_c), where 0 · log 0 = 0 (REQ-KD17). Where the
    student says what the teacher says, loss and gradient are 0.

    Args:
        student_logits: [N, C] s, any float type.
        tempered_teacher_log_probabilities: [N, C] log p, as `tempered_log_probabilities` gives
            them at the same temperature; −∞ is an exact zero.
        temperature: T, above 0 and finite.

    Returns:
        [N] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> p = tempered_log_probabilities(t, temperature=2.0)
        >>> kl_divergence_from_log_probabilities(s, p, temperature=2.0)
        tensor([0.4078, 0.2115])
    """
    teacher = at_least_float32(tempered_teacher_log_probabilities)
    student = tempered_log_probabilities(student_logits, temperature=temperature)
    probabilities = teacher.exp()
    products = probabilities * (teacher - student)  # [N, C], nan where p = 0
    terms = torch.where(probabilities > 0, products, 0.0)
    return terms.sum(-1) * (temperature * temperature)


def kl_divergence_from_logits(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float
) -> Tensor:
    """T² · KL(softmax(t / T) ‖ softmax(s / T)) of each row (Hinton et al., arXiv:1503.02531).

    Its gradient with respect to s is T · (softmax(s / T) − softmax(t / T)), so that its size
    barely depends on T (REQ-KD17).

    Args:
        student_logits: [N, C] s, any float type.
        teacher_logits: [N, C] t, logits or log-probabilities.
        temperature: T, above 0 and finite.

    Returns:
        [N] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> kl_divergence_from_logits(s, t, temperature=1.0).mean()
        tensor(0.2691)
    """
    return kl_divergence_from_log_probabilities(
        student_logits,
        tempered_log_probabilities(teacher_logits, temperature=temperature),
        temperature=temperature,
    )


def log_probabilities_from_votes(probabilities: Tensor, *, trees: int) -> Tensor:
    """What a forest of B trees says, smoothed by one vote shared by all classes.

    log q with q = (B · p + 1 / C) / (B + 1): no probability is 0, so no loss is infinite
    (design 3.4).

    Args:
        probabilities: [N, C] p, rows summing to 1.
        trees: B.

    Returns:
        [N, C] finite natural log-probabilities, in float32 or wider.

    Example:
        >>> log_probabilities_from_votes(torch.tensor([[1.0, 0.0]]), trees=120).exp()
        tensor([[0.9959, 0.0041]])
    """
    votes = at_least_float32(probabilities) * trees
    return ((votes + 1.0 / probabilities.shape[-1]) / (trees + 1)).log()


def log_probabilities_from_probabilities(probabilities: Tensor) -> Tensor:
    """Log p as it is, without smoothing: −∞ for an exact zero (REQ-T09's forest).

    Args:
        probabilities: [N, C] p, rows summing to 1.

    Returns:
        [N, C] natural log-probabilities, in float32 or wider.

    Example:
        >>> log_probabilities_from_probabilities(torch.tensor([[1.0, 0.0]]))
        tensor([[0., -inf]])
    """
    return at_least_float32(probabilities).log()
