"""Which columns of a table count, and what an empty cell looks like."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kdtab.config.base import FrozenConfig

DEFAULT_MISSING_MARKERS: tuple[str, ...] = ("", "na", "n/a", "nan", "none", "null", ".", "?")


class ColumnOptions(FrozenConfig):
    """What to make of a table's columns; the same in training, distillation and prediction.

    Attributes:
        exclude_columns: Columns that are no features (row numbers, names, leaks).
        date_columns: Text columns to read as dates; columns of a date type are found by themselves.
        missing_markers: Cells that mean "missing", compared without case and surrounding blanks; a
            marker that is a number (`-200`) also matches that number.
        max_categories: Frequent values that a categorical column keeps; the others share one.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> ColumnOptions(exclude_columns=("id",)).max_categories
        64
    """

    exclude_columns: Annotated[tuple[str, ...], Field(strict=False)] = ()
    date_columns: Annotated[tuple[str, ...], Field(strict=False)] = ()
    missing_markers: Annotated[tuple[str, ...], Field(strict=False)] = DEFAULT_MISSING_MARKERS
    max_categories: Annotated[int, Field(ge=1, le=4_096)] = 64
