"""What was measured: a line for each student, and what it says of the held-out rows in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from kdtab.config.training import Task
from kdtab.data.arrays import BoolArray, FloatArray, IntArray

TEACHER = "teacher"


@dataclass(frozen=True)
class Case:
    """A table and a seed."""

    table: str
    seed: int

    @property
    def stem(self) -> str:
        """The name of its files."""
        return f"{self.table}-{self.seed}"


@dataclass(frozen=True)
class Measured:
    """One model on the held-out rows of one table and seed.

    Losses are mean log losses in nats, or mean squared errors in the unit of training. `metric` is
    the accuracy, or the root mean squared error in the target's unit. `seconds` are those of fitting,
    `row_seconds` the median for one row from its raw cells to its answer. `verdict` is the gate's.
    """

    table: str
    seed: int
    student: str
    task: Task
    rows: int
    training_rows: int
    loss: float
    validation_loss: float
    metric: float
    calibration_error: float | None
    seconds: float
    bytes: int | None
    parameters: int | None
    row_seconds: float | None = None
    verdict: str | None = None
    facts: Mapping[str, object] | None = None

    @property
    def case(self) -> Case:
        """What it was measured on."""
        return Case(self.table, self.seed)


@dataclass(frozen=True, eq=False)
class RowFigures:
    """What is kept of each test row: [N] its number, loss, confidence, and whether the model was right.

    For regression the confidence is the predicted value and `right` is not used.
    """

    numbers: IntArray
    losses: FloatArray
    said: FloatArray
    right: BoolArray


class WorkFolder:
    """Where a run keeps what it has done, so that the next one goes on from there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("measured", "rows", "teachers"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def done(self, case: Case) -> dict[str, Measured]:
        """The students of a case that are measured, by name; a line that breaks off is not one."""
        path = self._lines(case)
        if not path.exists():
            return {}
        found = (_measured(line) for line in path.read_text("utf-8").splitlines())
        return {one.student: one for one in found if one is not None}

    def keep(self, one: Measured, rows: RowFigures) -> None:
        """The rows first, then the line: where there is a line, there are rows.

        One process works at a case, so that the file is rewritten whole and appears at once.
        """
        arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {
            "numbers": rows.numbers.astype(np.int32),
            "losses": rows.losses.astype(np.float32),
            "said": rows.said.astype(np.float32),
            "right": rows.right,
        }
        write_arrays(self.rows_path(one.case, one.student), arrays)
        done = self.done(one.case) | {one.student: one}
        text = "".join(json.dumps(asdict(item)) + "\n" for item in done.values())
        write_whole(self._lines(one.case), text.encode())

    def rows(self, case: Case, student: str) -> RowFigures:
        """What a model said of the test rows of a case."""
        with np.load(self.rows_path(case, student)) as found:
            return RowFigures(
                found["numbers"].astype(np.int64),
                found["losses"].astype(np.float64),
                found["said"].astype(np.float64),
                found["right"],
            )

    def every(self) -> Iterator[Measured]:
        """All that is measured, in the order of the files."""
        for path in sorted((self.root / "measured").glob("*.jsonl")):
            for line in path.read_text("utf-8").splitlines():
                one = _measured(line)
                if one is not None:
                    yield one

    def rows_path(self, case: Case, student: str) -> Path:
        """Of the rows of a model."""
        return self.root / "rows" / f"{case.stem}-{student}.npz"

    def teacher_path(self, case: Case, what: str) -> Path:
        """Of what a teacher said."""
        return self.root / "teachers" / f"{case.stem}-{what}.npz"

    def _lines(self, case: Case) -> Path:
        return self.root / "measured" / f"{case.stem}.jsonl"


def write_whole(path: Path, content: bytes) -> None:
    """A reader sees the old file or the new one, and never half of it."""
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


def write_arrays(
    path: Path, arrays: Mapping[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]
) -> None:
    """Named arrays as a file of numpy, whole."""
    with NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    Path(file.name).replace(path)


def _measured(line: str) -> Measured | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    known = {field.name for field in fields(Measured)}
    return Measured(**{name: value for name, value in found.items() if name in known})
