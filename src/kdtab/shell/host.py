"""From numpy's memory to torch's."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kdtab.data.arrays import Float32Array, IntArray


def tensor_from_array(array: Float32Array | IntArray) -> Tensor:
    """The array's own memory as a tensor, or a copy where torch cannot share it.

    torch shares no memory that is read-only (as polars gives it) or not contiguous.

    Args:
        array: Of any shape.

    Returns:
        A tensor on the CPU that must not be written to.

    Example:
        >>> array = np.zeros(3, dtype=np.float32)
        >>> array.flags.writeable = False
        >>> tensor_from_array(array)
        tensor([0., 0., 0.])
    """
    shared = np.require(array, requirements=["C", "W"])
    return torch.from_numpy(shared)
