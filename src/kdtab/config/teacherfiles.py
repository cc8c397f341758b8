"""What the file of a teacher leaves open."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kdtab.config.base import FrozenConfig


class TeacherFileOptions(FrozenConfig):
    """What to know about a teacher's file that it does not say itself.

    Attributes:
        teacher_key: The column that names a row, for a table of recorded scores. None takes the
            only one that is no score.
        teacher_classes: A class for each output of the teacher, in their order, where its file does
            not name them.
        trusted_types: Types in a skops file that may be built, beside those that are always safe.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value of another type.

    Example:
        >>> TeacherFileOptions(teacher_key="customer").teacher_classes
        ()
    """

    teacher_key: str | None = None
    teacher_classes: Annotated[tuple[str, ...], Field(strict=False)] = ()
    trusted_types: Annotated[tuple[str, ...], Field(strict=False)] = ()
