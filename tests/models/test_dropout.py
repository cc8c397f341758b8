from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kdtab.models.dropout import Dropout, UnitDraws, dropped_steps, kept_scale
from kdtab.shell.seed import seeded

UNITS = 200_000
SIGMAS = 5.0
rates = st.floats(0.0, 1.0, exclude_max=True)


def kept(rate: float, seed: int, units: int = UNITS) -> Tensor:
    with seeded(seed):
        outputs: Tensor = Dropout(rate)(torch.ones(units))
    return outputs > 0


def correlation(one: Tensor, other: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.double(), other.double()]))[0, 1])


@given(rate=rates)
def test_the_rate_is_rounded_to_one_in_65536_and_never_drops_all(rate: float) -> None:
    assert abs(dropped_steps(rate) / 65_536 - rate) <= 1 / 65_536
    assert 0 <= dropped_steps(rate) <= 65_535


@given(rate=rates)
def test_the_scale_is_exactly_that_of_the_rounded_rate(rate: float) -> None:
    assert kept_scale(rate) * (65_536 - dropped_steps(rate)) == pytest.approx(65_536, rel=1e-15)


def test_of_all_draws_exactly_the_rounded_share_is_dropped() -> None:
    _, limit = UnitDraws().drawn(torch.zeros(4), 0.15)
    every = torch.arange(-32_768, 32_768)
    assert int((every <= limit).sum()) == dropped_steps(0.15) == 9_830


@pytest.mark.parametrize("rate", [0.01, 0.15, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_share_and_the_mean_are_those_of_the_rate(rate: float, dtype: torch.dtype) -> None:
    with seeded(3):
        outputs = Dropout(rate)(torch.ones(UNITS, dtype=dtype))
    spread = math.sqrt(rate * (1 - rate) / UNITS)
    assert abs(float((outputs == 0).double().mean()) - rate) < SIGMAS * spread + 1 / 65_536
    assert abs(float(outputs.double().mean()) - 1) < SIGMAS * spread * kept_scale(rate)
    assert outputs.dtype is dtype
    assert set(outputs.unique().tolist()) == {
        0.0,
        torch.tensor(kept_scale(rate), dtype=dtype).item(),
    }


def test_each_quarter_of_a_random_word_is_uniform() -> None:
    with seeded(5):
        draws, _ = UnitDraws().drawn(torch.zeros(UNITS), 0.5)
    for quarter in draws.view(-1, 4).T:
        counts = torch.histc(quarter, bins=64, min=-32_768, max=32_768)
        expected = len(quarter) / 64
        chi_square = float(((counts - expected) ** 2 / expected).sum())
        assert chi_square < 63 + SIGMAS * math.sqrt(2 * 63)


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 128])
def test_units_are_independent_of_their_neighbours(lag: int) -> None:
    found = kept(0.3, seed=1)
    assert abs(correlation(found[:-lag], found[lag:])) < SIGMAS / math.sqrt(UNITS)


def test_steps_and_seeds_are_independent() -> None:
    draws = UnitDraws()
    like = torch.zeros(UNITS)
    with seeded(1):
        first, second = (draws.drawn(like, 0.3)[0] > 0 for _ in range(2))
    with seeded(2):
        other = draws.drawn(like, 0.3)[0] > 0
    assert abs(correlation(first, second)) < SIGMAS / math.sqrt(UNITS)
    assert abs(correlation(first, other)) < SIGMAS / math.sqrt(UNITS)


@pytest.mark.requirement("REQ-KD09")
@given(shape=st.lists(st.integers(1, 9), min_size=1, max_size=3), seed=st.integers(0, 99))
def test_the_seed_decides_whatever_the_shape(shape: list[int], seed: int) -> None:
    with seeded(seed):
        first = Dropout(0.4)(torch.ones(shape))
    with seeded(seed):
        second = Dropout(0.4)(torch.ones(shape))
    assert first.shape == tuple(shape)
    assert torch.equal(first, second)


def test_gradients_flow_through_what_was_kept() -> None:
    inputs = torch.ones(1_000, dtype=torch.float64, requires_grad=True)
    outputs = Dropout(0.4)(inputs)
    outputs.sum().backward()
    assert inputs.grad is not None
    assert torch.equal(inputs.grad, outputs.detach())


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_nothing_and_everything_are_left_to_torch(rate: float) -> None:
    assert torch.equal(Dropout(rate)(torch.ones(8)), torch.full((8,), 1 - rate))


def test_narrow_types_are_left_to_torch() -> None:
    outputs = Dropout(0.5)(torch.ones(1_000, dtype=torch.bfloat16))
    assert outputs.dtype is torch.bfloat16
    assert set(outputs.unique().tolist()) == {0.0, 2.0}


def test_in_eval_mode_units_pass() -> None:
    inputs = torch.ones(4)
    assert Dropout(0.5).eval()(inputs) is inputs
