"""Losses against the truth: labels and target values. One number for each row."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional

from kdtab.data.arrays import IntArray
from kdtab.losses.precision import at_least_float32

# torch takes −100 for "leave this row out", silently; here every row has a label.
NO_LABEL = -(2**63)


def cross_entropy_from_logits(
    logits: Tensor, labels: Tensor, *, label_smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy of each row: −Σ_c r_c · log softmax(z)_c, natural logarithm (nats).

    r = (1 − ε) · onehot(y) + ε / C, with ε the label smoothing; at ε = 0 it is −log softmax(z)_y
    (the hard loss of REQ-KD17; ε = 0.05 is `calibrated_classifier`).

    Args:
        logits: [N, C] z, any float type; float16 and bfloat16 are computed in float32.
        labels: [N] int64 class codes y, 0 to C − 1.
        label_smoothing: ε in [0, 1].

    Returns:
        [N] losses, at least 0, in float32 or wider.

    Example:
        >>> import torch
        >>> z = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> cross_entropy_from_logits(z, torch.tensor([0, 2])).mean()
        tensor(0.9138)
    """
    return functional.cross_entropy(
        at_least_float32(logits),
        labels,
        ignore_index=NO_LABEL,
        label_smoothing=label_smoothing,
        reduction="none",
    )


def squared_error(values: Tensor, targets: Tensor) -> Tensor:
    """Squared error of each row: (ŷ − y)²; its mean is the MSE (REQ-KD18).

    Args:
        values: [N, 1] ŷ in the unit of training, any float type.
        targets: [N, 1] y in the same unit.

    Returns:
        [N] squared errors, in float32 or wider.

    Example:
        >>> import torch
        >>> squared_error(torch.tensor([[1.0], [3.0]]), torch.tensor([[1.0], [1.0]]))
        tensor([0., 4.])
    """
    assert values.shape == targets.shape, "one value for each target, or they would broadcast"
    difference = at_least_float32(values) - at_least_float32(targets)
    return difference.square().squeeze(1)


def class_weights(labels: IntArray, classes: int) -> tuple[float, ...]:
    """Weights that make every class count alike: w_c = N / (K · count_c) (REQ-T05).

    Args:
        labels: [N] class codes, 0 to K − 1.
        classes: K, the classes of the label encoder.

    Returns:
        K weights; 0 for a class that no row has, which no loss will meet.

    Example:
        >>> class_weights(np.array([0, 0, 1, 2]), 4)
        (0.5, 1.0, 1.0, 0.0)
    """
    counts = np.bincount(labels, minlength=classes)
    safe = np.maximum(counts, 1)
    weights = np.where(counts > 0, len(labels) / (classes * safe), 0.0)
    return tuple(weights.tolist())
