"""Losses of values beside the squared error of `hard`. One number for each row."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from kdtab.losses.hard import squared_error
from kdtab.losses.precision import at_least_float32


def huber_error(values: Tensor, targets: Tensor, *, delta: float = 1.0) -> Tensor:
    """½ · e² where |e| ≤ δ, else δ · (|e| − ½ · δ), with e = ŷ − y (Huber 1964).

    A row far off pulls no harder than one that is δ off.

    Args:
        values: [N, 1] ŷ in the unit of training, any float type.
        targets: [N, 1] y, labels or a teacher's values in the same unit.
        delta: δ, above 0, in the unit of the values.

    Returns:
        [N] losses in float32 or wider.

    Example:
        >>> huber_error(torch.tensor([[1.5], [4.0]]), torch.tensor([[1.0], [1.0]]))
        tensor([0.1250, 2.5000])
    """
    _assert_one_each(values, targets)
    return functional.huber_loss(
        at_least_float32(values), at_least_float32(targets), delta=delta, reduction="none"
    ).squeeze(1)


def pinball_error(values: Tensor, targets: Tensor, *, quantiles: tuple[float, ...]) -> Tensor:
    """(1 / Q) · Σ_k max(τ_k · e_k, (τ_k − 1) · e_k), with e_k = y − ŷ_k (Koenker and Bassett 1978).

    The denominator is the number of quantiles. The best ŷ_k is the τ_k-quantile of y.

    Args:
        values: [N, Q] ŷ, one for each quantile, in the unit of training, any float type.
        targets: [N, 1] y, or [N, Q] a teacher's quantiles, in the same unit.
        quantiles: Q levels τ, each strictly between 0 and 1.

    Returns:
        [N] losses, at least 0, in float32 or wider.

    Example:
        >>> pinball_error(torch.tensor([[1.0], [3.0]]), torch.tensor([[2.0], [2.0]]), quantiles=(0.9,))
        tensor([0.9000, 0.1000])
    """
    assert values.shape[1] == len(quantiles), "one value for each quantile"
    assert targets.shape in {values.shape, (len(values), 1)}, "one target for each row or value"
    wide = at_least_float32(values)
    levels = torch.tensor(quantiles, dtype=wide.dtype).to(wide.device, non_blocking=True)
    error = at_least_float32(targets) - wide  # [N, Q]
    return torch.maximum(levels * error, (levels - 1) * error).mean(1)


def teacher_bounded_squared_error(
    values: Tensor, targets: Tensor, teacher_values: Tensor, *, margin: float = 0.0
) -> Tensor:
    """(ŷ − y)² where (ŷ − y)² + m > (t − y)², else 0: no more is asked than the teacher reaches.

    The teacher's values are not a goal, only a bound (Chen et al. 2017, "Learning efficient object
    detection models with knowledge distillation", NeurIPS).

    Args:
        values: [N, 1] ŷ in the unit of training, any float type.
        targets: [N, 1] y in the same unit.
        teacher_values: [N, 1] t in the same unit.
        margin: m, at least 0, in the squared unit: by how much the student must be better.

    Returns:
        [N] losses, at least 0, in float32 or wider.

    Example:
        >>> y, t = torch.tensor([[0.0], [0.0]]), torch.tensor([[2.0], [2.0]])
        >>> teacher_bounded_squared_error(torch.tensor([[1.0], [3.0]]), y, t)
        tensor([0., 9.])
    """
    student = squared_error(values, targets)
    teacher = squared_error(teacher_values, targets)
    return torch.where(student + margin > teacher, student, 0.0)


def gaussian_negative_log_likelihood(
    values: Tensor, targets: Tensor, variances: Tensor, *, smallest_variance: float = 1e-6
) -> Tensor:
    """½ · (log(2πσ²) + (ŷ − μ)² / σ²) of each row: a teacher's value μ with its own variance σ².

    A row of which the teacher is unsure counts little (Kendall and Gal, arXiv:1703.04977). σ² below
    the smallest variance is raised to it.

    Args:
        values: [N, 1] ŷ in the unit of training, any float type.
        targets: [N, 1] μ in the same unit.
        variances: [N, 1] σ² in the squared unit, at least 0.
        smallest_variance: Above 0.

    Returns:
        [N] losses in nats, which may be negative, in float32 or wider.

    Example:
        >>> one = torch.tensor([[1.0]])
        >>> gaussian_negative_log_likelihood(torch.tensor([[3.0]]), one, one)
        tensor([2.9189])
    """
    _assert_one_each(values, variances)
    spread = at_least_float32(variances).clamp(min=smallest_variance).squeeze(1)
    return ((2 * math.pi * spread).log() + squared_error(values, targets) / spread) / 2


def _assert_one_each(values: Tensor, targets: Tensor) -> None:
    assert values.shape == targets.shape, "one value for each target, or they would broadcast"
