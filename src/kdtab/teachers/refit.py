"""A scikit-learn estimator fitted again: cloned, on rows of one's own choice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, TypeGuard

import numpy as np
import numpy.typing as npt
import polars as pl
from returns.result import Success

from kdtab.config.training import Task
from kdtab.data.arrays import FloatArray
from kdtab.data.outputs import TeacherOutputs, align_classes
from kdtab.errors.answers import (
    TeacherCallFailed,
    TeacherColumnsAbsent,
    TeacherColumnsUncounted,
)
from kdtab.errors.base import listed
from kdtab.errors.issue import Issue, Issues
from kdtab.results import Checked, fail
from kdtab.teachers.answers import answered
from kdtab.teachers.clones import cloned
from kdtab.teachers.crossfit import Fit, Targets
from kdtab.teachers.estimator import EstimatorTeacher, estimator_teacher, rows_of_kind
from kdtab.teachers.hints import RowKind, TeacherHints
from kdtab.teachers.rows import TEXT_TYPES, matched_columns
from kdtab.teachers.traits import EstimatorTraits, estimator_traits


class Estimator(Protocol):
    """What can be cloned and fitted.

    Example:
        >>> from sklearn.ensemble import RandomForestClassifier
        >>> can_be_refitted(RandomForestClassifier())
        True
    """

    def fit(self, X: object, y: object) -> object:
        """Learn from rows.

        Args:
            X: [N, D] rows.
            y: [N] labels or values.

        Returns:
            The estimator itself.

        Example:
            >>> from sklearn.ensemble import RandomForestRegressor
            >>> RandomForestRegressor(n_estimators=1).fit([[0.0]], [1.0]).predict([[0.0]]).tolist()
            [1.0]
        """
        ...


def can_be_refitted(teacher: object) -> TypeGuard[Estimator]:
    """Whether an object is an estimator of scikit-learn's manner, and not a class of them.

    Args:
        teacher: Anything.

    Returns:
        True for an object with `fit`, `get_params` and `predict`.

    Example:
        >>> can_be_refitted("forest")
        False
    """
    needed = ("fit", "get_params", "predict")
    return not isinstance(teacher, type) and all(
        callable(getattr(teacher, name, None)) for name in needed
    )


def estimator_task(estimator: Estimator) -> Task | None:
    """What an estimator predicts, fitted or not.

    Args:
        estimator: Any.

    Returns:
        Its task, or None where it does not say.

    Example:
        >>> from sklearn.ensemble import RandomForestRegressor
        >>> estimator_task(RandomForestRegressor())
        'regression'
    """
    if callable(getattr(estimator, "predict_proba", None)):
        return "classification"
    if not hasattr(estimator, "__sklearn_tags__"):
        return None
    from sklearn.base import is_classifier, is_regressor  # its import takes a second

    if is_classifier(estimator):
        return "classification"
    return "regression" if is_regressor(estimator) else None


@dataclass(frozen=True, eq=False)
class RefitSays:
    """A fitted clone that answers in the order of the class codes.

    Attributes:
        teacher: The clone.
        classes: The labels of the class codes; empty for regression.

    Example:
        >>> RefitSays.__dataclass_params__.frozen
        True
    """

    teacher: EstimatorTeacher
    classes: tuple[str, ...]

    def __call__(self, rows: pl.DataFrame) -> Checked[FloatArray]:
        """Typed rows to [N, C] probabilities or [N, 1] values.

        Args:
            rows: [N] typed rows.

        Returns:
            A class that the clone was not fitted on gets probability 0, and the votes of a forest
            are smoothed by one that all classes share.
        """
        said = self.teacher.outputs(rows)
        if not self.classes:
            return said.map(lambda outputs: outputs.values)
        return (
            said.map(_smoothed)
            .bind(lambda outputs: align_classes(outputs, self.classes, missing="zero"))
            .map(lambda outputs: outputs.values)
        )


@dataclass(frozen=True, eq=False)
class Refit:
    """How an estimator is fitted on rows of a table.

    Attributes:
        estimator: Never fitted itself nor changed.
        traits: What it says of itself.
        columns: The table's columns that it is given.
        classes: The labels of the class codes; empty for regression.

    Example:
        >>> Refit.__dataclass_params__.frozen
        True
    """

    estimator: Estimator
    traits: EstimatorTraits
    columns: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def fit(self) -> Fit[pl.DataFrame]:
        """Fits a clone on typed rows and class codes, or values.

        Example:
            >>> from sklearn.ensemble import RandomForestRegressor
            >>> refit = estimator_refit(RandomForestRegressor(n_estimators=2), ("x",), ()).unwrap()
            >>> rows = pl.DataFrame({"x": [0.0, 1.0]})
            >>> says = refit.fit(rows, np.array([3.0, 3.0])).unwrap()
            >>> says(rows).unwrap().tolist()
            [[3.0], [3.0]]
        """
        return lambda frame, targets: self.fitted(frame, targets).map(
            lambda teacher: RefitSays(teacher, self.classes)
        )

    def fitted(self, frame: pl.DataFrame, targets: Targets) -> Checked[EstimatorTeacher]:
        """A clone that was fitted, as a teacher.

        Args:
            frame: [N] typed rows.
            targets: [N] class codes, or values in the target's unit.

        Returns:
            The teacher, or `TeacherCallFailed` with what the estimator said.

        Example:
            >>> from sklearn.ensemble import RandomForestRegressor
            >>> refit = estimator_refit(RandomForestRegressor(n_estimators=2), ("x",), ()).unwrap()
            >>> refit.fitted(pl.DataFrame({"x": [0.0]}), np.array([3.0])).unwrap().info.task
            'regression'
        """
        kinds = self.traits.rows
        fitted = self._fitted_on(frame, targets, kinds[0])
        if isinstance(fitted, Success):
            return fitted
        others = (self._fitted_on(frame, targets, kind) for kind in kinds[1:])
        given = frame.select(self.columns)
        return next((other for other in others if isinstance(other, Success)), fitted).alt(
            lambda issues: Issues(tuple(_with_texts(issue, given) for issue in issues))
        )

    def _fitted_on(
        self, frame: pl.DataFrame, targets: Targets, kind: RowKind
    ) -> Checked[EstimatorTeacher]:
        labels = _labels(self.estimator, self.traits, self.classes, targets)
        coded = bool(self.classes) and self.traits.codes_only
        names = self.classes if coded else None
        model = cloned(self.estimator)
        hints = TeacherHints(task=self.traits.task, columns=self.columns, rows=kind, classes=names)
        return (
            rows_of_kind(frame.select(self.columns), kind, self.traits)
            .bind(lambda rows: answered(self.traits.name, lambda: model.fit(rows, labels)))
            .bind(lambda _: estimator_teacher(model, hints))
        )


def _with_texts(issue: Issue, frame: pl.DataFrame) -> Issue:
    texts = [
        series.name
        for series in frame
        if isinstance(series.dtype, TEXT_TYPES) or series.dtype.is_temporal()
    ]
    if not texts or not isinstance(issue, TeacherCallFailed):
        return issue
    remedy = f"it was given texts or dates in {listed(texts)}: encode them in a pipeline, or exclude them"
    return TeacherCallFailed(teacher=issue.teacher, reason=f"{issue.reason}; {remedy}")


def estimator_refit(
    estimator: Estimator, columns: tuple[str, ...], classes: tuple[str, ...]
) -> Checked[Refit]:
    """How an estimator is fitted again on a table.

    Args:
        estimator: Fitted or not.
        columns: The feature columns of the table, in its order.
        classes: The labels of the class codes; empty for regression.

    Returns:
        The refit, or `TeacherColumnsAbsent` for columns that it was fitted on,
        `TeacherColumnsUncounted` for a matrix of another width, and what `estimator_traits` finds.

    Example:
        >>> from sklearn.ensemble import RandomForestRegressor
        >>> forest = RandomForestRegressor(n_estimators=1).fit([[0.0, 1.0]], [1.0])
        >>> estimator_refit(forest, ("x",), ()).failure().first.expected
        2
    """
    task: Task = "classification" if classes else "regression"
    return estimator_traits(estimator, TeacherHints(task=task, classes=classes or None)).bind(
        lambda traits: _known_columns(traits, columns).map(
            lambda names: Refit(estimator, traits, names, classes)
        )
    )


def _known_columns(traits: EstimatorTraits, columns: tuple[str, ...]) -> Checked[tuple[str, ...]]:
    if traits.columns is None:
        if traits.width in (None, len(columns)):
            return Success(columns)
        width, found = traits.width or 0, len(columns)
        return fail(TeacherColumnsUncounted(teacher=traits.name, expected=width, found=found))
    matched = matched_columns(traits.columns, columns)
    pairs = zip(traits.columns, matched, strict=True)
    absent = tuple(name for name, found in pairs if found is None)
    if absent:
        return fail(TeacherColumnsAbsent(teacher=traits.name, names=absent, found=columns))
    return Success(tuple(name for name in matched if name is not None))


def _labels(
    estimator: object, traits: EstimatorTraits, classes: tuple[str, ...], targets: Targets
) -> npt.NDArray[np.generic]:
    """Class codes as the labels that the estimator itself was fitted with, where it knows them."""
    if not classes or traits.codes_only:
        return targets
    own = getattr(estimator, "classes_", None)
    codes = targets.astype(np.int64)
    if own is None or not set(classes) <= set(traits.classes):
        return np.array(classes)[codes]
    places = [traits.classes.index(name) for name in classes]
    return np.asarray(own)[places][codes]


def _smoothed(outputs: TeacherOutputs) -> TeacherOutputs:
    if outputs.trees is None:
        return outputs
    votes, classes = outputs.values * outputs.trees, outputs.values.shape[1]
    return replace(outputs, values=(votes + 1 / classes) / (outputs.trees + 1), trees=None)
