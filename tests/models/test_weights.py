"""Weights as arrays, and networks from them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bundle_strategies import seeded_network
from kdtab.config.networks import LinearSpec, MlpSpec, NetworkSpec, TabResNetSpec
from kdtab.models.weights import (
    is_as_built,
    network_with_weights,
    weight_arrays,
    weights_fingerprint,
)

CPU = torch.device("cpu")
SPECS: list[NetworkSpec] = [
    MlpSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.1),
    TabResNetSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.1),
    LinearSpec(input_dim=3, output_dim=2),
]


@pytest.mark.parametrize("spec", SPECS)
def test_a_network_from_the_weights_of_another_says_the_same_to_the_bit(spec: NetworkSpec) -> None:
    network = seeded_network(spec, seed=1).eval()
    again = network_with_weights(spec, weight_arrays(network), CPU)
    rows = torch.randn(5, 3, generator=torch.Generator().manual_seed(2))
    assert torch.equal(network(rows), again(rows))
    assert weights_fingerprint(network) == weights_fingerprint(again)
    assert repr(network) == repr(again)


@pytest.mark.parametrize("spec", SPECS)
def test_building_from_weights_draws_no_random_number(spec: NetworkSpec) -> None:
    arrays = weight_arrays(seeded_network(spec, seed=1))
    before = torch.get_rng_state()
    network_with_weights(spec, arrays, CPU)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("spec", SPECS)
def test_a_network_is_as_built_in_any_mode_and_with_any_numbers(spec: NetworkSpec) -> None:
    assert is_as_built(seeded_network(spec, seed=1).eval())
    assert not is_as_built(seeded_network(spec, seed=1).half())


def test_a_fingerprint_tells_names_dtypes_and_shapes_apart() -> None:
    one, other = nn.Module(), nn.Module()
    one.register_buffer("a", torch.zeros(2, 1))
    other.register_buffer("a", torch.zeros(1, 2))
    assert weights_fingerprint(one) != weights_fingerprint(other)
    other.register_buffer("a", torch.zeros(2, 1, dtype=torch.int32))
    assert weights_fingerprint(one) != weights_fingerprint(other)
    other.register_buffer("a", torch.zeros(2, 1))
    assert weights_fingerprint(one) == weights_fingerprint(other)
