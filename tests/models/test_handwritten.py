"""The hand-written forward and backward against the graph of the very same modules."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from kdtab.config.networks import LinearSpec, MlpSpec, NetworkSpec, TabResNetSpec
from kdtab.models.build import build_model
from kdtab.models.handwritten import outputs_in_one_node, parameters_of
from kdtab.models.mlp import MlpBlock, MlpNetwork
from kdtab.models.network import TabularNetwork, in_one_node
from kdtab.shell.seed import seeded

sizes = st.integers(1, 6)
dropouts = st.sampled_from([0.0, 0.15, 0.5])
hidden = {
    "input_dim": sizes,
    "output_dim": sizes,
    "hidden_dim": sizes,
    "num_hidden_layers": st.integers(1, 3),
    "dropout": dropouts,
}
specs: st.SearchStrategy[NetworkSpec] = st.one_of(
    st.builds(MlpSpec, **hidden),
    st.builds(TabResNetSpec, **hidden),
    st.builds(LinearSpec, input_dim=sizes, output_dim=sizes),
)
SPEC = MlpSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.3)


def gradients(network: TabularNetwork, inputs: Tensor, seed: int) -> tuple[Tensor, list[Tensor]]:
    """Outputs, and the gradients of a loss that treats no two outputs alike."""
    network.zero_grad()
    with seeded(seed):
        outputs = network(inputs)
    (outputs * torch.linspace(-1, 2, outputs.numel()).view_as(outputs)).sum().backward()
    found = [parameter.grad for parameter in network.parameters()]
    return outputs.detach(), [gradient for gradient in found if gradient is not None]


@settings(max_examples=60)
@given(spec=specs, rows=st.integers(2, 9), seed=st.integers(0, 99), plain=st.booleans())
def test_outputs_gradients_and_statistics_are_those_of_the_modules(
    spec: NetworkSpec, rows: int, seed: int, plain: bool
) -> None:
    with seeded(seed):
        by_hand = build_model(spec).double()
        inputs = torch.randn(rows, spec.input_dim, dtype=torch.float64)
    if plain:
        without_norm(by_hand)
    by_modules = copy.deepcopy(by_hand)
    with in_one_node(by_hand):
        outputs, found = gradients(by_hand, inputs, seed)
    expected_outputs, expected = gradients(by_modules, inputs, seed)
    torch.testing.assert_close(outputs, expected_outputs, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(by_hand.state_dict(), by_modules.state_dict())


def without_norm(network: TabularNetwork) -> None:
    for block in network.modules():
        if isinstance(block, MlpBlock):
            block.norm = nn.Identity()  # type: ignore[assignment]  # a network of another make


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        TabResNetSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.3),
    ],
    ids=lambda spec: str(spec.kind),
)
def test_the_gradient_is_the_slope(spec: NetworkSpec) -> None:
    network = build_model(spec).double()
    layers = network.layers()
    with seeded(2):
        inputs = torch.randn(5, 3, dtype=torch.float64)

    def outputs(*_: Tensor) -> Tensor:
        with seeded(1):
            return outputs_in_one_node(layers, inputs)

    assert torch.autograd.gradcheck(outputs, parameters_of(layers))


def test_layers_have_every_parameter_once() -> None:
    network = build_model(SPEC)
    found = [id(parameter) for parameter in parameters_of(network.layers())]
    assert sorted(found) == sorted(map(id, network.parameters()))


def node_of(network: TabularNetwork, inputs: Tensor) -> str:
    graph = network(inputs).grad_fn
    return "" if graph is None else graph.name()


def test_inside_the_block_a_forward_in_train_mode_is_one_node() -> None:
    network, inputs = MlpNetwork(SPEC), torch.zeros(4, 3)
    assert node_of(network, inputs) == "AddmmBackward0"
    with in_one_node(network):
        assert node_of(network, inputs) == "_OneNodeBackward"
    assert node_of(network, inputs) == "AddmmBackward0"


def test_a_network_that_is_watched_or_asked_for_more_computes_as_always() -> None:
    network, inputs = MlpNetwork(SPEC), torch.zeros(4, 3)
    with in_one_node(network):
        seen: list[Tensor] = []
        watch = network.blocks[0].register_forward_hook(lambda *given: seen.append(given[2]))
        assert node_of(network, inputs) == "AddmmBackward0"
        assert len(seen) == 1
        watch.remove()

        assert node_of(network, inputs.clone().requires_grad_()) == "AddmmBackward0"
        with torch.no_grad():
            assert network(inputs).grad_fn is None
        assert node_of(network.eval(), inputs) == "AddmmBackward0"
        assert node_of(network.train(), inputs) == "_OneNodeBackward"


def test_a_copy_made_meanwhile_computes_with_its_own_weights() -> None:
    network, inputs = MlpNetwork(SPEC), torch.ones(4, 3)
    with in_one_node(network):
        twin = copy.deepcopy(network)
        nn.init.zeros_(network.head.weight)
        nn.init.zeros_(network.head.bias)
        assert not bool(network(inputs).any())
        assert bool(twin(inputs).any())


def test_two_forwards_before_one_backward_have_their_own_ways_back() -> None:
    network = build_model(SPEC).double()
    one, other = torch.ones(4, 3).double(), -torch.ones(5, 3).double()
    with in_one_node(network):
        with seeded(1):
            (network(one).sum() + 2 * network(other).square().sum()).backward()
        found = [parameter.grad for parameter in network.parameters()]
    network.zero_grad()
    with seeded(1):
        (network(one).sum() + 2 * network(other).square().sum()).backward()
    expected = [parameter.grad for parameter in network.parameters()]
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


def test_a_second_derivative_is_refused() -> None:
    network = build_model(LinearSpec(input_dim=3, output_dim=2))
    with in_one_node(network):
        loss = network(torch.ones(4, 3)).square().sum()
        (slope, *_) = torch.autograd.grad(loss, list(network.parameters()), create_graph=True)
        with pytest.raises(RuntimeError, match="once_differentiable"):
            slope.sum().backward()
