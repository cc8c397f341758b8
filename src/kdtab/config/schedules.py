"""How a number changes from step to step, as plain data."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from kdtab.config.base import FrozenConfig, fields_disagree

StepCount: TypeAlias = Annotated[int, Field(ge=1)]


class ConstantSchedule(FrozenConfig):
    """One value for all steps.

    Example:
        >>> ConstantSchedule(value=2.0).kind
        'constant'
    """

    kind: Literal["constant"] = "constant"
    value: float


class RampSchedule(FrozenConfig):
    """From a start to an end within some steps, and the end from then on.

    Attributes:
        kind: Along a straight line, along half a cosine wave, or by equal factors.
        start: The value of the first step.
        end: The value from step `after + steps` on.
        steps: How long the way is.
        after: Steps for which the start is kept before.

    Example:
        >>> RampSchedule(kind="cosine", start=4.0, end=1.0, steps=1000).after
        0
    """

    kind: Literal["linear", "cosine", "exponential"]
    start: float
    end: float
    steps: StepCount
    after: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _factors_exist(self) -> Self:
        if self.kind == "exponential" and min(self.start, self.end) <= 0:
            rule = "must be above 0, as must the end, to change by equal factors"
            raise fields_disagree("start", rule, (self.start, self.end))
        return self


class StairSchedule(FrozenConfig):
    """From a start to an end in equal jumps, each held for as long as the others.

    Attributes:
        start: The value before the first jump.
        end: The value after the last one, from step `steps` on.
        steps: How long the way is.
        jumps: How many.

    Example:
        >>> StairSchedule(start=4.0, end=1.0, steps=900, jumps=3).kind
        'stairs'
    """

    kind: Literal["stairs"] = "stairs"
    start: float
    end: float
    steps: StepCount
    jumps: Annotated[int, Field(ge=1)]


ScheduleSpec: TypeAlias = Annotated[
    ConstantSchedule | RampSchedule | StairSchedule, Field(discriminator="kind")
]
Schedule: TypeAlias = ConstantSchedule | RampSchedule | StairSchedule


def schedule_ends(schedule: Schedule) -> tuple[float, float]:
    """The first and the last value; all others lie between.

    Args:
        schedule: Any.

    Returns:
        Two numbers, in the order of time.

    Example:
        >>> schedule_ends(StairSchedule(start=4.0, end=1.0, steps=900, jumps=3))
        (4.0, 1.0)
    """
    match schedule:
        case ConstantSchedule(value=value):
            return value, value
        case RampSchedule(start=start, end=end) | StairSchedule(start=start, end=end):
            return start, end
