from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.shell.seed import seeded


def drawn() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), float(torch.rand(()))


def same_numpy_state(one: object, other: object) -> bool:
    return repr(one) == repr(other)


@pytest.mark.requirement("REQ-KD09", "REQ-T01", "INV-KD04", "INV-T01")
@given(seed=st.integers(0, 2**32 - 1))
def test_one_seed_gives_one_stream_of_numbers(seed: int) -> None:
    with seeded(seed):
        first = drawn()
    drawn()
    with seeded(seed):
        assert drawn() == first


@pytest.mark.requirement("REQ-KD09", "REQ-T01")
def test_python_numpy_and_torch_are_really_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[tuple[str, int]] = []
    monkeypatch.setattr(random, "seed", lambda seed: seeds.append(("python", seed)))
    monkeypatch.setattr(np.random, "seed", lambda seed: seeds.append(("numpy", seed)))
    monkeypatch.setattr(torch, "manual_seed", lambda seed: seeds.append(("torch", seed)))
    with seeded(7):
        assert sorted(seeds) == [("numpy", 7), ("python", 7), ("torch", 7)]


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_the_states_from_before_come_back_however_it_ends(
    error: type[BaseException] | None,
) -> None:
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        with seeded(7):
            drawn()
            if error is not None:
                raise error
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert random.getstate() == before[0]
    assert same_numpy_state(np.random.get_state(), before[1])
    assert torch.equal(torch.get_rng_state(), before[2])


def test_seeds_may_be_nested() -> None:
    with seeded(1):
        first = drawn()
        with seeded(2):
            drawn()
        second = drawn()
    with seeded(1):
        assert (drawn(), drawn()) == (first, second)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA on this machine")
def test_the_states_of_cuda_come_back_too() -> None:
    torch.rand(1, device="cuda")
    before = torch.cuda.get_rng_state_all()
    with seeded(7):
        torch.rand(1, device="cuda")
    after = torch.cuda.get_rng_state_all()
    assert all(torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_an_unused_cuda_is_seeded_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    before = torch.initial_seed()
    with seeded(7):
        pass
    assert seeds[-1] == before
