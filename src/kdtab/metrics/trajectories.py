"""How far time courses are from those that they were to follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kdtab.config.trajectories import GroupName
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.data.sequences import step_mask


@dataclass(frozen=True)
class TrajectoryError:
    """How far a student's time courses are from the teacher's, over each series' own states.

    Attributes:
        series: N.
        mse: The mean of the squared differences: first over a series, then over the series.
        explained: 1 − mse / variance of the teacher's states: 1 for the same courses, 0 for a
            student that only knows each state's mean; None where the states never change.

    Example:
        >>> TrajectoryError(series=9, mse=0.25, explained=0.9).rmse
        0.5
    """

    series: int
    mse: float
    explained: float | None

    @property
    def rmse(self) -> float:
        """The root of `mse`, in the unit of the states.

        Example:
            >>> TrajectoryError(series=9, mse=0.04, explained=None).rmse
            0.2
        """
        return float(np.sqrt(self.mse))


@dataclass(frozen=True, eq=False)
class CourseExample:
    """One series as teacher and student follow it.

    Attributes:
        group: Where it is from.
        place: Which series of the group, from 0.
        teacher: [S, D].
        student: [S, D] at the same moments.
        first_step: The moment of the first state: 0, or 1 where t = 0 is left out.

    Example:
        >>> CourseExample("test", 0, np.zeros((3, 1)), np.zeros((3, 1)), 0).first_step
        0
    """

    group: GroupName
    place: int
    teacher: Float32Array
    student: Float32Array
    first_step: int


def trajectory_error(
    student: Float32Array, teacher: Float32Array, lengths: IntArray
) -> TrajectoryError:
    """How far time courses are from the teacher's.

    Args:
        student: [N, S, D].
        teacher: [N, S, D] at the same moments.
        lengths: [N] how many states of each series are its own.

    Returns:
        The error.

    Example:
        >>> course = np.arange(4.0)[None, :, None]
        >>> trajectory_error(course, course, np.array([4])).explained
        1.0
    """
    own = step_mask(lengths, teacher.shape[1])
    squares = np.square(student.astype(np.float64) - teacher).mean(2)
    mse = float(((squares * own).sum(1) / lengths).mean())
    states = teacher[own].astype(np.float64)  # [states, D]
    variance = float(states.var(0).mean())
    return TrajectoryError(len(teacher), mse, 1 - mse / variance if variance > 0 else None)
