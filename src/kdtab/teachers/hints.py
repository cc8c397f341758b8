"""What a user says about a teacher that the teacher does not say itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from kdtab.config.training import Task
from kdtab.data.outputs import OutputKind

RowKind: TypeAlias = Literal["pandas", "polars", "matrix"]


@dataclass(frozen=True)
class TeacherHints:
    """Answers to what an object, a function or a file leaves open; None leaves it to the teacher.

    Attributes:
        task: What it predicts.
        classes: A label for each column of its outputs, in their order.
        columns: Feature columns, in the order of the matrix that it was fitted on.
        output_kind: What its numbers are; None: probabilities, or values for regression.
        key: The column by which recorded scores find their rows.
        trusted: Types in a skops file that may be built, beside those that are always safe.
        rows: What a fitted object takes rows as; None tries what it may have been fitted with.
        name: A text that changes whenever the teacher does; it stands in for its fingerprint.

    Example:
        >>> TeacherHints(task="regression").classes is None
        True
    """

    task: Task | None = None
    classes: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    output_kind: OutputKind | None = None
    key: str | None = None
    trusted: tuple[str, ...] = ()
    rows: RowKind | None = None
    name: str | None = None


NO_HINTS = TeacherHints()
