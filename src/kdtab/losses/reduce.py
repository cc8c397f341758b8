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
        weights: [N] weights w, none negative; None counts each row once. A row of weight 0 counts
            nothing, even where its loss is NaN.

    Returns:
        Two scalars.

    Example:
        >>> weighted_sum(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0])).total
        tensor(7.)
    """
    if weights is None:
        return WeightedSum(values.sum(), values.new_full((), float(values.numel())))
    products = torch.where(weights == 0, 0.0, values * weights)
    return WeightedSum(products.sum(), weights.sum())


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


def replaced_rows(values: Tensor, known: Tensor, *, by: float = 0.0) -> Tensor:
    """The values with another number in each row that is not known: a teacher's NaN, a label of −1.

    A weight of 0 hides a NaN from the sum and not from the gradient, which is 0 · NaN. So what is
    not known is replaced before a loss is computed, and its loss gets the weight 0.

    Args:
        values: [N, ...] what a loss compares with.
        known: [N] whether a row is.
        by: The number in its place, harmless to the loss.

    Returns:
        [N, ...] of the same type.

    Example:
        >>> said = torch.tensor([[2.0, 1.0], [float("nan"), float("nan")]])
        >>> replaced_rows(said, ~said.isnan().any(dim=1))
        tensor([[2., 1.],
                [0., 0.]])
    """
    mask = known.reshape(-1, *[1] * (values.dim() - 1))
    # Made where the values are: a number from the host would have to be waited for.
    return torch.where(mask, values, values.new_full((), by))
