"""Several teachers as one: the weighted mean of what they say."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.data.arrays import FloatArray
from kdtab.data.outputs import TeacherOutputs, align_classes
from kdtab.data.shares import softmax
from kdtab.errors.issue import Issue
from kdtab.errors.sources import EnsembleTasksDiffer, EnsembleWeightsInvalid
from kdtab.errors.teachers import ClassesDiffer
from kdtab.results import Checked, check, collect
from kdtab.teachers.teacher import Teacher, TeacherInfo


@final
@dataclass(frozen=True, eq=False)
class EnsembleTeacher:
    """Σ_k w_k · p_k over its members' probabilities, or over their values.

    A single member is that member: its outputs stay of their own kind. Made by `ensemble_teacher`.

    Attributes:
        members: At least one, of one task, all with the same classes in any order.
        weights: Above 0, one for each member, with sum 1.

    Example:
        >>> from kdtab.teachers.function import function_teacher
        >>> from kdtab.teachers.hints import TeacherHints
        >>> rule = function_teacher(lambda frame: frame["x"], TeacherHints(task="regression")).unwrap()
        >>> EnsembleTeacher((rule,), (1.0,)).info is rule.info
        True
    """

    members: tuple[Teacher, ...]
    weights: tuple[float, ...]

    @property
    def info(self) -> TeacherInfo:
        """The first member's task and classes, and a fingerprint of all members and weights.

        Example:
            >>> from kdtab.teachers.function import function_teacher
            >>> from kdtab.teachers.hints import TeacherHints
            >>> hints = TeacherHints(task="regression")
            >>> rule = function_teacher(lambda frame: frame["x"], hints).unwrap()
            >>> EnsembleTeacher((rule, rule), (0.5, 0.5)).info.name
            'ensemble of <lambda> (0.5), <lambda> (0.5)'
        """
        first, *others = (member.info for member in self.members)
        if not others:
            return first
        weighted = list(zip((first, *others), self.weights, strict=True))
        shown = ", ".join(f"{info.name} ({weight:.3g})" for info, weight in weighted)
        parts = "\n".join(f"{info.fingerprint} {weight!r}" for info, weight in weighted)
        sizes = [info.size_bytes for info in (first, *others)]
        return replace(
            first,
            name=f"ensemble of {shown}",
            output_kind="values" if first.task == "regression" else "probabilities",
            fingerprint=hashlib.sha256(parts.encode()).hexdigest(),
            artifacts=None,
            size_bytes=None if None in sizes else sum(size or 0 for size in sizes),
        )

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """The mean of what the members say of rows, their classes aligned by name.

        Args:
            frame: [N] raw rows; not changed.

        Returns:
            [N, C] probabilities or [N, 1] values, or the issues of every member that failed.

        Example:
            >>> from kdtab.teachers.function import function_teacher
            >>> from kdtab.teachers.hints import TeacherHints
            >>> hints = TeacherHints(task="regression")
            >>> low, high = (function_teacher(rule, hints).unwrap() for rule in (
            ...     lambda frame: frame["x"], lambda frame: frame["x"] + 4))
            >>> mean = ensemble_teacher([(low, 3), (high, 1)]).unwrap()
            >>> mean.outputs(pl.DataFrame({"x": [1.0]})).unwrap().values.tolist()
            [[2.0]]
        """
        if len(self.members) == 1:
            return self.members[0].outputs(frame)
        classes = self.info.classes
        spoken = (
            member.outputs(frame).bind(lambda said: _averageable(said, classes))
            for member in self.members
        )
        return collect(spoken).map(self._mean)

    def _mean(self, spoken: tuple[FloatArray, ...]) -> TeacherOutputs:
        pairs = zip(spoken, self.weights, strict=True)
        total = np.sum([values * weight for values, weight in pairs], axis=0)
        return TeacherOutputs(self.info.output_kind, self.info.classes, total)


def ensemble_teacher(members: Sequence[tuple[Teacher, float]]) -> Checked[EnsembleTeacher]:
    """Teachers and their weights as one teacher.

    A member of weight 0 is left out and never asked, so that weights (1, 0) are the first alone.

    Args:
        members: Teachers with finite weights of at least 0; the weights are divided by their sum.

    Returns:
        The ensemble, or `EnsembleWeightsInvalid` for each weight, `EnsembleTasksDiffer`,
        `ClassesDiffer`.

    Example:
        >>> from kdtab.teachers.function import function_teacher
        >>> from kdtab.teachers.hints import TeacherHints
        >>> rule = function_teacher(lambda frame: frame["x"], TeacherHints(task="regression")).unwrap()
        >>> ensemble_teacher([(rule, 1), (rule, 3)]).unwrap().weights
        (0.25, 0.75)
        >>> ensemble_teacher([(rule, float("nan"))]).failure().first.reason
        'weight 1 is nan'
    """
    return check(*_weight_issues([weight for _, weight in members])).bind(
        lambda _: check(*_member_issues([member.info for member, _ in members])).map(
            lambda _: _weighted(members)
        )
    )


def _weighted(members: Sequence[tuple[Teacher, float]]) -> EnsembleTeacher:
    heard = [(member, float(weight)) for member, weight in members if weight > 0]
    largest = max(weight for _, weight in heard)  # the sum of huge weights would be infinite
    total = math.fsum(weight / largest for _, weight in heard)
    return EnsembleTeacher(
        tuple(member for member, _ in heard),
        tuple(weight / largest / total for _, weight in heard),
    )


def _weight_issues(weights: Sequence[float]) -> Iterator[Issue]:
    if not weights:
        yield EnsembleWeightsInvalid(reason="there is no member")
        return
    for place, weight in enumerate(weights, start=1):
        if not math.isfinite(weight) or weight < 0:
            yield EnsembleWeightsInvalid(reason=f"weight {place} is {weight}")
    if all(weight == 0 for weight in weights):
        yield EnsembleWeightsInvalid(reason="every weight is 0")


def _member_issues(infos: Sequence[TeacherInfo]) -> Iterator[Issue]:
    first = infos[0]
    if any(info.task != first.task for info in infos):
        yield EnsembleTasksDiffer(members=tuple(f"{info.name}: {info.task}" for info in infos))
        return
    for info in infos[1:]:
        only = tuple(name for name in info.classes if name not in first.classes)
        lacking = tuple(name for name in first.classes if name not in info.classes)
        if only or lacking:
            yield ClassesDiffer(only_teacher=only, only_table=lacking)


def _averageable(outputs: TeacherOutputs, classes: tuple[str, ...]) -> Checked[FloatArray]:
    if outputs.kind == "values":
        return Success(outputs.values)
    return align_classes(outputs, classes).map(_probabilities)


def _probabilities(outputs: TeacherOutputs) -> FloatArray:
    return outputs.values if outputs.kind == "probabilities" else softmax(outputs.values)
