"""How the losses of a step are combined, as plain data."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from kdtab.config.base import FrozenConfig


class TermWeight(FrozenConfig):
    """The weight of one loss, by its name.

    Example:
        >>> TermWeight(name="soft", weight=5.0).weight
        5.0
    """

    name: Annotated[str, Field(min_length=1)]
    weight: float


class NamedBalancer(FrozenConfig):
    """Σ w_name · ℓ_name + student_weight · hard.

    Example:
        >>> NamedBalancer(weights=(TermWeight(name="soft", weight=5.0),)).student_weight
        1.0
    """

    kind: Literal["named"] = "named"
    weights: Annotated[tuple[TermWeight, ...], Field(strict=False)]
    student_weight: float = 1.0


class ComplementaryBalancer(FrozenConfig):
    """w · hard + (1 − w) · Σ ℓ.

    Example:
        >>> ComplementaryBalancer(student_weight=0.3).kind
        'complementary'
    """

    kind: Literal["complementary"] = "complementary"
    student_weight: float


class StaticBalancer(FrozenConfig):
    """Σ w_i · ℓ_i + (1 − Σ w) · hard, the weights in the order of the losses.

    Example:
        >>> StaticBalancer(weights=(0.25, 0.5)).kind
        'static'
    """

    kind: Literal["static"] = "static"
    weights: Annotated[tuple[float, ...], Field(strict=False)]


class MagnitudeBalancer(FrozenConfig):
    """All losses brought to the size of the student's own, by ratios without a gradient.

    Attributes:
        logits: The name of the loss that the others are brought to first.
        distillation_scale: How large all distillation is beside the student's own loss.

    Example:
        >>> MagnitudeBalancer(logits="forward_kl").distillation_scale
        1.0
    """

    kind: Literal["magnitude"] = "magnitude"
    logits: str
    distillation_scale: float = 1.0


class UncertaintyBalancer(FrozenConfig):
    """Each loss over a variance that is learnt beside the student.

    Example:
        >>> UncertaintyBalancer().kind
        'uncertainty'
    """

    kind: Literal["uncertainty"] = "uncertainty"


BalancerSpec: TypeAlias = Annotated[
    NamedBalancer
    | ComplementaryBalancer
    | StaticBalancer
    | MagnitudeBalancer
    | UncertaintyBalancer,
    Field(discriminator="kind"),
]
AnyBalancer: TypeAlias = (
    NamedBalancer | ComplementaryBalancer | StaticBalancer | MagnitudeBalancer | UncertaintyBalancer
)
