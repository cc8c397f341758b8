"""The rows of an epoch, in an order drawn anew each time, cut into batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import torch
from torch import Tensor

from kdtab.tasks.supervised import Batch

SMALLEST_BATCH = 2
# On a processor a block stays in the cache until its last batch; elsewhere each call costs.
ROWS_PER_GATHER_ON_CPU = 2_048
ROWS_PER_GATHER_ELSEWHERE = 65_536


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """How many batches of at least two rows an epoch has (REQ-KD21, REQ-T12).

    Args:
        rows: Training rows N.
        batch_size: B.

    Returns:
        ⌊N / B⌋ for B of at least 2, and one more for a tail of at least two rows; 0 for B = 1.

    Example:
        >>> [steps_per_epoch(rows, 4) for rows in (1, 2, 4, 5, 6)]
        [0, 1, 1, 1, 2]
        >>> steps_per_epoch(100, 1)
        0
    """
    if batch_size < SMALLEST_BATCH:
        return 0
    full, tail = divmod(rows, batch_size)
    return full + (tail >= SMALLEST_BATCH)


@final
class ShuffledBatches:
    """Every call is one epoch: all rows in a fresh random order, as contiguous slices.

    The order comes from a generator of its own on the CPU, so it is the same on every device and
    whatever else draws random numbers. Rows are gathered in blocks of several batches, since one
    gather is cheaper than many small ones; a tail of one row is left out.

    Args:
        rows: The whole training set, already on the device.
        batch_size: Rows of a batch, at least 2.
        seed: Of the orders.

    Example:
        >>> rows = Batch(torch.arange(5.0)[:, None], torch.arange(5), None)
        >>> batches = ShuffledBatches(rows, batch_size=2, seed=0)
        >>> [len(batch.targets) for batch in batches()]
        [2, 2]
    """

    def __init__(self, rows: Batch, *, batch_size: int, seed: int) -> None:
        self._rows = rows
        self._batch_size = min(batch_size, max(len(rows.inputs), SMALLEST_BATCH))
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self) -> Iterator[Batch]:
        """One epoch.

        Yields:
            Batches of `batch_size` rows, the last one possibly smaller, none below two.

        Example:
            >>> rows = Batch(torch.arange(4.0)[:, None], torch.arange(4), None)
            >>> batches = ShuffledBatches(rows, batch_size=4, seed=0)
            >>> sorted(next(batches()).targets.tolist())
            [0, 1, 2, 3]
        """
        rows, size = self._rows, self._batch_size
        order = torch.randperm(len(rows.inputs), generator=self._generator)
        device = rows.inputs.device
        order = order.to(device, non_blocking=True)  # what lies before it is not waited for
        most = ROWS_PER_GATHER_ON_CPU if device.type == "cpu" else ROWS_PER_GATHER_ELSEWHERE
        for block_order in torch.split(order, max(1, most // size) * size):
            yield from _slices(_gathered(rows, block_order), size)


def _gathered(rows: Batch, order: Tensor) -> Batch:
    soft = rows.soft_targets
    return Batch(
        inputs=rows.inputs.index_select(0, order),
        targets=rows.targets.index_select(0, order),
        soft_targets=None if soft is None else soft.index_select(0, order),
    )


def _slices(block: Batch, size: int) -> Iterator[Batch]:
    soft = block.soft_targets
    parts = [None] * len(block.inputs) if soft is None else torch.split(soft, size)
    for inputs, targets, soft_targets in zip(
        torch.split(block.inputs, size), torch.split(block.targets, size), parts, strict=False
    ):
        if len(inputs) >= SMALLEST_BATCH:
            yield Batch(inputs, targets, soft_targets)
