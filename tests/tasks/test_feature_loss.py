from __future__ import annotations

import pytest
import torch

from kdtab.losses.features import feature_squared_error
from kdtab.losses.reduce import weighted_mean
from kdtab.tasks.features import feature_distillation_loss


@pytest.mark.parametrize("shape", [(4, 3), (4, 2, 3), (4, 3, 5, 5), (1, 1)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_loss_of_a_batch_is_the_mean_of_the_losses_of_its_rows(
    shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    student, teacher = torch.randn(2, *shape).to(dtype)
    expected = weighted_mean(feature_squared_error(student, teacher))
    found = feature_distillation_loss(student, teacher)
    assert found.dtype is expected.dtype
    torch.testing.assert_close(found, expected)
