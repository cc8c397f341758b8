"""How a student is distilled from a teacher of tables."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kdtab.config.base import FrozenConfig


class DistillConfig(FrozenConfig):
    """The knobs of one distillation (seed PT-DISTILL-001).

    Attributes:
        temperature: T in softmax(z / T), above 0 and finite (REQ-KD04).
        alpha: Weight of the hard loss, in [0, 1]; the soft loss gets 1 - alpha (REQ-KD05).
        student_hidden_dim: None: max(16, half of the teacher's).
        student_num_hidden_layers: None: max(1, one fewer than the teacher's).
        student_dropout: None: min(0.5, the teacher's plus 0.05).

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> DistillConfig(alpha=0.3).temperature
        2.0
    """

    temperature: Annotated[float, Field(gt=0)] = 2.0
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.5
    student_hidden_dim: Annotated[int, Field(ge=1, le=65_536)] | None = None
    student_num_hidden_layers: Annotated[int, Field(ge=1, le=64)] | None = None
    student_dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
