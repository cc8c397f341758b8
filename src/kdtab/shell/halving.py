"""Weights rounded to half precision: half the bytes of a file, and what is measured is what is saved."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

from kdtab.models.network import TabularNetwork
from kdtab.record import MATRIX_AXES

LARGEST = float(np.finfo(np.float16).max)


def halved_network(network: TabularNetwork) -> TabularNetwork:
    """The network with every weight matrix rounded to what float16 holds; still float32.

    Biases and norms stay: they are few, and a small variance would become zero. A weight beyond
    ±65,504 becomes that.

    Args:
        network: Of any device; not changed.

    Returns:
        A copy in the same mode.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> network = build_model(LinearSpec(input_dim=1, output_dim=1))
        >>> _ = network.head.weight.data.fill_(0.1)
        >>> halved_network(network).head.weight.item()
        0.0999755859375
    """
    halved = copy.deepcopy(network)
    for weights in halved.parameters():
        if weights.dim() == MATRIX_AXES:
            weights.data = weights.data.clamp(-LARGEST, LARGEST).half().float()
    return halved


def is_halved(network: nn.Module) -> bool:
    """Whether half precision holds every weight matrix exactly.

    Args:
        network: Any module.

    Returns:
        True where rounding would change nothing.

    Example:
        >>> linear = nn.Linear(1, 1)
        >>> _ = linear.weight.data.fill_(0.1)
        >>> is_halved(linear)
        False
    """
    return all(
        torch.equal(weights.half().float(), weights.float())
        for weights in network.parameters()
        if weights.dim() == MATRIX_AXES
    )
