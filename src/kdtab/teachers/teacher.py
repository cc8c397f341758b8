"""Anything that scores rows: what it says of itself, and what it says of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import polars as pl

from kdtab.config.training import Task
from kdtab.data.artifacts import Artifacts
from kdtab.data.outputs import OutputKind, TeacherOutputs
from kdtab.results import Checked


@dataclass(frozen=True, eq=False)
class TeacherInfo:
    """What a teacher says of itself.

    Attributes:
        name: A few words for a person: "kdtab network", "RandomForestClassifier".
        task: Classification or regression.
        classes: Canonical label texts in the order of its outputs; empty for regression.
        output_kind: What its outputs are.
        fingerprint: A text that is the same for the same teacher; a cache key and provenance.
        artifacts: Its preprocessing, which a student inherits; None when it has none of kdtab's.
        size_bytes: How large it is when stored, where that is known.

    Example:
        >>> TeacherInfo("rule", "regression", (), "values", "rule-1").artifacts is None
        True
    """

    name: str
    task: Task
    classes: tuple[str, ...]
    output_kind: OutputKind
    fingerprint: str
    artifacts: Artifacts | None = None
    size_bytes: int | None = None


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
