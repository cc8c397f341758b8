"""What a teacher, of whichever make, has to say about the training rows of a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from returns.result import Result, Success

from kdtab.config.teachers import LabelConfig, TeacherKind
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.data.foldcolumns import group_numbers, time_values
from kdtab.data.folds import Folds, fold_rows
from kdtab.data.outputs import TeacherOutputs
from kdtab.data.prepared import PreparedTable
from kdtab.data.split import twin_groups
from kdtab.errors.columns import ColumnMissing
from kdtab.errors.issue import Issues
from kdtab.errors.labels import IdsMissing, RowsChanged, RowsUnlabelled
from kdtab.results import Checked, check
from kdtab.shell.trained import LabelMethod, SeenRows
from kdtab.teachers.crossfit import Heard, Labelling, Rows, cross_fit, fit_in_sample, unheard
from kdtab.teachers.kinds import Lessons, NetworkFit, kind_teacher, label_by_kind
from kdtab.teachers.lesson import Lesson
from kdtab.teachers.refit import Refit, RefitSays
from kdtab.teachers.teacher import Teacher


@dataclass(frozen=True, eq=False)
class Taught:
    """The labels of the training rows, and the teacher of all of them.

    Attributes:
        teacher: Labels all rows that are not training rows.
        method: How the training rows were labelled.
        saw_training_rows: Whether the teacher that labelled a training row had seen it.
        outputs: [N, C] or [N, 1] for the training rows; NaN where no teacher spoke.
        missing: What is done with a class that one side lacks.
        folds: Which rows each teacher saw; None where nothing was cross-fitted.
        weights: Members of an ensemble and their weights.

    Example:
        >>> Taught.__dataclass_params__.frozen
        True
    """

    teacher: Teacher
    method: LabelMethod
    saw_training_rows: SeenRows
    outputs: TeacherOutputs
    missing: Literal["error", "zero"] = "zero"
    folds: Folds | None = None
    weights: tuple[tuple[str, float], ...] = ()


def label_columns_issues(frame: pl.DataFrame, labels: LabelConfig) -> tuple[ColumnMissing, ...]:
    """The group and time columns that a table lacks.

    Args:
        frame: The table.
        labels: What is asked for.

    Returns:
        At most two issues.

    Example:
        >>> label_columns_issues(pl.DataFrame({"x": [1]}), LabelConfig(group_column="who"))
        (ColumnMissing(name='who', role='group_column', columns=('x',)),)
    """
    asked = {"group_column": labels.group_column, "time_column": labels.time_column}
    return tuple(
        ColumnMissing(name=name, role=role, columns=tuple(frame.columns))
        for role, name in asked.items()
        if name is not None and name not in frame.columns
    )


def training_folds(
    frame: pl.DataFrame,
    prepared: PreparedTable,
    labels: LabelConfig,
    *,
    seed: int,
    markers: tuple[str, ...],
) -> Checked[Folds]:
    """The folds of a table's training rows; test and validation rows are in none of them.

    Rows are twins when they are the same to the student: equal in every encoded column.

    Args:
        frame: The whole table, for the group and the time column.
        prepared: The same table, split and encoded.
        labels: How many folds, and by which columns.
        seed: Of the draw.
        markers: Texts that mean "missing".

    Returns:
        The folds, `ColumnMissing`, or the issues of `time_values` and `fold_rows`.

    Example:
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.data.prepare import prepare_table
        >>> frame = pl.DataFrame({"x": list(range(50)), "y": ["a", "b"] * 25})
        >>> prepared = prepare_table(frame, TrainingConfig(target_column="y"), ColumnOptions()).unwrap()
        >>> folds = training_folds(frame, prepared, LabelConfig(), seed=0, markers=()).unwrap()
        >>> np.bincount(folds.parts).tolist()
        [8, 8, 8, 8, 8]
    """
    rows = frame[prepared.split.training]
    by_class = prepared.task == "classification"
    strata = prepared.training.targets.astype(np.int64) if by_class else np.zeros(rows.height)
    grouped, timed = labels.group_column, labels.time_column
    return Result.do(
        folds
        for _ in check(*label_columns_issues(frame, labels))
        for times in (Success(None) if timed is None else time_values(rows[timed], markers))
        for folds in fold_rows(
            strata.astype(np.int64),
            twin_groups(pl.DataFrame(prepared.training.inputs)),
            count=labels.folds,
            seed=seed,
            groups=None if grouped is None else group_numbers(rows[grouped], markers),
            times=times,
        )
    )


def taught_by_kind(
    kind: TeacherKind,
    prepared: PreparedTable,
    folds: Folds,
    labels: LabelConfig,
    *,
    seed: int,
    fit_network: NetworkFit,
    heard: Heard = unheard,
) -> Checked[Taught]:
    """A kind of teacher, fitted on the training rows and on no other.

    Args:
        kind: Which.
        prepared: The table.
        folds: Of its training rows.
        labels: In-sample by policy only.
        seed: Of every random choice.
        fit_network: Fits the networks of an ensemble.
        heard: Is told of every fit.

    Returns:
        What it says, or the issues of a network that could not be fitted.

    Example:
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.data.prepare import prepare_table
        >>> frame = pl.DataFrame({"x": list(range(50)), "y": ["a", "b"] * 25})
        >>> prepared = prepare_table(frame, TrainingConfig(target_column="y"), ColumnOptions()).unwrap()
        >>> folds = training_folds(frame, prepared, LabelConfig(), seed=0, markers=()).unwrap()
        >>> said = taught_by_kind("forest", prepared, folds, LabelConfig(), seed=0, fit_network=None)
        >>> said.unwrap().method, said.unwrap().outputs.values.shape
        ('out_of_bag', (40, 2))
    """
    rows = prepared.training
    lessons = Lessons(
        Lesson(prepared.task, prepared.output_dim, prepared.artifacts.target_scaler, seed),
        rows.inputs,
        rows.targets,
        folds,
        policy=labels.labels,
        bags=labels.group_column is None and labels.time_column is None,
        heard=heard,
    )

    def found(labelling: Labelling[Float32Array], weights: tuple[tuple[str, float], ...]) -> Taught:
        teacher = kind_teacher(kind, lessons, labelling.says, prepared.artifacts)
        weighted = weights if len(weights) > 1 else ()
        return replace(_taught(teacher, labelling, folds), weights=weighted)

    return label_by_kind(kind, lessons, fit_network).map(
        lambda said: found(said.labelling, said.weights)
    )


def taught_by_estimator(
    refit: Refit,
    frame: pl.DataFrame,
    prepared: PreparedTable,
    folds: Folds,
    labels: LabelConfig,
    heard: Heard = unheard,
) -> Checked[Taught]:
    """Clones of an estimator, fitted on raw training rows and on no other.

    Args:
        refit: How it is fitted.
        frame: The whole table, its columns typed.
        prepared: The same table, split.
        folds: Of its training rows.
        labels: In-sample by policy only.
        heard: Is told of every fit.

    Returns:
        What they say, or `TeacherCallFailed`.

    Example:
        >>> from sklearn.linear_model import LinearRegression
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.data.prepare import prepare_table
        >>> from kdtab.teachers.refit import estimator_refit
        >>> frame = pl.DataFrame({"x": list(range(50)), "y": [0.5 * x for x in range(50)]})
        >>> config = TrainingConfig(target_column="y", task="regression")
        >>> prepared = prepare_table(frame, config, ColumnOptions()).unwrap()
        >>> folds = training_folds(frame, prepared, LabelConfig(), seed=0, markers=()).unwrap()
        >>> refit = estimator_refit(LinearRegression(), ("x",), ()).unwrap()
        >>> said = taught_by_estimator(refit, frame, prepared, folds, LabelConfig()).unwrap()
        >>> said.method, bool(np.allclose(said.outputs.values[:, 0], prepared.training.targets))
        ('out_of_fold', True)
    """
    rows, targets = frame[prepared.split.training], prepared.training.targets
    labelling = (
        fit_in_sample(refit.fit, rows, targets)
        if labels.labels == "in_sample"
        else cross_fit(refit.fit, rows, targets, folds, heard)
    )
    return labelling.map(lambda said: _of_clone(said, refit.classes, folds))


def taught_as_given(
    teacher: Teacher, frame: pl.DataFrame, prepared: PreparedTable, labels: LabelConfig
) -> Checked[Taught]:
    """A teacher that cannot be fitted again, asked about the training rows.

    Args:
        teacher: Any.
        frame: The whole table as the teacher takes it.
        prepared: The same table, split.
        labels: What is done with a class that one side lacks.

    Returns:
        What it says, or the teacher's issues.

    Example:
        >>> from kdtab.config.columns import ColumnOptions
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.data.prepare import prepare_table
        >>> from kdtab.teachers.function import function_teacher
        >>> from kdtab.teachers.hints import TeacherHints
        >>> frame = pl.DataFrame({"x": [1.5, 2.5], "y": [3.5, 4.5]})
        >>> config = TrainingConfig(target_column="y", task="regression")
        >>> prepared = prepare_table(frame, config, ColumnOptions()).unwrap()
        >>> rule = function_teacher(lambda rows: rows["x"] + 2, TeacherHints(task="regression"))
        >>> taught_as_given(rule.unwrap(), frame, prepared, LabelConfig()).unwrap().method
        'as_given'
    """
    rows = prepared.split.training
    spoken = teacher.outputs(frame[rows]).alt(lambda issues: _in_table(issues, rows))
    return spoken.map(
        lambda outputs: Taught(
            teacher, "as_given", "unknown", outputs, missing=labels.missing_classes
        )
    )


def _in_table(issues: Issues, rows: IntArray) -> Issues:
    """A store counts the rows that it is asked about, people those of their table."""
    return Issues(
        tuple(
            issue.model_copy(update={"first_row": int(rows[issue.first_row - 1]) + 1})
            if isinstance(issue, RowsUnlabelled | RowsChanged | IdsMissing)
            else issue
            for issue in issues
        )
    )


def _of_clone(labelling: Labelling[pl.DataFrame], classes: tuple[str, ...], folds: Folds) -> Taught:
    assert isinstance(labelling.says, RefitSays), "a refit's answers come from its clone"
    taught = _taught(labelling.says.teacher, labelling, folds)
    return replace(taught, outputs=replace(taught.outputs, classes=classes))


def _taught(teacher: Teacher, labelling: Labelling[Rows], folds: Folds) -> Taught:
    info = teacher.info
    used = folds if labelling.method != "in_sample" else None
    return Taught(
        teacher=teacher,
        method=labelling.method,
        saw_training_rows="yes" if labelling.method == "in_sample" else "no",
        outputs=TeacherOutputs(info.output_kind, info.classes, labelling.outputs),
        folds=used,
    )
