"""What of a time course is compared: all of it, or one number for each unit."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from kdtab.config.base import FrozenConfig, fields_disagree

Step: TypeAlias = Annotated[int, Field(ge=0)]


class WholeCourse(FrozenConfig):
    """Every step is compared with the same step.

    Example:
        >>> WholeCourse().kind
        'none'
    """

    kind: Literal["none"] = "none"


class MaxPooling(FrozenConfig):
    """The greatest state of each unit.

    Example:
        >>> MaxPooling().kind
        'max'
    """

    kind: Literal["max"] = "max"


class MeanPooling(FrozenConfig):
    """The mean over all steps.

    Example:
        >>> MeanPooling().kind
        'mean'
    """

    kind: Literal["mean"] = "mean"


class RmsPooling(FrozenConfig):
    """The root of the mean square over all steps.

    Example:
        >>> RmsPooling().kind
        'rms'
    """

    kind: Literal["rms"] = "rms"


class MeanRangePooling(FrozenConfig):
    """The mean from one step to another, both included.

    Attributes:
        kind: "mean_range".
        first: The first step, 0 for the state at t = 0.
        last: The last step; a series that ends before it gives its mean from `first` on, one that
            ends before `first` its last state.

    Example:
        >>> MeanRangePooling(first=2, last=5).last
        5
    """

    kind: Literal["mean_range"] = "mean_range"
    first: Step
    last: Step

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise fields_disagree("last", f"must not be before first ({self.first})", self.last)
        return self


class FinalPooling(FrozenConfig):
    """The last state.

    Example:
        >>> FinalPooling().kind
        'final'
    """

    kind: Literal["final"] = "final"


class MeanLastPooling(FrozenConfig):
    """The mean of the last n states; of all where there are fewer.

    Attributes:
        kind: "mean_last_n".
        n: How many.

    Example:
        >>> MeanLastPooling(n=2).n
        2
    """

    kind: Literal["mean_last_n"] = "mean_last_n"
    n: Annotated[int, Field(ge=1)]


class EwaPooling(FrozenConfig):
    """The mean with weights m^((T − t) / T), t = 0 … T, that grow to 1 at the last state.

    Attributes:
        kind: "ewa".
        min_weight: m, the weight of the first state before they are normalised.

    Example:
        >>> EwaPooling(min_weight=0.2).min_weight
        0.2
    """

    kind: Literal["ewa"] = "ewa"
    min_weight: Annotated[float, Field(gt=0, le=1)] = 0.2


AnyPooling: TypeAlias = (
    WholeCourse
    | MaxPooling
    | MeanPooling
    | RmsPooling
    | MeanRangePooling
    | FinalPooling
    | MeanLastPooling
    | EwaPooling
)
TimePooling: TypeAlias = Annotated[AnyPooling, Field(discriminator="kind")]
POOLINGS = ("none", "max", "mean", "rms", "mean_range", "final", "mean_last_n", "ewa")
