from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.shell.threads import limited_threads, threads_for_step

counts = st.integers(1, 64)
parameters = st.integers(1, 10**9)
batch_sizes = st.integers(1, 65_536)


@given(size=parameters, batch_size=batch_sizes, at_most=counts)
def test_a_step_gets_at_least_one_thread_and_never_more_than_allowed(
    size: int, batch_size: int, at_most: int
) -> None:
    assert 1 <= threads_for_step(size, batch_size, at_most=at_most) <= at_most


@given(size=parameters, batch_size=batch_sizes, at_most=counts, more=st.integers(0, 10**9))
def test_a_larger_network_never_gets_fewer_threads(
    size: int, batch_size: int, at_most: int, more: int
) -> None:
    small = threads_for_step(size, batch_size, at_most=at_most)
    assert small <= threads_for_step(size + more, batch_size, at_most=at_most)


def test_a_default_network_gets_one_thread() -> None:
    assert threads_for_step(30_000, 512, at_most=64) == 1


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_the_setting_of_the_caller_comes_back_however_it_ends(
    error: type[BaseException] | None,
) -> None:
    before = torch.get_num_threads()
    try:
        with limited_threads(2) as threads:
            assert torch.get_num_threads() == threads == 2
            if error is not None:
                raise error
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert torch.get_num_threads() == before
