"""What a student is asked to do: which losses, combined how, at which temperature."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from kdtab.config.balancers import BalancerSpec
from kdtab.config.base import FrozenConfig, fields_disagree
from kdtab.config.schedules import ScheduleSpec, schedule_ends

ONE_SOFT_LOSS = "soft"
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]


class DivergenceLoss(FrozenConfig):
    """A loss of class distributions with nothing to set.

    Example:
        >>> DivergenceLoss(kind="forward_kl").kind
        'forward_kl'
    """

    kind: Literal[
        "forward_kl",
        "reverse_kl",
        "total_variation",
        "soft_cross_entropy",
        "logit_squared_error",
        "teacher_label",
        "standardized_kl",
        "inter_class_correlation",
    ]


class JensenShannonLoss(FrozenConfig):
    """Between the forward KL at β = 0 and the reverse one at β = 1; `gkd_jsd` is the paper's form.

    Example:
        >>> JensenShannonLoss(kind="generalized_jsd", beta=0.25).beta
        0.25
    """

    kind: Literal["generalized_jsd", "gkd_jsd"]
    beta: Share = 0.5


class LabelCorrectedLoss(FrozenConfig):
    """KL to a teacher whose distribution the label has put right (minifinetuning).

    Example:
        >>> LabelCorrectedLoss().threshold
        0.2
    """

    kind: Literal["label_corrected_kl"] = "label_corrected_kl"
    threshold: Share = 0.2


class DecoupledLoss(FrozenConfig):
    """The label's class against the rest, and the rest among themselves.

    Example:
        >>> DecoupledLoss().non_target_weight
        8.0
    """

    kind: Literal["decoupled_kl"] = "decoupled_kl"
    target_weight: NotNegative = 1.0
    non_target_weight: NotNegative = 8.0


class DistLoss(FrozenConfig):
    """Correlation of probabilities over classes and over rows.

    Example:
        >>> DistLoss().kind
        'dist_over_batch'
    """

    kind: Literal["dist_over_batch"] = "dist_over_batch"
    inter_weight: NotNegative = 1.0
    intra_weight: NotNegative = 1.0


class RelationalLoss(FrozenConfig):
    """The relations of a batch's rows, in the student's outputs and in the teacher's.

    Example:
        >>> RelationalLoss(kind="relational_distance_over_batch").kind
        'relational_distance_over_batch'
    """

    kind: Literal[
        "relational_distance_over_batch",
        "relational_angle_over_batch",
        "similarity_preserving_over_batch",
        "probabilistic_transfer_over_batch",
    ]


class SquaredErrorLoss(FrozenConfig):
    """Squared error to the teacher's values.

    Example:
        >>> SquaredErrorLoss().kind
        'squared_error'
    """

    kind: Literal["squared_error"] = "squared_error"


class HuberLoss(FrozenConfig):
    """Squared near the teacher's value, linear beyond δ; in the scaled unit of the target.

    Example:
        >>> HuberLoss().delta
        1.0
    """

    kind: Literal["huber"] = "huber"
    delta: Positive = 1.0


class PinballLoss(FrozenConfig):
    """The student leans to a quantile of the teacher's values.

    Example:
        >>> PinballLoss(quantile=0.9).kind
        'pinball'
    """

    kind: Literal["pinball"] = "pinball"
    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.5


class TeacherBoundedLoss(FrozenConfig):
    """Squared error to the label, for rows on which the teacher is better by a margin.

    Example:
        >>> TeacherBoundedLoss().margin
        0.0
    """

    kind: Literal["teacher_bounded"] = "teacher_bounded"
    margin: NotNegative = 0.0


AnyLoss: TypeAlias = (
    DivergenceLoss
    | JensenShannonLoss
    | LabelCorrectedLoss
    | DecoupledLoss
    | DistLoss
    | RelationalLoss
    | SquaredErrorLoss
    | HuberLoss
    | PinballLoss
    | TeacherBoundedLoss
)
LossSpec: TypeAlias = Annotated[AnyLoss, Field(discriminator="kind")]


class ObjectiveConfig(FrozenConfig):
    """What is learnt from a teacher. Left as it is, it is what `DistillConfig` alone says.

    Attributes:
        losses: What is compared with the teacher; empty: forward KL for classes, squared error for
            numbers.
        balancer: How the losses and the hard loss are combined; None: alpha · hard +
            (1 − alpha) · Σ losses.
        temperature: T from step to step; None: the temperature of `DistillConfig` throughout.
        alpha: Weight of the hard loss from step to step; None: the alpha of `DistillConfig`.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> ObjectiveConfig(losses=({"kind": "generalized_jsd", "beta": 0.25},)).losses[0].beta
        0.25
    """

    losses: Annotated[tuple[LossSpec, ...], Field(strict=False)] = ()
    balancer: BalancerSpec | None = None
    temperature: ScheduleSpec | None = None
    alpha: ScheduleSpec | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.temperature is not None and min(schedule_ends(self.temperature)) <= 0:
            found = schedule_ends(self.temperature)
            raise fields_disagree("temperature", "must be above 0 at every step", found)
        if self.alpha is not None:
            ends = schedule_ends(self.alpha)
            if not 0 <= min(ends) <= max(ends) <= 1:
                raise fields_disagree("alpha", "must be between 0 and 1 at every step", ends)
            if self.balancer is not None:
                rule = "is a weight itself and leaves no place for a balancer"
                raise fields_disagree("alpha", rule, ends)
        return self


def loss_names(losses: tuple[AnyLoss, ...]) -> tuple[str, ...]:
    """The names under which losses are weighed and reported.

    Args:
        losses: Of an objective.

    Returns:
        "soft" where there is one loss or none is named; else the kinds, and a number behind a kind
        that came before.

    Example:
        >>> loss_names((HuberLoss(),))
        ('soft',)
        >>> loss_names((HuberLoss(), PinballLoss(quantile=0.1), PinballLoss(quantile=0.9)))
        ('huber', 'pinball', 'pinball_2')
    """
    if len(losses) < 2:
        return (ONE_SOFT_LOSS,)
    counts: Counter[str] = Counter()
    names = []
    for loss in losses:
        counts[loss.kind] += 1
        times = counts[loss.kind]
        names.append(loss.kind if times == 1 else f"{loss.kind}_{times}")
    return tuple(names)
