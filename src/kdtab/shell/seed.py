"""Randomness that is decided by a seed and leaves no trace in the process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed python, numpy and torch, and put back their states on the way out (REQ-KD09, REQ-T01).

    `random.seed`, `numpy.random.seed` and `torch.manual_seed` (all devices) are called; the states
    from before come back however the block ends, by an exception or Ctrl-C too.

    Args:
        seed: In [0, 2³²).

    Yields:
        Nothing.

    Example:
        >>> before = torch.get_rng_state()
        >>> with seeded(7):
        ...     first = torch.rand(1)
        >>> with seeded(7):
        ...     bool(torch.rand(1) == first)
        True
        >>> torch.equal(torch.get_rng_state(), before)
        True
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    with _torch_states_restored():
        try:
            random.seed(seed)
            np.random.seed(seed)
            torch.manual_seed(seed)
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)


@contextmanager
def _torch_states_restored() -> Iterator[None]:
    cpu_state = torch.get_rng_state()
    seed_before = torch.initial_seed()
    used = torch.cuda.is_initialized()
    cuda_states = torch.cuda.get_rng_state_all() if used else None
    try:
        yield
    finally:
        torch.set_rng_state(cpu_state)
        if cuda_states is not None:
            torch.cuda.set_rng_state_all(cuda_states)
        elif torch.cuda.is_available():
            # No generator of CUDA had been used: being seeded as before is its state from before.
            torch.cuda.manual_seed_all(seed_before)
