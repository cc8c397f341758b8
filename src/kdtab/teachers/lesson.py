"""What a teacher is fitted for: task, classes, unit and seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kdtab.config.training import Task
from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.scale import TargetScaler
from kdtab.teachers.crossfit import Targets


@dataclass(frozen=True)
class Lesson:
    """What a kind of teacher is fitted for.

    Attributes:
        task: Classification or regression.
        class_count: C; 1 for regression.
        target_scaler: Unit of the fit and unit of the target; None: the same.
        random_seed: Seed of every random choice.

    Example:
        >>> Lesson("classification", 3).random_seed
        0
    """

    task: Task
    class_count: int
    target_scaler: TargetScaler | None = None
    random_seed: int = 0

    def scaled(self, targets: Targets) -> Targets:
        """Targets in the unit of the fit.

        Args:
            targets: [N] class codes, or values in the target's unit.

        Returns:
            [N] codes as they are, or scaled values.

        Example:
            >>> scaler = TargetScaler(mean=1.0, scale=2.0)
            >>> Lesson("regression", 1, scaler).scaled(np.array([5.0])).tolist()
            [2.0]
        """
        if self.task == "classification" or self.target_scaler is None:
            return targets
        return self.target_scaler.transform(targets.astype(np.float64))

    def unscaled(self, values: FloatArray) -> FloatArray:
        """Values in the target's unit.

        Args:
            values: [·] in the unit of the fit.

        Returns:
            [N, 1] float64.

        Example:
            >>> scaler = TargetScaler(mean=1.0, scale=2.0)
            >>> Lesson("regression", 1, scaler).unscaled(np.array([2.0])).tolist()
            [[5.0]]
        """
        column = np.asarray(values, dtype=np.float64).reshape(-1, 1)
        scaler = self.target_scaler
        return column if scaler is None else scaler.inverse_transform(column)


def aligned_shares(shares: FloatArray, codes: IntArray, class_count: int) -> FloatArray:
    """Shares of the classes that were fitted, with a column for each class.

    Args:
        shares: [N, K].
        codes: [K] the classes of its columns.
        class_count: C.

    Returns:
        [N, C]; a class that the fitted rows lack gets probability 0.

    Example:
        >>> aligned_shares(np.array([[0.25, 0.75]]), np.array([0, 2]), 3).tolist()
        [[0.25, 0.0, 0.75]]
    """
    every: FloatArray = np.zeros((len(shares), class_count))
    every[:, codes.astype(np.int64)] = shares
    return every
