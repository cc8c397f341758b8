from __future__ import annotations

import torch

from kdtab.config.networks import LinearSpec
from kdtab.models.linear import LinearNetwork


def test_a_linear_network_is_a_matrix_product_and_a_bias() -> None:
    network = LinearNetwork(LinearSpec(input_dim=3, output_dim=2))
    inputs = torch.linspace(-2, 2, 15).reshape(5, 3)
    expected = inputs @ network.head.weight.T + network.head.bias
    torch.testing.assert_close(network(inputs), expected)
