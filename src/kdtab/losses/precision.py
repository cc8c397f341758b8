"""The number type in which losses are computed."""

from __future__ import annotations

import torch
from torch import Tensor


def at_least_float32(values: Tensor) -> Tensor:
    """The same values in float32, or as they are when their type is wider.

    Logits of ±60 lose their differences in bfloat16, and exp overflows float16 at 11.1.

    Args:
        values: Of any shape and float type.

    Returns:
        The same tensor (float32, float64) or a float32 copy through which gradients flow.

    Example:
        >>> at_least_float32(torch.zeros(1, dtype=torch.bfloat16)).dtype
        torch.float32
        >>> at_least_float32(torch.zeros(1, dtype=torch.float64)).dtype
        torch.float64
    """
    return values if values.dtype is torch.float64 else values.to(torch.float32)
