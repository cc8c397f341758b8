"""Anything that scores rows: what it says of itself, and what it says of rows."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from kdtab.data.outputs import TeacherOutputs
from kdtab.data.teacherinfo import TeacherInfo
from kdtab.results import Checked

__all__ = ["Teacher", "TeacherInfo"]


class Teacher(Protocol):
    """Anything that scores rows; never modified, and the same answer for the same rows.

    Example:
        >>> from kdtab.teachers.network import NetworkTeacher
        >>> hasattr(NetworkTeacher, "outputs")
        True
    """

    @property
    def info(self) -> TeacherInfo:
        """What the teacher says of itself.

        Example:
            >>> from kdtab.teachers.network import NetworkTeacher
            >>> isinstance(NetworkTeacher.info, property)
            True
        """
        ...

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """What the teacher says of rows.

        Args:
            frame: [N] raw rows; not changed.

        Returns:
            [N, C] or [N, 1] checked outputs, or `TeacherOutputsInvalid` and the teacher's own
            issues.

        Example:
            >>> from kdtab.teachers.network import NetworkTeacher
            >>> NetworkTeacher.outputs.__name__
            'outputs'
        """
        ...
