"""Rows to fit on, and which of them a task can learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np

from kdtab.data.arrays import BoolArray, Float32Array, IntArray
from kdtab.tasks.openrows import task_of_open_rows
from kdtab.tasks.trainingtask import TrainingTask


@final
@dataclass(frozen=True, eq=False)
class FitRows:
    """Rows to fit or to validate on.

    Attributes:
        inputs: [N, D] float32 encoded rows.
        targets: [N] int64 class codes, −1 for a row without a label; or [N, 1] float32 values in
            the unit of training, NaN for one without.
        soft_targets: [N, C] untempered logits or log-probabilities of the teacher, or [N, 1] its
            values in the unit of training; None without a teacher.

    Example:
        >>> FitRows(np.zeros((4, 3), np.float32), np.zeros(4, np.int64)).soft_targets is None
        True
    """

    inputs: Float32Array
    targets: IntArray | Float32Array
    soft_targets: Float32Array | None = None

    @property
    def labelled(self) -> BoolArray:
        """Which rows have a label: [N].

        Example:
            >>> FitRows(np.zeros((2, 1), np.float32), np.array([0, -1])).labelled.tolist()
            [True, False]
        """
        if self.targets.dtype.kind == "f":
            return np.asarray(~np.isnan(self.targets).any(axis=1))
        return np.asarray(self.targets >= 0)

    @property
    def is_partial(self) -> bool:
        """Whether some row lacks a label, or the teacher's word where there are soft targets.

        Example:
            >>> FitRows(np.zeros((2, 1), np.float32), np.array([0, -1])).is_partial
            True
        """
        soft = self.soft_targets
        spoken = soft is None or not np.isnan(soft).any()
        return not (spoken and bool(self.labelled.all()))

    def at(self, places: BoolArray) -> FitRows:
        """Some of the rows.

        Args:
            places: [N] which.

        Returns:
            These rows, in their order.

        Example:
            >>> rows = FitRows(np.zeros((2, 1), np.float32), np.array([0, -1]))
            >>> len(rows.at(rows.labelled).inputs)
            1
        """
        soft = self.soft_targets
        return FitRows(
            self.inputs[places], self.targets[places], None if soft is None else soft[places]
        )


class HeardRows(NamedTuple):
    """A task and the rows that it learns from.

    Attributes:
        task: As it takes these rows.
        rows: Those that have anything to say to it.

    Example:
        >>> HeardRows._fields
        ('task', 'rows')
    """

    task: TrainingTask
    rows: FitRows


def heard_rows(task: TrainingTask, rows: FitRows) -> HeardRows:
    """A task and the rows that it can learn from.

    A row without a label has nothing to say to a task that does not listen to a teacher: it is left
    out before batches are cut, so that such a task sees what it would see without such rows.

    Args:
        task: Any.
        rows: Some of them perhaps without a label.

    Returns:
        Both as they are where every row has a label.

    Example:
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> rows = FitRows(np.zeros((2, 1), np.float32), np.array([0, -1]))
        >>> len(heard_rows(SupervisedTask("classification"), rows).rows.inputs)
        1
    """
    labelled = rows.labelled
    if labelled.all():
        return HeardRows(task, rows)
    listening = task_of_open_rows(task)
    if listening is None:
        return HeardRows(task, rows.at(labelled))
    return HeardRows(listening, rows)
