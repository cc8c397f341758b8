"""Compare: a teacher and a student side by side on a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from returns.result import Result, Success

from kdtab.bundle import Metrics, ModelBundle
from kdtab.config.columns import ColumnOptions
from kdtab.config.manifest import Provenance
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import IntArray
from kdtab.data.artifacts import encode_features
from kdtab.data.fingerprint import table_fingerprint
from kdtab.data.labelled import (
    LabelledRows,
    TableRequest,
    check_request,
    labelled_rows,
    split_labelled_rows,
)
from kdtab.data.prepare import EncodedRows
from kdtab.data.target import TaskDecision
from kdtab.errors.issue import Issues
from kdtab.errors.teachers import LabelEncoderMissing, TaskMismatch
from kdtab.metrics.numbers import r_squared
from kdtab.models.describe import parameter_count
from kdtab.results import check, fail
from kdtab.shell.assemble import measure_bundle, regression_values
from kdtab.shell.infer import network_outputs
from kdtab.shell.scoring import frame_outputs, stored_bytes
from kdtab.shell.timing import rows_per_second

HELD_OUT = "held out when both models were trained"
HELD_OUT_OF_STUDENT = "held out when the student was trained; what the teacher saw is not known"
NOT_KNOWN = "all rows with a target; which of them the models were trained on is not known"


@dataclass(frozen=True)
class ModelFigures:
    """One side of a comparison.

    Attributes:
        metrics: Loss and metric on the compared rows.
        parameters: Numbers that were learnt.
        bytes: Size of the bundle's file, whether it was saved or not.
        rows_per_second: From raw rows to outputs, in one batch of 10,000 rows (the compared rows,
            over and over where they are fewer), median of five runs.

    Example:
        >>> ModelFigures.__dataclass_params__.frozen
        True
    """

    metrics: Metrics
    parameters: int
    bytes: int
    rows_per_second: float


@dataclass(frozen=True)
class Comparison:
    """A teacher and a student on the same rows.

    Attributes:
        rows: How many rows were compared.
        rows_were: Which rows these are, as a phrase: held out of training, or not known.
        teacher: The teacher's figures.
        student: The student's figures.
        agreement: Share of rows with the same class; for regression R² of the student's values
            against the teacher's.
        parameters_saved: The teacher's parameters less the student's; 0 for equal sizes (EC-KD03).

    Example:
        >>> Comparison.__dataclass_params__.frozen
        True
    """

    rows: int
    rows_were: str
    teacher: ModelFigures
    student: ModelFigures
    agreement: float
    parameters_saved: int

    def to_plain(self) -> dict[str, object]:
        """The comparison as JSON-ready data.

        Returns:
            Nested dictionaries of numbers, texts and None: the compared rows have no training
            loss.

        Example:
            >>> Comparison.to_plain.__name__
            'to_plain'
        """
        plain = asdict(self)
        for side in ("teacher", "student"):
            plain[side]["metrics"]["train_loss"] = None
        return plain


def compare_models(
    teacher: ModelBundle,
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
        teacher: The larger model.
        student: The smaller model.
        frame: Raw rows, the target among the columns.
        target_column: The target; None takes the student's.
        columns: Which columns count; None takes what the student recorded.

    Returns:
        Both sides' figures; or `TaskMismatch`, `ColumnMissing`, `LabelsUnknown`.

    Example:
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap().bundle
        >>> compared = compare_models(model, model, frame).unwrap()
        >>> compared.rows, compared.agreement, compared.parameters_saved
        (20, 1.0, 0)
    """
    request = _request(student, frame, target_column, columns)
    mismatch = TaskMismatch(requested=student.task, teacher=teacher.task)
    decision = TaskDecision(student.task, "the task of the student")
    return Result.do(
        _comparison(teacher, student, (of_teacher, of_student), frame[chosen.rows], rows_were)
        for _ in check(mismatch if student.task != teacher.task else None)
        for _checked in check_request(request)
        for labelled in labelled_rows(request, decision)
        for chosen, rows_were in _compared_rows(teacher, student, request, labelled)
        for of_teacher in _encoded(teacher, frame, chosen)
        for of_student in _encoded(student, frame, chosen)
    )


def _request(
    student: ModelBundle,
    frame: pl.DataFrame,
    target_column: str | None,
    columns: ColumnOptions | None,
) -> TableRequest:
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
    return TableRequest(frame, config, options)


def _compared_rows(
    teacher: ModelBundle, student: ModelBundle, request: TableRequest, labelled: LabelledRows
) -> Result[tuple[LabelledRows, str], Issues]:
    fingerprint = table_fingerprint(request.frame)
    asked = _split_settings(fingerprint, request.config, request.options)
    if asked != _recorded_split(student.provenance):
        return Success((labelled, NOT_KNOWN))
    same_split = asked == _recorded_split(teacher.provenance)
    rows_were = HELD_OUT if same_split else HELD_OUT_OF_STUDENT
    return split_labelled_rows(request, labelled).map(
        lambda split: (_only(labelled, split.test), rows_were)
    )


def _recorded_split(known: Provenance) -> tuple[object, ...] | None:
    if known.table_fingerprint is None or known.training_config is None:
        return None
    options = known.column_options or ColumnOptions()
    return _split_settings(known.table_fingerprint, known.training_config, options)


def _split_settings(
    fingerprint: str, config: TrainingConfig, options: ColumnOptions
) -> tuple[object, ...]:
    """All that decides which rows are the test rows."""
    return (
        fingerprint,
        (config.target_column, config.random_seed, config.test_size),
        frozenset(options.exclude_columns),
        options.missing_markers,
    )


def _only(labelled: LabelledRows, rows: IntArray) -> LabelledRows:
    chosen = labelled.cells.gather(np.searchsorted(labelled.rows, rows))
    return LabelledRows(labelled.decision, rows, chosen)


def _encoded(
    bundle: ModelBundle, frame: pl.DataFrame, labelled: LabelledRows
) -> Result[EncodedRows, Issues]:
    inputs = encode_features(frame[labelled.rows], bundle.artifacts)
    if bundle.task == "regression":
        return Success(EncodedRows(inputs, labelled.cells.to_numpy()))
    if bundle.label_encoder is None:
        return fail(LabelEncoderMissing())
    return bundle.label_encoder.transform(labelled.cells).map(
        lambda codes: EncodedRows(inputs, codes)
    )


def _comparison(
    teacher: ModelBundle,
    student: ModelBundle,
    rows: tuple[EncodedRows, EncodedRows],
    raw: pl.DataFrame,
    rows_were: str,
) -> Comparison:
    return Comparison(
        rows=raw.height,
        rows_were=rows_were,
        teacher=_figures(teacher, rows[0], raw),
        student=_figures(student, rows[1], raw),
        agreement=_agreement(teacher, student, rows),
        parameters_saved=parameter_count(teacher.model) - parameter_count(student.model),
    )


def _figures(bundle: ModelBundle, rows: EncodedRows, raw: pl.DataFrame) -> ModelFigures:
    return ModelFigures(
        metrics=measure_bundle(bundle, rows),
        parameters=parameter_count(bundle.model),
        bytes=stored_bytes(bundle),
        rows_per_second=rows_per_second(lambda frame: frame_outputs(bundle, frame), raw),
    )


def _agreement(
    teacher: ModelBundle, student: ModelBundle, rows: tuple[EncodedRows, EncodedRows]
) -> float:
    said = network_outputs(teacher.model, rows[0].inputs)
    learnt = network_outputs(student.model, rows[1].inputs)
    if teacher.label_encoder is None or student.label_encoder is None:
        return r_squared(regression_values(student, learnt), regression_values(teacher, said))
    by_teacher = teacher.label_encoder.inverse_transform(said.argmax(axis=1))
    by_student = student.label_encoder.inverse_transform(learnt.argmax(axis=1))
    return float(np.mean(by_teacher == by_student))
