"""The one way in which losses of rows become the loss of a batch."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class WeightedSum(NamedTuple):
    """Σ w·ℓ and its named denominator Σ w: two of them add up, two means do not.

    Attributes:
        total: Σ w·ℓ, a scalar.
        weight: Σ w, a scalar.

    Example:
        >>> one = weighted_sum(torch.tensor([1.0, 2.0]))
        >>> one.joined(weighted_sum(torch.tensor([6.0]))).mean
        tensor(3.)
    """

    total: Tensor
    weight: Tensor

    @property
    def mean(self) -> Tensor:
        """Σ w·ℓ / Σ w; NaN when all weights are 0.

        Example:
            >>> weighted_sum(torch.tensor([1.0, 2.0])).mean
            tensor(1.5000)
        """
        return self.total / self.weight

    def joined(self, other: WeightedSum) -> WeightedSum:
        """The sums over the rows of both.

        Args:
            other: The sums over other rows.

        Returns:
            Sums whose mean is the mean over all rows.

        Example:
            >>> one = weighted_sum(torch.tensor([1.0]), torch.tensor([3.0]))
            >>> one.joined(weighted_sum(torch.tensor([5.0]), torch.tensor([1.0]))).mean
            tensor(2.)
        """
        return WeightedSum(self.total + other.total, self.weight + other.weight)


def weighted_sum(values: Tensor, weights: Tensor | None = None) -> WeightedSum:
    """Σ w·ℓ and Σ w over the rows.

    Args:
        values: [N] losses ℓ.
        weights: [N] weights w, none negative; None counts each row once.

    Returns:
        Two scalars.

    Example:
        >>> weighted_sum(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0])).total
        tensor(7.)
    """
    if weights is None:
        return WeightedSum(values.sum(), torch.full((), float(values.numel())).to(values))
    return WeightedSum((values * weights).sum(), weights.sum())


def weighted_mean(values: Tensor, weights: Tensor | None = None) -> Tensor:
    """Σ w·ℓ / Σ w over the rows.

    With w the class weight of each row's label it is `torch.nn.CrossEntropyLoss(weight=…)`.

    Args:
        values: [N] losses ℓ.
        weights: [N] weights w, none negative; None is the plain mean.

    Returns:
        A scalar; NaN when all weights are 0 or there is no row.

    Example:
        >>> weighted_mean(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0]))
        tensor(1.7500)
    """
    return values.mean() if weights is None else weighted_sum(values, weights).mean
