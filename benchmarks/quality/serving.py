"""A student beside the ensemble that it can stand in for: rows per second, one row, bytes.

    python -m benchmarks.quality.serving [--data FOLDER] [--tables NAME,NAME] [--rounds 5]

The teacher is scikit-learn's: 500 trees of a forest, 500 of extra trees and histogram boosting, fitted
on 4,000 rows. The students are 2x64 and 2x256 with the preset's encoding, distilled for 1,000 steps:
speed does not depend on what the weights are, but what float16 costs does. The teacher is given the ready matrix and the
student raw cells, so that what prepares a row counts against the student alone. Both answer in one
process with one thread; batches are counted in the processor's seconds, single rows by the wall. Without
a folder the tables are scikit-learn's digits and invented rows of six numbers and eight categories.
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Protocol, TypeVar

import numpy as np
import polars as pl
import torch
from benchmarks.quality.__main__ import ONE_THREAD
from benchmarks.quality.desk import saved
from benchmarks.quality.servingpage import BATCHES, Answering, Compared, serving_page
from benchmarks.quality.sources import Source, drawn_table, sources
from benchmarks.quality.teaching import Room
from benchmarks.quality.work import room_of
from benchmarks.run import ROOT, processor
from benchmarks.test_prediction import table as invented_table
from returns.result import Success
from sklearn import ensemble

from kdtab import Predictor
from kdtab.bundle import ModelBundle
from kdtab.config.base import revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.presets import dropout_for, preset
from kdtab.config.teachers import LabelConfig
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import encode_features
from kdtab.data.outputs import OutputKind, TeacherOutputs
from kdtab.recipes.distill import distill_student
from kdtab.results import Checked
from kdtab.shell.infer import network_outputs
from kdtab.teachers.studentview import losses_of_targets, student_classes
from kdtab.teachers.teacher import TeacherInfo

TREES, TRAINING_ROWS, STEPS, SEED = 500, 4_000, 1_000, 0
TEACHER_ROWS, SINGLE_ROWS, TEACHER_BATCH = 20, 2_000, BATCHES[0]
WIDTHS = (64, 256)
Row = TypeVar("Row")
OF_A_FOLDER, OWN = ("california_housing", "adult"), ("digits", "invented")


class Member(Protocol):
    """An estimator of scikit-learn, which has no types."""

    def fit(self, rows: Float32Array, targets: FloatArray) -> object:
        """Learn."""
        ...

    def predict(self, rows: Float32Array) -> FloatArray:
        """Values."""
        ...

    def predict_proba(self, rows: Float32Array) -> FloatArray:
        """Probabilities."""
        ...


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The mean of three models, and a teacher as kdtab takes one."""

    room: Room
    members: tuple[Member, ...]

    @property
    def info(self) -> TeacherInfo:
        """It says probabilities, or values in the target's unit."""
        prepared = self.room.prepared
        classes = student_classes(prepared)
        kind: OutputKind = "probabilities" if classes else "values"
        return TeacherInfo("ensemble", prepared.task, classes, kind, "benchmark")

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """What it says of raw rows."""
        info = self.info
        said = self.of_matrix(encode_features(frame, self.room.prepared.artifacts))
        return Success(TeacherOutputs(info.output_kind, info.classes, said))

    def of_matrix(self, rows: Float32Array) -> FloatArray:
        """What it says of encoded rows: [N, C], or [N, 1]."""
        classes = self.room.prepared.task == "classification"
        said: list[FloatArray] = [
            one.predict_proba(rows) if classes else one.predict(rows)[:, np.newaxis]
            for one in self.members
        ]
        return np.asarray(np.mean(said, axis=0))


def fitted_ensemble(room: Room) -> Ensemble:
    """On the training rows, with scikit-learn's defaults but for the number of trees."""
    prepared = room.prepared
    kind = "Classifier" if prepared.task == "classification" else "Regressor"
    members = tuple(
        getattr(ensemble, name + kind)(random_state=SEED, **size)
        for name, size in (
            ("RandomForest", {"n_estimators": TREES}),
            ("ExtraTrees", {"n_estimators": TREES}),
            ("HistGradientBoosting", {}),
        )
    )
    for member in members:
        member.fit(prepared.training.inputs, np.asarray(prepared.training.targets))
    return Ensemble(room, members)


def student_of(room: Room, teacher: Ensemble, width: int, *, half: bool) -> ModelBundle:
    """A student with the preset's encoding; with `half` it differs in its rounding alone."""
    standard = preset("standard")
    config = revise(
        room.config, **{**standard.training, "steps": STEPS, "warmup_steps": STEPS // 10}
    ).unwrap()
    distill = revise(
        DistillConfig(),
        student_hidden_dim=width,
        student_num_hidden_layers=2,
        student_dropout=dropout_for(width),
        half_precision=half,
    ).unwrap()
    return (
        distill_student(
            room.frame,
            teacher,
            config,
            distill,
            labels=LabelConfig(labels="as_given", gate=False),
            columns=room.columns,
            device="cpu",
        )
        .unwrap()
        .bundle
    )


def compared(name: str, room: Room, rounds: int) -> Iterator[Compared]:
    """The teacher of a table beside a student of each width."""
    teacher = fitted_ensemble(room)
    asked = _answering_teacher(teacher, rounds)
    for width in WIDTHS:
        whole, half = (student_of(room, teacher, width, half=half) for half in (False, True))
        (small, predictor), (large, _) = saved(half), saved(whole)
        told, expected = (ask(_test_frame(room)) for ask in (predictor.outputs, _asked(half)))
        np.testing.assert_allclose(told, expected, rtol=1e-4, atol=1e-5)
        yield Compared(
            table=name,
            columns=len(predictor.model.vectorizer.column_names),
            width=width,
            teacher=asked,
            student=_answering_student(room, predictor, small, rounds),
            float32_bytes=large,
            float32_loss=_loss(room, whole),
            float16_loss=_loss(room, half),
        )


def _answering_teacher(teacher: Ensemble, rounds: int) -> Answering:
    test = teacher.room.prepared.test.inputs
    rows = test[np.resize(np.arange(len(test)), TEACHER_BATCH)]
    seconds = least_seconds(lambda: teacher.of_matrix(rows), 1)
    late = single_seconds(
        [test[at : at + 1] for at in range(TEACHER_ROWS)], teacher.of_matrix, min(rounds, 2)
    )
    size = len(pickle.dumps(teacher.members))
    return Answering((TEACHER_BATCH / seconds,), *late, size)


def _answering_student(room: Room, predictor: Predictor, size: int, rounds: int) -> Answering:
    raw = _test_frame(room)
    rates = []
    for count in BATCHES:
        frame = raw[np.resize(np.arange(raw.height), count)]
        rates.append(count / least_seconds(partial(predictor.predict_frame, frame), rounds))
    rows = raw[np.resize(np.arange(raw.height), SINGLE_ROWS)].to_dicts()
    classes = room.prepared.task == "classification"
    answer: Callable[[Mapping[str, object]], object] = (
        predictor.probabilities if classes else predictor.predict_row
    )
    return Answering(tuple(rates), *single_seconds(rows, answer, rounds), size)


def least_seconds(answer: Callable[[], object], rounds: int) -> float:
    """Of the processor, the least of some rounds; the first call does not count."""
    answer()
    taken = []
    for _ in range(rounds):
        began = process_time()
        answer()
        taken.append(process_time() - began)
    return min(taken)


def single_seconds(
    rows: Sequence[Row], answer: Callable[[Row], object], rounds: int
) -> tuple[float, float]:
    """Median and 99th percentile of single rows, the least of some rounds of each."""
    found = []
    for _ in range(rounds):
        taken = []
        for row in rows:
            began = perf_counter()
            answer(row)
            taken.append(perf_counter() - began)
        found.append((float(np.median(taken)), float(np.percentile(taken, 99))))
    medians, late = zip(*found, strict=True)
    return min(medians), min(late)


def _loss(room: Room, bundle: ModelBundle) -> float:
    outputs = _asked(bundle)(_test_frame(room))
    return float(losses_of_targets(outputs, room.prepared.test, room.prepared).mean())


def _asked(bundle: ModelBundle) -> Callable[[pl.DataFrame], Float32Array]:
    """The student as torch computes it."""
    return lambda frame: network_outputs(bundle.model, encode_features(frame, bundle.artifacts))


def _test_frame(room: Room) -> pl.DataFrame:
    return room.frame[room.prepared.split.test].drop(room.config.target_column)


def served_sources(folder: Path | None, names: Sequence[str]) -> tuple[Source, ...]:
    """The tables that are named, or one of numbers and one of both kinds."""
    invented = Source(
        "invented",
        "income",
        "classification",
        ColumnOptions(),
        lambda: invented_table(2 * TRAINING_ROWS, SEED),
    )
    wanted = names or (OWN if folder is None else OF_A_FOLDER)
    known = [name for name in wanted if name != invented.name]
    found = sources(folder, known) if known else ()
    return (*found, *([invented] if invented.name in wanted else []))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--tables", default="")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    if any(os.environ.get(name) != count for name, count in ONE_THREAD.items()):
        command = [sys.executable, "-m", "benchmarks.quality.serving", *sys.argv[1:]]
        environment = os.environ | ONE_THREAD | {"PYTHONPATH": str(ROOT)}
        return subprocess.run(command, env=environment, check=False).returncode
    torch.set_num_threads(1)
    names = [name for name in given.tables.split(",") if name]
    found: list[Compared] = []
    for source in served_sources(given.data, names):
        room = room_of(source, drawn_table(source, SEED, TRAINING_ROWS), SEED)
        found += compared(source.name, room, given.rounds)
    print(serving_page(found, processor()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
