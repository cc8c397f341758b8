"""Encodings inside a network against slow twins; by hand, stacked and as modules alike."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from encoding_strategies import encoded_twin, encodings, few_edges, network_specs
from kdtab.config.encodings import NumericEncodingSpec, PiecewiseLinearSpec, QuantileSpec
from kdtab.models.build import build_model
from kdtab.models.describe import model_hidden_dim, parameter_count, student_defaults
from kdtab.models.encoding import build_encoding
from kdtab.models.encodinglayer import EncodingLayer
from kdtab.models.handwritten import Layer, forward_through, parameters_of
from kdtab.models.network import in_one_node
from kdtab.models.stacked import stacked_layers
from kdtab.models.streams import DropoutStreams
from kdtab.models.weights import (
    is_as_built,
    network_with_weights,
    weight_arrays,
    weights_fingerprint,
)
from kdtab.shell.seed import seeded

KINDS = ("piecewise_linear", "bins_and_columns", "quantile")


@settings(max_examples=150)
@given(data=st.data(), spec=encodings())
def test_an_encoding_is_its_twin_in_numpy(data: st.DataObject, spec: NumericEncodingSpec) -> None:
    known = st.sampled_from([edge for edges in spec.edges for edge in edges] or [0.0])
    cell = known | st.floats(-12, 12, width=32) | st.sampled_from([1e6, -1e6, 0.0, -0.0])
    row = st.lists(cell, min_size=len(spec.edges), max_size=len(spec.edges))
    inputs = np.array(data.draw(st.lists(row, min_size=1, max_size=5)))
    found = build_encoding(spec)(torch.tensor(inputs, dtype=torch.float32))
    assert found.shape == (len(inputs), spec.width)
    size = max(
        (abs(score) for scores in getattr(spec, "scores", ()) for score in scores), default=1
    )
    np.testing.assert_allclose(
        found.numpy(), encoded_twin(spec, inputs), rtol=1e-6, atol=1e-6 * max(size, 1)
    )


@pytest.mark.parametrize("low", [0.0, 1.0, -7.25, 9.999])
def test_an_edge_is_met_however_narrow_its_bin_is(low: float) -> None:
    edge = np.float32(low)
    after = np.nextafter(edge, np.float32(100)) if low else np.float32(2.0**-99)
    spec = PiecewiseLinearSpec(edges=((-20.0, float(edge), float(after), 20.0),))
    rows = torch.tensor([[-20.0], [float(edge)], [float(after)], [20.0], [-1e6], [1e6]])
    expected = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 0], [1, 1, 1]])
    np.testing.assert_allclose(build_encoding(spec)(rows).numpy(), expected, rtol=0, atol=1.2e-7)


def test_a_quantile_encoding_is_flat_beyond_its_edges() -> None:
    spec = QuantileSpec(edges=((-1.0, 0.0, 2.0),), scores=((-3.0, 0.5, 0.5),))
    rows = torch.tensor([[-1e6], [-1.0], [-0.5], [0.0], [1.0], [2.0], [1e6]])
    assert build_encoding(spec)(rows).flatten().tolist() == [-3, -3, -1.25, 0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoding_is_no_weight_but_part_of_what_a_model_is(kind: str) -> None:
    one, other = few_edges(1, 5, kind), few_edges(2, 5, kind)
    for spec, moved in zip(network_specs(one, 5), network_specs(other, 5), strict=True):
        with seeded(0):
            network = build_model(spec)
        plain = build_model(spec.model_copy(update={"input_dim": one.width, "encoding": None}))
        assert list(network.state_dict()) == list(plain.state_dict())
        assert parameter_count(network) == parameter_count(plain)
        assert is_as_built(network)
        # The same weights with other edges answer otherwise, and are another model.
        with seeded(0):
            shifted = build_model(moved)
        shifted.load_state_dict(network.state_dict())
        assert weights_fingerprint(shifted) != weights_fingerprint(network)
        assert weights_fingerprint(network) == weights_fingerprint(copy.deepcopy(network))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_read_from_arrays_answers_to_the_bit(kind: str) -> None:
    rows = torch.randn(9, 5, generator=torch.Generator().manual_seed(3))
    for spec in network_specs(few_edges(1, 5, kind), 5):
        network = build_model(spec).eval()
        read = network_with_weights(spec, weight_arrays(network), torch.device("cpu"))
        with torch.no_grad():
            assert torch.equal(read(rows), network(rows))


@settings(max_examples=30)
@given(seed=st.integers(0, 99), rows=st.integers(2, 9), kind=st.sampled_from(KINDS))
def test_by_hand_a_network_learns_as_its_modules_do(seed: int, rows: int, kind: str) -> None:
    for spec in network_specs(few_edges(seed, 4, kind), 4):
        with seeded(seed):
            by_hand = build_model(spec).double()
            inputs = torch.randn(rows, 4, dtype=torch.float64)
        by_modules = copy.deepcopy(by_hand)
        found = []
        with in_one_node(by_hand):
            for network in (by_hand, by_modules):
                with seeded(seed):
                    outputs = network(inputs)
                (outputs * torch.linspace(-1, 2, outputs.numel()).view_as(outputs)).sum().backward()
                found.append((outputs.detach(), [each.grad for each in network.parameters()]))
        assert len(found[0][1]) > 1
        torch.testing.assert_close(*found, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_the_inputs_is_the_slope(kind: str) -> None:
    encoding = build_encoding(few_edges(4, 3, kind)).double()
    inputs = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(encoding, inputs.requires_grad_())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shared", [True, False])
def test_stacked_networks_see_what_each_sees_alone(kind: str, shared: bool) -> None:
    encoding = few_edges(5, 4, kind)
    for spec in network_specs(encoding, 4, dropout=0.0):
        alone = [build_model(spec).train() for _ in range(3)]
        inputs = torch.randn(3, 8, 4, generator=torch.Generator().manual_seed(2))
        if shared:
            inputs = inputs[0].expand(3, 8, 4)
        expected = [
            seen_alone(each.layers(), rows) for each, rows in zip(alone, inputs, strict=True)
        ]
        streams = DropoutStreams([torch.Generator()], (0, 0, 0))
        stack = stacked_layers([each.layers() for each in copy.deepcopy(alone)], streams)
        outputs, gradients = seen_alone(stack, inputs)
        torch.testing.assert_close(outputs, torch.stack([each for each, _ in expected]))
        for place, (_, own) in enumerate(expected):
            for one, whole in zip(own, gradients, strict=True):
                torch.testing.assert_close(whole[place].view(one.shape), one, rtol=1e-4, atol=1e-5)


def seen_alone(layers: tuple[Layer, ...], inputs: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Outputs, and the gradient of their sum with weights that treat no two rows alike."""
    with torch.no_grad():
        outputs, pull = forward_through(layers, inputs)
        kept = outputs.clone()
        gradients = [torch.empty_like(parameter) for parameter in parameters_of(layers)]
        rows = torch.linspace(-1, 1, outputs.shape[-2])[:, None]
        pull(rows.expand_as(outputs).contiguous(), gradients)
    return kept, gradients


def test_the_layer_encodes_shared_rows_once() -> None:
    calls: list[int] = []
    encoding = build_encoding(few_edges(1, 3, "piecewise_linear"))
    encoding.register_forward_hook(lambda _, inputs, __: calls.append(len(inputs[0])))
    layer = EncodingLayer(encoding)
    rows = torch.randn(5, 3)
    shared, own = (layer.forward(each)[0] for each in (rows.expand(4, 5, 3), rows.repeat(4, 1, 1)))
    assert calls == [5, 20]
    assert torch.equal(shared, own)


@pytest.mark.parametrize("kind", KINDS)
def test_students_take_the_sizes_of_a_teacher_with_an_encoding(kind: str) -> None:
    encoded, _, linear = network_specs(few_edges(1, 5, kind), 5)
    plain, _, _ = network_specs(None, 5)
    assert student_defaults(build_model(encoded)) == student_defaults(build_model(plain))
    assert model_hidden_dim(build_model(encoded)) == 8
    assert model_hidden_dim(build_model(linear)) == 128


def test_a_network_begins_as_one_of_the_plain_columns() -> None:
    plain = few_edges(1, 5, "piecewise_linear")
    encoding = few_edges(1, 5, "bins_and_columns")
    inputs = torch.randn(6, 5, generator=torch.Generator().manual_seed(3))
    for spec, without in zip(
        network_specs(encoding, 5, dropout=0.0), network_specs(plain, 5, dropout=0.0), strict=True
    ):
        with seeded(1):
            network = build_model(spec)
        first = next(weight for weight in network.parameters() if weight.ndim == 2)
        bins = encoding.width - 5
        assert not first[:, :bins].any()
        assert 0.5 / 5**0.5 < first[:, bins:].abs().max() <= 1 / 5**0.5
        ahead = network.eval()(inputs)
        with torch.no_grad():
            first[:, :bins] += 1.0
        assert not torch.equal(network(inputs), ahead)
        other = next(weight for weight in build_model(without).parameters() if weight.ndim == 2)
        assert other.all()
