"""The rows of a table that have a target, and how they are split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.config.columns import ColumnOptions
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import CLASSIFICATION_ONLY, TrainingConfig
from kdtab.data.arrays import IntArray
from kdtab.data.coded import code_texts
from kdtab.data.dependentsplit import RowTies, split_dependent_rows
from kdtab.data.fingerprint import row_twins
from kdtab.data.foldcolumns import group_numbers, time_values
from kdtab.data.split import Split, split_rows
from kdtab.data.target import TaskDecision, infer_task, target_labels, target_values
from kdtab.errors.columns import ColumnMissing, TargetEmpty
from kdtab.errors.configs import FieldInvalid, ModeNeedsClassification, TargetExcluded
from kdtab.errors.issue import Issue
from kdtab.results import Checked, check, fail

UNTIED = LabelConfig()
"""Neither a group nor a time column."""


@dataclass(frozen=True, eq=False)
class TableRequest:
    """A table and what is wanted from it.

    Attributes:
        frame: [N] rows as read.
        config: Target, task, mode, split sizes and seed.
        options: Exclusions, dates, missing markers.
        labels: Its group and time column keep rows that depend on each other on one side.

    Example:
        >>> frame = pl.DataFrame({"x": [1], "id": [7], "y": [0]})
        >>> request = TableRequest(
        ...     frame, TrainingConfig(target_column="y"), ColumnOptions(exclude_columns=("id",))
        ... )
        >>> request.feature_names
        ('x',)
    """

    frame: pl.DataFrame
    config: TrainingConfig
    options: ColumnOptions
    labels: LabelConfig = UNTIED

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The columns that are neither the target nor excluded, in the table's order.

        Example:
            >>> frame = pl.DataFrame({"x": [1], "y": [0]})
            >>> TableRequest(frame, TrainingConfig(target_column="y"), ColumnOptions()).feature_names
            ('x',)
        """
        skipped = {self.config.target_column, *self.options.exclude_columns}
        return tuple(name for name in self.frame.columns if name not in skipped)

    @property
    def text_columns(self) -> frozenset[str]:
        """The columns that are text as read.

        Example:
            >>> frame = pl.DataFrame({"x": ["u"], "y": [0]})
            >>> config = TrainingConfig(target_column="y")
            >>> TableRequest(frame, config, ColumnOptions()).text_columns
            frozenset({'x'})
        """
        return frozenset(name for name, dtype in self.frame.schema.items() if dtype == pl.String)

    def coded(self) -> TableRequest:
        """The same request with coded features: each distinct text is then read once.

        The target stays as it is, since its type decides the task.

        Returns:
            The request of the same rows.

        Example:
            >>> frame = pl.DataFrame({"x": ["u"] * 9, "y": ["a"] * 9})
            >>> config = TrainingConfig(target_column="y")
            >>> TableRequest(frame, config, ColumnOptions()).coded().frame.dtypes
            [Enum(categories=['u']), String]
        """
        target = self.config.target_column
        features = code_texts(self.frame.drop(target))
        return replace(self, frame=features.with_columns(self.frame[target]))


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """The rows that have a target.

    Attributes:
        decision: The task and why.
        rows: [M] row numbers of the table, ascending.
        cells: [M] canonical labels (String) for classification, numbers (Float64) for regression.

    Example:
        >>> import numpy as np
        >>> decision = TaskDecision("classification", "given")
        >>> len(LabelledRows(decision, np.array([0, 2]), pl.Series(["a", "b"])).cells)
        2
    """

    decision: TaskDecision
    rows: IntArray
    cells: pl.Series


def check_request(request: TableRequest) -> Checked[None]:
    """Everything that can be wrong with a request before a cell is looked at.

    Args:
        request: The table and what is wanted from it.

    Returns:
        Nothing, or all of `TargetExcluded`, `ColumnMissing`, `FieldInvalid`.

    Example:
        >>> frame = pl.DataFrame({"x": [1], "y": [0]})
        >>> config = TrainingConfig(target_column="y")
        >>> options = ColumnOptions(exclude_columns=("X1", "y"))
        >>> len(check_request(TableRequest(frame, config, options)).failure())
        2
    """
    return check(*_request_issues(request))


def decide_task(request: TableRequest) -> Checked[TaskDecision]:
    """The task that was asked for, or the one that the target asks for (REQ-T04, REQ-T05).

    Args:
        request: Its target column is in the table.

    Returns:
        The task and why, or `ModeNeedsClassification`.

    Example:
        >>> frame = pl.DataFrame({"y": ["a", "b", "c"]})
        >>> config = TrainingConfig(target_column="y")
        >>> decide_task(TableRequest(frame, config, ColumnOptions())).unwrap().task
        'classification'
    """
    config = request.config
    if config.task == "auto":
        target = request.frame[config.target_column]
        decision = infer_task(target, request.options.missing_markers)
    else:
        decision = TaskDecision(config.task, "the task was given")
    if config.training_mode in CLASSIFICATION_ONLY and decision.task == "regression":
        return fail(ModeNeedsClassification(mode=config.training_mode, reason=decision.reason))
    return Success(decision)


def labelled_rows(request: TableRequest, decision: TaskDecision) -> Checked[LabelledRows]:
    """The rows whose target is not missing, with the target read for the task.

    Args:
        request: Its target column is in the table.
        decision: The task.

    Returns:
        The rows, or `TargetEmpty`, `TargetNotNumeric`.

    Example:
        >>> request = TableRequest(
        ...     pl.DataFrame({"y": ["1.0", "nan", "2"]}), TrainingConfig(target_column="y"), ColumnOptions()
        ... )
        >>> labelled_rows(request, TaskDecision("classification", "")).unwrap().cells.to_list()
        ['1', '2']
    """
    markers = request.options.missing_markers
    cells = request.frame[request.config.target_column]
    labels = target_labels(cells, markers)
    if labels.null_count() == len(labels):
        return fail(TargetEmpty(target=cells.name, rows=len(cells)))
    if decision.task == "classification":
        return Success(_present(labels, decision))
    return target_values(cells, markers).bind(
        lambda values: (
            fail(TargetEmpty(target=cells.name, rows=len(cells)))
            if values.null_count() == len(values)
            else Success(_present(values, decision))
        )
    )


def split_labelled_rows(request: TableRequest, labelled: LabelledRows) -> Checked[Split]:
    """The split of the rows with a target, stratified by label (REQ-KD14).

    Rows count as identical as in `request_twins`. With a group or a time column it is the split of
    `split_dependent_rows`.

    Args:
        request: Sizes, seed, and the columns that tie rows to each other.
        labelled: The rows.

    Returns:
        Row numbers of the table, or `TooFewRows`, or the issues of `time_values` and
        `split_dependent_rows`.

    Example:
        >>> request = TableRequest(
        ...     pl.DataFrame({"x": [1, 2], "y": ["a", "a"]}), TrainingConfig(target_column="y"), ColumnOptions()
        ... )
        >>> labelled = labelled_rows(request, TaskDecision("classification", "")).unwrap()
        >>> len(split_labelled_rows(request, labelled).unwrap().test)
        1
    """
    config, rows = request.config, labelled.rows
    strata, twins = _strata(labelled.cells), request_twins(request, rows)
    shares = {"test_size": config.test_size, "validation_size": config.validation_size}
    seed = config.random_seed
    if request.labels.group_column is None and request.labels.time_column is None:
        return split_rows(rows, strata, twins, **shares, seed=seed)
    return _row_ties(request, rows).bind(
        lambda ties: split_dependent_rows(rows, strata, twins, ties, **shares, seed=seed)
    )


def _row_ties(request: TableRequest, rows: IntArray) -> Checked[RowTies]:
    frame, markers = request.frame[rows], request.options.missing_markers
    grouped, timed = request.labels.group_column, request.labels.time_column
    groups = None if grouped is None else group_numbers(frame[grouped], markers)
    if timed is None:
        return Success(RowTies(groups))
    return time_values(frame[timed], markers).map(lambda times: RowTies(groups, times))


def request_twins(request: TableRequest, rows: IntArray) -> IntArray:
    """Which rows are identical: all columns that are not excluded are, whatever the target says.

    With the target among them, rows of one cell of a table of categories would stand on both sides
    by their labels: the training rows would say no, and the test rows yes.

    Args:
        request: The table and its columns.
        rows: [M] row numbers of the table.

    Returns:
        [M] int64 from 0, the same for rows of the same values, however they are spelt.

    Example:
        >>> import numpy as np
        >>> frame = pl.DataFrame({"x": ["1", "1.0"], "id": [1, 2], "y": ["a", "b"]})
        >>> options = ColumnOptions(exclude_columns=("id",))
        >>> request = TableRequest(frame, TrainingConfig(target_column="y"), options)
        >>> request_twins(request, np.array([0, 1])).tolist()
        [0, 0]
    """
    if not request.feature_names:
        return np.arange(len(rows))
    features = request.frame.select(request.feature_names)
    return row_twins(features if len(rows) == features.height else features[rows])


def _strata(cells: pl.Series) -> IntArray:
    strata = cells.rank("dense") if cells.dtype == pl.String else cells * 0
    numbers: IntArray = strata.cast(pl.Int64).to_numpy()
    return numbers


def _present(cells: pl.Series, decision: TaskDecision) -> LabelledRows:
    rows = cells.is_not_null().arg_true().cast(pl.Int64).to_numpy()
    return LabelledRows(decision, rows, cells.drop_nulls())


def _request_issues(request: TableRequest) -> Iterator[Issue]:
    config, options, columns = request.config, request.options, tuple(request.frame.columns)
    if config.target_column in options.exclude_columns:
        yield TargetExcluded(target=config.target_column)
    named = (
        ("target_column", (config.target_column,)),
        ("exclude_columns", options.exclude_columns),
        ("date_columns", options.date_columns),
        ("group_column", tuple(filter(None, (request.labels.group_column,)))),
        ("time_column", tuple(filter(None, (request.labels.time_column,)))),
    )
    for role, names in named:
        for name in dict.fromkeys(names):
            if name not in columns:
                yield ColumnMissing(name=name, role=role, columns=columns)
    if config.target_column in options.date_columns:
        rule = "must not name the target column"
        yield FieldInvalid(name="date_columns", rule=rule, found=config.target_column)
