"""An ONNX file as a teacher, run by onnxruntime on the processor."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt
import polars as pl
from returns.result import Success

from kdtab.config.training import Task
from kdtab.data.outputs import TeacherOutputs
from kdtab.disk.localfiles import read_local_file
from kdtab.errors.answers import TeacherColumnsAbsent, TeacherColumnsUncounted
from kdtab.errors.sources import TeacherFileBroken, TeacherTaskUnclear
from kdtab.results import Checked, Value, collect, fail
from kdtab.teachers.answers import (
    answered,
    joined_chunks,
    no_outputs,
    outputs_from_answer,
)
from kdtab.teachers.classes import chosen_classes
from kdtab.teachers.content import content_of
from kdtab.teachers.feeding import fed_columns, fed_matrix, matrix_width
from kdtab.teachers.graph import FLOATS, KIND, Argument, GraphTraits, graph_traits
from kdtab.teachers.hints import NO_HINTS, TeacherHints
from kdtab.teachers.onnxsession import onnx_session
from kdtab.teachers.rows import matched_columns
from kdtab.teachers.teacher import TeacherInfo

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

CHUNK_ROWS = 65_536
MAPS = "seq(map("


@final
@dataclass(frozen=True, eq=False)
class OnnxTeacher:
    """A graph whose inputs are one matrix, or a column each.

    Attributes:
        info: What it says of itself, and what its user says.
        session: The runtime's.
        columns: The feature columns in order; None takes the table's, when their number fits.
        by_column: Whether each column is an input of its own.
        output: The name of the output that is read.
        chunk_rows: Rows at a time; 1 for a graph that was saved for one row.

    Example:
        >>> onnx_teacher("no such file.onnx").failure().first
        FileMissing(path='no such file.onnx')
    """

    info: TeacherInfo
    session: InferenceSession
    columns: tuple[str, ...] | None
    by_column: bool
    output: str
    chunk_rows: int = CHUNK_ROWS

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """What the graph says of rows.

        Args:
            frame: [N] rows of typed columns (see `typed_frame`); not changed.

        Returns:
            [N, C] or [N, 1] outputs, or `TeacherColumnsAbsent`, `TeacherColumnsUncounted`,
            `TeacherCallFailed`, `TeacherOutputsInvalid`, `ClassesDiffer`.

        Example:
            >>> OnnxTeacher.outputs.__name__
            'outputs'
        """
        return self._selected(frame).bind(self._in_chunks)

    def _selected(self, frame: pl.DataFrame) -> Checked[pl.DataFrame]:
        wanted = tuple(frame.columns) if self.columns is None else self.columns
        found = matched_columns(wanted, frame.columns)
        absent = tuple(name for name, at in zip(wanted, found, strict=True) if at is None)
        name, every = self.info.name, tuple(frame.columns)
        if absent:
            return fail(TeacherColumnsAbsent(teacher=name, names=absent, found=every))
        width = None if self.by_column else matrix_width(self.session.get_inputs()[0])
        if width not in (None, len(wanted)):
            issue = TeacherColumnsUncounted(teacher=name, expected=width, found=len(wanted))
            return fail(issue)
        pairs = zip(wanted, found, strict=True)
        return Success(frame.select(pl.col(str(at)).alias(name) for name, at in pairs))

    def _in_chunks(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        if frame.is_empty():
            return Success(no_outputs(self.info))
        starts = range(0, frame.height, self.chunk_rows)
        chunks = (self._chunk(frame.slice(start, self.chunk_rows)) for start in starts)
        return collect(chunks).map(joined_chunks)

    def _chunk(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        return (
            answered(self.info.name, lambda: self.session.run([self.output], self._fed(frame))[0])
            .bind(self._unmapped)
            .bind(lambda answer: outputs_from_answer(answer, self.info, frame.height))
        )

    def _fed(self, frame: pl.DataFrame) -> dict[str, npt.NDArray[np.generic]]:
        inputs = self.session.get_inputs()
        return fed_columns(frame, inputs) if self.by_column else fed_matrix(frame, inputs[0])

    def _unmapped(self, answer: object) -> Checked[object]:
        if not isinstance(answer, list) or not answer or not isinstance(answer[0], dict):
            return Success(answer)
        labels = list(answer[0])
        values = np.array([[row[label] for label in labels] for row in answer], dtype=np.float64)
        return chosen_classes(self.info.name, labels, self.info.classes).map(
            lambda classes: TeacherOutputs(self.info.output_kind, classes, values)
        )


def onnx_teacher(
    path: str | os.PathLike[str], hints: TeacherHints = NO_HINTS
) -> Checked[OnnxTeacher]:
    """A `.onnx` file as a teacher; nothing is read but that file.

    A graph with one matrix as input takes `hints.columns` in their order; a graph with several
    inputs takes a column by the name of each. `output_kind="logits"` is said of a network that
    ends before its softmax.

    Args:
        path: A local regular file that holds all of its numbers.
        hints: Task, classes, columns, kind of output, as far as the graph does not say them.

    Returns:
        The teacher, its fingerprint the digest of the file; or `TeacherFileBroken`,
        `TeacherTaskUnclear`, `TeacherClassesUnclear`, `ClassesDiffer`, `ExtraMissing`, and the
        issues of `read_local_file`.

    Example:
        >>> onnx_teacher("no such file.onnx").failure().first
        FileMissing(path='no such file.onnx')
    """
    named = os.fspath(path)
    return read_local_file(named).bind(
        lambda content: graph_traits(named, content).bind(
            lambda traits: onnx_session(named, content).bind(
                lambda session: _teacher(named, content, traits, session, hints)
            )
        )
    )


def _teacher(
    path: str,
    content: bytes,
    traits: GraphTraits,
    session: InferenceSession,
    hints: TeacherHints,
) -> Checked[OnnxTeacher]:
    inputs = session.get_inputs()
    batch = {given.shape[0] for given in inputs if given.shape and type(given.shape[0]) is int}
    if not inputs or not batch <= {1}:
        reason = "it has no input" if not inputs else f"its batch size is fixed at {max(batch)}"
        return _broken(path, reason)
    by_column = len(inputs) > 1 or matrix_width(inputs[0]) == 1
    columns = tuple(given.name for given in inputs) if by_column else hints.columns
    chunk_rows = 1 if batch else CHUNK_ROWS
    return _output(path, session.get_outputs()).bind(
        lambda output: _info(content, traits, session.get_outputs(), output, hints).map(
            lambda info: OnnxTeacher(info, session, columns, by_column, output.name, chunk_rows)
        )
    )


def _output(path: str, outputs: Sequence[Argument]) -> Checked[Argument]:
    maps = [output for output in outputs if output.type.startswith(MAPS)]
    floats = [output for output in outputs if output.type in FLOATS]
    likely = [output for output in floats if "prob" in output.name.lower()]
    for group in (maps, floats, likely):
        if len(group) == 1:
            return Success(group[0])
    names = ", ".join(output.name for output in outputs)
    return _broken(path, f"which of its outputs are the scores is not clear: {names}")


def _info(
    content: bytes,
    traits: GraphTraits,
    outputs: Sequence[Argument],
    output: Argument,
    hints: TeacherHints,
) -> Checked[TeacherInfo]:
    name, task = "ONNX model", _task(outputs, output, traits, hints)
    found = content_of(hints.name or content)
    fingerprint = found.fingerprint if found is not None else ""
    if task is None:
        return fail(TeacherTaskUnclear(name=name))
    if task == "regression":
        info = TeacherInfo(name, task, (), "values", fingerprint, size_bytes=len(content))
        return Success(info)
    kind = hints.output_kind or "probabilities"
    return chosen_classes(name, traits.classes, hints.classes).map(
        lambda classes: TeacherInfo(
            name, "classification", classes, kind, fingerprint, size_bytes=len(content)
        )
    )


def _task(
    outputs: Sequence[Argument], output: Argument, traits: GraphTraits, hints: TeacherHints
) -> Task | None:
    if hints.task is not None:
        return hints.task
    labelled = any(other.type in ("tensor(int64)", "tensor(string)") for other in outputs)
    if output.type.startswith(MAPS) or traits.classes or hints.classes or labelled:
        return "classification"
    return "regression" if len(output.shape) < 2 or output.shape[1] == 1 else None


def _broken(path: str, reason: str) -> Checked[Value]:
    return fail(TeacherFileBroken(path=path, kind=KIND, reason=reason))
