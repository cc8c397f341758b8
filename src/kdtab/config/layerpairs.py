"""Which layer of a student learns from which layer of its teacher, as plain data."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from kdtab.config.base import FrozenConfig

LayerLossKind: TypeAlias = Literal[
    "squared_error",
    "absolute_error",
    "cosine_distance",
    "relational_distance_over_batch",
    "relational_angle_over_batch",
    "similarity_preserving_over_batch",
    "probabilistic_transfer_over_batch",
]
USUAL_WEIGHT = 1.0
WHOLE_MODEL_TERM = "(model)"


class LayerPairSpec(FrozenConfig):
    """A layer of the student, a layer of the teacher, and the loss between what they give.

    A `*` stands for any characters but the dot. Two patterns that fit equally many layers pair them
    one after the other, in the order of their numbers. Each pair is a loss of its own, named
    `student:teacher`.

    Attributes:
        student: Name or pattern as in `named_modules`; empty: the network itself.
        teacher: The same of the teacher.
        loss: What is compared. Where widths differ a projection is trained beside the student,
            but for the losses over the batch, which compare rows with each other.
        weight: Of each of these losses; a balancer has weights of its own.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> LayerPairSpec(student="blocks.*", teacher="blocks.*").loss
        'squared_error'
    """

    student: str
    teacher: str
    loss: LayerLossKind = "squared_error"
    weight: Annotated[float, Field(ge=0)] = USUAL_WEIGHT


def layer_term(student: str, teacher: str) -> str:
    """The name under which the loss of two layers is weighed and reported.

    Args:
        student: Name of the student's layer; empty: the network itself.
        teacher: The same of the teacher.

    Returns:
        Both names.

    Example:
        >>> layer_term("blocks.0", "blocks.1"), layer_term("", "")
        ('blocks.0:blocks.1', '(model):(model)')
    """
    return f"{student or WHOLE_MODEL_TERM}:{teacher or WHOLE_MODEL_TERM}"
