"""Anything that a user may call a teacher, as a `Teacher`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import TypeGuard, cast

import polars as pl
import torch
from returns.result import Success

from kdtab.bundle import ModelBundle, from_record
from kdtab.config.teachers import TEACHER_KINDS
from kdtab.config.training import Task
from kdtab.data.outputs import OutputKind
from kdtab.disk.bundles import read_record
from kdtab.disk.localfiles import check_local_file
from kdtab.disk.tables import table_suffixes
from kdtab.errors.bundles import BundleContradiction, BundleCorrupt
from kdtab.errors.issue import Issue, Issues
from kdtab.errors.sources import (
    EnsembleWeightsInvalid,
    TeacherFileForeign,
    TeacherNameUnknown,
    TeacherNotUnderstood,
)
from kdtab.errors.teachers import TaskMismatch
from kdtab.results import Checked, collect, fail
from kdtab.teachers.ensemble import ensemble_teacher
from kdtab.teachers.estimator import EstimatorTeacher, estimator_teacher
from kdtab.teachers.feeding import matrix_width
from kdtab.teachers.function import function_teacher
from kdtab.teachers.hints import RowKind, TeacherHints
from kdtab.teachers.network import network_teacher
from kdtab.teachers.onnx import OnnxTeacher, onnx_teacher
from kdtab.teachers.recorded import recorded_teacher
from kdtab.teachers.skops import skops_teacher
from kdtab.teachers.stored import stored_teacher
from kdtab.teachers.teacher import Teacher, TeacherInfo

CPU = torch.device("cpu")
EXECUTABLE = (".pkl", ".pickle", ".joblib", ".sav", ".dill", ".cloudpickle", ".pt", ".pth", ".ckpt")


def resolve_teacher(
    teacher: object,
    *,
    task: Task | None = None,
    classes: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    output_kind: OutputKind | None = None,
    key: str | None = None,
    trusted: Sequence[str] = (),
    rows: RowKind | None = None,
    name: str | None = None,
) -> Checked[Teacher]:
    """The teacher in whatever was given as one. Nothing is fitted, unpickled or downloaded.

    Args:
        teacher: A `ModelBundle`; a `Teacher`; a fitted object with `predict_proba` or `predict`; a
            function of a frame; a path to a bundle, a `.onnx` or `.skops` file, a table of
            scores or a folder of labels; a frame of scores; a sequence of pairs or a mapping of any of these to weights.
        task: What it predicts, where it does not say so.
        classes: Labels of its output columns in their order, where it does not name them: not the
            table's classes, to which outputs are aligned by name later.
        columns: Feature columns in the order of the matrix that it was fitted on.
        output_kind: What its numbers are; None: probabilities, or values.
        key: The column by which recorded scores find their rows.
        trusted: Types in a skops file that may be built.
        rows: What a fitted object takes rows as; None tries.
        name: Stands in for the fingerprint of an object or a function.

    Returns:
        The teacher, or every issue of what was given; `TaskMismatch` when it predicts something
        else than `task`.

    Example:
        >>> rule = lambda frame: frame["x"] * 2.0
        >>> resolve_teacher(rule, task="regression").unwrap().info.task
        'regression'
        >>> resolve_teacher("forrest").failure().first.name
        'forrest'
    """
    hints = TeacherHints(
        task=task,
        classes=None if classes is None else tuple(classes),
        columns=None if columns is None else tuple(columns),
        output_kind=output_kind,
        key=key,
        trusted=tuple(trusted),
        rows=rows,
        name=name,
    )
    return _resolved(teacher, hints).bind(lambda found: _of_task(found, task))


def _of_task(teacher: Teacher, task: Task | None) -> Checked[Teacher]:
    if task not in (None, teacher.info.task):
        return fail(TaskMismatch(requested=str(task), teacher=teacher.info.task))
    return Success(teacher)


def nameless_width(teacher: Teacher) -> int | None:
    """How many columns a teacher takes that knows none of their names.

    Args:
        teacher: Any.

    Returns:
        D of a matrix; None for a teacher that finds its columns by name, or takes any number.

    Example:
        >>> from sklearn.ensemble import RandomForestRegressor
        >>> forest = RandomForestRegressor(n_estimators=3).fit([[0.0, 1.0]], [1.0])
        >>> nameless_width(estimator_teacher(forest).unwrap())
        2
    """
    if isinstance(teacher, EstimatorTeacher) and teacher.traits.rows == ("matrix",):
        return teacher.traits.width
    if isinstance(teacher, OnnxTeacher) and teacher.columns is None:
        return matrix_width(teacher.session.get_inputs()[0])
    return None


def _resolved(teacher: object, hints: TeacherHints) -> Checked[Teacher]:
    if _is_teacher(teacher):
        return Success(teacher)
    match teacher:
        case ModelBundle():
            return network_teacher(teacher).map(_teacher)
        case pl.DataFrame():
            return recorded_teacher(teacher, hints).map(_teacher)
        case str() | os.PathLike():
            return _from_path(teacher, hints)
        case Mapping():
            return _ensemble(list(teacher.items()), hints)
        case list() | tuple():
            return _ensemble(teacher, hints)
        case _:
            return _from_object(teacher, hints)


def _from_object(teacher: object, hints: TeacherHints) -> Checked[Teacher]:
    if isinstance(teacher, type):
        remedy = "it is a class, pass a fitted object of it"
        return fail(TeacherNotUnderstood(found=teacher.__name__, remedy=remedy))
    if isinstance(teacher, torch.nn.Module) and not hasattr(teacher, "predict_proba"):
        remedy = "a bare network knows no columns, pass a function of a frame around it"
        return fail(TeacherNotUnderstood(found=type(teacher).__name__, remedy=remedy))
    if any(callable(getattr(teacher, name, None)) for name in ("predict_proba", "predict")):
        return estimator_teacher(teacher, hints).map(_teacher)
    if callable(teacher):
        function = cast("Callable[[pl.DataFrame], object]", teacher)
        return function_teacher(function, hints).map(_teacher)
    return fail(TeacherNotUnderstood(found=type(teacher).__name__, remedy=""))


def _from_path(path: str | os.PathLike[str], hints: TeacherHints) -> Checked[Teacher]:
    named = os.fspath(path)
    suffixes = [suffix.lower() for suffix in Path(named).suffixes]
    last, both = "".join(suffixes[-1:]), "".join(suffixes[-2:])
    if isinstance(path, str) and not last and os.sep not in named and not Path(named).exists():
        return fail(TeacherNameUnknown(name=named, kinds=TEACHER_KINDS))
    if Path(named).is_dir():
        return stored_teacher(path).map(_teacher)
    if last == ".onnx":
        return onnx_teacher(path, hints).map(_teacher)
    if last == ".skops":
        return skops_teacher(path, hints).map(_teacher)
    if last in table_suffixes() or both in table_suffixes():
        return recorded_teacher(path, hints).map(_teacher)
    if last in EXECUTABLE:
        foreign = TeacherFileForeign(path=named, found="a pickle, by its suffix")
        return check_local_file(path).bind(lambda _: fail(foreign))
    return _from_bundle(named)


def _from_bundle(path: str) -> Checked[Teacher]:
    return (
        read_record(path)
        .bind(lambda record: from_record(record, CPU))
        .alt(lambda issues: Issues(tuple(_of_file(path, issue) for issue in issues)))
        .bind(network_teacher)
        .map(_teacher)
    )


def _of_file(path: str, issue: Issue) -> Issue:
    if isinstance(issue, BundleContradiction):
        return BundleCorrupt(path=path, reason=issue.reason)
    return issue


def _ensemble(members: Sequence[object], hints: TeacherHints) -> Checked[Teacher]:
    if not members:
        return fail(EnsembleWeightsInvalid(reason="there is no member"))
    pairs = [member for member in members if _is_pair(member)]
    if len(pairs) < len(members):
        remedy = "each member of an ensemble is a pair (teacher, weight)"
        return fail(TeacherNotUnderstood(found=type(members).__name__, remedy=remedy))
    return collect([_resolved(member, hints) for member, _ in pairs]).bind(
        lambda found: ensemble_teacher(
            [(member, weight) for member, (_, weight) in zip(found, pairs, strict=True)]
        ).map(_teacher)
    )


def _is_pair(member: object) -> TypeGuard[tuple[object, float]]:
    return isinstance(member, list | tuple) and len(member) == 2 and isinstance(member[1], Real)


def _is_teacher(teacher: object) -> TypeGuard[Teacher]:
    has_info = isinstance(getattr(teacher, "info", None), TeacherInfo)
    return has_info and callable(getattr(teacher, "outputs", None))


def _teacher(teacher: Teacher) -> Teacher:
    return teacher
