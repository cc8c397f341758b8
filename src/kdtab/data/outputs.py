"""What a teacher said about rows, checked, and aligned by the names of the classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from returns.result import Success

from kdtab.data.arrays import BoolArray, FloatArray
from kdtab.data.shares import softmax
from kdtab.errors.teachers import ClassesDiffer, TeacherOutputsInvalid
from kdtab.results import Checked, check, fail

OutputKind: TypeAlias = Literal["logits", "log_probabilities", "probabilities", "values"]

ROUNDING = 1e-6
"""Sums of float32, such as an ONNX forest's, end a little below 0."""
SUM_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class TeacherOutputs:
    """A teacher's outputs for rows, in the rows' order.

    Attributes:
        kind: What the numbers are.
        classes: Names of the columns, as canonical label texts; empty for values.
        values: [N, C] logits, (log-)probabilities, or [N, 1] values in the target's unit.
        trees: B, when the probabilities are the mean vote of B trees; None otherwise.

    Example:
        >>> TeacherOutputs("values", (), np.zeros((3, 1))).values.shape
        (3, 1)
    """

    kind: OutputKind
    classes: tuple[str, ...]
    values: FloatArray
    trees: int | None = None


def checked_outputs(outputs: TeacherOutputs, rows: int) -> Checked[TeacherOutputs]:
    """The outputs, or everything that makes them unusable, with counts.

    Args:
        outputs: As the teacher gave them.
        rows: How many rows it was asked about.

    Returns:
        The same outputs, a probability that rounding has brought below 0 by less than 1e-6 as 0; or
        `TeacherOutputsInvalid` for a wrong shape, for rows that are NaN or
        infinite (−∞ is a valid log-probability), for probabilities outside [0, 1], and for rows
        that do not sum to one within 1e-3.

    Example:
        >>> bad = TeacherOutputs("probabilities", ("a", "b"), np.array([[0.5, 0.2]]))
        >>> checked_outputs(bad, 1).failure().first.reason
        '1 of 1 rows do not sum to one, the first is row 1 with 0.7'
    """
    expected = (rows, len(outputs.classes) if outputs.classes else 1)
    if outputs.values.shape != expected:
        found = "×".join(str(size) for size in outputs.values.shape)
        wanted = "×".join(str(size) for size in expected)
        return fail(TeacherOutputsInvalid(reason=f"{found} numbers, not {wanted}"))
    unknown = _unknown_rows(outputs)
    return check(
        _counted(unknown, "are NaN or infinite", outputs.values.sum(axis=1)),
        _counted(_outside(outputs) & ~unknown, "are outside of 0 to 1", outputs.values.min(axis=1)),
        _counted(_unsummed(outputs) & ~unknown, "do not sum to one", _sums(outputs)),
    ).map(lambda _: _without_rounding(outputs))


def align_classes(
    outputs: TeacherOutputs, classes: Sequence[str], *, missing: Literal["error", "zero"] = "error"
) -> Checked[TeacherOutputs]:
    """The outputs with their columns in the order of named classes.

    Args:
        outputs: Of a classification.
        classes: The wanted order, as canonical label texts.
        missing: A class that only one side knows is an error, or gets probability 0 (a class that
            only the teacher knows is left out and the rest renormalised).

    Returns:
        The aligned outputs as probabilities or in their own kind, or `ClassesDiffer`.

    Example:
        >>> said = TeacherOutputs("probabilities", ("b", "a"), np.array([[0.9, 0.1]]))
        >>> align_classes(said, ("a", "b")).unwrap().values.tolist()
        [[0.1, 0.9]]
    """
    known = {name: place for place, name in enumerate(outputs.classes)}
    if set(known) == set(classes):
        order = [known[name] for name in classes]
        return Success(replace(outputs, classes=tuple(classes), values=outputs.values[:, order]))
    if missing == "error":
        only_teacher = tuple(name for name in outputs.classes if name not in set(classes))
        only_table = tuple(name for name in classes if name not in known)
        return fail(ClassesDiffer(only_teacher=only_teacher, only_table=only_table))
    return Success(_with_zeros(outputs, tuple(classes), known))


def _without_rounding(outputs: TeacherOutputs) -> TeacherOutputs:
    if outputs.kind != "probabilities" or not (outputs.values < 0).any():
        return outputs
    return replace(outputs, values=np.maximum(outputs.values, 0.0))


def _unknown_rows(outputs: TeacherOutputs) -> BoolArray:
    values = outputs.values
    if outputs.kind == "log_probabilities":
        unusable = np.isnan(values) | np.isposinf(values)
        return np.asarray(unusable.any(axis=1) | np.isneginf(values).all(axis=1))
    return np.asarray(~np.isfinite(values).all(axis=1))


def _outside(outputs: TeacherOutputs) -> BoolArray:
    if outputs.kind != "probabilities":
        return np.zeros(len(outputs.values), dtype=np.bool_)
    outside = (outputs.values < -ROUNDING) | (outputs.values > 1 + SUM_TOLERANCE)
    return np.asarray(outside.any(axis=1))


def _sums(outputs: TeacherOutputs) -> FloatArray:
    shares = np.exp(outputs.values) if outputs.kind == "log_probabilities" else outputs.values
    sums: FloatArray = shares.sum(axis=1)
    return sums


def _unsummed(outputs: TeacherOutputs) -> BoolArray:
    if outputs.kind in ("logits", "values"):
        return np.zeros(len(outputs.values), dtype=np.bool_)
    return np.asarray(np.abs(_sums(outputs) - 1) > SUM_TOLERANCE)


def _counted(bad: BoolArray, what: str, shown: FloatArray) -> TeacherOutputsInvalid | None:
    if not bad.any():
        return None
    first = int(bad.argmax())
    count = f"{int(bad.sum()):,} of {len(bad):,} rows {what}"
    return TeacherOutputsInvalid(
        reason=f"{count}, the first is row {first + 1:,} with {float(shown[first]):.4g}"
    )


def _with_zeros(
    outputs: TeacherOutputs, classes: tuple[str, ...], known: Mapping[str, int]
) -> TeacherOutputs:
    shares = _shares(outputs)
    aligned = np.zeros((len(shares), len(classes)))
    for place, name in enumerate(classes):
        if name in known:
            aligned[:, place] = shares[:, known[name]]
    totals = aligned.sum(axis=1, keepdims=True)
    even = np.full_like(aligned, 1 / len(classes))
    values = np.divide(aligned, totals, out=even, where=totals > 0)
    return replace(outputs, kind="probabilities", classes=classes, values=values)


def _shares(outputs: TeacherOutputs) -> FloatArray:
    return outputs.values if outputs.kind == "probabilities" else softmax(outputs.values)
