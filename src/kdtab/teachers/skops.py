"""A model saved with skops as a teacher: only types that are known or said to be safe are built."""

from __future__ import annotations

import os
from dataclasses import replace
from types import ModuleType

from returns.result import Success

from kdtab.disk.localfiles import read_local_file
from kdtab.errors.extras import ExtraMissing
from kdtab.errors.sources import SkopsTypesUntrusted, TeacherFileBroken
from kdtab.results import Checked, fail
from kdtab.teachers.answers import reason_of
from kdtab.teachers.content import content_of
from kdtab.teachers.estimator import EstimatorTeacher, estimator_teacher
from kdtab.teachers.hints import NO_HINTS, TeacherHints

KIND = "a skops model"
HARMLESS = frozenset({"numpy.dtype", "sklearn.compose._column_transformer.make_column_selector"})
"""What skops leaves to its user though it only holds names: pipelines over columns need it."""


def skops_teacher(
    path: str | os.PathLike[str], hints: TeacherHints = NO_HINTS
) -> Checked[EstimatorTeacher]:
    """A `.skops` file as a teacher; nothing in it is unpickled.

    Args:
        path: A local regular file that `skops.io.dump` wrote.
        hints: `trusted` types, and what the object in it does not say itself.

    Returns:
        The teacher, its fingerprint the digest of the file; or `SkopsTypesUntrusted` with every
        type that skops does not know and `hints.trusted` does not name, `TeacherFileBroken`,
        `ExtraMissing`, and the issues of `read_local_file` and `estimator_teacher`.

    Example:
        >>> skops_teacher("no such file.skops").failure().first
        FileMissing(path='no such file.skops')
    """
    named = os.fspath(path)
    return read_local_file(named).bind(
        lambda content: _reader().bind(
            lambda reader: _loaded(named, content, reader, hints).bind(
                lambda estimator: estimator_teacher(estimator, _named(hints, content)).map(
                    lambda teacher: _sized(teacher, content)
                )
            )
        )
    )


def _reader() -> Checked[ModuleType]:
    try:
        import skops.io
    except ImportError:
        return fail(ExtraMissing(extra="skops", package="skops"))
    return Success(skops.io)


def _loaded(path: str, content: bytes, reader: ModuleType, hints: TeacherHints) -> Checked[object]:
    try:
        unknown: list[str] = reader.get_untrusted_types(data=content)
        refused = tuple(sorted(set(unknown) - set(hints.trusted) - HARMLESS))
        if refused:
            return fail(SkopsTypesUntrusted(path=path, types=refused))
        return Success(reader.loads(content, trusted=unknown))
    except Exception as error:  # a damaged file fails wherever its damage is met
        return fail(TeacherFileBroken(path=path, kind=KIND, reason=reason_of(error)))


def _named(hints: TeacherHints, content: bytes) -> TeacherHints:
    found = content_of(content)
    return hints if hints.name or found is None else replace(hints, name=found.fingerprint)


def _sized(teacher: EstimatorTeacher, content: bytes) -> EstimatorTeacher:
    return replace(teacher, info=replace(teacher.info, size_bytes=len(content)))
