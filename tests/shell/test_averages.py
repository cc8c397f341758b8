from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.networks import LinearSpec, MlpSpec
from kdtab.models.build import build_model
from kdtab.shell.averages import WeightAverage, averaged, running_statistics

decays = st.sampled_from([0.1, 0.5, 0.9, 0.999])
courses = st.lists(st.floats(-10, 10), min_size=1, max_size=30)


def mean_twin(values: list[float], decay: float) -> float:
    """Σ_s β^(t−s) θ_s / Σ_s β^(t−s), written down."""
    weights = [decay ** (len(values) - 1 - place) for place in range(len(values))]
    return float(np.dot(weights, values) / np.sum(weights))


@given(values=courses, decay=decays)
def test_it_is_the_weighted_mean_of_all_steps(values: list[float], decay: float) -> None:
    weights = torch.full((2,), 1e6, dtype=torch.float64)  # of the start nothing is left
    average = WeightAverage(decay, [weights])
    for value in values:
        weights.fill_(value)
        average.follow()
    with average.in_place():
        assert weights.tolist() == pytest.approx([mean_twin(values, decay)] * 2, rel=1e-9, abs=1e-9)
    assert weights.tolist() == [values[-1]] * 2


@given(decay=decays, value=st.floats(-10, 10))
def test_the_first_step_is_all_that_there_is_at_first(decay: float, value: float) -> None:
    weights = torch.zeros(1, dtype=torch.float64)
    average = WeightAverage(decay, [weights])
    weights.fill_(value)
    average.follow()
    weights.fill_(99.0)
    average.settle()
    assert weights.item() == value


def test_the_weights_come_back_to_the_bit_even_after_an_error() -> None:
    weights = torch.randn(50)
    before = weights.clone()
    average = WeightAverage(0.9, [weights])
    weights += 1
    average.follow()
    weights.copy_(before)
    seen: list[bool] = []

    def fail_in_place() -> None:
        with average.in_place():
            seen.append(torch.equal(weights, before))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_in_place()
    assert seen == [False]
    assert torch.equal(weights, before)


def test_without_an_average_nothing_changes() -> None:
    with averaged(None):
        pass


def test_statistics_are_what_is_saved_beside_the_weights_and_is_no_count() -> None:
    network = build_model(
        MlpSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.0)
    )
    found = running_statistics(network)
    assert len(found) == 4
    found[0].fill_(5.0)
    assert network.state_dict()["blocks.0.norm.running_mean"].tolist() == [5.0] * 4
    assert running_statistics(build_model(LinearSpec(input_dim=3, output_dim=1))) == ()
