"""Weights of losses that are learnt beside the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor, nn

from kdtab.losses.balance import STUDENT_LOSS


@final
class UncertaintyWeights(nn.Module):
    """½ · Σ (exp(−v_i) · ℓ_i + v_i): each loss divided by its own variance, which is learnt.

    v_i = log σ_i² (Kendall, Gal and Cipolla, arXiv:1705.07115, for losses that are squared errors;
    a cross-entropy has a factor of 2 that v absorbs). For constant losses the best v_i is log ℓ_i.
    All start at v = 0, half of the plain sum. The student's own loss, where there is one, is a term
    like the others, named "hard".

    The only balancer with something to train: hand `parameters()` to the optimizer that trains the
    student, in a group with a weight decay of 0, which would pull all weights back to ½.

    Args:
        names: Of all terms, that of the student's own loss among them.

    Example:
        >>> balancer = UncertaintyWeights(("hard", "soft"))
        >>> balancer.combine({"soft": torch.tensor(2.0)}, torch.tensor(4.0)).item()
        3.0
        >>> [tuple(parameter.shape) for parameter in balancer.parameters()]
        [(2,)]
    """

    log_variances: nn.Parameter

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names
        self.log_variances = nn.Parameter(torch.zeros(len(names)))

    def combine(self, terms: Mapping[str, Tensor], student_loss: Tensor | None = None) -> Tensor:
        """The sum of all losses, each over its variance.

        Args:
            terms: Distillation losses by name, exactly those that the balancer knows.
            student_loss: The student's own loss, or None.

        Returns:
            A scalar, which may be negative.

        Example:
            >>> UncertaintyWeights(("soft",)).combine({"soft": torch.tensor(2.0)}).item()
            1.0
        """
        named = dict(terms) if student_loss is None else {**terms, STUDENT_LOSS: student_loss}
        assert named.keys() == set(self.names), "one variance for each term, by name"
        losses = torch.stack([named[name] for name in self.names])
        return ((-self.log_variances).exp() * losses + self.log_variances).sum() / 2

    forward = combine
