"""Boosted trees that learn soft labels: regressions on log-odds, as a scikit-learn classifier."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, check_X_y

from kdtab.data.arrays import FloatArray
from kdtab.teachers.boosting import few_threads

TWO_CLASSES = 2


class BoostedLogOdds(ClassifierMixin, BaseEstimator):
    """One regression on log p / (1 − p) for each class, clipped, and renormalised to sum to 1.

    Squared errors of log-odds keep what a teacher says of improbable classes, where boosting on
    sampled labels would need many rows. Two classes need one regression only. With hard labels the
    log-odds are those of the clip, so that a teacher is what this student is for: give it a small
    alpha, or none.

    Args:
        max_iter: Trees of a class.
        learning_rate: Shrinkage of a tree.
        max_leaf_nodes: Leaves of a tree.
        min_samples_leaf: Rows of a leaf.
        clip: Shares below it and above 1 − it count as these, in (0, 0.5).
        random_state: Seed of the regressions.

    Attributes:
        classes_: [C] labels, in the order of the probabilities.
        boosters_: The regressions: one for each class, one for two classes, none for a single one.
        n_features_in_: D.
        n_iter_: Trees of each regression.

    Example:
        >>> rows = np.linspace(0, 1, 100)[:, np.newaxis]
        >>> soft = np.hstack([1 - rows, rows])
        >>> model = BoostedLogOdds(max_iter=200).fit_soft(rows, soft, ("no", "yes"))
        >>> model.predict_proba([[0.25], [0.75]]).round(1).tolist()
        [[0.7, 0.3], [0.3, 0.7]]
    """

    classes_: npt.NDArray[np.generic]
    boosters_: tuple[HistGradientBoostingRegressor, ...]
    n_features_in_: int
    n_iter_: int

    def __init__(
        self,
        *,
        max_iter: int = 100,
        learning_rate: float = 0.1,
        max_leaf_nodes: int = 31,
        min_samples_leaf: int = 20,
        clip: float = 0.01,
        random_state: int | None = None,
    ) -> None:
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.clip = clip
        self.random_state = random_state

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Self:
        """Learn from labels: shares of 1 and 0, clipped.

        Args:
            X: [N, D] rows, finite.
            y: [N] labels.
            sample_weight: [N] weights of the rows; None: all alike.

        Returns:
            The classifier itself.

        Example:
            >>> rows = [[float(number)] for number in range(60)]
            >>> BoostedLogOdds().fit(rows, ["low"] * 30 + ["high"] * 30).predict([[50.0]]).tolist()
            ['high']
        """
        rows, labels = check_X_y(X, y, estimator=self)
        check_classification_targets(labels)
        classes, codes = np.unique(labels, return_inverse=True)
        return self._fitted(rows, np.eye(len(classes))[codes], classes, sample_weight)

    def fit_soft(
        self, X: npt.ArrayLike, soft: FloatArray, classes: tuple[str, ...] | npt.ArrayLike
    ) -> Self:
        """Learn from a distribution over the classes for each row.

        Args:
            X: [N, D] rows, finite.
            soft: [N, C] shares of the classes, rows summing to 1.
            classes: [C] their labels.

        Returns:
            The classifier itself.

        Example:
            >>> rows, soft = np.zeros((40, 1)), np.full((40, 3), 1 / 3)
            >>> BoostedLogOdds().fit_soft(rows, soft, ("a", "b", "c")).predict_proba(rows[:1]).round(2)
            array([[0.33, 0.33, 0.33]])
        """
        rows = check_array(X, estimator=self)
        return self._fitted(rows, np.asarray(soft, dtype=np.float64), np.asarray(classes), None)

    def _fitted(
        self,
        rows: FloatArray,
        shares: FloatArray,
        classes: npt.NDArray[np.generic],
        weights: npt.ArrayLike | None,
    ) -> Self:
        held = np.clip(shares, self.clip, 1 - self.clip)
        odds = np.log(held) - np.log1p(-held)
        asked = odds[:, 1:] if odds.shape[1] <= TWO_CLASSES else odds
        with few_threads():
            self.boosters_ = tuple(
                HistGradientBoostingRegressor(
                    max_iter=self.max_iter,
                    learning_rate=self.learning_rate,
                    max_leaf_nodes=self.max_leaf_nodes,
                    min_samples_leaf=self.min_samples_leaf,
                    early_stopping=False,
                    random_state=self.random_state,
                ).fit(rows, column, weights)
                for column in asked.T
            )
        self.classes_, self.n_features_in_, self.n_iter_ = classes, rows.shape[1], self.max_iter
        return self

    def predict_proba(self, X: npt.ArrayLike) -> FloatArray:
        """The probability of each class.

        Args:
            X: [N, D] rows.

        Returns:
            [N, C] rows summing to 1, in the order of `classes_`.

        Example:
            >>> rows = np.zeros((3, 1))
            >>> BoostedLogOdds().fit(rows, ["a"] * 3).predict_proba(rows).tolist()
            [[1.0], [1.0], [1.0]]
        """
        check_is_fitted(self)
        rows = check_array(X, estimator=self)
        if not self.boosters_:
            return np.ones((len(rows), 1))
        with few_threads():
            odds = np.stack([booster.predict(rows) for booster in self.boosters_], axis=1)
        shares = (1 + np.tanh(odds / 2)) / 2  # 1 / (1 + e^(−odds)), without overflow
        if len(self.classes_) == TWO_CLASSES:
            return np.hstack([1 - shares, shares])
        every: FloatArray = shares / shares.sum(axis=1, keepdims=True)
        return every

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[np.generic]:
        """The most probable label, the first of equals.

        Args:
            X: [N, D] rows.

        Returns:
            [N] labels.

        Example:
            >>> BoostedLogOdds().fit([[0.0]] * 3, ["a"] * 3).predict([[5.0]]).tolist()
            ['a']
        """
        codes = self.predict_proba(X).argmax(axis=1)
        found: npt.NDArray[np.generic] = self.classes_[codes]
        return found
