from __future__ import annotations

import torch
from torch import nn

from kdtab.config.networks import TabResNetSpec
from kdtab.models.tabresnet import ResidualBlock, TabResNetNetwork


def test_a_block_that_adds_nothing_hands_its_rows_on() -> None:
    block = ResidualBlock(4, dropout=0.3)
    nn.init.zeros_(block.outer.weight)
    nn.init.zeros_(block.outer.bias)
    inputs = torch.linspace(-2, 2, 12).reshape(3, 4)
    assert torch.equal(block(inputs), inputs)


def test_a_network_is_what_its_layers_say_in_this_order() -> None:
    spec = TabResNetSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.2)
    network = TabResNetNetwork(spec).eval()
    inputs = torch.linspace(-2, 2, 15).reshape(5, 3)
    rows = network.stem(inputs)
    for block in network.blocks:
        assert isinstance(block, ResidualBlock)
        rows = rows + block.outer(torch.relu(block.inner(block.norm(rows))))
    expected = network.head(torch.relu(network.norm(rows)))
    torch.testing.assert_close(network(inputs), expected)


def test_both_dropouts_have_the_rate_of_the_spec() -> None:
    rates = [
        module.p
        for module in ResidualBlock(4, dropout=0.3).modules()
        if isinstance(module, nn.Dropout)
    ]
    assert rates == [0.3, 0.3]
