"""A fresh estimator with the settings of another, which stays as it is."""

from __future__ import annotations

import copy
from typing import TypeVar, cast

from kdtab.teachers.traits import refitted

Model = TypeVar("Model")


def cloned(estimator: Model) -> Model:
    """An estimator that was never fitted, with the settings of a given one.

    CatBoost copies what its constructor is given, which scikit-learn's own `clone` refuses.

    Args:
        estimator: Of scikit-learn's manner, fitted or not.

    Returns:
        A new one of the same class.

    Example:
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> cloned(DecisionTreeClassifier(max_depth=3))
        DecisionTreeClassifier(max_depth=3)
    """
    from sklearn.base import clone  # its import takes a second

    inner = refitted(estimator)
    try:
        return clone(cast("Model", inner))
    except RuntimeError:
        own = inner.get_params()  # type: ignore[attr-defined]  # `can_be_refitted` has seen it
        return cast("Model", type(inner)(**copy.deepcopy(own)))
