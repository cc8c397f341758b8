from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from kdtab.config.networks import MlpSpec
from kdtab.models.build import build_model
from kdtab.shell.flat import FlatAdam, flat_weights

SPEC = MlpSpec(input_dim=3, output_dim=2, hidden_dim=5, num_hidden_layers=2, dropout=0.1)


def test_weights_are_parts_of_one_vector_and_keep_their_numbers() -> None:
    network = build_model(SPEC)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    parameters = list(network.parameters())
    with flat_weights(parameters) as flat:
        assert {id(p) for p in network.parameters()} == {id(p) for p in parameters}
        torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)
        flat.vector.data += 1
        for name, parameter in network.named_parameters():
            torch.testing.assert_close(parameter.data, before[name] + 1)


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_afterwards_each_weight_has_memory_of_its_own(error: type[BaseException] | None) -> None:
    network = build_model(SPEC)
    try:
        with flat_weights(list(network.parameters())) as flat:
            vector = flat.vector
            if error is not None:
                raise error
    except KeyboardInterrupt:
        pass
    after = [parameter.clone() for parameter in network.parameters()]
    vector.data.fill_(torch.nan)
    for parameter, expected in zip(network.parameters(), after, strict=True):
        assert torch.equal(parameter, expected)
        assert parameter.untyped_storage().nbytes() == parameter.numel() * 4


def test_gradients_are_parts_of_the_gradient_of_the_vector() -> None:
    network = build_model(SPEC)
    with flat_weights(list(network.parameters())) as flat:
        shapes = [parameter.shape for parameter in network.parameters()]
        assert [part.shape for part in flat.gradients] == shapes
        for part in flat.gradients:
            part.fill_(2.0)
        assert flat.vector.grad is not None
        count = sum(parameter.numel() for parameter in network.parameters())
        assert int((flat.vector.grad == 2).sum()) == count
        assert flat.vector.data_ptr() % 64 == flat.gradients[1].data_ptr() % 64 == 0


@pytest.mark.requirement("REQ-KD20", "REQ-T10", "AC-T10")
@pytest.mark.parametrize("kernel", [True, False])
@given(
    rate=st.sampled_from([1e-3, 0.1]),
    decay=st.sampled_from([0.0, 1e-4, 0.1]),
    seed=st.integers(0, 99),
)
def test_steps_are_those_of_torchs_plain_adam(
    kernel: bool, rate: float, decay: float, seed: int
) -> None:
    drawn = torch.Generator().manual_seed(seed)
    ours = nn.Parameter(torch.randn(7, generator=drawn))
    theirs = copy.deepcopy(ours)
    adam = FlatAdam(torch.optim.Adam([ours], lr=rate, weight_decay=decay, fused=kernel))
    plain = torch.optim.Adam([theirs], lr=rate, weight_decay=decay, foreach=False)
    for _ in range(6):
        theirs.grad = torch.randn(7, generator=drawn)
        ours.grad = theirs.grad.clone()
        with torch.no_grad():
            adam.step()
        plain.step()
        assert torch.equal(ours.grad, theirs.grad)
    torch.testing.assert_close(ours, theirs)


def test_without_the_kernel_the_optimizer_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch, "_fused_adam_", raising=False)
    weights = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([weights], lr=0.5)
    adam = FlatAdam(optimizer)
    for _ in range(2):
        weights.grad = torch.ones(1)
        adam.step()
    assert weights.item() == pytest.approx(-1.0)
    assert optimizer.state[weights]["step"] == 2
