"""What a foreign teacher answers, as checked outputs: arrays, lists, or frames with named columns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.data.arrays import FloatArray
from kdtab.data.coerce import frame_from_any
from kdtab.data.outputs import TeacherOutputs, align_classes, checked_outputs
from kdtab.errors.answers import TeacherCallFailed
from kdtab.errors.base import quoted
from kdtab.errors.teachers import TeacherOutputsInvalid
from kdtab.results import Checked, Value, fail
from kdtab.teachers.classes import class_names
from kdtab.teachers.teacher import TeacherInfo

PREFIX = "probability_"
"""How kdtab's own predictions name a class's column."""
MOST_REASON = 300


def outputs_from_answer(
    answer: object, info: TeacherInfo, rows: int, *, trees: int | None = None
) -> Checked[TeacherOutputs]:
    """Whatever a teacher answered, in the order of its classes, checked.

    Args:
        answer: [N, C] or [N] numbers in an array, a tensor or lists; a frame of polars or pandas
            with one column a class, named by it or `probability_<class>`; a series; or outputs.
            [N] probabilities of a teacher with two classes are those of the second.
        info: What the teacher says of itself.
        rows: N.
        trees: B, when the probabilities are the mean vote of B trees.

    Returns:
        [N, C] or [N, 1] outputs, or `TeacherOutputsInvalid` with counts, `ClassesDiffer`.

    Example:
        >>> info = TeacherInfo("rule", "classification", ("no", "yes"), "probabilities", "1")
        >>> outputs_from_answer([0.25, 0.5], info, 2).unwrap().values.tolist()
        [[0.75, 0.25], [0.5, 0.5]]
        >>> named = pl.DataFrame({"yes": [0.9], "no": [0.1]})
        >>> outputs_from_answer(named, info, 1).unwrap().values.tolist()
        [[0.1, 0.9]]
    """
    return (
        _outputs(answer, info)
        .map(lambda outputs: replace(outputs, trees=trees or outputs.trees))
        .bind(lambda outputs: checked_outputs(outputs, rows))
        .bind(lambda outputs: _in_order(outputs, info))
    )


def answered(teacher: str, call: Callable[[], Value]) -> Checked[Value]:
    """Call foreign code; whatever it raises is a value.

    Args:
        teacher: Its name, for messages.
        call: The call.

    Returns:
        Its value, or `TeacherCallFailed`.

    Example:
        >>> answered("rule", lambda: 1 / 0).failure().first.reason
        'ZeroDivisionError: division by zero'
    """
    try:
        return Success(call())
    except Exception as error:  # foreign code raises what it likes
        return fail(TeacherCallFailed(teacher=teacher, reason=reason_of(error)))


def reason_of(error: BaseException) -> str:
    r"""An error of foreign code on one line, cut.

    Args:
        error: Any.

    Returns:
        Its class and message.

    Example:
        >>> reason_of(ValueError("a\nb"))
        'ValueError: a b'
    """
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= MOST_REASON else text[: MOST_REASON - 1] + "…"


def _outputs(answer: object, info: TeacherInfo) -> Checked[TeacherOutputs]:
    if isinstance(answer, TeacherOutputs):
        return _of_own_kind(answer, info)
    pandas = sys.modules.get("pandas")
    if isinstance(answer, pl.Series) or (pandas and isinstance(answer, pandas.Series)):
        return _numbers(cast("pl.Series", answer).to_numpy(), info)
    if isinstance(answer, pl.DataFrame) or (pandas and isinstance(answer, pandas.DataFrame)):
        return frame_from_any(answer).bind(lambda frame: _from_frame(frame, info))
    return _numbers(answer, info)


def _of_own_kind(outputs: TeacherOutputs, info: TeacherInfo) -> Checked[TeacherOutputs]:
    if outputs.kind != info.output_kind:
        reason = f"they are {outputs.kind}, the teacher said {info.output_kind}"
        return fail(TeacherOutputsInvalid(reason=reason))
    return Success(outputs)


def _from_frame(frame: pl.DataFrame, info: TeacherInfo) -> Checked[TeacherOutputs]:
    if info.task == "regression":
        return _numbers(frame.to_numpy(), info)
    labels = [name.removeprefix(PREFIX) for name in frame.columns]
    named = labels if all(name.startswith(PREFIX) for name in frame.columns) else frame.columns
    return class_names(info.name, named).bind(
        lambda classes: _numbers(frame.to_numpy(), replace(info, classes=classes))
    )


def _numbers(answer: object, info: TeacherInfo) -> Checked[TeacherOutputs]:
    try:
        values: FloatArray = np.asarray(answer, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = f"{quoted(type(answer).__name__)} is no table of numbers ({reason_of(error)})"
        return fail(TeacherOutputsInvalid(reason=reason))
    return Success(TeacherOutputs(info.output_kind, info.classes, _columns(values, info)))


def _columns(values: FloatArray, info: TeacherInfo) -> FloatArray:
    if values.ndim != 1:
        return values
    if len(info.classes) == 2 and info.output_kind == "probabilities":
        return np.stack([1 - values, values], axis=1)
    return values[:, np.newaxis]


def _in_order(outputs: TeacherOutputs, info: TeacherInfo) -> Checked[TeacherOutputs]:
    if outputs.classes == info.classes:
        return Success(outputs)
    return align_classes(outputs, info.classes)


def no_outputs(info: TeacherInfo) -> TeacherOutputs:
    """What a teacher says of no rows: many libraries refuse to be asked.

    Args:
        info: What the teacher says of itself.

    Returns:
        [0, C] or [0, 1] outputs.

    Example:
        >>> no_outputs(TeacherInfo("rule", "regression", (), "values", "1")).values.shape
        (0, 1)
    """
    values: FloatArray = np.zeros((0, len(info.classes) or 1))
    return TeacherOutputs(info.output_kind, info.classes, values)


def joined_chunks(chunks: Sequence[TeacherOutputs]) -> TeacherOutputs:
    """Outputs of consecutive rows as one value.

    Args:
        chunks: At least one, all of one teacher.

    Returns:
        [N, C] or [N, 1] outputs in the order of the chunks.

    Example:
        >>> one = TeacherOutputs("values", (), np.zeros((2, 1)))
        >>> joined_chunks([one, one]).values.shape
        (4, 1)
    """
    return replace(chunks[0], values=np.concatenate([chunk.values for chunk in chunks]))
