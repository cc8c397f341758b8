"""From a frame to encoded rows and artifacts: fitted for a teacher, inherited for a student."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.config.columns import ColumnOptions
from kdtab.config.schema import DateColumn, TableSchema
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import Task, TrainingConfig
from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.artifacts import (
    Artifacts,
    encode_parts,
    fit_artifacts,
    fit_medians,
    network_targets,
)
from kdtab.data.columns import fit_columns
from kdtab.data.hints import comma_remarks
from kdtab.data.labelled import (
    LabelledRows,
    TableRequest,
    check_request,
    decide_task,
    labelled_rows,
    split_labelled_rows,
)
from kdtab.data.prepared import EncodedRows, PreparedTable
from kdtab.data.report import PreparationReport
from kdtab.data.scale import fit_target_scaler
from kdtab.data.split import Split
from kdtab.data.target import TaskDecision, fit_label_encoder
from kdtab.errors.base import listed
from kdtab.errors.columns import NoFeatureColumns
from kdtab.errors.teachers import LabelEncoderMissing, NoTeacherColumns
from kdtab.results import Checked, check, fail

__all__ = [
    "EncodedRows",
    "PreparationReport",
    "PreparedTable",
    "network_targets",
    "prepare_table",
    "prepare_with_artifacts",
]


def prepare_table(
    frame: pl.DataFrame,
    config: TrainingConfig,
    options: ColumnOptions,
    labels: LabelConfig | None = None,
) -> Checked[PreparedTable]:
    """Fit every artifact on the training split of a table, and encode its rows (REQ-T06).

    Args:
        frame: [N] rows as read; not changed.
        config: Target, task, mode, split sizes and seed.
        options: Exclusions, dates, missing markers, categories to keep.
        labels: Its group and time column tie rows to each other; None: they do not.

    Returns:
        The prepared table, or what is wrong: `ColumnMissing`, `TargetExcluded`, `FieldInvalid`,
        `ModeNeedsClassification` (REQ-T05), `TargetEmpty`, `TargetNotNumeric`, `TooFewRows`,
        `NoFeatureColumns`, or the issues of date columns.

    Example:
        >>> frame = pl.DataFrame({"x": [1, 2], "y": [0.5, 1.5]})
        >>> prepare_table(frame, TrainingConfig(target_column="z"), ColumnOptions()).failure().first
        ColumnMissing(name='z', role='target_column', columns=('x', 'y'))
    """
    request = TableRequest(frame, config, options, labels or LabelConfig())
    return (
        check_request(request)
        .bind(lambda _: decide_task(request))
        .bind(lambda decision: labelled_rows(request, decision))
        .bind(lambda labelled: _fit(request.coded(), labelled, request.text_columns))
    )


def prepare_with_artifacts(
    frame: pl.DataFrame,
    config: TrainingConfig,
    options: ColumnOptions,
    artifacts: Artifacts,
    task: Task,
    labels: LabelConfig | None = None,
) -> Checked[PreparedTable]:
    """Encode a table with the artifacts of a teacher; nothing is fitted again (REQ-KD11…13).

    Only medians that the teacher lacks are taken from this table's training split (REQ-KD26). The
    same table, seed, sizes and exclusions give the split that `prepare_table` gives.

    Args:
        frame: [N] rows as read; not changed.
        config: Target, split sizes and seed; its task and its mode are not looked at.
        options: Exclusions, and the missing markers of the target.
        artifacts: The teacher's; columns it does not know are ignored, columns that are absent
            count as missing, and the report names both.
        task: The teacher's.
        labels: Its group and time column tie rows to each other; None: they do not.

    Returns:
        The prepared table with the same artifact objects, or what is wrong: `ColumnMissing`,
        `TargetExcluded`, `FieldInvalid`, `LabelEncoderMissing` (REQ-KD12), `NoTeacherColumns`,
        `LabelsUnknown`, `TargetEmpty`, `TargetNotNumeric`, `TooFewRows`.

    Example:
        >>> frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": ["a", "b", "a", "b"]})
        >>> config = TrainingConfig(target_column="y")
        >>> first = prepare_table(frame, config, ColumnOptions()).unwrap()
        >>> again = prepare_with_artifacts(
        ...     frame, config, ColumnOptions(), first.artifacts, "classification"
        ... ).unwrap()
        >>> again.artifacts is first.artifacts, (again.split.test == first.split.test).all().item()
        (True, True)
    """
    request = TableRequest(frame, config, options, labels or LabelConfig())
    return (
        check_request(request)
        .bind(lambda _: _check_teacher(request, artifacts, task))
        .bind(lambda _: labelled_rows(request, TaskDecision(task, "the teacher's task")))
        .bind(lambda labelled: _inherit(request.coded(), labelled, artifacts))
    )


def _fit(
    request: TableRequest, labelled: LabelledRows, texts: frozenset[str]
) -> Checked[PreparedTable]:
    return split_labelled_rows(request, labelled).bind(
        lambda split: _fit_schema(request, split, texts).bind(
            lambda schema: _assemble(
                request,
                labelled,
                split,
                schema,
                _fit_artifacts(request, labelled, split, schema),
                PreparationReport(
                    rows=request.frame.height,
                    left_out=schema.left_out,
                    remarks=_comma_remarks(request, texts),
                ),
            )
        )
    )


def _comma_remarks(request: TableRequest, texts: frozenset[str]) -> tuple[str, ...]:
    names = (request.config.target_column, *request.feature_names)
    asked = tuple(name for name in names if name in texts)
    return comma_remarks(request.frame, asked, request.options.missing_markers)


def _fit_schema(request: TableRequest, split: Split, texts: frozenset[str]) -> Checked[TableSchema]:
    target = request.config.target_column
    return fit_columns(request.frame, split.training, request.options, target, texts=texts).bind(
        lambda schema: (
            Success(schema)
            if schema.features
            else fail(
                NoFeatureColumns(target=target, left_out=tuple(c.name for c in schema.left_out))
            )
        )
    )


def _fit_artifacts(
    request: TableRequest, labelled: LabelledRows, split: Split, schema: TableSchema
) -> Artifacts:
    markers = request.options.missing_markers
    fitted = fit_artifacts(request.frame, schema.features, markers, split.training)
    if labelled.decision.task == "classification":
        return replace(fitted, label_encoder=fit_label_encoder(labelled.cells))
    values = _targets_at(labelled, split.training).astype(np.float64)
    return replace(fitted, target_scaler=fit_target_scaler(values))


def _check_teacher(request: TableRequest, artifacts: Artifacts, task: Task) -> Checked[None]:
    expected, found = artifacts.vectorizer.column_names, request.feature_names
    no_encoder = task == "classification" and artifacts.label_encoder is None
    return check(
        LabelEncoderMissing() if no_encoder else None,
        NoTeacherColumns(expected=expected, found=found)
        if not set(expected) & set(found)
        else None,
    )


def _inherit(
    request: TableRequest, labelled: LabelledRows, artifacts: Artifacts
) -> Checked[PreparedTable]:
    schema = TableSchema(features=artifacts.vectorizer.columns, left_out=())
    return split_labelled_rows(request, labelled).bind(
        lambda split: _assemble(
            request,
            labelled,
            split,
            schema,
            _with_medians(request, split, artifacts),
            _difference(request, artifacts),
        )
    )


def _with_medians(request: TableRequest, split: Split, artifacts: Artifacts) -> Artifacts:
    if artifacts.feature_medians is not None:
        return artifacts
    medians = fit_medians(request.frame, artifacts.vectorizer, split.training)
    return replace(artifacts, feature_medians=medians)


def _difference(request: TableRequest, artifacts: Artifacts) -> PreparationReport:
    expected, found = artifacts.vectorizer.column_names, request.feature_names
    used = request.frame.select(name for name in expected if name in found)
    return PreparationReport(
        rows=request.frame.height,
        unreadable=artifacts.vectorizer.unreadable(used),
        columns_absent=tuple(name for name in expected if name not in found),
        columns_extra=tuple(name for name in found if name not in expected),
        remarks=tuple(_date_remarks(request, artifacts)),
    )


def _date_remarks(request: TableRequest, artifacts: Artifacts) -> Iterator[str]:
    dates = {c.name for c in artifacts.vectorizer.columns if isinstance(c, DateColumn)}
    others = [name for name in request.options.date_columns if name not in dates]
    if others:
        yield f"the teacher does not read these date_columns as dates: {listed(others)}"


def _assemble(
    request: TableRequest,
    labelled: LabelledRows,
    split: Split,
    schema: TableSchema,
    artifacts: Artifacts,
    report: PreparationReport,
) -> Checked[PreparedTable]:
    frame = request.frame.select(request.feature_names)
    rows = (split.training, split.validation, split.test)
    training, validation, test = encode_parts(frame, artifacts, rows)
    return _coded(labelled, artifacts).map(
        lambda coded: PreparedTable(
            task=labelled.decision.task,
            task_reason=labelled.decision.reason,
            artifacts=artifacts,
            schema=schema,
            split=split,
            training=EncodedRows(training, _targets_at(coded, split.training)),
            validation=EncodedRows(validation, _targets_at(coded, split.validation)),
            test=EncodedRows(test, _targets_at(coded, split.test)),
            report=_with_rows(report, labelled, split, coded, artifacts),
        )
    )


def _coded(labelled: LabelledRows, artifacts: Artifacts) -> Checked[LabelledRows]:
    if artifacts.label_encoder is None or labelled.decision.task == "regression":
        return Success(labelled)
    return artifacts.label_encoder.transform(labelled.cells).map(
        lambda codes: replace(labelled, cells=pl.Series(codes))
    )


def _targets_at(labelled: LabelledRows, rows: IntArray) -> IntArray | FloatArray:
    at = np.searchsorted(labelled.rows, rows)
    targets: IntArray | FloatArray = labelled.cells.to_numpy()[at]
    return targets


def _with_rows(
    report: PreparationReport,
    labelled: LabelledRows,
    split: Split,
    coded: LabelledRows,
    artifacts: Artifacts,
) -> PreparationReport:
    encoder = artifacts.label_encoder if labelled.decision.task == "classification" else None
    classes = encoder.classes if encoder else ()
    counts = np.bincount(coded.cells.to_numpy(), minlength=len(classes)) if encoder else ()
    tested = set(_targets_at(coded, split.test).tolist())
    rare = (name for code, name in enumerate(classes) if code not in tested and counts[code])
    return replace(
        report,
        rows_without_target=report.rows - len(labelled.rows),
        identical_share=split.identical_share,
        class_counts=tuple((name, int(count)) for name, count in zip(classes, counts, strict=True)),
        rare_classes=tuple(rare),
        remarks=(*report.remarks, *split.notes),
    )
