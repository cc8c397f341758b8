"""What a teacher says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from kdtab.config.training import Task
from kdtab.data.artifacts import Artifacts
from kdtab.data.outputs import OutputKind


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
