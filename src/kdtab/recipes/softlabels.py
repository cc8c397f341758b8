"""The other way round: a scikit-learn estimator that learns from any teacher."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl
import torch
from returns.result import Result, Success

from kdtab.bundle import Metrics
from kdtab.config.base import parse_config, revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import FloatArray
from kdtab.data.prepared import EncodedRows, PreparedTable
from kdtab.data.split import twin_groups
from kdtab.errors.issue import Issues
from kdtab.metrics.logits import log_probabilities
from kdtab.metrics.numbers import root_mean_squared_error
from kdtab.metrics.retention import Gain, gain_retained
from kdtab.results import Checked, check, gather
from kdtab.shell.device import resolve_device
from kdtab.shell.progress import SILENT, RunProgress
from kdtab.shell.trained import DistillEvidence
from kdtab.teachers.classroom import Classroom
from kdtab.teachers.estimatorstudent import EstimatorStudent, InputKind, encoded_matrix
from kdtab.teachers.evidence import evidence_notes
from kdtab.teachers.instruction import Instruction, instruction_by
from kdtab.teachers.pupils import FittedPupil, Pupil, checked_pupil
from kdtab.teachers.refit import estimator_task
from kdtab.teachers.studentfit import Wish
from kdtab.teachers.studentview import losses_of_targets, student_classes, student_targets
from kdtab.teachers.targets import SMALLEST_PROBABILITY
from kdtab.teachers.taught import label_columns_issues


def distill_to_estimator(
    frame: pl.DataFrame,
    teacher: object,
    estimator: object,
    config: TrainingConfig,
    *,
    alpha: float = 0.5,
    inputs: InputKind = "table",
    labels: LabelConfig | None = None,
    columns: ColumnOptions | None = None,
    device: str | torch.device | None = None,
    progress: RunProgress = SILENT,
) -> Result[EstimatorStudent, Issues]:
    """Fit a scikit-learn estimator on the labels of a frame and on what the teacher knows.

    A classifier is given each row once for each class, with the weight
    alpha · [y = c] + (1 − alpha) · q_c (see `soft_label_rows`), or, if it has `fit_soft`, that
    distribution itself; a regressor is given alpha · y + (1 − alpha) · t. The split is that of
    `distill_student`, and so are the teacher's labels: those of a teacher that can be fitted are
    out of fold. Validation rows stay unused.

    Args:
        frame: Raw rows, the target among the columns.
        teacher: As for `distill_student`: a bundle, the name of a kind, an estimator, ….
        estimator: A classifier whose `fit` takes `sample_weight` (in a pipeline its last step), or
            a regressor; cloned, never fitted itself. Open `random_state`s get the config's seed.
        config: Target, task, split and seed; the rest is of networks.
        alpha: Weight of the labels, in [0, 1].
        inputs: "table" leaves numbers in their unit, so that a tree can be read; "network" scales
            and clips them, which linear models want.
        labels: How the training rows are labelled; None cross-fits whatever can be fitted.
        columns: Which columns count; None takes all but the target.
        device: Where networks are asked or fitted.
        progress: Hears of every fit of the teacher.

    Returns:
        The fitted estimator with its metrics, and the same estimator without a teacher; or every
        issue of the estimator, refused before anything is fitted, and those of `distill_student`.

    Example:
        >>> from sklearn.tree import DecisionTreeClassifier, export_text
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 50, "y": ["no", "yes"] * 50})
        >>> tree = DecisionTreeClassifier(max_depth=1)
        >>> config = TrainingConfig(target_column="y")
        >>> student = distill_to_estimator(frame, "boosted", tree, config, device="cpu").unwrap()
        >>> student.metrics.test_metric_name, student.metrics.test_metric_value
        ('accuracy', 1.0)
        >>> export_text(student.estimator, feature_names=student.feature_names).splitlines()[0]
        '|--- x <= 0.50'
    """
    knobs = parse_config(DistillConfig, {"alpha": alpha})
    options, policy = columns or ColumnOptions(), labels or LabelConfig()
    place, asked = resolve_device(device), None if config.task == "auto" else config.task
    fits = checked_pupil(estimator, asked)
    return Result.do(
        student
        for _ in gather(knobs, place, fits, check(*label_columns_issues(frame, policy)))
        for own in fits
        for decided in revise(config, task=estimator_task(own) or config.task)
        for chosen in place
        for known in knobs
        for given in instruction_by(
            teacher,
            Wish(
                Classroom(frame, decided, options, policy, chosen),
                known,
                progress,
                scratch=False,
                evidence=True,
            ),
        )
        for _fits in checked_pupil(own, given.prepared.task)
        for student in _student(
            frame,
            given,
            Pupil(own, student_classes(given.prepared), config.random_seed),
            alpha,
            inputs,
        )
    )


def _student(
    frame: pl.DataFrame, given: Instruction, pupil: Pupil, alpha: float, inputs: InputKind
) -> Checked[EstimatorStudent]:
    prepared, evidence = given.prepared, given.evidence
    split, targets = prepared.split, prepared.training.targets
    rows, asked = (
        encoded_matrix(frame[numbers], prepared.artifacts, inputs)
        for numbers in (split.training, split.test)
    )
    return Result.do(
        EstimatorStudent(
            pupil=taught,
            alone=alone,
            artifacts=prepared.artifacts,
            inputs=inputs,
            metrics=_metrics(taught, of_taught, prepared),
            metrics_alone=_metrics(alone, of_alone, prepared),
            gain=gain if taught.gives_probabilities or not taught.classes else None,
            evidence=evidence,
            notes=tuple(_notes(taught, prepared, evidence)),
        )
        for taught in pupil.taught(rows, _spoken(given), targets, alpha)
        for alone in pupil.alone(rows, targets)
        for of_taught in taught.outputs(asked)
        for of_alone in alone.outputs(asked)
        for gain in _gain(of_taught, of_alone, prepared, evidence)
    )


def _spoken(given: Instruction) -> FloatArray:
    """Probabilities, or values in the target's unit; NaN where no teacher spoke."""
    spoken = given.spoken.astype(np.float64)
    if given.prepared.task == "classification":
        known = ~np.isnan(spoken).any(axis=1)
        shares = np.full(spoken.shape, np.nan)
        shares[known] = np.exp(log_probabilities(spoken[known]))
        return shares
    scaler = given.prepared.artifacts.target_scaler
    return spoken if scaler is None else scaler.inverse_transform(spoken)


def _losses(outputs: FloatArray, rows: EncodedRows, prepared: PreparedTable) -> FloatArray:
    """[N] log losses with probabilities of at least 1e-7, or squared errors in the unit of training."""
    if prepared.task == "classification":
        chosen = outputs[np.arange(len(outputs)), rows.targets.astype(np.int64)]
        losses: FloatArray = -np.log(np.maximum(chosen, SMALLEST_PROBABILITY))
        return losses
    scaler, truth = prepared.artifacts.target_scaler, rows.targets.astype(np.float64)
    missed = outputs[:, 0] - truth
    squares: FloatArray = (missed if scaler is None else missed / scaler.scale) ** 2
    return squares


def _metrics(pupil: FittedPupil, outputs: FloatArray, prepared: PreparedTable) -> Metrics:
    rows = prepared.test
    measured = Metrics(
        task=prepared.task,
        train_loss=float("nan"),
        test_loss=float(np.mean(_losses(outputs, rows, prepared))),
        test_metric_name="rmse",
        test_metric_value=root_mean_squared_error(outputs[:, 0], rows.targets.astype(np.float64)),
        training_rows=len(prepared.training.targets),
        test_rows=len(rows.targets),
    )
    if prepared.task == "regression":
        return measured
    return replace(
        measured,
        test_loss=measured.test_loss if pupil.gives_probabilities else float("nan"),
        test_metric_name="accuracy",
        test_metric_value=float(np.mean(outputs.argmax(axis=1) == rows.targets)),
    )


def _gain(
    taught: FloatArray,
    alone: FloatArray,
    prepared: PreparedTable,
    evidence: DistillEvidence | None,
) -> Checked[Gain | None]:
    if evidence is None:
        return Success(None)
    rows = prepared.test
    _, groups = np.unique(twin_groups(pl.DataFrame(rows.inputs)), return_inverse=True)
    return student_targets(evidence.test_outputs, prepared, "zero").map(
        lambda spoken: gain_retained(
            _losses(alone, rows, prepared),
            _losses(taught, rows, prepared),
            losses_of_targets(spoken, rows, prepared),
            np.random.default_rng(0),
            groups=groups,
        )
    )


def _notes(
    pupil: FittedPupil, prepared: PreparedTable, evidence: DistillEvidence | None
) -> Iterator[str]:
    yield from prepared.report.notes
    if evidence is not None:
        yield from evidence_notes(evidence, prepared)
    if pupil.classes and not pupil.gives_probabilities:
        yield f"{type(pupil.estimator).__name__} gives no probabilities, so it has no log loss"
