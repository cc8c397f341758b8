"""The truth about a table's rows, read as a student's own table was read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from returns.result import Result, Success

from kdtab.bundle import ModelBundle
from kdtab.config.columns import ColumnOptions
from kdtab.config.manifest import Provenance
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import IntArray
from kdtab.data.dependence import linked_rows
from kdtab.data.foldcolumns import group_numbers
from kdtab.data.labelled import (
    LabelledRows,
    TableRequest,
    check_request,
    labelled_rows,
    request_twins,
)
from kdtab.data.target import TaskDecision
from kdtab.errors.teachers import LabelEncoderMissing
from kdtab.report.inputs import MeasuredRows
from kdtab.report.segments import segments_by_columns
from kdtab.results import Checked, fail


def student_request(
    student: ModelBundle,
    frame: pl.DataFrame,
    target_column: str | None = None,
    columns: ColumnOptions | None = None,
) -> TableRequest:
    """A table with the target, the columns and the split that a student recorded.

    Args:
        student: Whose record counts.
        frame: Raw rows.
        target_column: The target; None takes the student's.
        columns: Which columns count; None takes what the student recorded.

    Returns:
        The request; columns that are excluded or tie rows, and that the table lacks, are left out.

    Example:
        >>> from torch import nn
        >>> from dataclasses import replace
        >>> silent = replace(ModelBundle(nn.Linear(3, 2), "classification", *[None] * 10), target_column="y")
        >>> student_request(silent, pl.DataFrame({"y": [1]})).config.test_size
        0.2
    """
    known = student.provenance
    target = target_column or student.target_column
    asked = known.training_config or TrainingConfig(target_column=target)
    config = TrainingConfig(
        target_column=target,
        test_size=asked.test_size,
        validation_size=asked.validation_size,
        random_seed=asked.random_seed,
    )
    recorded = columns or known.column_options or ColumnOptions()
    here = tuple(name for name in recorded.exclude_columns if name in frame.columns)
    options = ColumnOptions(exclude_columns=here, missing_markers=recorded.missing_markers)
    return TableRequest(frame, config, options, _ties(known, frame))


def _ties(known: Provenance, frame: pl.DataFrame) -> LabelConfig:
    """The columns that tie rows to each other, as far as the table has them."""
    ties = known.label_config or LabelConfig()
    grouped, timed = (
        name if name in frame.columns else None for name in (ties.group_column, ties.time_column)
    )
    return LabelConfig(group_column=grouped, time_column=timed)


def rows_with_target(student: ModelBundle, request: TableRequest) -> Checked[LabelledRows]:
    """The rows of a table that a student can be measured on.

    Args:
        student: Whose task it is.
        request: The table.

    Returns:
        All rows with a target; or the issues of `check_request`, `TargetEmpty`,
        `TargetNotNumeric`.

    Example:
        >>> from torch import nn
        >>> from dataclasses import replace
        >>> silent = replace(ModelBundle(nn.Linear(3, 2), "classification", *[None] * 10), target_column="y")
        >>> request = student_request(silent, pl.DataFrame({"y": ["a", None]}))
        >>> rows_with_target(silent, request).unwrap().rows.tolist()
        [0]
    """
    decision = TaskDecision(student.task, "the task of the student")
    return check_request(request).bind(lambda _: labelled_rows(request, decision))


def measured_rows(
    student: ModelBundle,
    request: TableRequest,
    labelled: LabelledRows,
    *,
    which: str,
    segments: Sequence[str] = (),
) -> Checked[MeasuredRows]:
    """Rows with their truth as codes of the student's classes, or as values.

    Args:
        student: Whose classes they are.
        request: The table.
        labelled: The rows of it that are measured.
        which: Which rows these are.
        segments: Columns to look at them by.

    Returns:
        The rows; `LabelEncoderMissing`, `LabelsUnknown`, `ColumnMissing`.

    Example:
        >>> from torch import nn
        >>> from dataclasses import replace
        >>> silent = replace(ModelBundle(nn.Linear(3, 1), "regression", *[None] * 10), target_column="y")
        >>> request = student_request(silent, pl.DataFrame({"y": [0.5, None]}))
        >>> labelled = rows_with_target(silent, request).unwrap()
        >>> measured_rows(silent, request, labelled, which="all").unwrap().truth.tolist()
        [0.5]
    """
    encoder = student.label_encoder if student.task == "classification" else None
    if student.task == "classification" and encoder is None:
        return fail(LabelEncoderMissing())
    truth = (
        Success(labelled.cells.to_numpy()) if encoder is None else encoder.transform(labelled.cells)
    )
    return Result.do(
        MeasuredRows(
            target=request.config.target_column,
            truth=known,
            classes=() if encoder is None else encoder.classes,
            which=which + _counted(request.labels),
            groups=_drawn_together(request, labelled.rows),
            segments=found,
        )
        for known in truth
        for found in segments_by_columns(request.frame[labelled.rows], segments)
    )


def _drawn_together(request: TableRequest, rows: IntArray) -> IntArray:
    """Identical rows, and rows of one group: they are no evidence independent of each other."""
    twins, grouped = request_twins(request, rows), request.labels.group_column
    if grouped is None:
        return twins
    cells = request.frame[rows][grouped]
    linked = linked_rows(group_numbers(cells, request.options.missing_markers), twins)
    return np.unique(linked, return_inverse=True)[1]


def _counted(ties: LabelConfig) -> str:
    return f"; rows of one {ties.group_column} count as one" if ties.group_column else ""
