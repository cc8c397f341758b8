from __future__ import annotations

import pytest
import torch

from kdtab.config.networks import LinearSpec
from kdtab.models.network import TabularNetwork


def test_the_base_computes_nothing_itself() -> None:
    with pytest.raises(NotImplementedError):
        TabularNetwork(LinearSpec(input_dim=1, output_dim=1))(torch.zeros(1, 1))
