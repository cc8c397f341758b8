"""Report: what a student kept of its teacher, on the rows that neither of them saw."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from returns.result import Result

from kdtab.bundle import ModelBundle
from kdtab.errors.issue import Issues
from kdtab.errors.teachers import TeacherMissing
from kdtab.report.answers import bundle_outputs, outputs_with_cost
from kdtab.report.heldout import held_out_phrase, rows_among
from kdtab.report.history import METHODS, draw_seed, run_facts
from kdtab.report.inputs import EpochLosses, MeasuredRows, ModelOutputs
from kdtab.report.side_by_side import summarize
from kdtab.report.summary import Role, Summary
from kdtab.report.truth import measured_rows, rows_with_target, student_request
from kdtab.results import fail
from kdtab.shell.timing import speed_of
from kdtab.shell.trained import DistillEvidence, TeacherGate, TrainedModel


def report_distillation(
    frame: pl.DataFrame,
    student: TrainedModel,
    *,
    segments: Sequence[str] = (),
    others: Sequence[tuple[str, TrainedModel]] = (),
) -> Result[Summary, Issues]:
    """Teacher, student and scratch student side by side on the test rows.

    Args:
        frame: The table that the student was distilled on.
        student: With the evidence of its distillation; with a scratch student the report has the
            gain retained.
        segments: Columns to look at the rows by.
        others: Students that were fitted too, each with a few words that tell it from the rest.

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
    known, tested = student.bundle.provenance, frame[evidence.test_rows]
    return _measured_rows(frame, student.bundle, evidence, segments).map(
        lambda rows: summarize(
            rows,
            _teacher_outputs(evidence),
            _student_outputs("student", student, tested),
            None
            if evidence.scratch is None
            else _student_outputs("scratch student", evidence.scratch, tested),
            facts=(*_facts(evidence), *run_facts(known)),
            notes=student.report.notes,
            random_seed=draw_seed(known),
            others=[_student_outputs(name, model, tested) for name, model in others],
        )
    )


def _measured_rows(
    frame: pl.DataFrame, bundle: ModelBundle, evidence: DistillEvidence, segments: Sequence[str]
) -> Result[MeasuredRows, Issues]:
    request = student_request(bundle, frame)
    return rows_with_target(bundle, request).bind(
        lambda labelled: measured_rows(
            bundle,
            request,
            rows_among(labelled, evidence.test_rows),
            which=_which(evidence),
            segments=segments,
        )
    )


def _which(evidence: DistillEvidence) -> str:
    """A teacher that was fitted elsewhere may have seen any row."""
    elsewhere = evidence.method == "as_given" and evidence.saw_training_rows != "yes"
    unseen: tuple[Role, ...] = ("student", *(() if evidence.scratch is None else ("scratch",)))
    if elsewhere:
        return held_out_phrase(unseen, ("teacher",))
    return held_out_phrase(("teacher", *unseen), ())


def _teacher_outputs(evidence: DistillEvidence) -> ModelOutputs:
    speed = speed_of(evidence.outputs_of, evidence.table[evidence.test_rows])
    return outputs_with_cost(evidence.teacher, evidence.test_outputs, speed)


def _student_outputs(name: str, model: TrainedModel, tested: pl.DataFrame) -> ModelOutputs:
    history = tuple(
        EpochLosses(record.epoch, record.loss, record.validation_loss, dict(record.terms))
        for record in model.report.fitted.history
    )
    return bundle_outputs(name, model.bundle, tested, history)


def _facts(evidence: DistillEvidence) -> tuple[tuple[str, str], ...]:
    gap = evidence.leak_gap
    return (
        ("labels", METHODS[evidence.method]),
        *_gate_facts(evidence.gate),
        (
            "the teacher's loss on held-out rows less that on its labels",
            "not known" if gap is None else f"{gap:.4g}",
        ),
        ("training rows with an identical twin", f"{evidence.identical_share:.1%}"),
        ("seconds of the teacher", f"{evidence.seconds:.1f}"),
    )


def _gate_facts(gate: TeacherGate | None) -> tuple[tuple[str, str], ...]:
    """What was known of the teacher before the student was trained."""
    if gate is None:
        return ()
    place = "validation" if gate.place == "validation" else "training"
    low, high = gate.lead_interval.low, gate.lead_interval.high
    name = f"the teacher's lead over the student alone on {gate.rows:,} {place} rows, beforehand"
    return ((name, f"{gate.lead:.4g} [{low:.4g}, {high:.4g}]"),)
