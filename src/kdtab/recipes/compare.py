"""Compare: a teacher and a student side by side on a table."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from returns.result import Result

from kdtab.bundle import ModelBundle
from kdtab.config.columns import ColumnOptions
from kdtab.errors.issue import Issues
from kdtab.report.answers import batch_speed
from kdtab.report.asked import AskedModels, ask_models
from kdtab.report.comparison import Comparison
from kdtab.report.summary import Summary


def compare_models(
    teacher: object,
    student: ModelBundle,
    frame: pl.DataFrame,
    *,
    target_column: str | None = None,
    columns: ColumnOptions | None = None,
) -> Result[Comparison, Issues]:
    """Measure two models of one target on the same rows.

    On the very table that the student was trained on, only its test rows count; on any other table
    all rows with a target do, and the comparison says that it cannot know which of them were seen.

    Args:
        teacher: The larger model: a bundle, or whatever else `resolve_teacher` takes.
        student: The smaller model.
        frame: Raw rows, the target among the columns.
        target_column: The target; None takes the student's.
        columns: Which columns count; None takes what the student recorded.

    Returns:
        Both sides' figures; or the issues of `ask_models`.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap().bundle
        >>> compared = compare_models(model, model, frame).unwrap()
        >>> compared.rows, compared.agreement, compared.parameters_saved
        (20, 1.0, 0)
    """
    asked = ask_models(
        teacher,
        student,
        frame,
        target_column=target_column,
        columns=columns,
        clock=batch_speed,
    )
    return asked.map(AskedModels.comparison)


def report_comparison(
    teacher: object,
    student: ModelBundle,
    frame: pl.DataFrame,
    *,
    scratch: ModelBundle | None = None,
    segments: Sequence[str] = (),
    target_column: str | None = None,
    columns: ColumnOptions | None = None,
) -> Result[Summary, Issues]:
    """The report of a distillation, made later: from the models that are left of it and a table.

    Args:
        teacher: A bundle, or whatever else `resolve_teacher` takes.
        student: What was distilled.
        frame: Raw rows, the target among the columns.
        scratch: The same student without a teacher; without it the gain is left out.
        segments: Columns to look at the rows by.
        target_column: The target; None takes the student's.
        columns: Which columns count; None takes what the student recorded.

    Returns:
        The report as plain data, on the rows that `compare_models` takes; or the issues of
        `ask_models`.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap().bundle
        >>> report_comparison(model, model, frame).unwrap().which
        'held out from teacher and student'
    """
    asked = ask_models(
        teacher,
        student,
        frame,
        scratch=scratch,
        segments=segments,
        target_column=target_column,
        columns=columns,
    )
    return asked.map(AskedModels.summary)
