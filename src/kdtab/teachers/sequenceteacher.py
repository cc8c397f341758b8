"""Anything that has states over time: what it says of itself, and how its states are asked for."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from returns.result import Success

from kdtab.data.arrays import Float32Array
from kdtab.errors.issue import Issue
from kdtab.errors.sequenceteachers import DimensionsDiffer, StatesInvalid
from kdtab.results import Checked, check, fail
from kdtab.teachers.sequenceinfo import SequenceTeacherInfo


class SequenceTeacher(Protocol):
    """Anything with states over time; never modified, and the same states for the same inputs.

    Example:
        >>> hasattr(SequenceTeacher, "states")
        True
    """

    @property
    def info(self) -> SequenceTeacherInfo:
        """What the teacher says of itself.

        Example:
            >>> isinstance(SequenceTeacher.info, property)
            True
        """
        ...

    def states(self, x: Float32Array) -> Checked[Float32Array]:
        """The states at every step, with the one before the first.

        Args:
            x: [N, T, D_in] float32 inputs of series of one length; not changed.

        Returns:
            [N, T + 1, D_out] float32, t = 0 included; or the teacher's own issues.
        """
        ...


def asked_states(teacher: SequenceTeacher, x: Float32Array) -> Checked[Float32Array]:
    """What a teacher says, in the shape that it must have, and finite.

    Args:
        teacher: Who is asked.
        x: [N, T, D_in] inputs of series of one length.

    Returns:
        [N, T + 1, D_out] float32; or `DimensionsDiffer` before it is asked, `StatesInvalid`, and
        its own issues.

    Example:
        >>> class Sum:
        ...     info = SequenceTeacherInfo("sum", 1, 1, "sum-1")
        ...     def states(self, x: Float32Array) -> Checked[Float32Array]:
        ...         return Success(np.pad(np.cumsum(x, axis=1), ((0, 0), (1, 0), (0, 0))))
        >>> asked_states(Sum(), np.ones((1, 3, 1), np.float32)).unwrap().ravel().tolist()
        [0.0, 1.0, 2.0, 3.0]
    """
    return (
        check(*fit_problems(teacher.info, x.shape[2], x.shape[1], "the series"))
        .bind(lambda _: teacher.states(x))
        .bind(lambda states: _usable(teacher.info, x.shape, states))
    )


def fit_problems(
    info: SequenceTeacherInfo, inputs: int, steps: int | None, other: str
) -> list[Issue]:
    """What keeps a teacher from taking inputs, known before it is asked.

    Args:
        info: The teacher's.
        inputs: D_in of the inputs.
        steps: T of the inputs; None: any.
        other: Whose they are, for the message.

    Returns:
        `DimensionsDiffer` with both numbers, for inputs and for steps.

    Example:
        >>> info = SequenceTeacherInfo("rnn", 8, 2, "rnn-1", steps=100)
        >>> [problem.what for problem in fit_problems(info, 5, 50, "the source")]
        ['inputs', 'steps']
    """
    found: list[Issue] = []
    if info.input_dim != inputs:
        found.append(
            DimensionsDiffer(
                what="inputs", one="the teacher", first=info.input_dim, other=other, second=inputs
            )
        )
    if info.steps is not None and steps is not None and info.steps != steps:
        found.append(
            DimensionsDiffer(
                what="steps", one="the teacher", first=info.steps, other=other, second=steps
            )
        )
    return found


def _usable(
    info: SequenceTeacherInfo, asked: tuple[int, ...], states: Float32Array
) -> Checked[Float32Array]:
    expected = (asked[0], asked[1] + 1, info.output_dim)
    if states.shape != expected:
        reason = f"they are {list(states.shape)}, not {list(expected)}: T + 1 steps with t = 0"
        return fail(StatesInvalid(teacher=info.name, reason=reason))
    single = np.asarray(states, dtype=np.float32)
    wrong = int(single.size - np.isfinite(single).sum())
    if wrong:
        reason = f"{wrong:,} of {single.size:,} numbers are not finite"
        return fail(StatesInvalid(teacher=info.name, reason=reason))
    return Success(single)
