"""Losses between time courses: over every step, or between one number for each unit."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kdtab.config.timepooling import AnyPooling, WholeCourse
from kdtab.data.timeweights import time_weights
from kdtab.losses.precision import at_least_float32


def trajectory_loss(
    student: Tensor,
    teacher: Tensor,
    pooling: AnyPooling | None = None,
    lengths: Tensor | None = None,
) -> Tensor:
    """The mean squared error of a whole time course, or of what is pooled of it.

    Of each series (1 / (S · D)) · Σ_t Σ_d (s_td − g_td)² over its own S states, t = 0 included; with
    a pooling (1 / D) · Σ_d (pool(s)_d − pool(g)_d)². The mean over series.

    Args:
        student: [B, T + 1, D] states.
        teacher: [B, T + 1, D] states, or [B, T, D] without the one at t = 0, which the student then
            drops too.
        pooling: What is compared; None: every step.
        lengths: [B] how many *inputs* of each series are its own, from 1 to T; None: all.

    Returns:
        A scalar in float32 or wider.

    Raises:
        ValueError: Where the steps, series or units differ in any other way.

    Example:
        >>> student = torch.tensor([[[0.0], [1.0], [2.4], [3.96]]])
        >>> teacher = torch.tensor([[[0.0], [1.0], [2.5], [4.25]]])
        >>> trajectory_loss(student, teacher)
        tensor(0.0235)
    """
    chosen = pooling or WholeCourse()
    states, targets = aligned_states(student, teacher)
    steps = states.shape[1]
    own = torch.full((len(states),), steps) if lengths is None else _own(lengths, student, states)
    weights = time_weights(chosen, own.cpu().numpy().astype(np.int64), steps)
    return weighted_trajectory_loss(
        states, targets, chosen, torch.from_numpy(weights).to(states.device, states.dtype)
    )


def weighted_trajectory_loss(
    student: Tensor, teacher: Tensor, pooling: AnyPooling, weights: Tensor
) -> Tensor:
    """`trajectory_loss` with the weights of the steps given, as a training step has them.

    Args:
        student: [B, S, D] states.
        teacher: [B, S, D] states.
        pooling: What is compared.
        weights: [B, S] as `time_weights` gives them.

    Returns:
        A scalar in float32 or wider.

    Raises:
        ValueError: Where the shapes differ.

    Example:
        >>> course = torch.ones(1, 2, 1)
        >>> weighted_trajectory_loss(course, 3 * course, WholeCourse(), torch.full((1, 2), 0.5))
        tensor(4.)
    """
    if student.shape != teacher.shape:
        raise ValueError(f"time courses differ: {_shown(student)} against {_shown(teacher)}")
    states, targets = at_least_float32(student), at_least_float32(teacher)
    if isinstance(pooling, WholeCourse):
        squares = (states - targets).square().mean(2)  # [B, S]
        return (squares * weights).sum(1).mean()
    pooled = pooled_states(states, pooling, weights) - pooled_states(targets, pooling, weights)
    return pooled.square().mean()


def pooled_states(states: Tensor, pooling: AnyPooling, weights: Tensor) -> Tensor:
    """One number for each unit of a series.

    Args:
        states: [B, S, D].
        pooling: Which number; `none` gives the mean.
        weights: [B, S] as `time_weights` gives them.

    Returns:
        [B, D]. The root of a zero mean square has no gradient.

    Example:
        >>> from kdtab.config.timepooling import MaxPooling
        >>> pooled_states(torch.tensor([[[1.0], [5.0]]]), MaxPooling(), torch.tensor([[1.0, 0.0]]))
        tensor([[1.]])
    """
    shares = weights.unsqueeze(2)  # [B, S, 1]
    if pooling.kind == "max":
        return states.masked_fill(shares <= 0, -torch.inf).amax(1)
    if pooling.kind == "rms":
        squares = (states.square() * shares).sum(1)
        moves = squares > 0
        return torch.where(moves, torch.where(moves, squares, 1.0).sqrt(), 0.0)
    return (states * shares).sum(1)


def aligned_states(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Both time courses over the same moments.

    Args:
        student: [B, T + 1, D] states.
        teacher: [B, T + 1, D], or [B, T, D] without the state at t = 0.

    Returns:
        Both as they are, or the student's without t = 0.

    Raises:
        ValueError: Where the steps, series or units differ in any other way.

    Example:
        >>> [states.shape[1] for states in aligned_states(torch.zeros(1, 4, 2), torch.zeros(1, 3, 2))]
        [3, 3]
    """
    short = teacher.dim() == 3 == student.dim() and teacher.shape[1] + 1 == student.shape[1]
    states = student[:, 1:] if short and teacher.shape[1] else student
    if states.dim() != 3 or states.shape != teacher.shape:
        raise ValueError(
            f"time courses differ: {_shown(student)} against {_shown(teacher)}; they are "
            "[B, T + 1, D] both, or the second [B, T, D] without t = 0"
        )
    return states, teacher


def _own(lengths: Tensor, student: Tensor, states: Tensor) -> Tensor:
    most = student.shape[1] - 1
    if lengths.shape != (len(student),) or bool(((lengths < 1) | (lengths > most)).any()):
        raise ValueError(f"lengths are [{len(student)}] from 1 to {most}")
    return lengths + (states.shape[1] - most)


def _shown(states: Tensor) -> str:
    return str(list(states.shape))
