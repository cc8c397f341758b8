"""What a report should hold, and what it must reach."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from kdtab.config.base import FrozenConfig, fields_disagree


class ReportOptions(FrozenConfig):
    """The report of a distillation, and the gate of a pipeline.

    Attributes:
        report: Where to write the page: teacher, student and the same student without a teacher,
            side by side. A name that ends in .json or .txt gives data or text.
        segments: Columns to look at the rows by.
        min_gain: The least share of the teacher's gain to keep; the exit code is 1 when it is
            missed or not defined. Everything is written all the same.
        allow_undefined: Pass the gate where the share is not defined, since the teacher is not
            better or the rows are too few.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> ReportOptions(report="kept.html", min_gain=0.9).wanted
        True
        >>> ReportOptions().wanted
        False
    """

    report: str | None = None
    segments: Annotated[tuple[str, ...], Field(strict=False)] = ()
    min_gain: float | None = None
    allow_undefined: bool = False

    @property
    def wanted(self) -> bool:
        """Whether there is anything to measure.

        Example:
            >>> ReportOptions(min_gain=0.5).wanted
            True
        """
        return self.report is not None or self.min_gain is not None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.segments and self.report is None:
            raise fields_disagree("segments", "need a report to stand in", list(self.segments))
        if self.allow_undefined and self.min_gain is None:
            raise fields_disagree("allow_undefined", "needs a min_gain", True)
        return self
