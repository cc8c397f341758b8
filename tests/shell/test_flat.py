from __future__ import annotations

import copy
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

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


def torchs_own(
    tensors: Sequence[nn.Parameter], rate: float, decay: float, *, decoupled: bool
) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    return kind(tensors, lr=rate, weight_decay=decay, foreach=False)


def pieces(drawn: torch.Generator, dtype: torch.dtype) -> list[nn.Parameter]:
    return [
        nn.Parameter(torch.randn(shape, generator=drawn, dtype=dtype)) for shape in [(7,), (3, 2)]
    ]


@pytest.mark.requirement("REQ-KD20", "REQ-T10", "AC-T10")
@pytest.mark.parametrize("kernel", [True, False])
@given(
    rates=st.lists(st.sampled_from([0.0, 1e-3, 0.01, 0.1]), min_size=1, max_size=5),
    decay=st.sampled_from([0.0, 1e-4, 0.1]),
    decoupled=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 99),
)
@settings(max_examples=25)
def test_steps_are_torchs_own(
    kernel: bool, rates: list[float], decay: float, decoupled: bool, dtype: torch.dtype, seed: int
) -> None:
    drawn = torch.Generator().manual_seed(seed)
    ours = pieces(drawn, dtype)
    theirs = copy.deepcopy(ours)
    adam = FlatAdam(ours, learning_rate=rates[0], weight_decay=decay, decoupled=decoupled)
    plain = torchs_own(theirs, rates[0], decay, decoupled=decoupled)
    with pytest.MonkeyPatch.context() as patch:
        if not kernel:
            patch.delattr(torch, "_fused_adam_", raising=False)
            patch.delattr(torch, "_fused_adamw_", raising=False)
        for rate in rates * 2:
            for one, other in zip(ours, theirs, strict=True):
                other.grad = torch.randn(other.shape, generator=drawn, dtype=dtype)
                one.grad = other.grad.clone()
            adam.learning_rate = plain.param_groups[0]["lr"] = rate
            adam.step()
            plain.step()
            assert all(
                torch.equal(*pair) for pair in zip(*map(gradients, (ours, theirs)), strict=True)
            )
    torch.testing.assert_close(ours, theirs)


def gradients(tensors: Sequence[nn.Parameter]) -> list[Tensor]:
    return [tensor.grad for tensor in tensors if tensor.grad is not None]


@pytest.mark.requirement("REQ-KD20", "REQ-T10", "AC-T10")
@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("kernel", [True, False])
def test_after_many_steps_the_weights_are_still_torchs(
    kernel: bool, decoupled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kernel:
        monkeypatch.delattr(torch, "_fused_adam_", raising=False)
        monkeypatch.delattr(torch, "_fused_adamw_", raising=False)
    drawn = torch.Generator().manual_seed(0)
    ours = pieces(drawn, torch.float64)
    theirs = copy.deepcopy(ours)
    adam = FlatAdam(ours, learning_rate=0.01, weight_decay=0.1, decoupled=decoupled)
    plain = torchs_own(theirs, 0.01, 0.1, decoupled=decoupled)
    for step in range(200):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.sin(one.detach() * (step % 7 + 1))
            other.grad = torch.sin(other.detach() * (step % 7 + 1))
        adam.step()
        plain.step()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-7)


@pytest.mark.parametrize("kernel", [True, False])
def test_a_tensor_without_a_gradient_waits_as_it_does_with_torch(
    kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kernel:
        monkeypatch.delattr(torch, "_fused_adam_", raising=False)
    drawn = torch.Generator().manual_seed(0)
    ours = [*pieces(drawn, torch.float64), *pieces(drawn, torch.float64)]
    theirs = copy.deepcopy(ours)
    adam = FlatAdam(ours, learning_rate=0.1, weight_decay=0.1)
    plain = torchs_own(theirs, 0.1, 0.1, decoupled=False)
    for present in ("1111", "0110", "0000", "1010", "1111", "0001"):
        for one, other, is_there in zip(ours, theirs, present, strict=True):
            gradient = torch.randn(other.shape, generator=drawn, dtype=torch.float64)
            one.grad, other.grad = (gradient, gradient) if is_there == "1" else (None, None)
        adam.step()
        plain.step()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    assert {id(tensor) for tensor in adam.tensors} == {id(tensor) for tensor in ours}


def test_what_is_not_to_decay_does_not() -> None:
    decaying, staying = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    adam = FlatAdam(
        [decaying], learning_rate=0.1, weight_decay=0.5, decoupled=True, undecayed=[staying]
    )
    for _ in range(2):
        decaying.grad, staying.grad = torch.zeros(2), torch.zeros(2)
        adam.step()
    torch.testing.assert_close(decaying.data, torch.full((2,), (1 - 0.1 * 0.5) ** 2))
    assert staying.tolist() == [1.0, 1.0]


def test_gradients_are_taken_away_of_all() -> None:
    tensors = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))]
    for tensor in tensors:
        tensor.grad = torch.ones(2)
    FlatAdam(tensors[:1], learning_rate=0.1, undecayed=tensors[1:]).zero_grad()
    assert [tensor.grad for tensor in tensors] == [None, None]


@pytest.mark.parametrize("decoupled", [False, True])
def test_a_rate_that_is_held_beside_the_tensors_gives_the_same_numbers(decoupled: bool) -> None:
    def run(*, held: bool) -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        weights = torch.randn(40, generator=generator)
        adam = FlatAdam([weights], learning_rate=1e-2, weight_decay=1e-3, decoupled=decoupled)
        if held:
            assert adam.hold_rate()
        for step in range(30):
            weights.grad = torch.randn(40, generator=generator)
            adam.learning_rate = 1e-2 / (1 + step)
            adam.step()
        assert adam.learning_rate == 1e-2 / 30
        return weights

    torch.testing.assert_close(run(held=True), run(held=False), rtol=1e-6, atol=1e-7)
