"""The forest of seed PT-TRAINER-001: fitted on the training rows, and labelling the same rows."""

from __future__ import annotations

# scikit-learn is imported where a forest is grown: its import takes longer than many a command.
import numpy as np

from kdtab.data.arrays import Float32Array, FloatArray, IntArray

TREES = 120
CLASSIFIER_DEPTH = 8
REGRESSOR_DEPTH = 10
TREE_TEACHER_TEMPERATURE = 2.0
TREE_TEACHER_ALPHA = 0.5
IN_ORDER = {"n_jobs": 1}
"""Threads add up the trees' answers in any order, so the last bits would differ from run to run."""


def forest_log_probabilities(
    inputs: Float32Array, classes: IntArray, *, class_count: int, random_seed: int
) -> Float32Array:
    """What a forest of 120 trees of depth 8 says about its own training rows (REQ-T09).

    Args:
        inputs: [N, D] encoded rows.
        classes: [N] class codes.
        class_count: C, the classes of the label encoder; one that no row has gets probability 0.
        random_seed: Seed of the forest.

    Returns:
        [N, C] float32 natural log-probabilities; −inf where no tree voted. Not smoothed, so that
        tempering gives p^(1/T) renormalised.

    Example:
        >>> x = np.array([[0.0], [1.0]] * 10, dtype=np.float32)
        >>> y = np.array([0, 1] * 10)
        >>> forest_log_probabilities(x, y, class_count=2, random_seed=0).shape
        (20, 2)
    """
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        n_estimators=TREES, max_depth=CLASSIFIER_DEPTH, random_state=random_seed, n_jobs=-1
    )
    found = forest.fit(inputs, classes).set_params(**IN_ORDER).predict_proba(inputs)
    aligned: FloatArray = np.zeros((len(inputs), class_count))
    aligned[:, forest.classes_] = found
    with np.errstate(divide="ignore"):
        return np.log(aligned).astype(np.float32)


def forest_values(inputs: Float32Array, targets: Float32Array, *, random_seed: int) -> Float32Array:
    """What a forest of 120 trees of depth 10 predicts for its own training rows (REQ-T09).

    Args:
        inputs: [N, D] encoded rows.
        targets: [N, 1] scaled targets.
        random_seed: Seed of the forest.

    Returns:
        [N, 1] float32 predictions in the scaled unit of the targets.

    Example:
        >>> x = np.array([[0.0], [1.0]] * 10, dtype=np.float32)
        >>> forest_values(x, x, random_seed=0).shape
        (20, 1)
    """
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        n_estimators=TREES, max_depth=REGRESSOR_DEPTH, random_state=random_seed, n_jobs=-1
    )
    fitted = forest.fit(inputs, targets.ravel()).set_params(**IN_ORDER)
    values: FloatArray = fitted.predict(inputs)
    return values.astype(np.float32).reshape(-1, 1)
