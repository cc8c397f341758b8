from __future__ import annotations

import numpy as np
import torch

from kdtab.shell.host import tensor_from_array


def test_plain_memory_is_shared() -> None:
    array = np.zeros((2, 3), dtype=np.float32)
    tensor = tensor_from_array(array)
    array[0, 0] = 7.0
    assert tensor[0, 0] == 7.0


def test_read_only_and_strided_memory_is_copied() -> None:
    frozen = np.arange(6, dtype=np.int64)
    frozen.flags.writeable = False
    assert torch.equal(tensor_from_array(frozen), torch.arange(6))
    backwards = np.arange(6, dtype=np.float32)[::-1]
    assert tensor_from_array(backwards).tolist() == [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
