"""Which teacher, and how its labels for the training rows are made."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field

from kdtab.config.base import FrozenConfig

TeacherKind: TypeAlias = Literal["forest", "extra_trees", "boosted", "ensemble"]
LabelPolicy: TypeAlias = Literal["auto", "as_given", "in_sample"]
LABEL_POLICIES: tuple[LabelPolicy, ...] = get_args(LabelPolicy)
TEACHER_KINDS: tuple[TeacherKind, ...] = get_args(TeacherKind)


class LabelConfig(FrozenConfig):
    """How a teacher labels the rows that a student learns from.

    Attributes:
        labels: "auto" makes labels out-of-fold wherever kdtab can fit the teacher again, so that no
            training row is labelled by a teacher that saw it; "as_given" takes a fitted teacher as
            it is; "in_sample" fits on the very rows that are labelled, which a result warns about.
        folds: Parts of the training rows, each labelled by a teacher fitted on the others.
        group_column: Rows with one value of this column stay in one fold, and on one side of the
            split.
        time_column: Folds follow this column: a row is labelled by a teacher of earlier rows, and
            the latest rows are held out.
        missing_classes: A class that only the teacher or only the table knows: an error, or
            probability 0.
        gate: Before the student is trained, compare the teacher with the same student without it,
            and say where it is not better. Costs about one more student.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> LabelConfig().folds
        5
    """

    labels: LabelPolicy = "auto"
    folds: Annotated[int, Field(ge=2, le=100)] = 5
    group_column: str | None = None
    time_column: str | None = None
    missing_classes: Literal["error", "zero"] = "error"
    gate: bool = True
