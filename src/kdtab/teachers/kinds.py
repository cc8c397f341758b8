"""The kinds of teacher that kdtab fits itself, by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Literal, TypeAlias

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.config.teachers import LabelPolicy, TeacherKind
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import Artifacts, encode_features
from kdtab.data.folds import Folds
from kdtab.data.outputs import TeacherOutputs, checked_outputs
from kdtab.results import Checked, collect
from kdtab.shell.trained import LabelMethod
from kdtab.teachers.boosting import boosted_fit
from kdtab.teachers.content import content_of
from kdtab.teachers.crossfit import (
    Fit,
    FoldLabels,
    Heard,
    Labelling,
    Says,
    Targets,
    fit_in_sample,
    fold_labels,
    unheard,
)
from kdtab.teachers.lesson import Lesson
from kdtab.teachers.mixture import mixed_labelling, mixture_weights
from kdtab.teachers.teacher import TeacherInfo
from kdtab.teachers.trees import forest_fit, out_of_bag

Member: TypeAlias = Literal["forest", "extra_trees", "boosted", "network"]
NetworkFit: TypeAlias = Callable[[Float32Array, Targets, int, int], Checked[Says[Float32Array]]]
"""Rows, their targets, a seed and the number of the network to a fitted network of kdtab."""

MEMBERS: dict[TeacherKind, tuple[Member, ...]] = {
    "forest": ("forest",),
    "extra_trees": ("extra_trees",),
    "boosted": ("boosted",),
    "ensemble": ("forest", "extra_trees", "boosted", "network", "network", "network"),
}
MOST_TWINS = 0.05
"""A forest labels out of bag up to this share of rows with a twin: of many twins one is in any bag."""


@dataclass(frozen=True, eq=False)
class Lessons:
    """The training rows of a kind, and how they are labelled.

    Attributes:
        lesson: Task, classes, scale and seed.
        rows: [N, D] encoded rows.
        targets: [N] class codes, or values in the target's unit.
        folds: Which rows each fold's teacher sees.
        policy: "in_sample" labels rows by a teacher that saw them; all else does not.
        bags: Whether a forest may use the trees that did not see a row in place of folds: there is
            neither a group nor a time column.
        heard: Is told of every fit.

    Example:
        >>> from kdtab.data.folds import fold_rows
        >>> folds = fold_rows(np.array([0, 1]), np.arange(2), count=2, seed=0).unwrap()
        >>> rows = np.zeros((2, 1), dtype=np.float32)
        >>> Lessons(Lesson("classification", 2), rows, np.array([0, 1]), folds).out_of_bag
        True
    """

    lesson: Lesson
    rows: Float32Array
    targets: Targets
    folds: Folds
    policy: LabelPolicy = "auto"
    bags: bool = True
    heard: Heard = unheard

    @property
    def out_of_bag(self) -> bool:
        """Whether forests label out of bag, and not by folds.

        Example:
            >>> from kdtab.data.folds import fold_rows
            >>> folds = fold_rows(np.zeros(6), np.array([0, 0, 1, 2, 3, 4]), count=2, seed=0).unwrap()
            >>> rows = np.zeros((6, 1), dtype=np.float32)
            >>> Lessons(Lesson("regression", 1), rows, np.zeros(6), folds).out_of_bag
            False
        """
        return self.bags and self.folds.identical_share <= MOST_TWINS


@dataclass(frozen=True, eq=False)
class KindLabels:
    """What a kind of teacher says of the training rows.

    Attributes:
        labelling: Its outputs, and the teacher of all training rows.
        weights: The name and the weight of each member.

    Example:
        >>> KindLabels.__dataclass_params__.frozen
        True
    """

    labelling: Labelling[Float32Array]
    weights: tuple[tuple[str, float], ...]


def label_by_kind(
    kind: TeacherKind, lessons: Lessons, fit_network: NetworkFit
) -> Checked[KindLabels]:
    """Fit a kind of teacher, and let it label the rows that it did not see.

    Forests label out of bag where they can; boosted trees and networks by folds. The members of an
    ensemble are mixed by the weights that fit the targets best, chosen on these very labels.

    Args:
        kind: Which.
        lessons: On which rows.
        fit_network: Fits the networks of an ensemble; teachers never train on their own.

    Returns:
        The labels, or the issues of a network that could not be fitted.

    Example:
        >>> from kdtab.data.folds import fold_rows
        >>> x, y = np.array([[0.0], [1.0]] * 20, dtype=np.float32), np.array([0, 1] * 20)
        >>> folds = fold_rows(y, np.arange(40), count=2, seed=0).unwrap()
        >>> lessons = Lessons(Lesson("classification", 2), x, y, folds)
        >>> label_by_kind("forest", lessons, None).unwrap().labelling.method
        'out_of_bag'
    """
    names = MEMBERS[kind]
    every = collect(_member(name, place, lessons, fit_network) for place, name in enumerate(names))
    return every.bind(lambda labels: _mixed(names, labels, lessons))


def _member(
    name: Member, place: int, lessons: Lessons, fit_network: NetworkFit
) -> Checked[FoldLabels[Float32Array]]:
    seed = (lessons.lesson.random_seed + place) % 2**32
    lesson = replace(lessons.lesson, random_seed=seed)
    rows, targets, folds = lessons.rows, lessons.targets, lessons.folds
    heard = _named(lessons.heard, name)
    fit: Fit[Float32Array]
    match name:
        case "forest" | "extra_trees":
            if lessons.out_of_bag and lessons.policy != "in_sample":
                heard("out of bag")
                return Success(_whole(out_of_bag(name, lesson, rows, targets, folds.groups)))
            fit = forest_fit(name, lesson)
        case "boosted":
            fit = boosted_fit(lesson)
        case "network":
            fit = _numbered(fit_network, seed, MEMBERS["ensemble"][:place].count(name))
    if lessons.policy == "in_sample":
        heard("all training rows")
        return fit_in_sample(fit, rows, targets).map(_whole)
    return fold_labels(fit, rows, targets, folds, heard)


def _named(heard: Heard, name: Member) -> Heard:
    return lambda detail: heard(f"{name.replace('_', ' ')}, {detail}")


def _whole(labelling: Labelling[Float32Array]) -> FoldLabels[Float32Array]:
    """The teacher of all rows is the one that labelled them."""
    return FoldLabels(labelling.outputs, lambda: Success(labelling.says), labelling.method)


def _numbered(fit_network: NetworkFit, seed: int, number: int) -> Fit[Float32Array]:
    return lambda rows, targets: fit_network(rows, targets, seed, number)


def _mixed(
    names: tuple[Member, ...], every: tuple[FoldLabels[Float32Array], ...], lessons: Lessons
) -> Checked[KindLabels]:
    """Members that got no weight are not fitted again: nobody would ask them."""
    if len(every) == 1:
        return every[0].finished().map(lambda only: KindLabels(only, ((names[0], 1.0),)))
    weights = _weights(every, lessons)
    named = tuple((name, float(weight)) for name, weight in zip(names, weights, strict=True))
    method: LabelMethod = "in_sample" if lessons.policy == "in_sample" else "out_of_fold"
    used = collect(
        labels.finished() for labels, weight in zip(every, weights, strict=True) if weight > 0
    )
    return used.map(lambda found: mixed_labelling(found, weights[weights > 0])).map(
        lambda mixture: KindLabels(replace(mixture, method=method), named)
    )


def _weights(every: tuple[FoldLabels[Float32Array], ...], lessons: Lessons) -> FloatArray:
    """Equal where the members saw the rows: the best memory would win."""
    known = ~np.any([np.isnan(labels.outputs).any(axis=1) for labels in every], axis=0)
    if lessons.policy == "in_sample" or not known.any():
        return np.full(len(every), 1 / len(every))
    return mixture_weights(
        [labels.outputs[known] for labels in every],
        lessons.targets[known],
        task=lessons.lesson.task,
    )


@dataclass(frozen=True, eq=False)
class KindTeacher:
    """A kind of teacher that was fitted on all training rows.

    Attributes:
        info: What it says of itself.
        artifacts: From a frame to the columns that it knows, the student's own.
        says: The fitted teacher.

    Example:
        >>> KindTeacher.outputs.__name__
        'outputs'
    """

    info: TeacherInfo
    artifacts: Artifacts
    says: Says[Float32Array]

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """What the teacher says of rows.

        Args:
            frame: [N] raw rows; not changed.

        Returns:
            [N, C] probabilities or [N, 1] values in the target's unit.

        Example:
            >>> from returns.result import Success
            >>> from kdtab.data.artifacts import fit_artifacts
            >>> empty = fit_artifacts(pl.DataFrame({"x": [1.0]}), (), ())
            >>> info = TeacherInfo("rule", "regression", (), "values", "r")
            >>> teacher = KindTeacher(info, empty, lambda rows: Success(np.ones((len(rows), 1))))
            >>> teacher.outputs(pl.DataFrame({"x": [1.0]})).unwrap().values.tolist()
            [[1.0]]
        """
        return self.says(encode_features(frame, self.artifacts)).bind(
            lambda values: checked_outputs(
                TeacherOutputs(self.info.output_kind, self.info.classes, values), frame.height
            )
        )


def kind_teacher(
    kind: TeacherKind, lessons: Lessons, says: Says[Float32Array], artifacts: Artifacts
) -> KindTeacher:
    """The teacher of all training rows, with a name and a fingerprint.

    Args:
        kind: Which.
        lessons: What it was fitted on.
        says: The fitted teacher.
        artifacts: The student's preprocessing.

    Returns:
        A teacher that any frame can be given to.

    Example:
        >>> kind_teacher.__name__
        'kind_teacher'
    """
    encoder = artifacts.label_encoder
    classes = encoder.classes if encoder and lessons.lesson.task == "classification" else ()
    content = content_of(says)
    info = TeacherInfo(
        name=kind.replace("_", " "),
        task=lessons.lesson.task,
        classes=classes,
        output_kind="probabilities" if classes else "values",
        fingerprint=_fingerprint(kind, lessons),
        size_bytes=None if content is None else content.size_bytes,
    )
    return KindTeacher(info, artifacts, says)


def _fingerprint(kind: TeacherKind, lessons: Lessons) -> str:
    """The same for the same kind, seed, scikit-learn and rows: a teacher is decided by them."""
    words = f"{kind} {lessons.lesson.random_seed} {lessons.policy} {version('scikit-learn')}"
    digest = hashlib.sha256(words.encode())
    for array in (lessons.rows, lessons.targets, lessons.folds.parts):
        digest.update(f" {array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
