"""Weights and temperatures that change from step to step: pure functions of the step."""

from __future__ import annotations

import math

from kdtab.config.schedules import ConstantSchedule, RampSchedule, Schedule, StairSchedule


def scheduled_value(schedule: Schedule, step: int) -> float:
    """The value of a schedule at a step.

    With x the share of the way that is behind, between 0 and 1: linear a + x · (b − a), cosine
    a + ½ · (1 − cos πx) · (b − a), exponential a · (b / a)^x, stairs a + ⌊kx⌋ / k · (b − a) for k
    jumps. Both ends are met exactly.

    Args:
        schedule: Any.
        step: 0 for the first weight update.

    Returns:
        A number between the schedule's ends.

    Example:
        >>> from kdtab.config.schedules import RampSchedule
        >>> annealed = RampSchedule(kind="linear", start=4.0, end=1.0, steps=10, after=5)
        >>> [scheduled_value(annealed, step) for step in (0, 5, 10, 15, 99)]
        [4.0, 4.0, 2.5, 1.0, 1.0]
    """
    match schedule:
        case ConstantSchedule(value=value):
            return value
        case RampSchedule(start=start, end=end):
            gone = min(max(step - schedule.after, 0) / schedule.steps, 1.0)
            return _ramp(schedule, gone) if 0 < gone < 1 else (end if gone else start)
        case StairSchedule(start=start, end=end, steps=steps, jumps=jumps):
            climbed = min(step * jumps // steps, jumps)
            return end if climbed == jumps else start + climbed / jumps * (end - start)


def _ramp(schedule: RampSchedule, gone: float) -> float:
    start, end = schedule.start, schedule.end
    if schedule.kind == "exponential":
        return float(start * (end / start) ** gone)
    if schedule.kind == "cosine":
        gone = (1 - math.cos(math.pi * gone)) / 2
    return start + gone * (end - start)
