from __future__ import annotations

import pytest
import torch

from kdtab.losses.precision import at_least_float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_wide_types_are_left_as_they_are(dtype: torch.dtype) -> None:
    values = torch.ones(2, dtype=dtype)
    assert at_least_float32(values) is values


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_types_become_float32_and_pass_gradients_on(dtype: torch.dtype) -> None:
    values = torch.ones(2, dtype=dtype, requires_grad=True)
    wide = at_least_float32(values)
    wide.sum().backward()
    assert wide.dtype is torch.float32
    assert values.grad is not None
    assert values.grad.dtype is dtype
