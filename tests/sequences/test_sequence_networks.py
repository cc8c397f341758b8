"""The networks of time series: what their equations say, in both backends."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from kdtab.config.sequencenetworks import (
    BasicLayer,
    GruLayer,
    LstmLayer,
    SequenceLayer,
    SequenceSpec,
    SingleDendriteLayer,
    sequence_spec,
    weight_shapes,
)
from kdtab.losses.sequences import trajectory_loss
from kdtab.models.jaxsequences import jax_leaky_states
from kdtab.models.sequencelayers import DendriteStates, GatedStates, leaky_states
from kdtab.models.sequences import SequenceNetwork, new_sequence_bundle
from kdtab.sequence_models import sequence_states

# x = [1, 2, 3], s_0 = 0, s_{t+1} = a s_t + x_t, worked out by hand
INPUTS = [[[1.0], [2.0], [3.0]]]
TEACHER = [0.0, 1.0, 2.5, 4.25]
STUDENT = [0.0, 1.0, 2.4, 3.96]

layers = st.sampled_from(
    [
        SingleDendriteLayer(dim=3),
        SingleDendriteLayer(dim=2, time_step=0.1),
        BasicLayer(dim=2, activation="linear"),
        BasicLayer(dim=3, activation="tanh"),
        BasicLayer(dim=2, activation="relu"),
        GruLayer(dim=3),
        LstmLayer(dim=2),
    ]
)
specs = st.builds(
    SequenceSpec,
    input_dim=st.integers(1, 3),
    layers=st.lists(layers, min_size=1, max_size=3).map(tuple),
)


def integrated(retained: torch.Tensor) -> torch.Tensor:
    """The time course of the bare integrator under the golden inputs, t = 0 included."""
    drive = torch.tensor(INPUTS, dtype=torch.float64)
    return nn.functional.pad(leaky_states(retained, drive), (0, 0, 1, 0))


@pytest.mark.parametrize(("retained", "expected"), [(0.5, TEACHER), (0.4, STUDENT)])
def test_the_integrator_follows_the_golden_course_in_torch(
    retained: float, expected: list[float]
) -> None:
    course = integrated(torch.tensor([retained], dtype=torch.float64))
    np.testing.assert_allclose(course.ravel(), expected, atol=1e-12)


@pytest.mark.parametrize(("retained", "expected"), [(0.5, TEACHER), (0.4, STUDENT)])
def test_the_integrator_follows_the_golden_course_in_jax(
    retained: float, expected: list[float]
) -> None:
    with jax.enable_x64(True):
        course = jax_leaky_states(jnp.array([retained]), jnp.array(INPUTS))
    np.testing.assert_allclose(np.asarray(course).ravel(), expected[1:], atol=1e-12)


def test_the_golden_gradient_with_respect_to_what_is_retained() -> None:
    retained = torch.tensor([0.4], dtype=torch.float64, requires_grad=True)
    loss = trajectory_loss(integrated(retained), torch.tensor([TEACHER]).double()[..., None])
    loss.backward()
    assert loss.item() == pytest.approx(0.023525, abs=1e-12)
    assert retained.grad is not None
    assert retained.grad.item() == pytest.approx(-0.456, abs=1e-12)


def test_the_golden_gradient_in_jax() -> None:
    def loss(retained: jax.Array) -> jax.Array:
        course = jnp.pad(jax_leaky_states(retained, jnp.array(INPUTS)), ((0, 0), (1, 0), (0, 0)))
        return jnp.square(course.ravel() - jnp.array(TEACHER)).mean()

    with jax.enable_x64(True):
        value, slope = jax.value_and_grad(loss)(jnp.array([0.4]))
    assert float(value) == pytest.approx(0.023525, abs=1e-12)
    assert float(slope[0]) == pytest.approx(-0.456, abs=1e-12)


def dendrite_by_hand(layer: DendriteStates, inputs: np.ndarray) -> np.ndarray:
    """The state equation as it stands in the docstring, one step after the other."""
    assert isinstance(layer.spec, SingleDendriteLayer)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    retained = np.exp(-layer.spec.time_step / np.exp(layer.log_tau.detach().numpy()))
    state = np.zeros((len(inputs), layer.spec.dim))
    states = []
    for step in range(inputs.shape[1]):
        drive = layer.gain.detach().numpy() * np.tanh(inputs[:, step] @ weight.T + bias)
        state = retained * state + (1 - retained) * drive
        states.append(state)
    return np.stack(states, 1)


def test_a_dendrite_does_what_its_equation_says() -> None:
    torch.manual_seed(0)
    layer = DendriteStates(SingleDendriteLayer(dim=4, time_step=0.5), 3).double()
    inputs = np.random.default_rng(0).normal(size=(2, 7, 3))
    with torch.no_grad():
        states = layer(torch.from_numpy(inputs)).numpy()
    np.testing.assert_allclose(states, dendrite_by_hand(layer, inputs), atol=1e-12)


def test_a_dendrite_held_at_one_drive_comes_to_it_as_the_differential_equation_says() -> None:
    layer = DendriteStates(SingleDendriteLayer(dim=1, time_step=0.25), 1).double()
    with torch.no_grad():
        layer.weight.fill_(0.0)
        layer.bias.fill_(0.5)
        layer.gain.fill_(2.0)
        layer.log_tau.fill_(np.log(3.0))
        states = layer(torch.zeros(1, 40, 1, dtype=torch.float64)).ravel().numpy()
    times = 0.25 * np.arange(1, 41)
    np.testing.assert_allclose(states, 2 * np.tanh(0.5) * (1 - np.exp(-times / 3)), rtol=1e-12)


def test_the_gradients_of_a_dendrite_are_those_of_finite_differences() -> None:
    torch.manual_seed(0)
    layer = DendriteStates(SingleDendriteLayer(dim=2), 3).double()
    inputs = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    weights = [weight.detach().requires_grad_() for weight in layer.parameters()]
    names = [name for name, _ in layer.named_parameters()]

    def states(given: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        found = torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (given,))
        assert isinstance(found, torch.Tensor)
        return found

    assert torch.autograd.gradcheck(states, (inputs, *weights))


@given(
    log_tau=st.floats(-20, 20),
    gain=st.floats(-1e3, 1e3),
    size=st.floats(0, 1e6),
    seed=st.integers(0, 99),
)
def test_no_weight_and_no_input_takes_a_dendrite_beyond_its_gain(
    log_tau: float, gain: float, size: float, seed: int
) -> None:
    torch.manual_seed(seed)
    layer = DendriteStates(SingleDendriteLayer(dim=2), 2).double()
    with torch.no_grad():
        layer.log_tau.fill_(log_tau)
        layer.gain.fill_(gain)
        states = layer(size * torch.randn(2, 60, 2, dtype=torch.float64))
    assert float(states.abs().max()) <= abs(gain) * (1 + 1e-12)


@given(retained=st.floats(0, 1), gap=st.floats(-9, 9))
def test_two_states_under_the_same_drive_come_closer_by_what_is_retained(
    retained: float, gap: float
) -> None:
    share = torch.tensor([retained], dtype=torch.float64)
    drive = torch.randn(1, 9, 1, dtype=torch.float64)
    moved = drive.clone()
    moved[:, 0] += gap
    apart = (leaky_states(share, moved) - leaky_states(share, drive)).ravel().numpy()
    np.testing.assert_allclose(apart, gap * retained ** np.arange(9), atol=1e-10)


@pytest.mark.parametrize(("spec", "kind"), [(GruLayer(dim=3), nn.GRU), (LstmLayer(dim=3), nn.LSTM)])
def test_gated_layers_are_those_of_torch(
    spec: GruLayer | LstmLayer, kind: type[nn.GRU] | type[nn.LSTM]
) -> None:
    torch.manual_seed(0)
    layer, theirs = GatedStates(spec, 2), kind(2, 3, batch_first=True)
    theirs.load_state_dict({f"{name}_l0": value for name, value in layer.state_dict().items()})
    inputs = torch.randn(4, 6, 2)
    with torch.no_grad():
        torch.testing.assert_close(layer(inputs), theirs(inputs)[0])


STACKS = (
    (SingleDendriteLayer(dim=3), BasicLayer(dim=2)),
    (SingleDendriteLayer(dim=2, time_step=0.1),),
    (BasicLayer(dim=3, activation="relu"), GruLayer(dim=2), BasicLayer(dim=2, activation="tanh")),
    (LstmLayer(dim=3), SingleDendriteLayer(dim=2)),
)


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: "-".join(one.type for one in stack))
def test_both_backends_give_the_same_trajectories(stack: tuple[SequenceLayer, ...]) -> None:
    spec, seed, steps = SequenceSpec(input_dim=3, layers=stack), 5, 40
    bundle = new_sequence_bundle(spec, seed)
    inputs = np.random.default_rng(seed).normal(size=(2, steps, spec.input_dim))
    in_torch = sequence_states(bundle, inputs)
    in_jax = sequence_states(bundle, inputs, backend="jax")
    assert in_torch.shape == (2, steps + 1, spec.output_dim)
    np.testing.assert_allclose(in_jax, in_torch, atol=1e-5, rtol=1e-5)


@given(spec=specs, seed=st.integers(0, 99))
def test_a_course_begins_at_zero_and_never_looks_ahead(spec: SequenceSpec, seed: int) -> None:
    network = new_sequence_bundle(spec, seed).network
    inputs = torch.randn(2, 6, spec.input_dim, generator=torch.Generator().manual_seed(seed))
    changed = inputs.clone()
    changed[:, 4:] += 1
    with torch.no_grad():
        before, after = network(inputs), network(changed)
    assert not before[:, 0].any()
    torch.testing.assert_close(before[:, :5], after[:, :5])


@given(spec=specs)
def test_the_shapes_that_files_are_checked_against_are_the_network_s(spec: SequenceSpec) -> None:
    with torch.device("meta"):
        state = SequenceNetwork(spec).state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == weight_shapes(spec)


def test_making_a_model_leaves_the_random_state_alone() -> None:
    before = torch.get_rng_state()
    first = new_sequence_bundle(SequenceSpec(input_dim=1, layers=(GruLayer(dim=2),)), 3)
    second = new_sequence_bundle(SequenceSpec(input_dim=1, layers=(GruLayer(dim=2),)), 3)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.fingerprint == second.fingerprint


def test_the_layers_of_the_seed_have_the_dimensions_that_it_says() -> None:
    teacher = sequence_spec([{"type": "SingleDendrite", "dim": dim} for dim in (8, 25, 2)]).unwrap()
    student = sequence_spec([{"type": "BasicLayer", "dim": dim} for dim in (8, 2)]).unwrap()
    assert (
        (teacher.input_dim, teacher.output_dim) == (student.input_dim, student.output_dim) == (8, 2)
    )
