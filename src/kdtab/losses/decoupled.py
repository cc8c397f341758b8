"""Decoupled distillation: the label's class against the rest, and the rest among themselves."""

from __future__ import annotations

import torch
from torch import Tensor

from kdtab.losses.soft import kl_divergence_from_logits, tempered_log_probabilities


def target_class_divergence(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, *, temperature: float
) -> Tensor:
    """T² · KL((p_y, 1 − p_y) ‖ (q_y, 1 − q_y)) of each row: how sure of the label (TCKD).

    The target part of decoupled distillation (Zhao et al., arXiv:2203.08679).

    Args:
        student_logits: [..., C] s, any float type, C at least 2.
        teacher_logits: [..., C] t, logits or log-probabilities.
        labels: [...] int64 class codes y.
        temperature: T, above 0 and finite.

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> target_class_divergence(s, t, torch.tensor([0, 2]), temperature=4.0).mean()
        tensor(0.2688)
    """
    student = _label_and_rest(student_logits, labels, temperature)
    teacher = _label_and_rest(teacher_logits, labels, temperature)
    # both are log-probabilities already: temperature 1 leaves them as they are
    losses = kl_divergence_from_logits(student, teacher, temperature=1.0)
    return losses * (temperature * temperature)


def non_target_class_divergence(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, *, temperature: float
) -> Tensor:
    """T² · KL(p̂ ‖ q̂) of each row, p̂ and q̂ the distributions over all classes but the label (NCKD).

    The non-target part of decoupled distillation (Zhao et al., arXiv:2203.08679). With two classes
    one is left, and the loss is 0 whatever teacher and student say.

    Args:
        student_logits: [..., C] s, any float type, C at least 2.
        teacher_logits: [..., C] t, logits or log-probabilities.
        labels: [...] int64 class codes y.
        temperature: T, above 0 and finite.

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> non_target_class_divergence(s, t, torch.tensor([0, 2]), temperature=4.0).mean()
        tensor(0.0845)
    """
    return kl_divergence_from_logits(
        _others(student_logits, labels), _others(teacher_logits, labels), temperature=temperature
    )


def decoupled_divergence_from_logits(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    temperature: float,
    target_weight: float = 1.0,
    non_target_weight: float = 8.0,
) -> Tensor:
    """α · target part + β · non-target part of each row (DKD: Zhao et al., arXiv:2203.08679).

    The forward KL is the case β = 1 − p_y for each row; here β no longer falls where the teacher
    is sure. Three classes at least: with two there is no non-target part, and the loss that is
    left is `decoupled_divergence_from_two_logits`.

    Args:
        student_logits: [..., C] s, any float type, C at least 3.
        teacher_logits: [..., C] t, logits or log-probabilities.
        labels: [...] int64 class codes y.
        temperature: T, above 0 and finite.
        target_weight: α, not negative.
        non_target_weight: β, not negative.

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> decoupled_divergence_from_logits(s, t, torch.tensor([0, 2]), temperature=4.0).mean()
        tensor(0.9448)
    """
    assert student_logits.shape[-1] > 2, "of two classes nothing is left beside the label"
    target = target_class_divergence(
        student_logits, teacher_logits, labels, temperature=temperature
    )
    rest = non_target_class_divergence(
        student_logits, teacher_logits, labels, temperature=temperature
    )
    return target_weight * target + non_target_weight * rest


def decoupled_divergence_from_two_logits(
    student_logits: Tensor,
    teacher_logits: Tensor,
    *,
    temperature: float,
    target_weight: float = 1.0,
) -> Tensor:
    """α · T² · KL(p ‖ q) of each row: what decoupled distillation is for two classes.

    The target part of two classes is the whole divergence and does not depend on the label.

    Args:
        student_logits: [..., 2] s, any float type.
        teacher_logits: [..., 2] t, logits or log-probabilities.
        temperature: T, above 0 and finite.
        target_weight: α, not negative.

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s, t = torch.tensor([[0.0, 0.3]]), torch.tensor([[0.0, 1.0]])
        >>> decoupled_divergence_from_two_logits(s, t, temperature=1.0)
        tensor([0.0528])
    """
    assert student_logits.shape[-1] == 2, "two classes"
    losses = kl_divergence_from_logits(student_logits, teacher_logits, temperature=temperature)
    return target_weight * losses


def _label_and_rest(logits: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """[..., 2] log-probabilities of the label and of all other classes together."""
    spoken = tempered_log_probabilities(logits, temperature=temperature)
    rest = _others(spoken, labels).logsumexp(-1)
    return torch.stack((spoken.gather(-1, labels.unsqueeze(-1)).squeeze(-1), rest), -1)


def _others(values: Tensor, labels: Tensor) -> Tensor:
    """[..., C − 1] values of the classes that are not the label, in their order."""
    places = torch.arange(values.shape[-1] - 1, device=values.device)
    places = places + (places >= labels.unsqueeze(-1))
    return values.gather(-1, places)
