from __future__ import annotations

import torch
from torch import nn

from kdtab.config.networks import MlpSpec
from kdtab.models.dropout import Dropout
from kdtab.models.mlp import MlpBlock, MlpNetwork


def test_a_block_is_linear_then_norm_then_relu_then_dropout() -> None:
    kinds = [type(module) for module in MlpBlock(3, 4, dropout=0.2).children()]
    assert kinds == [nn.Linear, nn.BatchNorm1d, nn.ReLU, Dropout]


def test_a_network_is_what_its_layers_say_in_this_order() -> None:
    spec = MlpSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.2)
    network = MlpNetwork(spec).eval()
    inputs = torch.linspace(-2, 2, 15).reshape(5, 3)
    expected = inputs
    for block in network.blocks:
        assert isinstance(block, MlpBlock)
        expected = torch.relu(block.norm(block.linear(expected)))
    torch.testing.assert_close(network(inputs), network.head(expected))


def test_dropout_acts_in_train_mode_only() -> None:
    block = MlpBlock(3, 64, dropout=0.9).eval()
    inputs = torch.linspace(-2, 2, 15).reshape(5, 3)
    assert torch.equal(block(inputs), block(inputs))
    block.train()
    assert not torch.equal(block(inputs), block(inputs))
