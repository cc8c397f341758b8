"""Losses that look at the shape of a row's logits and not at their scale."""

from __future__ import annotations

import torch
from torch import Tensor

from kdtab.losses.precision import at_least_float32
from kdtab.losses.soft import kl_divergence_from_logits

STANDARD_DEVIATION_FLOOR = 1e-7


def standardized_logits(logits: Tensor) -> Tensor:
    """Logits of each row with mean 0 and standard deviation 1: (z − mean) / (std + 1e-7).

    The standard deviation has n − 1 below (Sun et al., arXiv:2403.01427). A row of equal logits
    becomes zeros.

    Args:
        logits: [..., C] z, any float type, C at least 2.

    Returns:
        [..., C] in float32 or wider.

    Example:
        >>> standardized_logits(torch.tensor([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]))
        tensor([[-1.0000,  0.0000,  1.0000],
                [ 0.0000,  0.0000,  0.0000]])
    """
    values = at_least_float32(logits)
    centred = values - values.mean(-1, keepdim=True)
    squares = centred.square().sum(-1, keepdim=True) / (values.shape[-1] - 1)
    varied = squares > 0
    # the root of 0 has no gradient; what replaces it is replaced again
    deviation = torch.where(varied, torch.where(varied, squares, 1.0).sqrt(), 0.0)
    return centred / (deviation + STANDARD_DEVIATION_FLOOR)


def standardized_kl_divergence_from_logits(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float
) -> Tensor:
    """T² · KL(softmax(t̃ / T) ‖ softmax(s̃ / T)) of each row, t̃ and s̃ the standardised logits.

    The student need not reach the scale of the teacher's logits, only their order and proportions
    (Sun et al., arXiv:2403.01427, who weigh it with 9 beside 0.1 of the cross-entropy). Three
    classes at least: with two, every row becomes the same distribution and nothing is taught.

    Args:
        student_logits: [..., C] s, any float type, C at least 3.
        teacher_logits: [..., C] t, finite.
        temperature: T, above 0 and finite.

    Returns:
        [...] losses in nats, at least 0, in float32 or wider.

    Example:
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> standardized_kl_divergence_from_logits(s, t, temperature=2.0).mean()
        tensor(0.2980)
    """
    assert student_logits.shape[-1] > 2, "two standardised logits are the same in every row"
    return kl_divergence_from_logits(
        standardized_logits(student_logits),
        standardized_logits(teacher_logits),
        temperature=temperature,
    )
