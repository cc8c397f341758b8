"""Any fitted object with `predict_proba` or `predict` as a teacher."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast, final

import numpy as np
import polars as pl
from returns.result import Failure, Success

from kdtab.data.outputs import OutputKind, TeacherOutputs
from kdtab.errors.answers import (
    TeacherColumnsAbsent,
    TeacherColumnsUncounted,
    TeacherRowsAmbiguous,
)
from kdtab.errors.sources import TeacherUnnamed
from kdtab.results import Checked, collect, fail
from kdtab.teachers.answers import answered, joined_chunks, no_outputs, outputs_from_answer
from kdtab.teachers.content import content_of
from kdtab.teachers.hints import NO_HINTS, RowKind, TeacherHints
from kdtab.teachers.rows import (
    columns_with_missing_texts,
    matched_columns,
    matrix_rows,
    pandas_rows,
)
from kdtab.teachers.teacher import TeacherInfo
from kdtab.teachers.traits import (
    EstimatorTraits,
    estimator_name,
    estimator_traits,
    refitted,
    with_trees_in_order,
)

CHUNK_ROWS = 65_536
SAME_ANSWER = 1e-6


@final
@dataclass(frozen=True, eq=False)
class EstimatorTeacher:
    """A fitted scikit-learn estimator, pipeline or search, or a booster with the same methods.

    Attributes:
        info: What it says of itself.
        estimator: The object; asked, never fitted nor changed.
        traits: How it wants its rows.
        rows: What it takes rows as; None tries pandas, polars and a matrix, in this order, as far
            as they may be what it was fitted with.

    Example:
        >>> from sklearn.ensemble import RandomForestRegressor
        >>> forest = RandomForestRegressor(n_estimators=3).fit([[0.0], [1.0]], [1.0, 2.0])
        >>> estimator_teacher(forest).unwrap().info.task
        'regression'
    """

    info: TeacherInfo
    estimator: object
    traits: EstimatorTraits
    rows: RowKind | None = None

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """What the object says of rows, 65,536 at a time.

        Args:
            frame: [N] rows of typed columns (see `typed_frame`) with those that it was fitted on;
                others are passed over. Not changed.

        Returns:
            [N, C] probabilities or [N, 1] values, or `TeacherColumnsAbsent`,
            `TeacherColumnsUncounted`, `TeacherRowsAmbiguous`, `TeacherCallFailed`,
            `TeacherOutputsInvalid`.

        Example:
            >>> from sklearn.ensemble import RandomForestRegressor
            >>> forest = RandomForestRegressor(n_estimators=3).fit([[0.0], [1.0]], [1.0, 1.0])
            >>> teacher = estimator_teacher(forest).unwrap()
            >>> teacher.outputs(pl.DataFrame({"x": [0.5]})).unwrap().values.tolist()
            [[1.0]]
        """
        selected = _selected(frame, self.traits)
        if isinstance(selected, Failure) or frame.is_empty():
            return selected.map(lambda _: no_outputs(self.info))
        return selected.bind(self._first_answer)

    def _first_answer(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        kinds = self.traits.rows if self.rows is None else (self.rows,)
        first = self._answer(frame, kinds[0])
        if isinstance(first, Success):
            return first.bind(lambda answer: self._unless_ambiguous(frame, kinds, answer))
        others = (self._answer(frame, kind) for kind in kinds[1:])
        return next((answer for answer in others if isinstance(answer, Success)), first)

    def _answer(self, frame: pl.DataFrame, kind: RowKind) -> Checked[TeacherOutputs]:
        starts = range(0, frame.height, CHUNK_ROWS)
        chunks = (self._chunk(frame.slice(start, CHUNK_ROWS), kind) for start in starts)
        return collect(chunks).map(joined_chunks)

    def _chunk(self, frame: pl.DataFrame, kind: RowKind) -> Checked[TeacherOutputs]:
        traits = self.traits
        rows: Checked[object] = rows_of_kind(frame, kind, traits)
        ask = _method(with_trees_in_order(self.estimator), traits)
        return rows.bind(lambda given: answered(traits.name, lambda: _in_silence(ask, given))).bind(
            lambda answer: outputs_from_answer(answer, self.info, frame.height, trees=traits.trees)
        )

    def _unless_ambiguous(
        self, frame: pl.DataFrame, kinds: tuple[RowKind, ...], first: TeacherOutputs
    ) -> Checked[TeacherOutputs]:
        texts = columns_with_missing_texts(frame)
        if not texts or "polars" not in kinds[1:]:
            return Success(first)
        other = self._answer(frame, "polars")
        differs = isinstance(other, Success) and not np.allclose(
            first.values, other.unwrap().values, rtol=SAME_ANSWER, atol=SAME_ANSWER
        )
        if differs:
            return fail(TeacherRowsAmbiguous(teacher=self.traits.name, columns=texts))
        return Success(first)


def estimator_teacher(
    estimator: object, hints: TeacherHints = NO_HINTS
) -> Checked[EstimatorTeacher]:
    """A fitted object as a teacher.

    Its fingerprint is the digest of its parameters and fitted arrays, or of `hints.name`.

    Args:
        estimator: Fitted, with `predict_proba` or `predict`.
        hints: What it does not say itself.

    Returns:
        The teacher, or the issues of `estimator_traits`, `TeacherUnnamed`.

    Example:
        >>> from sklearn.ensemble import RandomForestClassifier
        >>> forest = RandomForestClassifier(n_estimators=3).fit([[0.0], [1.0]], ["no", "yes"])
        >>> estimator_teacher(forest).unwrap().info.classes
        ('no', 'yes')
    """
    return estimator_traits(estimator, hints).bind(
        lambda traits: _described(estimator, traits, hints).map(
            lambda info: EstimatorTeacher(info, estimator, traits, hints.rows)
        )
    )


def _described(
    estimator: object, traits: EstimatorTraits, hints: TeacherHints
) -> Checked[TeacherInfo]:
    content = content_of(hints.name or refitted(estimator))
    if content is None:
        return fail(TeacherUnnamed(name=estimator_name(estimator)))
    usual: OutputKind = "values" if traits.task == "regression" else "probabilities"
    return Success(
        TeacherInfo(
            name=traits.name,
            task=traits.task,
            classes=traits.classes,
            output_kind=hints.output_kind or usual,
            fingerprint=content.fingerprint,
            size_bytes=None if hints.name else content.size_bytes,
        )
    )


def _selected(frame: pl.DataFrame, traits: EstimatorTraits) -> Checked[pl.DataFrame]:
    if traits.columns is None:
        if traits.width not in (None, frame.width):
            issue = TeacherColumnsUncounted(
                teacher=traits.name, expected=traits.width, found=frame.width
            )
            return fail(issue)
        return Success(frame)
    matched = matched_columns(traits.columns, frame.columns)
    absent = tuple(
        name for name, found in zip(traits.columns, matched, strict=True) if found is None
    )
    if absent:
        found = tuple(frame.columns)
        return fail(TeacherColumnsAbsent(teacher=traits.name, names=absent, found=found))
    names = zip(traits.columns, matched, strict=True)
    return Success(frame.select(pl.col(str(found)).alias(name) for name, found in names))


def rows_of_kind(frame: pl.DataFrame, kind: RowKind, traits: EstimatorTraits) -> Checked[object]:
    """Rows as an estimator takes them.

    Args:
        frame: [N] typed rows.
        kind: A frame of pandas, one of polars, or a matrix.
        traits: What the estimator says of itself.

    Returns:
        The rows, or `ExtraMissing` where pandas is not installed.

    Example:
        >>> traits = EstimatorTraits("SVR", "regression", (), None, 1, None, False, False)
        >>> rows_of_kind(pl.DataFrame({"x": [1, 2]}), "matrix", traits).unwrap().tolist()
        [[1.0], [2.0]]
    """
    match kind:
        case "pandas":
            rows = pandas_rows(frame, texts_are_categories=traits.texts_are_categories)
            return rows.map(lambda found: cast("object", found))
        case "polars":
            return Success(frame.clone())
        case "matrix":
            return Success(matrix_rows(frame))


def _method(estimator: object, traits: EstimatorTraits) -> Callable[[object], object]:
    name = "predict_proba" if traits.task == "classification" else "predict"
    found = getattr(estimator, name if traits.gives_probabilities else "predict")
    return cast("Callable[[object], object]", found)


def _in_silence(ask: Callable[[object], object], rows: object) -> object:
    """Without the warning that a matrix has no names: its columns are in the order of the names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*feature names", category=UserWarning)
        return ask(rows)
