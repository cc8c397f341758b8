from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from kdtab.config.networks import MlpSpec
from kdtab.data.arrays import Float32Array
from kdtab.models.build import build_model
from kdtab.shell.infer import in_eval_mode, network_outputs

SPEC = MlpSpec(input_dim=3, output_dim=2, hidden_dim=8, num_hidden_layers=2, dropout=0.5)
INPUTS = np.random.default_rng(0).standard_normal((11, 3)).astype(np.float32)


class Watched(nn.Module):
    """Writes down in which mode it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[bool, bool]] = []

    def forward(self, inputs: Tensor) -> Tensor:
        self.seen.append((self.training, torch.is_grad_enabled()))
        return inputs.sum(dim=1)


def modes(network: nn.Module) -> list[bool]:
    return [module.training for module in network.modules()]


@pytest.mark.requirement("REQ-KD16", "AC-KD16", "REQ-T19", "AC-T19")
def test_a_network_is_asked_in_eval_mode_without_gradients() -> None:
    watched = Watched().train()
    network_outputs(watched, INPUTS)
    assert watched.seen == [(False, False)]
    assert watched.training


@pytest.mark.requirement("INV-KD01", "REQ-KD16")
def test_weights_buffers_and_mixed_modes_are_as_before() -> None:
    network = build_model(SPEC).train()
    network.get_submodule("blocks.0.norm").eval()
    before, state = modes(network), copy.deepcopy(network.state_dict())
    network_outputs(network, INPUTS)
    assert modes(network) == before
    assert all(torch.equal(state[name], tensor) for name, tensor in network.state_dict().items())


def test_modes_come_back_after_an_error() -> None:
    network = build_model(SPEC).train()
    with pytest.raises(RuntimeError):
        network_outputs(network, np.zeros((2, 99), dtype=np.float32))
    assert all(modes(network))


@given(chunk_rows=st.integers(1, 20))
def test_chunks_change_no_output(chunk_rows: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_model(SPEC)
    whole = network_outputs(network, INPUTS)
    np.testing.assert_allclose(
        network_outputs(network, INPUTS, chunk_rows=chunk_rows), whole, rtol=1e-5, atol=1e-6
    )


def test_outputs_are_a_table_in_float32_for_any_module() -> None:
    assert network_outputs(Watched(), INPUTS).shape == (11, 1)
    wide = nn.Linear(3, 2).double()
    assert network_outputs(wide, INPUTS).dtype == np.float32
    assert network_outputs(nn.Identity(), INPUTS).shape == (11, 3)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one_row_have_outputs_too(rows: int) -> None:
    assert network_outputs(build_model(SPEC), INPUTS[:rows]).shape == (rows, 2)


def test_read_only_inputs_are_not_copied_into_a_warning() -> None:
    frozen: Float32Array = INPUTS.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(
        network_outputs(nn.Identity(), frozen), network_outputs(nn.Identity(), INPUTS)
    )


def test_another_device_is_served_by_a_copy() -> None:
    network = build_model(SPEC)
    network_outputs(network, INPUTS, device=torch.device("cpu"))
    with pytest.raises(NotImplementedError, match="meta"):
        network_outputs(network, INPUTS, device=torch.device("meta"))
    assert {parameter.device.type for parameter in network.parameters()} == {"cpu"}


def test_a_network_in_eval_mode_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_model(SPEC).eval()
    changed: list[str] = []
    monkeypatch.setattr(
        nn.Module, "__setattr__", lambda self, name, value: changed.append(name), raising=True
    )
    with in_eval_mode(network):
        pass
    assert changed == []


@pytest.mark.parametrize("repeats", [2, 3])
def test_a_module_that_does_not_answer_row_by_row_is_not_cut(repeats: int) -> None:
    class Repeated(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return inputs.repeat(repeats, 1)

    inputs = np.arange(10, dtype=np.float32)[:, np.newaxis]
    found = network_outputs(Repeated(), inputs, chunk_rows=4)
    expected = [np.tile(inputs[at : at + 4], (repeats, 1)) for at in (0, 4, 8)]
    np.testing.assert_array_equal(found, np.concatenate(expected))


def test_a_module_that_gives_fewer_rows_gives_fewer() -> None:
    class First(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return inputs[:1]

    inputs = np.arange(10, dtype=np.float32)[:, np.newaxis]
    assert network_outputs(First(), inputs, chunk_rows=4)[:, 0].tolist() == [0.0, 4.0, 8.0]
