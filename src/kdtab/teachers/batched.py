"""A teacher asked about many rows, a batch at a time."""

from __future__ import annotations

import numpy as np
import polars as pl
from returns.result import Failure, Success

from kdtab.data.outputs import TeacherOutputs, checked_outputs
from kdtab.errors.issue import Issue
from kdtab.errors.teachers import TeacherOutputsInvalid
from kdtab.results import Checked, fail
from kdtab.teachers.teacher import Teacher

BATCH_ROWS = 8_192


def batched_outputs(
    teacher: Teacher, frame: pl.DataFrame, first_row: int = 0
) -> Checked[TeacherOutputs]:
    """What a teacher says of rows, asked in batches of 8,192.

    Equal frames are asked in equal batches, so that outputs agree to the last bit whoever asks.

    Args:
        teacher: Who scores the rows.
        frame: [N] rows, N at least 1.
        first_row: The table's row of the first, from 0; for messages.

    Returns:
        [N, C] or [N, 1] outputs, or the issues of the first batch that has some, with its rows.

    Example:
        >>> from kdtab.teachers.teacher import TeacherInfo
        >>> class Doubling:
        ...     info = TeacherInfo("rule", "regression", (), "values", "rule-1")
        ...     def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        ...         return Success(TeacherOutputs("values", (), 2.0 * frame.to_numpy()))
        >>> batched_outputs(Doubling(), pl.DataFrame({"x": [1, 2]})).unwrap().values.tolist()
        [[2.0], [4.0]]
    """
    parts: list[TeacherOutputs] = []
    for start in range(0, frame.height, BATCH_ROWS):
        said = _said(teacher, frame.slice(start, BATCH_ROWS), first_row + start)
        if isinstance(said, Failure):
            return Failure(said.failure())
        parts.append(said.unwrap())
    kinds = {(part.kind, part.classes, part.trees) for part in parts}
    if len(kinds) > 1:
        return fail(TeacherOutputsInvalid(reason="their kind or classes change between rows"))
    kind, classes, trees = kinds.pop()
    values = np.concatenate([part.values for part in parts])
    return Success(TeacherOutputs(kind, classes, values, trees))


def _said(teacher: Teacher, frame: pl.DataFrame, first_row: int) -> Checked[TeacherOutputs]:
    return (
        teacher.outputs(frame)
        .bind(lambda outputs: checked_outputs(outputs, frame.height))
        .lash(lambda issues: fail(*(_placed(issue, frame, first_row) for issue in issues)))
    )


def _placed(issue: Issue, frame: pl.DataFrame, first_row: int) -> Issue:
    if not isinstance(issue, TeacherOutputsInvalid):
        return issue
    where = f"in rows {first_row + 1:,} to {first_row + frame.height:,} of the table"
    return TeacherOutputsInvalid(reason=f"{issue.reason} ({where})")
