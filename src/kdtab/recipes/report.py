"""Report: what a student kept of its teacher, on the rows that neither of them saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from returns.result import Result, Success

from kdtab.bundle import ModelBundle
from kdtab.config.columns import ColumnOptions
from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.split import twin_groups
from kdtab.data.target import target_labels, target_values
from kdtab.errors.issue import Issues
from kdtab.errors.teachers import TeacherMissing
from kdtab.models.describe import parameter_count
from kdtab.report.inputs import EpochLosses, MeasuredRows, ModelOutputs
from kdtab.report.segments import segments_by_columns
from kdtab.report.side_by_side import summarize
from kdtab.report.summary import Summary
from kdtab.results import fail
from kdtab.shell.assemble import regression_values
from kdtab.shell.scoring import frame_outputs, stored_bytes
from kdtab.shell.timing import speed_of
from kdtab.shell.trained import DistillEvidence, TrainedModel

HELD_OUT = "held out from teacher, student and scratch student"
METHODS = {
    "out_of_fold": "out of fold: no row is labelled by a teacher that saw it",
    "out_of_bag": "out of bag: no row is labelled by a tree that saw it",
    "in_sample": "in-sample: the teacher labelled rows that it was fitted on",
    "as_given": "as given: the teacher was fitted elsewhere",
}


def report_distillation(
    frame: pl.DataFrame, student: TrainedModel, *, segments: Sequence[str] = ()
) -> Result[Summary, Issues]:
    """Teacher, student and scratch student side by side on the test rows.

    Args:
        frame: The table that the student was distilled on.
        student: With the evidence of its distillation; with a scratch student the report has the
            gain retained.
        segments: Columns to look at the rows by.

    Returns:
        The report as plain data; `ColumnMissing` for an unknown segment column, `TeacherMissing`
        for a model that was not distilled.

    Example:
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> table = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> alone = train_model(table, config, device="cpu").unwrap()
        >>> report_distillation(table, alone).failure().first
        TeacherMissing()
    """
    evidence = student.report.evidence
    if evidence is None:
        return fail(TeacherMissing())
    return _measured_rows(frame, student.bundle, evidence, segments).map(
        lambda rows: summarize(
            rows,
            _teacher_outputs(evidence),
            _student_outputs("student", student, frame, evidence),
            None
            if evidence.scratch is None
            else _student_outputs("scratch student", evidence.scratch, frame, evidence),
            facts=_facts(student, evidence),
            notes=student.report.notes,
            random_seed=_seed(student),
        )
    )


def _measured_rows(
    frame: pl.DataFrame, bundle: ModelBundle, evidence: DistillEvidence, segments: Sequence[str]
) -> Result[MeasuredRows, Issues]:
    tested = frame[evidence.test_rows]
    return Result.do(
        MeasuredRows(
            target=bundle.target_column,
            truth=truth,
            classes=bundle.class_names,
            which=HELD_OUT,
            groups=twin_groups(tested),
            segments=found,
        )
        for truth in _truth(tested, bundle)
        for found in segments_by_columns(tested, segments)
    )


def _truth(tested: pl.DataFrame, bundle: ModelBundle) -> Result[IntArray | FloatArray, Issues]:
    options = bundle.provenance.column_options or ColumnOptions()
    cells, markers = tested[bundle.target_column], options.missing_markers
    if bundle.label_encoder is None:
        return target_values(cells, markers).map(lambda values: values.to_numpy())
    return bundle.label_encoder.transform(target_labels(cells, markers)).bind(Success)


def _teacher_outputs(evidence: DistillEvidence) -> ModelOutputs:
    said = evidence.test_outputs
    speed = speed_of(evidence.outputs_of, evidence.table[evidence.test_rows])
    return ModelOutputs(
        name=evidence.teacher.name,
        kind=said.kind,
        values=said.values,
        trees=said.trees,
        bytes=evidence.teacher.size_bytes,
        rows_per_second=speed.rows_per_second,
        p50=speed.p50,
        p99=speed.p99,
    )


def _student_outputs(
    name: str, model: TrainedModel, frame: pl.DataFrame, evidence: DistillEvidence
) -> ModelOutputs:
    bundle, tested = model.bundle, frame[evidence.test_rows]
    scored = _scored(bundle)
    speed = speed_of(scored, tested)
    return ModelOutputs(
        name=name,
        kind="values" if bundle.task == "regression" else "logits",
        values=scored(tested),
        parameters=parameter_count(bundle.model),
        bytes=stored_bytes(bundle),
        rows_per_second=speed.rows_per_second,
        p50=speed.p50,
        p99=speed.p99,
        epochs=tuple(
            EpochLosses(record.epoch, record.loss, record.validation_loss)
            for record in model.report.fitted.history
        ),
    )


def _scored(bundle: ModelBundle) -> Callable[[pl.DataFrame], FloatArray]:
    def scored(frame: pl.DataFrame) -> FloatArray:
        outputs = frame_outputs(bundle, frame)
        if bundle.task == "regression":
            return regression_values(bundle, outputs)[:, np.newaxis]
        return outputs.astype(np.float64)

    return scored


def _facts(student: TrainedModel, evidence: DistillEvidence) -> tuple[tuple[str, str], ...]:
    known = student.bundle.provenance
    knobs = known.distill_config
    gap = evidence.leak_gap
    return (
        ("teacher", evidence.teacher.name),
        ("labels", METHODS[evidence.method]),
        ("the teacher's loss on held-out rows less that on its labels", _text(gap)),
        ("training rows with an identical twin", f"{evidence.identical_share:.1%}"),
        ("temperature", "" if knobs is None else f"{knobs.temperature:g}"),
        ("alpha", "" if knobs is None else f"{knobs.alpha:g}"),
        ("training rows", f"{known.training_rows or 0:,}"),
        ("epochs, batch size, steps", f"{known.epochs}, {known.batch_size}, {known.update_steps}"),
        ("seed", str(_seed(student))),
        ("seconds of the teacher", f"{evidence.seconds:.1f}"),
    )


def _text(gap: float | None) -> str:
    return "not known" if gap is None else f"{gap:.4g}"


def _seed(student: TrainedModel) -> int:
    config = student.bundle.provenance.training_config
    return 0 if config is None else config.random_seed
