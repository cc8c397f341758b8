"""Losses between the relations of rows in the student's and in the teacher's space.

Each sees a whole batch and gives a scalar: parts of a batch do not add up to it. The widths of the
two spaces may differ. Rows that lie in one place, or at the origin, cause no NaN and no gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kdtab.losses.features import unit_rows
from kdtab.losses.precision import at_least_float32

SMALLEST_AFFINITY = 1e-7


def relational_distance_over_batch(student_features: Tensor, teacher_features: Tensor) -> Tensor:
    """(1 / N²) · Σ_ij h(d_ij / d̄ − e_ij / ē): distances of pairs, in units of their own mean.

    h is the Huber function with δ = 1, d and e the Euclidean distances of student and teacher, d̄
    and ē their means over the pairs that are apart (RKD-D: Park et al., arXiv:1904.05068). The
    denominator counts all ordered pairs, a row with itself too.

    Args:
        student_features: [N, D] any float type.
        teacher_features: [N, E] any float type.

    Returns:
        A scalar in float32 or wider.

    Example:
        >>> s = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
        >>> t = torch.tensor([[0.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [2.0, 2.0, 2.0]])
        >>> relational_distance_over_batch(s, t)
        tensor(0.0107)
    """
    student, teacher = _points(student_features, teacher_features)
    return functional.huber_loss(_relative_distances(student), _relative_distances(teacher))


def relational_angle_over_batch(student_features: Tensor, teacher_features: Tensor) -> Tensor:
    """(1 / N³) · Σ_ijk h(cos ∠ijk of the student − cos ∠ijk of the teacher), j at the corner.

    h is the Huber function with δ = 1; the cosine is 0 where two of the three lie in one place
    (RKD-A: Park et al., arXiv:1904.05068). The denominator counts all ordered triples. Memory
    grows with N³.

    Args:
        student_features: [N, D] any float type.
        teacher_features: [N, E] any float type.

    Returns:
        A scalar in float32 or wider.

    Example:
        >>> s = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
        >>> t = torch.tensor([[0.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [2.0, 2.0, 2.0]])
        >>> relational_angle_over_batch(s, t)
        tensor(0.0043)
    """
    student, teacher = _points(student_features, teacher_features)
    return functional.huber_loss(_angle_cosines(student), _angle_cosines(teacher))


def similarity_preserving_over_batch(student_features: Tensor, teacher_features: Tensor) -> Tensor:
    """(1 / N²) · ‖G̃ − H̃‖², G = F·Fᵀ and H the inner products of rows, each row of length 1.

    Rows that are alike for the teacher should be alike for the student (Tung and Mori,
    arXiv:1907.09682). The denominator counts all ordered pairs.

    Args:
        student_features: [N, ...] flattened to F, any float type.
        teacher_features: [N, ...] any float type.

    Returns:
        A scalar in float32 or wider.

    Example:
        >>> s = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
        >>> t = torch.tensor([[0.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [2.0, 2.0, 2.0]])
        >>> similarity_preserving_over_batch(s, t)
        tensor(0.0037)
    """
    student, teacher = _points(student_features, teacher_features)
    return (unit_rows(student @ student.T) - unit_rows(teacher @ teacher.T)).square().mean()


def probabilistic_transfer_over_batch(student_features: Tensor, teacher_features: Tensor) -> Tensor:
    """(1 / N²) · Σ_ij p_ij · log(p_ij / q_ij): who is near whom, as probabilities (PKT).

    p_ij = a_ij / Σ_k a_ik with the affinity a_ij = ½ · (cos(g_i, g_j) + 1) of the teacher's rows, q
    the student's likewise, 1e-7 added to both inside the logarithm (Passalis and Tefas,
    arXiv:1803.10837).

    NOTE[DIFF]: as in the authors' program, and unlike the paper's sum, a row counts as its own
    neighbour and the denominator is N², all ordered pairs.

    Args:
        student_features: [N, ...] any float type.
        teacher_features: [N, ...] any float type.

    Returns:
        A scalar in float32 or wider.

    Example:
        >>> s = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
        >>> t = torch.tensor([[0.0, 0, 0], [1.0, 0, 0], [0, 1.0, 0], [2.0, 2.0, 2.0]])
        >>> probabilistic_transfer_over_batch(s, t)
        tensor(0.0001)
    """
    student, teacher = _points(student_features, teacher_features)
    q, p = _neighbour_probabilities(student), _neighbour_probabilities(teacher)
    return (p * ((p + SMALLEST_AFFINITY).log() - (q + SMALLEST_AFFINITY).log())).mean()


def _points(student_features: Tensor, teacher_features: Tensor) -> tuple[Tensor, Tensor]:
    assert len(student_features) == len(teacher_features), "the same rows"
    student, teacher = student_features.flatten(1), teacher_features.flatten(1)
    return at_least_float32(student), at_least_float32(teacher)


def _relative_distances(points: Tensor) -> Tensor:
    """[N, N] distances over their mean where they are above 0."""
    distances = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    apart = (distances > 0).sum()
    return distances / torch.where(apart > 0, distances.sum() / apart.clamp(min=1), 1.0)


def _angle_cosines(points: Tensor) -> Tensor:
    """[N, N, N] cosine of the angle at the first index, between the second and the third."""
    directions = unit_rows(points[None, :, :] - points[:, None, :])  # [corner, end, D]
    return directions @ directions.transpose(1, 2)


def _neighbour_probabilities(points: Tensor) -> Tensor:
    """[N, N] rows summing to 1."""
    directions = unit_rows(points)
    affinities = (directions @ directions.T + 1) / 2
    return affinities / affinities.sum(1, keepdim=True)
