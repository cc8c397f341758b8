"""A function of a frame as a teacher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import polars as pl
from returns.result import Success

from kdtab.data.outputs import TeacherOutputs
from kdtab.errors.sources import TeacherTaskUnclear, TeacherUnnamed
from kdtab.results import Checked, fail
from kdtab.teachers.answers import answered, no_outputs, outputs_from_answer
from kdtab.teachers.classes import chosen_classes
from kdtab.teachers.content import content_of
from kdtab.teachers.hints import NO_HINTS, TeacherHints
from kdtab.teachers.teacher import TeacherInfo


@final
@dataclass(frozen=True, eq=False)
class FunctionTeacher:
    """Anything that can be called with a polars frame: a model of another world, a rule, a service.

    Attributes:
        info: What its maker says of it.
        function: Called with all rows at once; gives numbers, or a frame with a column a class.

    Example:
        >>> rule = lambda frame: frame["x"] * 2.0
        >>> function_teacher(rule, TeacherHints(task="regression")).unwrap().info.output_kind
        'values'
    """

    info: TeacherInfo
    function: Callable[[pl.DataFrame], object]

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """What the function says of rows.

        Args:
            frame: [N] rows as they are; the function gets a copy of the frame's shell.

        Returns:
            [N, C] or [N, 1] outputs, or `TeacherCallFailed`, `TeacherOutputsInvalid`,
            `ClassesDiffer`.

        Example:
            >>> rule = lambda frame: frame["x"] * 2.0
            >>> teacher = function_teacher(rule, TeacherHints(task="regression")).unwrap()
            >>> teacher.outputs(pl.DataFrame({"x": [1.5]})).unwrap().values.tolist()
            [[3.0]]
        """
        if frame.is_empty():
            return Success(no_outputs(self.info))
        return answered(self.info.name, lambda: self.function(frame.clone())).bind(
            lambda answer: outputs_from_answer(answer, self.info, frame.height)
        )


def function_teacher(
    function: Callable[[pl.DataFrame], object], hints: TeacherHints = NO_HINTS
) -> Checked[FunctionTeacher]:
    """A function as a teacher; the task, and the classes of a classification, must be said.

    Its fingerprint is the digest of its code, of what it closes over and of the global names that
    it uses, or of `hints.name`.

    Args:
        function: [N] rows to [N, C] or [N] numbers, or to a frame with a column a class.
        hints: Task, classes, kind of output, name.

    Returns:
        The teacher, or `TeacherTaskUnclear`, `TeacherClassesUnclear`, `TeacherUnnamed`.

    Example:
        >>> rule = lambda frame: frame["x"] / 10
        >>> function_teacher(rule, TeacherHints(classes=("no", "yes"))).unwrap().info.task
        'classification'
        >>> function_teacher(rule).failure().first
        TeacherTaskUnclear(name='<lambda>')
    """
    name = getattr(function, "__name__", type(function).__name__)
    if hints.task is None and hints.classes is None:
        return fail(TeacherTaskUnclear(name=name))
    content = content_of(hints.name or function)
    if content is None:
        return fail(TeacherUnnamed(name=name))
    return _info(name, content.fingerprint, hints).map(lambda info: FunctionTeacher(info, function))


def _info(name: str, fingerprint: str, hints: TeacherHints) -> Checked[TeacherInfo]:
    if hints.task == "regression":
        return Success(TeacherInfo(name, "regression", (), "values", fingerprint))
    kind = hints.output_kind or "probabilities"
    return chosen_classes(name, None, hints.classes).map(
        lambda classes: TeacherInfo(name, "classification", classes, kind, fingerprint)
    )
