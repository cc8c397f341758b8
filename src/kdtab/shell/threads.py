"""How many threads a step is worth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

FLOPS_PER_THREAD = 200_000_000
FLOPS_PER_PARAMETER_AND_ROW = 6


def threads_for_step(parameters: int, batch_size: int, *, at_most: int) -> int:
    """One thread for each 0.2 GFLOP of a step, at least one.

    A step costs about 6 · parameters · rows operations (forward 2, backward 4). Small steps spend
    longer on waking threads than on computing: on a busy machine two threads can be ten times
    slower than one.

    Args:
        parameters: Of the network.
        batch_size: Rows of a step.
        at_most: The caller's own setting, which is never exceeded.

    Returns:
        A count in [1, at_most].

    Example:
        >>> threads_for_step(30_000, 256, at_most=8)
        1
        >>> threads_for_step(2_000_000, 512, at_most=8)
        8
    """
    flops = FLOPS_PER_PARAMETER_AND_ROW * parameters * batch_size
    return max(1, min(at_most, flops // FLOPS_PER_THREAD))


@contextmanager
def limited_threads(count: int) -> Iterator[int]:
    """Let torch use so many threads, and put back the caller's setting on the way out.

    Args:
        count: Threads for one operation, at least 1.

    Yields:
        The count that torch now uses.

    Example:
        >>> before = torch.get_num_threads()
        >>> with limited_threads(1) as threads:
        ...     threads
        1
        >>> torch.get_num_threads() == before
        True
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
