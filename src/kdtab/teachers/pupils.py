"""Estimators of scikit-learn as students: fitted on soft labels by weights, and asked."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

import numpy as np
from returns.result import Success

from kdtab.config.training import Task
from kdtab.data.arrays import FloatArray, IntArray
from kdtab.data.softrows import mixed_labels, mixed_values, soft_label_rows
from kdtab.errors.estimators import (
    EstimatorFailed,
    EstimatorNotUnderstood,
    EstimatorTaskOther,
    EstimatorWithoutWeights,
)
from kdtab.results import Checked, Value, check, fail
from kdtab.teachers.answers import reason_of
from kdtab.teachers.clones import cloned
from kdtab.teachers.lesson import aligned_shares
from kdtab.teachers.refit import Estimator, can_be_refitted, estimator_task

CODES_ONLY = ("xgboost",)
"""Libraries whose classifiers know classes 0 to C − 1 and no others."""


@runtime_checkable
class SoftLearner(Protocol):
    """An estimator that takes soft labels as they are.

    Example:
        >>> from sklearn.linear_model import LogisticRegression
        >>> isinstance(LogisticRegression(), SoftLearner)
        False
    """

    def fit_soft(self, X: FloatArray, soft: FloatArray, classes: tuple[str, ...]) -> object:
        """Learn from a distribution over the classes for each row.

        Args:
            X: [N, D] rows.
            soft: [N, C] shares of the classes, rows summing to 1.
            classes: [C] their labels.

        Returns:
            The learner itself.

        Example:
            >>> SoftLearner.fit_soft.__name__
            'fit_soft'
        """
        ...


@dataclass(frozen=True, eq=False)
class Pupil:
    """An estimator, and how it is fitted on a table.

    Attributes:
        estimator: Never fitted itself nor changed.
        classes: The labels of the class codes; empty for regression.
        random_seed: For every `random_state` of it that is None.

    Example:
        >>> Pupil.__dataclass_params__.frozen
        True
    """

    estimator: Estimator
    classes: tuple[str, ...]
    random_seed: int

    def taught(
        self, rows: FloatArray, spoken: FloatArray, targets: IntArray | FloatArray, alpha: float
    ) -> Checked[FittedPupil]:
        """A clone fitted on the labels and on what a teacher said.

        Args:
            rows: [N, D].
            spoken: [N, C] the teacher's probabilities, or [N, 1] values in the target's unit; NaN
                where it did not speak.
            targets: [N] class codes, or values in the target's unit.
            alpha: Weight of the labels.

        Returns:
            The fitted clone, or `EstimatorFailed`.

        Example:
            >>> from sklearn.linear_model import LinearRegression
            >>> rows, zeros = np.array([[0.0], [1.0]]), np.zeros((2, 1))
            >>> fitted = Pupil(LinearRegression(), (), 0).taught(rows, zeros, np.array([1.0, 3.0]), 0.5)
            >>> fitted.unwrap().outputs(rows).unwrap().round(6).tolist()
            [[0.5], [1.5]]
        """
        if not self.classes:
            values = mixed_values(spoken[:, 0], targets.astype(np.float64), alpha)
            return self._fitted(lambda model: model.fit(rows, values))
        codes = targets.astype(np.int64)
        if isinstance(self.estimator, SoftLearner):
            mixed = mixed_labels(spoken, codes, alpha)
            return self._fitted(
                lambda model: cast(SoftLearner, model).fit_soft(rows, mixed, self.classes)
            )
        every, labels, weights = soft_label_rows(rows, spoken, codes, alpha)
        named = {weight_parameter(self.estimator) or "sample_weight": weights}
        return self._fitted(lambda model: _weighted(model)(every, self._labels(labels), **named))

    def alone(self, rows: FloatArray, targets: IntArray | FloatArray) -> Checked[FittedPupil]:
        """A clone fitted on the labels and nothing else.

        Args:
            rows: [N, D].
            targets: [N] class codes, or values in the target's unit.

        Returns:
            The fitted clone, or `EstimatorFailed`.

        Example:
            >>> from sklearn.linear_model import LinearRegression
            >>> rows = np.array([[0.0], [1.0]])
            >>> fitted = Pupil(LinearRegression(), (), 0).alone(rows, np.array([1.0, 3.0])).unwrap()
            >>> fitted.outputs(rows).unwrap().round(6).tolist()
            [[1.0], [3.0]]
        """
        labels = self._labels(targets.astype(np.int64)) if self.classes else targets
        return self._fitted(lambda model: model.fit(rows, labels))

    def _labels(self, codes: IntArray) -> object:
        own = type(self.estimator).__module__.partition(".")[0]
        return codes if own in CODES_ONLY else np.array(self.classes)[codes]

    def _fitted(self, fit: Callable[[Estimator], object]) -> Checked[FittedPupil]:
        model = _seeded(cloned(self.estimator), self.random_seed)
        name = type(model).__name__
        return _done(name, lambda: fit(model)).map(lambda _: FittedPupil(model, self.classes))


@dataclass(frozen=True, eq=False)
class FittedPupil:
    """A fitted estimator that answers in the order of the class codes.

    Attributes:
        estimator: Fitted.
        classes: The labels of the class codes; empty for regression.

    Example:
        >>> FittedPupil.__dataclass_params__.frozen
        True
    """

    estimator: Estimator
    classes: tuple[str, ...]

    @property
    def gives_probabilities(self) -> bool:
        """Whether a classification says more than a label.

        Example:
            >>> from sklearn.tree import DecisionTreeClassifier
            >>> FittedPupil(DecisionTreeClassifier(), ("a", "b")).gives_probabilities
            True
        """
        return callable(getattr(self.estimator, "predict_proba", None))

    def outputs(self, rows: FloatArray) -> Checked[FloatArray]:
        """What it says of rows.

        Args:
            rows: [N, D].

        Returns:
            [N, C] probabilities, 1 and 0 from an estimator that gives none, or [N, 1] values; or
            `EstimatorFailed`.

        Example:
            >>> from sklearn.tree import DecisionTreeClassifier
            >>> rows = np.array([[0.0], [1.0]])
            >>> tree = Pupil(DecisionTreeClassifier(), ("no", "yes"), 0).alone(rows, np.array([1, 1]))
            >>> tree.unwrap().outputs(rows).unwrap().tolist()
            [[0.0, 1.0], [0.0, 1.0]]
        """
        model = cast("_Answering", self.estimator)
        return _done(type(model).__name__, lambda: self._answers(model, rows))

    def _answers(self, model: _Answering, rows: FloatArray) -> FloatArray:
        if not self.classes:
            return np.asarray(model.predict(rows), dtype=np.float64).reshape(-1, 1)
        places = {name: code for code, name in enumerate(self.classes)}
        if self.gives_probabilities:
            codes = np.array([_code(label, places) for label in model.classes_])
            shares = np.asarray(model.predict_proba(rows), dtype=np.float64)
            return aligned_shares(shares, codes, len(self.classes))
        found = np.array([_code(label, places) for label in np.asarray(model.predict(rows))])
        sure: FloatArray = np.eye(len(self.classes))[found]
        return sure


class _Answering(Protocol):
    classes_: FloatArray

    def predict(self, X: FloatArray) -> object: ...

    def predict_proba(self, X: FloatArray) -> object: ...


def checked_pupil(estimator: object, task: Task | None) -> Checked[Estimator]:
    """An estimator that can be a student, before anything is fitted.

    Args:
        estimator: Anything; a class of estimators is none.
        task: What is asked for; None: whatever the estimator predicts.

    Returns:
        The estimator; or `EstimatorNotUnderstood`, `EstimatorTaskOther`, `EstimatorWithoutWeights`.

    Example:
        >>> from sklearn.neighbors import KNeighborsClassifier
        >>> checked_pupil(KNeighborsClassifier(), None).failure().first
        EstimatorWithoutWeights(estimator='KNeighborsClassifier')
    """
    if not can_be_refitted(estimator):
        named = estimator if isinstance(estimator, type) else type(estimator)
        return fail(EstimatorNotUnderstood(found=named.__name__))
    name, own = type(estimator).__name__, estimator_task(estimator)
    learns = isinstance(estimator, SoftLearner) or weight_parameter(estimator) is not None
    other = own is not None and task not in (None, own)
    return check(
        EstimatorTaskOther(estimator=name, predicts=str(own), task=str(task)) if other else None,
        EstimatorWithoutWeights(estimator=name)
        if "classification" in (own, task) and not learns
        else None,
    ).map(lambda _: estimator)


def weight_parameter(estimator: Estimator) -> str | None:
    """The name under which an estimator's `fit` takes weights of rows.

    Args:
        estimator: Any; of a pipeline, its last step learns.

    Returns:
        "sample_weight", for a pipeline "<step>__sample_weight", or None.

    Example:
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.linear_model import LogisticRegression
        >>> from sklearn.preprocessing import StandardScaler
        >>> weight_parameter(make_pipeline(StandardScaler(), LogisticRegression()))
        'logisticregression__sample_weight'
    """
    steps = getattr(estimator, "steps", None)
    if steps:
        name, last = steps[-1]
        inner = weight_parameter(last) if hasattr(last, "fit") else None
        return None if inner is None else f"{name}__{inner}"
    taken = inspect.signature(estimator.fit).parameters
    return "sample_weight" if "sample_weight" in taken else None


def _weighted(model: Estimator) -> Callable[..., object]:
    return model.fit


def _code(label: object, places: dict[str, int]) -> int:
    """Labels are the table's texts, or codes where a library knows no texts."""
    return places[label] if isinstance(label, str) else int(cast("int", label))


def _seeded(model: Estimator, seed: int) -> Estimator:
    own = cast("_Configurable", model)
    open_states = {
        name: seed
        for name, value in own.get_params(deep=True).items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    own.set_params(**open_states)
    return model


class _Configurable(Protocol):
    def get_params(self, deep: bool = True) -> dict[str, object]: ...

    def set_params(self, **changes: object) -> object: ...


def _done(name: str, call: Callable[[], Value]) -> Checked[Value]:
    try:
        return Success(call())
    except Exception as error:  # foreign code raises what it likes
        return fail(EstimatorFailed(estimator=name, reason=reason_of(error)))
