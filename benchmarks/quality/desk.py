"""Where the models of one table and seed are fitted, measured on the held-out rows and kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from benchmarks.quality.records import TEACHER, Case, Measured, RowFigures, WorkFolder
from benchmarks.quality.students import Rung
from benchmarks.quality.teaching import LABELS, RecordedTeacher, Room

from kdtab import Predictor, save_bundle
from kdtab.bundle import ModelBundle
from kdtab.config.base import revise
from kdtab.config.variants import StudentVariant
from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.data.outputs import TeacherOutputs
from kdtab.data.prepared import EncodedRows, PreparedTable
from kdtab.metrics.calibration import calibration_error, reliability_bins
from kdtab.metrics.logits import log_probabilities
from kdtab.recipes.students import DistilledStudents, distill_many
from kdtab.recipes.train import train_model
from kdtab.shell.infer import network_outputs
from kdtab.shell.trained import TrainedModel
from kdtab.teachers.keeping import kept_place
from kdtab.teachers.studentview import losses_of_targets, student_classes, student_targets

TEACHER_ROWS, STUDENT_ROWS, WARM_UP = 15, 300, 3


@dataclass(frozen=True, eq=False)
class _Said:
    """What a model says of the rows that choose and of those that measure, in the student's terms."""

    validation: Float32Array
    test: Float32Array


@dataclass(frozen=True)
class _Cost:
    seconds: float
    bytes: int | None = None
    parameters: int | None = None
    row_seconds: float | None = None
    verdict: str | None = None
    facts: Mapping[str, object] | None = None


@dataclass(frozen=True, eq=False)
class Desk:
    """A case at work: its table, where its figures are kept, and the numbers of its test rows."""

    case: Case
    room: Room
    folder: WorkFolder
    numbers: IntArray

    def keep_teacher(self, teacher: RecordedTeacher) -> str:
        """The teacher of all training rows on the rows that nobody saw."""
        spoken, training = teacher.spoken, self.room.prepared.training
        labels = _heard(teacher, spoken.training, self.room.prepared)
        facts = {
            "weights": [f"{name} {weight:.3f}" for name, weight in spoken.weights],
            "out_of_fold_loss": _mean_loss(labels, training, self.room.prepared),
        }
        said = _Said(
            _heard(teacher, spoken.validation, self.room.prepared),
            _heard(teacher, spoken.test, self.room.prepared),
        )
        one_row = median_seconds(self._raw_rows(TEACHER_ROWS), teacher.answer)
        cost = _Cost(spoken.seconds, spoken.bytes, row_seconds=one_row, facts=facts)
        return self._keep(TEACHER, said, cost)

    def keep_rung(self, rung: Rung, teacher: RecordedTeacher) -> Iterator[str]:
        """The students of a rung, and what of them would be handed out."""
        room, began = self.room, process_time()
        config = rung.training_config(room.config)
        if rung.beginning:
            model = train_model(room.frame, config, columns=room.columns, device="cpu").unwrap()
            yield self._keep_model(rung.name, model, process_time() - began)
            return
        found = distill_many(
            room.frame,
            teacher,
            config,
            [StudentVariant(), *(StudentVariant(alpha=alpha) for alpha in rung.alphas)],
            rung.distill_config(),
            labels=revise(LABELS, gate=rung.alone is not None).unwrap(),
            columns=room.columns,
            device="cpu",
            scratch=rung.alone is not None,
        ).unwrap()
        yield from self._keep_found(rung, found, process_time() - began)

    def _keep_found(self, rung: Rung, found: DistilledStudents, seconds: float) -> Iterator[str]:
        """The rung's own student last: where it is measured, so is all that came with it."""
        taught = [one.outcome.unwrap() for one in found.every]
        models = [*taught, *([] if found.scratch is None else [found.scratch])]
        share = seconds / len(models)
        if rung.alone is not None and found.scratch is not None:
            yield self._keep_model(rung.alone, found.scratch, share)
        if rung.handed_out is not None:
            kept = models[self._kept(models, taught[0])]
            yield self._keep_model(rung.handed_out, kept, seconds)
        yield self._keep_model(rung.name, taught[0], share)

    def _kept(self, models: list[TrainedModel], usual: TrainedModel) -> int:
        """By kdtab's own rule: the teacher's gate, and one standard error on the validation rows."""
        rows = self.room.prepared.validation
        losses = [
            losses_of_targets(
                network_outputs(one.bundle.model, rows.inputs), rows, self.room.prepared
            )
            for one in models
        ]
        gate = None if usual.report.evidence is None else usual.report.evidence.gate
        verdict = None if gate is None else gate.verdict
        return kept_place(losses, 0, alone=len(models) - 1, verdict=verdict)

    def _keep_model(self, name: str, model: TrainedModel, seconds: float) -> str:
        evidence, bundle, rows = model.report.evidence, model.bundle, self.room.prepared
        gate = None if evidence is None else evidence.gate
        said = _Said(
            network_outputs(bundle.model, rows.validation.inputs),
            network_outputs(bundle.model, rows.test.inputs),
        )
        facts = {
            "steps": model.metrics.update_steps,
            "best_epoch": model.report.fitted.best_epoch,
            "notes": model.report.notes,
        }
        verdict = None if gate is None else gate.verdict
        size, predictor = saved(bundle)
        row = median_seconds(self._raw_rows(STUDENT_ROWS), predictor.predict_row)
        cost = _Cost(seconds, size, bundle.parameter_count, row, verdict, facts)
        return self._keep(name, said, cost)

    def _raw_rows(self, count: int) -> Sequence[Mapping[str, object]]:
        test = self.room.frame[self.room.prepared.split.test[:count]]
        return test.drop(self.room.config.target_column).to_dicts()

    def _keep(self, name: str, said: _Said, cost: _Cost) -> str:
        prepared = self.room.prepared
        rows = row_figures(said.test, prepared, self.numbers)
        one = Measured(
            table=self.case.table,
            seed=self.case.seed,
            student=name,
            task=prepared.task,
            rows=len(rows.losses),
            training_rows=len(prepared.training.targets),
            loss=float(rows.losses.mean()),
            validation_loss=_mean_loss(said.validation, prepared.validation, prepared),
            metric=metric_of(rows, prepared),
            calibration_error=_calibration(rows) if prepared.task == "classification" else None,
            seconds=cost.seconds,
            bytes=cost.bytes,
            parameters=cost.parameters,
            row_seconds=cost.row_seconds,
            verdict=cost.verdict,
            facts=cost.facts,
        )
        self.folder.keep(one, rows)
        return f"{self.case.stem} {name}: loss {one.loss:.4f}, {one.seconds:.1f} s"


def row_figures(outputs: Float32Array, prepared: PreparedTable, numbers: IntArray) -> RowFigures:
    """Of logits or scaled values for the test rows."""
    losses = losses_of_targets(outputs, prepared.test, prepared)
    if prepared.task == "regression":
        unused = np.zeros(len(losses), dtype=np.bool_)
        return RowFigures(numbers, losses, outputs[:, 0].astype(np.float64), unused)
    shares = np.exp(log_probabilities(outputs))
    right = np.asarray(shares.argmax(axis=1) == prepared.test.targets)
    return RowFigures(numbers, losses, shares.max(axis=1), right)


def metric_of(rows: RowFigures, prepared: PreparedTable) -> float:
    """Accuracy, or the root mean squared error in the target's unit."""
    if prepared.task == "classification":
        return float(rows.right.mean())
    scaler = prepared.artifacts.target_scaler
    return float(np.sqrt(rows.losses.mean())) * (1.0 if scaler is None else scaler.scale)


def saved(bundle: ModelBundle) -> tuple[int, Predictor]:
    """Bytes of the file, and the student as it is served from it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "student.kdtab")
        save_bundle(bundle, path)
        return path.stat().st_size, Predictor.load(path)


def _heard(teacher: RecordedTeacher, values: FloatArray, prepared: PreparedTable) -> Float32Array:
    """The teacher's words as losses take them."""
    outputs = TeacherOutputs(teacher.info.output_kind, student_classes(prepared), values)
    return student_targets(outputs, prepared, "error").unwrap()


def _mean_loss(outputs: Float32Array, rows: EncodedRows, prepared: PreparedTable) -> float:
    return float(losses_of_targets(outputs, rows, prepared).mean())


def _calibration(rows: RowFigures) -> float:
    return calibration_error(reliability_bins(rows.said, rows.right.astype(np.float64)))


def median_seconds(
    rows: Sequence[Mapping[str, object]], answer: Callable[[Mapping[str, object]], object]
) -> float:
    """Of one call for each row; the first calls, which load what the others find, do not count."""
    for row in rows[:WARM_UP]:
        answer(row)
    taken = []
    for row in rows:
        began = perf_counter()
        answer(row)
        taken.append(perf_counter() - began)
    return float(np.median(taken))
