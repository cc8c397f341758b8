"""Losses between activations of the same rows. One number for each row."""

from __future__ import annotations

import torch
from torch import Tensor

from kdtab.losses.precision import at_least_float32


def feature_squared_error(student_features: Tensor, teacher_features: Tensor) -> Tensor:
    """(1 / D) · Σ_d (f_d − g_d)² of each row: the denominator is the number of its features.

    The mean over rows is that over all numbers (FitNets: Romero et al., arXiv:1412.6550).

    Args:
        student_features: [N, ...] f, any float type, projected to the teacher's width.
        teacher_features: [N, ...] g of the same shape.

    Returns:
        [N] losses in float32 or wider.

    Example:
        >>> feature_squared_error(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 5.0]]))
        tensor([4.5000])
    """
    return _differences(student_features, teacher_features).square().mean(1)


def feature_absolute_error(student_features: Tensor, teacher_features: Tensor) -> Tensor:
    """(1 / D) · Σ_d |f_d − g_d| of each row: the denominator is the number of its features.

    Args:
        student_features: [N, ...] f, any float type, projected to the teacher's width.
        teacher_features: [N, ...] g of the same shape.

    Returns:
        [N] losses in float32 or wider.

    Example:
        >>> feature_absolute_error(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 5.0]]))
        tensor([1.5000])
    """
    return _differences(student_features, teacher_features).abs().mean(1)


def feature_cosine_distance(student_features: Tensor, teacher_features: Tensor) -> Tensor:
    """1 − cos(f, g) of each row: only the direction of the activations counts.

    A row of zeros has no direction: its loss is 1, without a gradient.

    Args:
        student_features: [N, ...] f, any float type, projected to the teacher's width.
        teacher_features: [N, ...] g of the same shape.

    Returns:
        [N] losses between 0 and 2, in float32 or wider.

    Example:
        >>> feature_cosine_distance(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 3.0]]))
        tensor([0.2929])
    """
    _assert_alike(student_features, teacher_features)
    student = unit_rows(student_features.flatten(1))
    teacher = unit_rows(teacher_features.flatten(1))
    directed = student.detach().any(1) & teacher.detach().any(1)
    return torch.where(directed, (student - teacher).square().sum(1) / 2, 1.0)


def unit_rows(features: Tensor) -> Tensor:
    """Each vector divided by its length; a vector of zeros stays one, without a gradient.

    Args:
        features: [..., D], any float type.

    Returns:
        [..., D] in float32 or wider.

    Example:
        >>> unit_rows(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
    """
    values = at_least_float32(features)
    # by the largest entry first: the square of 1e-30 is 0 in float32
    largest = values.detach().abs().amax(-1, keepdim=True)
    directed = largest > 0
    scaled = torch.where(directed, values, 0.0) / torch.where(directed, largest, 1.0)
    squares = scaled.square().sum(-1, keepdim=True)
    return scaled / torch.where(directed, squares, 1.0).sqrt()


def _differences(student_features: Tensor, teacher_features: Tensor) -> Tensor:
    """[N, D]."""
    _assert_alike(student_features, teacher_features)
    student, teacher = at_least_float32(student_features), at_least_float32(teacher_features)
    return (student - teacher).flatten(1)


def _assert_alike(student_features: Tensor, teacher_features: Tensor) -> None:
    assert student_features.shape == teacher_features.shape, "equal shapes, or they would broadcast"
    assert student_features.dim() > 1, "rows of features"
