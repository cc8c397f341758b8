"""A batch ensemble against as many networks of their own, in numpy and in the graph."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from kdtab.config.encodings import PiecewiseLinearSpec
from kdtab.config.networks import BatchEnsembleSpec
from kdtab.models.batchensemble import BatchEnsembleNetwork, mean_of_members
from kdtab.models.build import build_model
from kdtab.models.describe import StudentSize, parameter_count, student_defaults
from kdtab.models.handwritten import outputs_in_one_node, parameters_of
from kdtab.models.network import in_one_node
from kdtab.models.weights import is_as_built, network_with_weights, weight_arrays
from kdtab.shell.seed import seeded
from oracles import log_softmax_twin

Numbers = npt.NDArray[np.float64]
sizes = st.integers(1, 6)
specs = st.builds(
    BatchEnsembleSpec,
    input_dim=sizes,
    output_dim=sizes,
    hidden_dim=sizes,
    num_hidden_layers=st.integers(1, 3),
    dropout=st.sampled_from([0.0, 0.15, 0.5]),
    members=st.integers(2, 5),
)
SPEC = BatchEnsembleSpec(
    input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.3, members=3
)


def built(spec: BatchEnsembleSpec, seed: int = 0) -> BatchEnsembleNetwork:
    with seeded(seed):
        network = build_model(spec)
    assert isinstance(network, BatchEnsembleNetwork)
    return network


def shaken(network: BatchEnsembleNetwork) -> BatchEnsembleNetwork:
    """With scales that are no longer ones and signs, as after training."""
    generator = torch.Generator().manual_seed(7)
    for parameter in network.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)
    return network


def member_twin(network: BatchEnsembleNetwork, inputs: Numbers, member: int) -> Numbers:
    """One member, as a network of its own with matrices diag(r) Wᵀ diag(s)."""
    state = {name: each.numpy().astype(np.float64) for name, each in network.state_dict().items()}
    units = inputs
    for at in range(len(network.blocks)):
        name = f"blocks.{at}.linear"
        matrix = state[f"{name}.weight"].T * state[f"{name}.leaving"][member]
        matrix = state[f"{name}.entering"][member][:, None] * matrix
        units = np.maximum(units @ matrix + state[f"{name}.bias"][member], 0)
    found: Numbers = units @ state["heads.weight"][member].T + state["heads.bias"][member]
    return found


@given(spec=specs, rows=st.integers(1, 5), seed=st.integers(0, 99))
def test_it_says_the_mean_of_what_as_many_networks_say(
    spec: BatchEnsembleSpec, rows: int, seed: int
) -> None:
    network = shaken(built(spec, seed)).double().eval()
    inputs = np.random.default_rng(seed).standard_normal((rows, spec.input_dim))
    own = [member_twin(network, inputs, member) for member in range(spec.members)]
    with torch.no_grad():
        members = network.member_outputs(torch.from_numpy(inputs))
        said = network(torch.from_numpy(inputs))
    np.testing.assert_allclose(members, np.stack(own), rtol=1e-9, atol=1e-9)
    if spec.output_dim == 1:
        expected = np.mean(own, axis=0)
    else:
        expected = np.log(np.mean([np.exp(log_softmax_twin(each)) for each in own], axis=0))
    np.testing.assert_allclose(said, expected, rtol=1e-8, atol=1e-8)


def test_a_mean_of_probabilities_far_from_each_other_is_finite() -> None:
    outputs = torch.tensor([[[2e4, 0.0, 0.0]], [[0.0, 0.0, 0.0]]])
    found = mean_of_members(outputs)
    assert found.exp().tolist()[0] == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    assert bool(torch.isfinite(mean_of_members(outputs[:1].repeat(2, 1, 1))).all())


@given(spec=specs)
def test_members_start_apart_by_signs_and_heads_alone(spec: BatchEnsembleSpec) -> None:
    state = built(spec).state_dict()
    assert state["blocks.0.linear.entering"].abs().unique().tolist() == [1.0]
    for at in range(spec.num_hidden_layers):
        name = f"blocks.{at}.linear"
        assert state[f"{name}.leaving"].unique().tolist() == [1.0]
        assert len(state[f"{name}.bias"].unique(dim=0)) == 1
        if at > 0:
            assert state[f"{name}.entering"].unique().tolist() == [1.0]
    assert len(state["heads.weight"].unique(dim=0)) == spec.members
    wide = spec.model_copy(update={"input_dim": 40})
    assert len(built(wide).state_dict()["blocks.0.linear.entering"].unique(dim=0)) == spec.members


@given(spec=specs)
def test_the_number_of_parameters_is_the_formula(spec: BatchEnsembleSpec) -> None:
    wide, high, own = spec.hidden_dim, spec.num_hidden_layers, spec.members
    shared = spec.input_dim * wide + (high - 1) * wide * wide
    scales = own * (spec.input_dim + 2 * wide) + (high - 1) * 3 * own * wide
    heads = own * (wide * spec.output_dim + spec.output_dim)
    assert parameter_count(built(spec)) == shared + scales + heads


def gradients(
    network: BatchEnsembleNetwork, inputs: Tensor, seed: int
) -> tuple[Tensor, list[Tensor]]:
    network.zero_grad()
    with seeded(seed):
        outputs = network.member_outputs(inputs)
    (outputs * torch.linspace(-1, 2, outputs.numel()).view_as(outputs)).sum().backward()
    found = [parameter.grad for parameter in network.parameters()]
    return outputs.detach(), [gradient for gradient in found if gradient is not None]


@settings(max_examples=40)
@given(spec=specs, rows=st.integers(2, 9), seed=st.integers(0, 99), encoded=st.booleans())
def test_outputs_and_gradients_by_hand_are_those_of_the_modules(
    spec: BatchEnsembleSpec, rows: int, seed: int, encoded: bool
) -> None:
    if encoded:
        edges = ((-1.0, 0.0, 1.0), *(() for _ in range(spec.input_dim - 1)))
        spec = BatchEnsembleSpec(**dict(spec) | {"encoding": PiecewiseLinearSpec(edges=edges)})
    by_hand = shaken(built(spec, seed)).double()
    by_modules = copy.deepcopy(by_hand)
    inputs = torch.randn(rows, spec.input_dim, generator=torch.Generator().manual_seed(seed))
    with in_one_node(by_hand):
        outputs, found = gradients(by_hand, inputs.double(), seed)
    expected_outputs, expected = gradients(by_modules, inputs.double(), seed)
    torch.testing.assert_close(outputs, expected_outputs, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


def test_the_gradient_is_the_slope() -> None:
    network = shaken(built(SPEC)).double()
    layers = network.layers()
    inputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(2)).double()

    def outputs(*_: Tensor) -> Tensor:
        with seeded(1):
            return outputs_in_one_node(layers, inputs)

    assert torch.autograd.gradcheck(outputs, parameters_of(layers))
    found = [id(parameter) for parameter in parameters_of(layers)]
    assert sorted(found) == sorted(map(id, network.parameters()))


def test_in_train_mode_too_it_says_the_mean() -> None:
    network = built(SPEC.model_copy(update={"dropout": 0.0}))
    inputs = torch.randn(5, 3)
    with in_one_node(network):
        by_hand = network(inputs)
    torch.testing.assert_close(by_hand, network.outputs_of_modules(inputs))
    torch.testing.assert_close(by_hand, network.eval()(inputs))
    assert by_hand.shape == (5, 2)


def test_it_is_rebuilt_from_its_weights() -> None:
    network = shaken(built(SPEC)).eval()
    assert is_as_built(network)
    again = network_with_weights(SPEC, weight_arrays(network), torch.device("cpu"))
    assert torch.equal(again(torch.ones(4, 3)), network(torch.ones(4, 3)))
    network.blocks.append(copy.deepcopy(network.blocks[1]))
    assert not is_as_built(network)


def test_a_student_takes_its_sizes_from_an_ensemble() -> None:
    wide = SPEC.model_copy(update={"hidden_dim": 64})
    assert student_defaults(built(wide)) == StudentSize(32, 1, 0.3 + 0.05)
