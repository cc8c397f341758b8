"""One table and seed: kdtab's default preset and AutoGluon's `distill` on the very same rows.

    python -m benchmarks.quality.autogluon_duel WORK TABLE SEED --interpreter PYTHON [--data FOLDER]

Each side has its own teacher and a student of two hidden layers of 256 units. What is done is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import polars as pl
import torch
from benchmarks.quality.desk import Desk, metric_of, row_figures
from benchmarks.quality.records import TEACHER, Case, Measured, RowFigures, WorkFolder
from benchmarks.quality.sources import drawn_table, sources
from benchmarks.quality.students import GATED, PRESET, Rung, ladder
from benchmarks.quality.teaching import LABELS, RecordedTeacher, Room, fitted_teacher
from benchmarks.quality.work import room_of
from benchmarks.run import tell

from kdtab.config.base import revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.presets import WIDE
from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.outputs import TeacherOutputs
from kdtab.data.prepared import PreparedTable
from kdtab.recipes.distill import distill_student
from kdtab.shell.infer import network_outputs
from kdtab.teachers.studentview import student_classes, student_targets

REPORT = "report.json"
WORKER = Path(__file__).with_name("autogluon_worker.py")
METHODS = ("spunge", "munge")
"""Of AutoGluon's augmentation; the first is what its documentation names as the default."""
THEIR_TEACHER, SINGLE = "autogluon_teacher", "single"
ALONE = "-P"  # no modules from beside the worker: `autogluon.py` there is not the package
STUDENT = {"num_layers": 2, "hidden_size": WIDE}
LEAST, MOST_TRAINING_ROWS = 1e-7, 3_000


@dataclass(frozen=True)
class Limits:
    """Seconds on the clock that AutoGluon is given."""

    fit: float
    distill: float


def student_of(method: str) -> str:
    """The name under which AutoGluon's student is kept."""
    return f"autogluon_{method}"


def measure_ours(desk: Desk) -> None:
    """Teacher, default preset and one student alone; the teacher is always fitted here."""
    case, folder = desk.case, desk.folder
    if {TEACHER, GATED, SINGLE} <= set(folder.done(case)):
        return
    [rung] = [one for one in ladder() if one.name == PRESET]
    with tempfile.TemporaryDirectory() as fresh:
        wall, cpu = perf_counter(), process_time()
        teacher = RecordedTeacher(WorkFolder(Path(fresh)), case, desk.room, fitted_teacher)
        spent = {"wall": perf_counter() - wall, "cpu": process_time() - cpu}
        tell(desk.keep_teacher(teacher))
        for line in desk.keep_rung(rung, teacher):
            tell(line)
        for block in Path(fresh, "teachers").glob(f"{case.stem}-block-*"):
            block.unlink()  # so that the teacher is asked again: its answers are in the time
        keep_single(desk, rung, teacher)
    one = replace(folder.done(case)[TEACHER], seconds=spent["cpu"], facts=spent)
    folder.keep(one, folder.rows(case, TEACHER))


def keep_single(desk: Desk, rung: Rung, teacher: RecordedTeacher) -> None:
    """The preset's usual student by itself, as AutoGluon's `distill` fits one: no gate, no choice."""
    room, wall, cpu = desk.room, perf_counter(), process_time()
    model = distill_student(
        room.frame,
        teacher,
        rung.training_config(room.config),
        rung.distill_config(),
        labels=revise(LABELS, gate=False).unwrap(),
        columns=room.columns,
        device="cpu",
    ).unwrap()
    spent = {"wall": perf_counter() - wall, "cpu": process_time() - cpu}
    outputs = network_outputs(model.bundle.model, room.prepared.test.inputs)
    rows = row_figures(outputs, room.prepared, desk.numbers)
    facts = {**spent, "parameters": model.bundle.parameter_count}
    desk.folder.keep(measured_rows(desk, SINGLE, rows, facts), rows)
    tell(f"{desk.case.stem} {SINGLE}: loss {rows.losses.mean():.4f}, {spent['cpu']:.1f} s")


def without_markers(frame: pl.DataFrame, columns: ColumnOptions) -> pl.DataFrame:
    """The columns that count; cells that mean "missing" are empty, as kdtab reads them."""
    texts = [marker.strip().lower() for marker in columns.missing_markers]
    numbers = [float(text) for text in texts if re.fullmatch(r"-?\d+(\.\d+)?", text)]
    kept = frame.drop(columns.exclude_columns, strict=False)
    marked = [
        pl.when(pl.col(name).str.strip_chars().str.to_lowercase().is_in(texts))
        .then(None)
        .otherwise(pl.col(name))
        .alias(name)
        if kind == pl.String
        else pl.when(pl.col(name).is_in(numbers)).then(None).otherwise(pl.col(name)).alias(name)
        for name, kind in kept.schema.items()
        if kind == pl.String or (numbers and kind.is_numeric())
    ]
    return kept.with_columns(marked)


def class_name(code: int) -> str:
    """A class by its place: text that nobody takes for a number."""
    return f"class {code}"


def write_rows(folder: Path, room: Room) -> None:
    """The training, validation and test rows of kdtab's split, the test rows without the target."""
    prepared, target = room.prepared, room.config.target_column
    inputs = without_markers(room.frame.drop(target), room.columns)
    parts = {
        "training": (prepared.split.training, prepared.training.targets),
        "validation": (prepared.split.validation, prepared.validation.targets),
    }
    for name, (places, targets) in parts.items():
        classes = prepared.task == "classification"
        told = [class_name(int(one)) if classes else float(one) for one in targets]
        inputs[places].with_columns(pl.Series(target, told)).write_csv(folder / f"{name}.csv")
    inputs[prepared.split.test].write_csv(folder / "test.csv")


def job_of(room: Room, limits: Limits) -> Mapping[str, object]:
    """What the worker is to do; both sides choose by the loss that is measured."""
    classes = len(student_classes(room.prepared))
    kinds = {0: "regression", 2: "binary"}
    return {
        "target": room.config.target_column,
        "problem_type": kinds.get(classes, "multiclass"),
        "metric": "log_loss" if classes else "root_mean_squared_error",
        "fit_seconds": limits.fit,
        "distill_seconds": limits.distill,
        "student": STUDENT,
        "methods": METHODS,
    }


def must_have_autogluon(interpreter: Path) -> None:
    """A run without it would record failures that are not AutoGluon's."""
    looks = "import importlib.util as u; raise SystemExit(u.find_spec('autogluon.tabular') is None)"
    found = subprocess.run([interpreter, ALONE, "-c", looks], capture_output=True, check=False)
    if found.returncode:
        raise SystemExit(f"{interpreter} has no AutoGluon: see autogluon-requirements.txt")


def measure_theirs(room: Room, folder: Path, interpreter: Path, limits: Limits) -> None:
    """AutoGluon in its own environment; where it ends without a report, that is what is reported."""
    if (folder / REPORT).exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_rows(folder, room)
    (folder / "job.json").write_text(json.dumps(job_of(room, limits)), encoding="utf-8")
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        ended = subprocess.run(
            [interpreter, ALONE, WORKER, folder],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            check=False,
        )
    if ended.returncode:
        last = (folder / "log.txt").read_text(encoding="utf-8").rstrip().rpartition("\n")[2]
        text = json.dumps({"error": last.strip(), "students": {}})
        (folder / REPORT).write_text(text, encoding="utf-8")
    shutil.rmtree(folder / "models", ignore_errors=True)


def probabilities(said: pl.DataFrame, classes: int) -> tuple[FloatArray, int]:
    """[N, C] shares in the order of the classes, and how many rows lay outside of 0 to 1.

    A class that AutoGluon left out has no share; what lies outside is brought to the nearest bound.
    """
    names = [class_name(code) for code in range(classes)]
    missing = [pl.lit(0.0).alias(name) for name in names if name not in said.columns]
    values = said.with_columns(missing).select(names).to_numpy().astype(np.float64)
    outside = ((values < 0) | (values > 1)).any(axis=1)
    clipped = np.clip(values, LEAST, 1.0)
    return clipped / clipped.sum(axis=1, keepdims=True), int(outside.sum())


def figures_of(said: pl.DataFrame, prepared: PreparedTable, numbers: IntArray) -> RowFigures:
    """The protocol's figures of what AutoGluon said of each test row."""
    classes = student_classes(prepared)
    told = (
        TeacherOutputs("probabilities", classes, probabilities(said, len(classes))[0])
        if classes
        else TeacherOutputs("values", (), said.to_numpy().astype(np.float64))
    )
    return row_figures(student_targets(told, prepared, "error").unwrap(), prepared, numbers)


def keep_theirs(desk: Desk, folder: Path) -> None:
    """What AutoGluon's teacher and students said, measured and kept as every other model is."""
    report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    told = {"teacher": report.get("teacher", {}), **report["students"]}
    classes = len(student_classes(desk.room.prepared))
    for name, facts in told.items():
        path = folder / f"said-{name}.csv"
        if path.exists():
            said = pl.read_csv(path)
            rows = figures_of(said, desk.room.prepared, desk.numbers)
            outside = probabilities(said, classes)[1] if classes else 0
            one = measured_rows(desk, student_of(name), rows, {**facts, "outside": outside})
            desk.folder.keep(one, rows)
            tell(f"{desk.case.stem} {one.student}: loss {one.loss:.4f}, {one.seconds:.1f} s")


def measured_rows(desk: Desk, student: str, rows: RowFigures, facts: Mapping[str, Any]) -> Measured:
    """As every model of the protocol; what it said of the validation rows is not known here."""
    prepared = desk.room.prepared
    return Measured(
        table=desk.case.table,
        seed=desk.case.seed,
        student=student,
        task=prepared.task,
        rows=len(rows.losses),
        training_rows=len(prepared.training.targets),
        loss=float(rows.losses.mean()),
        validation_loss=float("nan"),
        metric=metric_of(rows, prepared),
        calibration_error=None,
        seconds=facts["cpu"],
        bytes=None,
        parameters=facts.get("parameters"),
        facts=facts,
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """What a case and the run of all cases have in common."""
    parser.add_argument("--interpreter", type=Path, required=True, help="Python with AutoGluon")
    parser.add_argument("--data", type=Path, help="folder with index.json")
    parser.add_argument("--rows", type=int, default=MOST_TRAINING_ROWS)
    parser.add_argument("--fit-seconds", type=float, default=120.0)
    parser.add_argument("--distill-seconds", type=float, default=400.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a case; it is done when nothing is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("table")
    parser.add_argument("seed", type=int)
    add_options(parser)
    given = parser.parse_args(arguments)
    must_have_autogluon(given.interpreter)
    torch.set_num_threads(1)
    [source] = sources(given.data, [given.table])
    drawn = drawn_table(source, given.seed, given.rows)
    room = room_of(source, drawn, given.seed)
    case, folder = Case(given.table, given.seed), WorkFolder(given.work)
    theirs = (given.work / "autogluon" / case.stem).absolute()
    limits = Limits(given.fit_seconds, given.distill_seconds)
    measure_theirs(room, theirs, given.interpreter, limits)
    desk = Desk(case, room, folder, drawn.numbers[room.prepared.split.test])
    keep_theirs(desk, theirs)
    measure_ours(desk)
    return 0


if __name__ == "__main__":
    sys.exit(main())
