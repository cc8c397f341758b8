"""Scores of classes as shares: a softmax, and its logarithm."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Float = TypeVar("Float", bound=np.floating)


def log_softmax(scores: npt.NDArray[Float]) -> npt.NDArray[Float]:
    """Log-shares, z − log Σ exp z over the last axis, of scores with their largest taken off first.

    As scipy's, whose import takes longer than a small command does.

    Args:
        scores: [..., C] logits or log-probabilities, in any float type; −inf is a share of 0.

    Returns:
        [..., C] natural logarithms in the same type; NaN for a row of −inf alone.

    Example:
        >>> log_softmax(np.zeros((1, 2))).round(4).tolist()
        [[-0.6931, -0.6931]]
    """
    largest = scores.max(axis=-1, keepdims=True)
    lowered = scores - np.where(np.isfinite(largest), largest, largest.dtype.type(0))
    with np.errstate(divide="ignore", invalid="ignore"):
        found: npt.NDArray[Float] = lowered - np.log(np.exp(lowered).sum(axis=-1, keepdims=True))
    return found


def softmax(scores: npt.NDArray[Float]) -> npt.NDArray[Float]:
    """Shares, exp z / Σ exp z, over the last axis.

    Args:
        scores: [..., C] logits or log-probabilities, in any float type.

    Returns:
        [..., C] shares in the same type.

    Example:
        >>> softmax(np.log([[1.0, 3.0]])).round(4).tolist()
        [[0.25, 0.75]]
    """
    shares: npt.NDArray[Float] = np.exp(log_softmax(scores))
    return shares
