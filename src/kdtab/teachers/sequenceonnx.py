"""An ONNX graph from [N, T, D_in] to [N, T + 1, D_out] as a teacher of time series."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from returns.result import Success

from kdtab.data.arrays import Float32Array
from kdtab.disk.localfiles import read_local_file
from kdtab.errors.sequenceteachers import StatesInvalid
from kdtab.errors.sources import TeacherFileBroken
from kdtab.results import Checked, Value, collect, fail
from kdtab.teachers.answers import answered
from kdtab.teachers.graph import KIND, Argument, graph_traits
from kdtab.teachers.onnxsession import onnx_session
from kdtab.teachers.sequenceinfo import SequenceTeacherInfo

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

NAME = "ONNX model"
FLOAT = "tensor(float)"
PROBE_STEPS = 2


@final
@dataclass(frozen=True, eq=False)
class OnnxSequenceTeacher:
    """A graph with one input and one output of three axes, both float32.

    Attributes:
        info: What is known of it.
        session: The runtime's.
        source: The name of its input.
        output: The name of its output.
        one_by_one: Whether it was saved for a batch of one.

    Example:
        >>> onnx_sequence_teacher("no such file.onnx").failure().first
        FileMissing(path='no such file.onnx')
    """

    info: SequenceTeacherInfo
    session: InferenceSession
    source: str
    output: str
    one_by_one: bool

    def states(self, x: Float32Array) -> Checked[Float32Array]:
        """The graph's output.

        Args:
            x: [N, T, D_in] float32; not changed.

        Returns:
            [N, T + 1, D_out] float32, or `TeacherCallFailed`.

        Example:
            >>> OnnxSequenceTeacher.states.__name__
            'states'
        """
        return _run(self.session, self.source, self.output, x, one_by_one=self.one_by_one)


def onnx_sequence_teacher(path: str | os.PathLike[str]) -> Checked[OnnxSequenceTeacher]:
    """A `.onnx` file as a teacher of time series; nothing is read but that file.

    Args:
        path: A local regular file that holds all of its numbers.

    Returns:
        The teacher, its fingerprint the digest of the file; or `TeacherFileBroken`, `StatesInvalid`
        for a graph that leaves t = 0 out, `ExtraMissing`, and the issues of `read_local_file`.

    Example:
        >>> onnx_sequence_teacher("no such file.onnx").failure().first
        FileMissing(path='no such file.onnx')
    """
    named = os.fspath(path)
    return read_local_file(named).bind(
        lambda content: graph_traits(named, content).bind(
            lambda _: onnx_session(named, content).bind(
                lambda session: _teacher(named, content, session)
            )
        )
    )


def _teacher(path: str, content: bytes, session: InferenceSession) -> Checked[OnnxSequenceTeacher]:
    source = _only(path, "input", session.get_inputs())
    output = _only(path, "output", session.get_outputs())
    if not isinstance(source, Success) or not isinstance(output, Success):
        return fail(*(source if not isinstance(source, Success) else output).failure())
    batch, steps, width = source.unwrap().shape
    if type(width) is not int:
        return _broken(path, "its input does not say how many numbers a step has")
    if type(batch) is int and batch != 1:
        return _broken(path, f"its batch size is fixed at {batch}")
    fixed = steps if type(steps) is int else None
    names, alone = (source.unwrap().name, output.unwrap().name), type(batch) is int
    probe = np.zeros((1, fixed or PROBE_STEPS, width), dtype=np.float32)

    def described(states: Float32Array) -> Checked[OnnxSequenceTeacher]:
        if states.shape[1] != probe.shape[1] + 1:
            reason = f"{probe.shape[1]} steps give {states.shape[1]} states, not one more: t = 0"
            return fail(StatesInvalid(teacher=NAME, reason=reason))
        digest = hashlib.sha256(content).hexdigest()
        info = SequenceTeacherInfo(NAME, width, states.shape[2], digest, fixed)
        return Success(OnnxSequenceTeacher(info, session, *names, alone))

    return _run(session, *names, probe, one_by_one=alone).bind(described)


def _run(
    session: InferenceSession, source: str, output: str, x: Float32Array, *, one_by_one: bool
) -> Checked[Float32Array]:
    pieces = [x[at : at + 1] for at in range(len(x))] if one_by_one else [x]

    def answer(piece: Float32Array) -> Checked[Float32Array]:
        return answered(
            NAME, lambda: np.asarray(session.run([output], {source: piece})[0], dtype=np.float32)
        )

    return collect(answer(piece) for piece in pieces).map(np.concatenate)


def _only(path: str, what: str, arguments: Sequence[Argument]) -> Checked[Argument]:
    fitting = [one for one in arguments if one.type == FLOAT and len(one.shape) == 3]
    if len(fitting) == 1 and (what == "output" or len(arguments) == 1):
        return Success(fitting[0])
    found = ", ".join(f"{one.name}: {one.type} {one.shape}" for one in arguments) or "none"
    return _broken(path, f"it must have one {what} of float32 with three axes, and has {found}")


def _broken(path: str, reason: str) -> Checked[Value]:
    return fail(TeacherFileBroken(path=path, kind=KIND, reason=reason))
