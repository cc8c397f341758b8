"""The batches of many students: each has the order of its own seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

import torch

from kdtab.shell.batches import ShuffledBatches
from kdtab.tasks.stacked_targets import StackedBatch, StackedTargets
from kdtab.tasks.trainingtask import Batch


@final
class StackedBatches:
    """Every call is one epoch for every student, each in the order of its own seed.

    Students of one seed see the same rows at the same step and share one gather.

    Args:
        rows: The whole training set; soft targets as `StackedTargets.prepare` gave them.
        targets: Which soft targets each student hears.
        batch_size: Rows of a batch, at least 2.
        seeds: One for each student.

    Example:
        >>> from kdtab.tasks.soft_targets import SoftTargetTask
        >>> rows = Batch(torch.arange(5.0)[:, None], torch.arange(5), None)
        >>> targets = StackedTargets([SoftTargetTask("classification", alpha=1.0)] * 3)
        >>> batches = StackedBatches(rows, targets, batch_size=2, seeds=(0, 0, 1))
        >>> [tuple(batch.targets.shape) for batch in batches()]
        [(3, 2), (3, 2)]
    """

    def __init__(
        self, rows: Batch, targets: StackedTargets, *, batch_size: int, seeds: Sequence[int]
    ) -> None:
        different = tuple(dict.fromkeys(seeds))
        self._targets = targets
        self._seed_of = [different.index(seed) for seed in seeds]
        self._orders = [
            ShuffledBatches(rows, batch_size=batch_size, seed=seed) for seed in different
        ]

    def __call__(self) -> Iterator[StackedBatch]:
        """One epoch.

        Yields:
            Batches as each student would get them alone.

        Example:
            >>> from kdtab.tasks.soft_targets import SoftTargetTask
            >>> rows = Batch(torch.arange(4.0)[:, None], torch.arange(4), None)
            >>> targets = StackedTargets([SoftTargetTask("classification", alpha=1.0)] * 2)
            >>> batches = StackedBatches(rows, targets, batch_size=4, seeds=(0, 0))
            >>> next(batches()).inputs.shape
            torch.Size([2, 4, 1])
        """
        for batches in zip(*(order() for order in self._orders), strict=True):
            yield self._shared(batches[0]) if len(batches) == 1 else self._joined(batches)

    def _shared(self, batch: Batch) -> StackedBatch:
        students, soft = len(self._seed_of), batch.soft_targets
        return StackedBatch(
            batch.inputs.expand(students, *batch.inputs.shape),
            batch.targets.expand(students, *batch.targets.shape),
            None if soft is None else self._targets.at_own_temperatures(soft),
        )

    def _joined(self, batches: Sequence[Batch]) -> StackedBatch:
        own = [batches[place] for place in self._seed_of]
        heard = [
            self._targets.at_own_temperature(batch.soft_targets, student)
            for student, batch in enumerate(own)
            if batch.soft_targets is not None
        ]
        return StackedBatch(
            torch.stack([batch.inputs for batch in own]),
            torch.stack([batch.targets for batch in own]),
            torch.stack(heard) if heard else None,
        )
