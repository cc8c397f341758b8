from __future__ import annotations

import pytest
import torch
from torch import nn

from kdtab.config.networks import MlpSpec
from kdtab.models.build import build_model
from kdtab.shell.checkpoint import all_finite, keep_state
from kdtab.shell.flat import FlatAdam
from kdtab.shell.torch_step import TorchState, take_torch_step
from kdtab.tasks.supervised import Batch, SupervisedTask

SPEC = MlpSpec(input_dim=3, output_dim=2, hidden_dim=8, num_hidden_layers=1, dropout=0.1)


def test_kept_weights_and_statistics_come_back_after_more_steps() -> None:
    network = build_model(SPEC)
    state = TorchState(network, FlatAdam(network.parameters(), learning_rate=0.1, weight_decay=0.0))
    batch = Batch(torch.linspace(-1, 1, 12).reshape(4, 3), torch.tensor([0, 1, 0, 1]), None)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    restore = keep_state(state)
    take_torch_step(SupervisedTask("classification"), state, batch)
    assert not torch.equal(network.state_dict()["head.weight"], before["head.weight"])
    assert restore() is state
    assert all(torch.equal(before[name], now) for name, now in network.state_dict().items())


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("name", ["head.bias", "blocks.0.norm.running_var"])
def test_one_bad_number_anywhere_is_found(bad: float, name: str) -> None:
    network = build_model(SPEC)
    assert all_finite(network)
    network.state_dict()[name][0] = bad
    assert not all_finite(network)


def test_a_network_without_numbers_is_finite() -> None:
    assert all_finite(nn.Identity())
