"""The names of a teacher's classes, as the table spells its labels."""

from __future__ import annotations

from collections.abc import Sequence

from returns.result import Success

from kdtab.data.coerce import series_from_cells
from kdtab.data.target import target_labels
from kdtab.errors.sources import TeacherClassesUnclear
from kdtab.errors.teachers import ClassesDiffer
from kdtab.results import Checked, fail


def class_names(teacher: str, labels: Sequence[object]) -> Checked[tuple[str, ...]]:
    """Labels of any type as canonical texts, in their order.

    Args:
        teacher: Its name, for messages.
        labels: [C] texts, numbers or truth values, Python's or numpy's.

    Returns:
        [C] distinct texts, or `TeacherClassesUnclear`.

    Example:
        >>> class_names("forest", [0.0, 1.0]).unwrap()
        ('0', '1')
        >>> class_names("forest", ["a", " a"]).failure().first.reason
        "its labels are not distinct: 'a', 'a'"
    """
    texts = target_labels(series_from_cells("class", list(labels)), ()).to_list()
    if not texts or None in texts:
        reason = "it has no classes" if not texts else "one of its labels is missing"
        return fail(TeacherClassesUnclear(name=teacher, reason=reason))
    if len(set(texts)) < len(texts):
        shown = ", ".join(repr(text) for text in texts[:4])
        return fail(
            TeacherClassesUnclear(name=teacher, reason=f"its labels are not distinct: {shown}")
        )
    return Success(tuple(texts))


def chosen_classes(
    teacher: str, own: Sequence[object] | None, given: Sequence[object] | None
) -> Checked[tuple[str, ...]]:
    """The classes of a teacher's columns, from what it says and what a user says.

    The teacher's own order counts. Given names replace its own only where its own are mere codes,
    0 to C − 1, as of a booster that was fitted on encoded labels.

    Args:
        teacher: Its name, for messages.
        own: What it says of itself, None when it says nothing.
        given: What the user says, None when nothing.

    Returns:
        [C] canonical texts, or `TeacherClassesUnclear`, `ClassesDiffer`.

    Example:
        >>> chosen_classes("m", ["b", "a"], ["a", "b"]).unwrap()
        ('b', 'a')
        >>> chosen_classes("m", [0, 1], ["no", "yes"]).unwrap()
        ('no', 'yes')
        >>> chosen_classes("m", ["x", "y"], ["no", "yes"]).failure().first
        ClassesDiffer(only_teacher=('x', 'y'), only_table=('no', 'yes'))
    """
    if own is not None and given is not None:
        return class_names(teacher, own).bind(
            lambda its: class_names(teacher, given).bind(lambda names: _reconciled(its, names))
        )
    said = own if given is None else given
    if said is None:
        return fail(TeacherClassesUnclear(name=teacher, reason="it does not name its classes"))
    return class_names(teacher, said)


def _reconciled(own: tuple[str, ...], given: tuple[str, ...]) -> Checked[tuple[str, ...]]:
    if set(own) == set(given):
        return Success(own)
    codes = tuple(str(code) for code in range(len(own)))
    if own == codes and len(given) == len(own):
        return Success(given)
    return fail(
        ClassesDiffer(
            only_teacher=tuple(name for name in own if name not in given),
            only_table=tuple(name for name in given if name not in own),
        )
    )
