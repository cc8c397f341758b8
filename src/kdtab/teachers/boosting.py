"""Boosted trees over the columns as the student's network sees them."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np
from returns.result import Success
from threadpoolctl import ThreadpoolController

from kdtab.data.arrays import Float32Array, FloatArray, IntArray
from kdtab.results import Checked
from kdtab.teachers.crossfit import Fit, Says, Targets
from kdtab.teachers.lesson import Lesson, aligned_shares

if TYPE_CHECKING:  # scikit-learn is imported where trees are boosted: that takes a second
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    Classifier: TypeAlias = HistGradientBoostingClassifier
    Regressor: TypeAlias = HistGradientBoostingRegressor

ROUNDS = 100
LEARNING_RATE = 0.1
SHRINKAGE = 0.1
SLOWEST = 0.01
"""Boosting of many classes can run away (14.1 nats in one fold of letter at 0.2, .15 in the others):
whatever is worse on its own rows than the shares of the classes is fitted again, half as fast."""
FEWEST_BOOSTED_ROWS = 2


def boosted_fit(lesson: Lesson) -> Fit[Float32Array]:
    """How boosted trees are fitted: scikit-learn's histogram gradient boosting.

    Args:
        lesson: What for.

    Returns:
        A function that fits them. Rows of one class alone give a teacher that is sure of it.

    Example:
        >>> x = np.linspace(0, 1, 80, dtype=np.float32)[:, None]
        >>> says = boosted_fit(Lesson("regression", 1))(x, x[:, 0].astype(float)).unwrap()
        >>> round(float(says(x[-1:]).unwrap()[0, 0]), 1)
        1.0
    """

    def fit(rows: Float32Array, targets: Targets) -> Checked[Says[Float32Array]]:
        if lesson.task == "classification":
            return Success(_boosted_classes(lesson, rows, targets.astype(np.int64)))
        return Success(_boosted_values(lesson, rows, targets))

    return fit


def _boosted_classes(lesson: Lesson, rows: Float32Array, codes: IntArray) -> Says[Float32Array]:
    present, counts = np.unique(codes, return_counts=True)
    if len(present) < 2:
        return _ConstantSays(
            aligned_shares(np.ones((1, len(present))), present, lesson.class_count)
        )
    shares = counts / counts.sum()
    bound, pace = -float((shares * np.log(shares)).sum()), LEARNING_RATE
    model = _boosted_at(pace, lesson, rows, codes)
    while _training_loss(model, rows, codes) > bound and pace > SLOWEST:
        pace /= 2
        model = _boosted_at(pace, lesson, rows, codes)
    return _BoostedSays(model, lesson)


def _boosted_at(pace: float, lesson: Lesson, rows: Float32Array, codes: IntArray) -> Classifier:
    from sklearn.ensemble import HistGradientBoostingClassifier

    with few_threads():
        return HistGradientBoostingClassifier(
            learning_rate=pace,
            max_iter=ROUNDS,
            min_samples_leaf=_boosted_leaf(len(rows)),
            l2_regularization=SHRINKAGE,
            early_stopping=False,
            random_state=lesson.random_seed,
        ).fit(rows, codes)


def _training_loss(model: Classifier, rows: Float32Array, codes: IntArray) -> float:
    with few_threads():
        shares = model.predict_proba(rows)
    picked = shares[np.arange(len(rows)), np.searchsorted(model.classes_, codes)]
    return -float(np.log(np.maximum(picked, 1e-15)).mean())


def _boosted_values(lesson: Lesson, rows: Float32Array, values: Targets) -> Says[Float32Array]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    if len(rows) < FEWEST_BOOSTED_ROWS:
        return _ConstantSays(values.astype(np.float64).reshape(1, 1))
    with few_threads():
        model = HistGradientBoostingRegressor(
            learning_rate=LEARNING_RATE / 2,
            max_iter=3 * ROUNDS,
            min_samples_leaf=_boosted_leaf(len(rows)),
            early_stopping=False,
            random_state=lesson.random_seed,
        ).fit(rows, lesson.scaled(values))
    return _BoostedSays(model, lesson)


@dataclass(frozen=True)
class _BoostedSays:
    model: Classifier | Regressor
    lesson: Lesson

    def __call__(self, rows: Float32Array) -> Checked[FloatArray]:
        with few_threads():
            if self.lesson.task == "regression":
                return Success(self.lesson.unscaled(self.model.predict(rows)))
            classifier = cast("Classifier", self.model)
            shares = classifier.predict_proba(rows)
        return Success(aligned_shares(shares, classifier.classes_, self.lesson.class_count))


@dataclass(frozen=True)
class _ConstantSays:
    answer: FloatArray

    def __call__(self, rows: Float32Array) -> Checked[FloatArray]:
        return Success(np.repeat(self.answer, len(rows), axis=0))


def _boosted_leaf(rows: int) -> int:
    """scikit-learn's 20, and a twentieth of fewer than 400 rows, or small tables grow no tree."""
    return min(20, max(1, rows // 20))


def few_threads() -> AbstractContextManager[object]:
    """Half of the cores: threads that wait here spin, and on a busy machine two are far slower.

    Returns:
        A context in which OpenMP keeps to them.

    Example:
        >>> from threadpoolctl import threadpool_info
        >>> with few_threads():
        ...     pools = [pool for pool in threadpool_info() if pool["user_api"] == "openmp"]
        >>> all(pool["num_threads"] <= max(1, (os.cpu_count() or 1) // 2) for pool in pools)
        True
    """
    return _controller().limit(limits=max(1, (os.cpu_count() or 1) // 2), user_api="openmp")


@cache
def _controller() -> ThreadpoolController:
    """Made once: it looks through the libraries in a callback that swallows a Ctrl-C."""
    return ThreadpoolController()
