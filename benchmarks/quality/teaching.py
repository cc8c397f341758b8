"""The teacher of a table and seed: fitted once, and from then on what it said is read from disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import polars as pl
import torch
from benchmarks.quality.records import Case, WorkFolder, write_arrays
from returns.result import Success

from kdtab.config.columns import ColumnOptions
from kdtab.config.teachers import LabelConfig, TeacherKind
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import encode_features
from kdtab.data.outputs import OutputKind, TeacherOutputs
from kdtab.data.prepared import PreparedTable
from kdtab.results import Checked
from kdtab.teachers.kinds import KindTeacher
from kdtab.teachers.networkfit import supervised_network_fit
from kdtab.teachers.studentview import student_classes
from kdtab.teachers.taught import Taught, taught_by_kind, training_folds
from kdtab.teachers.teacher import TeacherInfo

KIND: TeacherKind = "ensemble"
LABELS = LabelConfig(folds=5, gate=True)


@dataclass(frozen=True, eq=False)
class Room:
    """A table of the protocol, split and encoded once for teacher and students."""

    frame: pl.DataFrame
    config: TrainingConfig
    columns: ColumnOptions
    prepared: PreparedTable


@dataclass(frozen=True, eq=False)
class Spoken:
    """What the teacher said: of the training rows out of fold, of the others as it is.

    `weights` are the members' by name, `seconds` what fitting took, `bytes` the teacher's size.
    """

    training: FloatArray
    validation: FloatArray
    test: FloatArray
    weights: tuple[tuple[str, float], ...]
    seconds: float
    bytes: int | None


def fitted_teacher(room: Room) -> Taught:
    """The ensemble on the training rows: forests out of bag, the rest in five folds."""
    prepared, seed = room.prepared, room.config.random_seed
    markers = room.columns.missing_markers
    folds = training_folds(room.frame, prepared, LABELS, seed=seed, markers=markers)
    fit_network = supervised_network_fit(prepared, torch.device("cpu"))
    return folds.bind(
        lambda found: taught_by_kind(
            KIND, prepared, found, LABELS, seed=seed, fit_network=fit_network
        )
    ).unwrap()


class RecordedTeacher:
    """A teacher as kdtab takes one, which answers from disk and is fitted only where it must be.

    Rows of the training part get the labels of the teachers that did not see them; whatever else it
    is asked about, synthetic rows too, gets the teacher of all training rows. Blocks of new rows are
    kept by their digest, so that each student is distilled from the very same labels.
    """

    def __init__(
        self, folder: WorkFolder, case: Case, room: Room, fit: Callable[[Room], Taught]
    ) -> None:
        self._folder, self._case, self._room, self._fit = folder, case, room, fit
        self._fitted: Taught | None = None
        self._digest = _digest(room.prepared.training.inputs)
        self.spoken = self._read() or self._made()
        self._known = {
            row.tobytes(): place for place, row in enumerate(room.prepared.training.inputs)
        }

    @property
    def info(self) -> TeacherInfo:
        """The kind's, with its labels' digest as its fingerprint."""
        prepared = self._room.prepared
        classes = student_classes(prepared)
        kind: OutputKind = "probabilities" if classes else "values"
        digest = hashlib.sha256(self.spoken.training.tobytes()).hexdigest()
        return TeacherInfo(KIND, prepared.task, classes, kind, digest, size_bytes=self.spoken.bytes)

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """What it says of rows, in their order."""
        info, rows = self.info, encode_features(frame, self._room.prepared.artifacts)
        places = np.array([self._known.get(row.tobytes(), -1) for row in rows], dtype=np.int64)
        values = np.empty((len(rows), self.spoken.training.shape[1]))
        values[places >= 0] = self.spoken.training[places[places >= 0]]
        fresh = places < 0
        if fresh.any():
            values[fresh] = self._of_block(rows[fresh])
        return Success(TeacherOutputs(info.output_kind, info.classes, values))

    def answer(self, row: Mapping[str, object]) -> FloatArray:
        """What the fitted teacher says of one raw row: what a service would compute."""
        frame = pl.DataFrame([row], schema=self._room.frame.select(list(row)).schema)
        return self._asked(encode_features(frame, self._room.prepared.artifacts))

    def _of_block(self, rows: Float32Array) -> FloatArray:
        for part in (self._room.prepared.validation, self._room.prepared.test):
            if np.array_equal(rows, part.inputs):
                is_test = part is self._room.prepared.test
                return self.spoken.test if is_test else self.spoken.validation
        path = self._folder.teacher_path(self._case, f"block-{self._digest}-{_digest(rows)}")
        if not path.exists():
            write_arrays(path, {"values": self._asked(rows).astype(np.float32)})
        with np.load(path) as found:
            values: FloatArray = found["values"].astype(np.float64)
        return values

    def _asked(self, rows: Float32Array) -> FloatArray:
        """The fitted teacher itself; of encoded rows, which is what it takes."""
        teacher = self._taught().teacher
        assert isinstance(teacher, KindTeacher), "a kind's teacher takes encoded rows"
        return teacher.says(rows).unwrap()

    def _taught(self) -> Taught:
        if self._fitted is None:
            self._fitted = self._fit(self._room)
        return self._fitted

    def _read(self) -> Spoken | None:
        path = self._folder.teacher_path(self._case, "labels")
        if not path.exists():
            return None
        with np.load(path) as found:
            facts = json.loads(str(found["facts"]))
            if facts.pop("digest") != self._digest:
                return None
            facts["weights"] = tuple((name, share) for name, share in facts["weights"])
            return Spoken(found["training"], found["validation"], found["test"], **facts)

    def _made(self) -> Spoken:
        began, prepared = perf_counter(), self._room.prepared
        taught = self._taught()
        spoken = Spoken(
            _filled(taught.outputs.values, lambda: self._asked(prepared.training.inputs)),
            self._asked(prepared.validation.inputs),
            self._asked(prepared.test.inputs),
            taught.weights,
            perf_counter() - began,
            taught.teacher.info.size_bytes,
        )
        facts = {
            "digest": self._digest,
            "weights": spoken.weights,
            "seconds": spoken.seconds,
            "bytes": spoken.bytes,
        }
        write_arrays(
            self._folder.teacher_path(self._case, "labels"),
            {
                "training": spoken.training,
                "validation": spoken.validation,
                "test": spoken.test,
                "facts": np.array(json.dumps(facts)),
            },
        )
        return spoken


def _filled(outputs: FloatArray, whole: Callable[[], FloatArray]) -> FloatArray:
    """A row in the sample of every tree has no honest label: it takes the whole teacher's."""
    lost = np.isnan(outputs).any(axis=1, keepdims=True)
    if not lost.any():
        return outputs
    return np.where(lost, whole(), outputs)


def _digest(rows: Float32Array) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()[:16]
