"""Quantiles that cannot cross, and how far two sets of them are apart. One number for each row."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kdtab.config.quantiles import USUAL_SPREAD
from kdtab.losses.precision import at_least_float32


def ordered_quantiles(outputs: Tensor, *, median: int) -> Tensor:
    """Q_m = z_m, and Q_k further away by 4 / K · softplus(z_j) for each step j from m to k.

    Every gap is above 0 whatever the outputs are, so that no quantile crosses another, and the
    median is a plain output of the last layer.

    Args:
        outputs: [N, K] z, any float type.
        median: m, the place of the median.

    Returns:
        [N, K] Q, rising along a row, in float32 or wider.

    Example:
        >>> ordered_quantiles(torch.tensor([[0.0, 5.0, 0.0]]), median=1)
        tensor([[4.0758, 5.0000, 5.9242]])
    """
    wide = at_least_float32(outputs)
    gaps = functional.softplus(wide) * (USUAL_SPREAD / outputs.shape[1])
    middle = wide[:, median : median + 1]
    below = middle - gaps[:, :median].flip(1).cumsum(1).flip(1)
    above = middle + gaps[:, median + 1 :].cumsum(1)
    return torch.cat([below, middle, above], dim=1)


def quantile_distance(values: Tensor, targets: Tensor) -> Tensor:
    """(1 / K) · Σ_k (Q_k − P_k)²: the squared 2-Wasserstein distance of two distributions of numbers.

    In one dimension the best transport joins equal quantiles; K levels are a sum over its integral
    (Villani 2009, "Optimal transport", theorem 2.18).

    Args:
        values: [N, K] Q in the unit of training, any float type.
        targets: [N, K] P, a teacher's quantiles of the same levels.

    Returns:
        [N] distances, at least 0, in float32 or wider.

    Example:
        >>> quantile_distance(torch.tensor([[1.0, 3.0]]), torch.tensor([[1.0, 5.0]]))
        tensor([2.])
    """
    assert values.shape == targets.shape, "one target for each value, or they would broadcast"
    return (at_least_float32(values) - at_least_float32(targets)).square().mean(1)
