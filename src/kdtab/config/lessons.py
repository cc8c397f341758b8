"""What the file of a half-taught model says of itself."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from kdtab.config.base import FrozenConfig

LESSON_FORMAT = 1

Taught: TypeAlias = Annotated[tuple[str, str, str], Field(strict=False)]


class LessonRecord(FrozenConfig):
    """Where a distillation stands; its numbers are in the arrays beside it.

    Attributes:
        step: How many losses were taken in train mode.
        teacher_sha256: Digest of the teacher's weights.
        pairs: Student layer, teacher layer and name of the loss, in their order.
        balancer: Its type; None for a single loss.

    Example:
        >>> LessonRecord(step=0, teacher_sha256="0" * 64, pairs=(), balancer=None).step
        0
    """

    step: Annotated[int, Field(ge=0)]
    teacher_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    pairs: Annotated[tuple[Taught, ...], Field(strict=False)]
    balancer: str | None


class ModelManifest(FrozenConfig):
    """A model's state, and that of its distillation where there is one.

    Attributes:
        kind: "model".
        format_version: 1.
        kdtab_version: The kdtab that wrote it.
        lesson: None for a model that was not converted.

    Example:
        >>> ModelManifest(kdtab_version="0", lesson=None).format_version
        1
    """

    kind: Literal["model"] = "model"
    format_version: Literal[1] = 1
    kdtab_version: str
    lesson: LessonRecord | None
