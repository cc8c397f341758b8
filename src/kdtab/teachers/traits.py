"""What a fitted object of scikit-learn's manner says of itself."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from returns.result import Success

from kdtab.config.training import Task
from kdtab.errors.sources import (
    TeacherTaskOther,
    TeacherTaskUnclear,
    TeacherWithoutProbabilities,
)
from kdtab.results import Checked, fail
from kdtab.teachers.classes import chosen_classes
from kdtab.teachers.forest import IN_ORDER
from kdtab.teachers.hints import RowKind, TeacherHints

FORESTS = ("RandomForestClassifier", "ExtraTreesClassifier")
HISTOGRAMS = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
CRASHING_ON_POLARS = ("catboost", "lightgbm")
FIRST_RECODING_XGBOOST = (3, 1)
ROW_KINDS: tuple[RowKind, ...] = ("pandas", "polars", "matrix")


@dataclass(frozen=True)
class EstimatorTraits:
    """What is known of a fitted object before it is asked.

    Attributes:
        name: Its class, and that of the last step of a pipeline.
        task: Classification or regression.
        classes: Canonical labels in the order of its columns; empty for regression.
        columns: The columns that it was fitted on; None when it knows no names.
        width: How many columns it was fitted on, where it says so.
        trees: B of a forest whose probabilities are votes.
        gives_probabilities: Whether it has `predict_proba`.
        texts_are_categories: Whether it takes texts as pandas' `category`: it was fitted on them, or
            will be, since it takes them in no other way.
        rows: What it may take rows as, in the order to try.
        codes_only: Whether its labels are codes, 0 to C − 1, as XGBoost's are.

    Example:
        >>> EstimatorTraits("SVR", "regression", (), None, 3, None, False, False).width
        3
    """

    name: str
    task: Task
    classes: tuple[str, ...]
    columns: tuple[str, ...] | None
    width: int | None
    trees: int | None
    gives_probabilities: bool
    texts_are_categories: bool
    rows: tuple[RowKind, ...] = ROW_KINDS
    codes_only: bool = False


def estimator_traits(estimator: object, hints: TeacherHints) -> Checked[EstimatorTraits]:
    """Read a fitted object's own description, completed by the user's.

    Args:
        estimator: An object with `predict_proba` or `predict`.
        hints: What the user says of it.

    Returns:
        Its traits, or `TeacherTaskUnclear`, `TeacherTaskOther`, `TeacherWithoutProbabilities`,
        `TeacherClassesUnclear`, `ClassesDiffer`.

    Example:
        >>> from sklearn.ensemble import RandomForestClassifier
        >>> forest = RandomForestClassifier(n_estimators=3).fit([[0.0], [1.0]], ["no", "yes"])
        >>> traits = estimator_traits(forest, TeacherHints()).unwrap()
        >>> traits.task, traits.classes, traits.trees
        ('classification', ('no', 'yes'), 3)
    """
    name = estimator_name(estimator)
    return _task(estimator, name, hints).bind(
        lambda task: _classes(estimator, name, task, hints).map(
            lambda classes: _traits(estimator, name, task, classes, hints)
        )
    )


def estimator_name(estimator: object) -> str:
    """A few words for a person.

    Args:
        estimator: Any object.

    Returns:
        The name of its class, and of a pipeline's last step.

    Example:
        >>> from sklearn.ensemble import RandomForestClassifier
        >>> estimator_name(RandomForestClassifier())
        'RandomForestClassifier'
    """
    outer, inner = type(estimator).__name__, type(last_step(estimator)).__name__
    return outer if outer == inner else f"{outer} of {inner}"


def refitted(estimator: object) -> object:
    """The model that a finished search keeps, or the object itself.

    Args:
        estimator: A fitted object, perhaps a `GridSearchCV`.

    Returns:
        Its best estimator where it has one.

    Example:
        >>> refitted("anything")
        'anything'
    """
    return getattr(estimator, "best_estimator_", estimator)


def last_step(estimator: object) -> object:
    """What computes the answer at the end of pipelines and searches.

    Args:
        estimator: A fitted object.

    Returns:
        The innermost last step, or the object itself.

    Example:
        >>> last_step("anything")
        'anything'
    """
    inner = refitted(estimator)
    steps = getattr(inner, "steps", None)
    if isinstance(steps, list) and steps:
        return last_step(steps[-1][1])
    return inner


def with_trees_in_order(estimator: object) -> object:
    """The same model, its forest on one thread: threads add up the votes in any order.

    Args:
        estimator: A fitted object; not changed.

    Returns:
        The object itself, or a shallow copy in which a last step that is a forest has `n_jobs=1`.

    Example:
        >>> from sklearn.ensemble import RandomForestClassifier
        >>> forest = RandomForestClassifier(n_jobs=-1)
        >>> with_trees_in_order(forest).n_jobs, forest.n_jobs
        (1, -1)
    """
    inner = refitted(estimator)
    steps = getattr(inner, "steps", None)
    if isinstance(steps, list) and steps:
        *before, (name, step) = steps
        ordered = with_trees_in_order(step)
        if ordered is step:
            return inner
        pipeline = copy.copy(inner)
        pipeline.steps = [*before, (name, ordered)]  # type: ignore[attr-defined]  # it has steps
        return pipeline
    if _is_one_of(FORESTS, inner) and getattr(inner, "n_jobs", 1) != 1:
        return copy.copy(inner).set_params(**IN_ORDER)  # type: ignore[attr-defined]  # a forest's
    return inner


def _own_task(estimator: object) -> Task | None:
    tags = getattr(estimator, "__sklearn_tags__", None)
    kind = tags().estimator_type if callable(tags) else getattr(estimator, "_estimator_type", None)
    tasks: dict[object, Task] = {"classifier": "classification", "regressor": "regression"}
    if kind not in tasks and callable(getattr(estimator, "predict_proba", None)):
        return "classification"
    return tasks.get(kind)


def _task(estimator: object, name: str, hints: TeacherHints) -> Checked[Task]:
    own = _own_task(estimator)
    if own is not None and hints.task not in (None, own):
        return fail(TeacherTaskOther(name=name, task=own, asked=str(hints.task)))
    if own == "classification" and not callable(getattr(estimator, "predict_proba", None)):
        return fail(TeacherWithoutProbabilities(name=name))
    if own == "classification" or hints.task == "classification":
        return Success("classification")
    if own == "regression" or hints.task == "regression":
        return Success("regression")
    return fail(TeacherTaskUnclear(name=name))


def _classes(
    estimator: object, name: str, task: Task, hints: TeacherHints
) -> Checked[tuple[str, ...]]:
    if task == "regression":
        return Success(())
    own = getattr(estimator, "classes_", None)
    return chosen_classes(name, None if own is None else _listed(own), hints.classes)


def _traits(
    estimator: object, name: str, task: Task, classes: tuple[str, ...], hints: TeacherHints
) -> EstimatorTraits:
    last, columns, width = last_step(estimator), _columns(estimator), _width(estimator)
    alone = last is refitted(estimator)
    nameless = columns is None and hints.columns is None and width is not None
    return EstimatorTraits(
        name=name,
        task=task,
        classes=classes,
        columns=hints.columns if columns is None else columns,
        width=width,
        trees=_trees(last),
        gives_probabilities=callable(getattr(estimator, "predict_proba", None)),
        texts_are_categories=_texts_are_categories(last, alone=alone),
        rows=("matrix",) if nameless else _row_kinds(last, alone=alone),
        codes_only=_library(last) == "xgboost",
    )


def _is_one_of(names: tuple[str, ...], model: object) -> bool:
    """Whoever has one of scikit-learn's models has imported it: nobody else should have to."""
    ensemble = sys.modules.get("sklearn.ensemble")
    return any(isinstance(model, getattr(ensemble, name, ())) for name in names)


def _library(model: object) -> str:
    return type(model).__module__.partition(".")[0]


def _row_kinds(last: object, *, alone: bool) -> tuple[RowKind, ...]:
    """Some libraries end the process when they are given texts of polars."""
    return ("pandas", "matrix") if alone and _library(last) in CRASHING_ON_POLARS else ROW_KINDS


def _texts_are_categories(last: object, *, alone: bool) -> bool:
    """Before a pipeline's last step something else decides, unless LightGBM remembers."""
    booster = getattr(last, "booster_", None) if hasattr(last, "booster_") else last
    remembered = getattr(booster, "pandas_categorical", None)
    if remembered is not None or not alone:
        return bool(remembered)
    if _is_one_of(HISTOGRAMS, last):
        by_type = getattr(last, "categorical_features", None) == "from_dtype"
        return by_type and getattr(last, "is_categorical_", ()) is not None
    if _library(last) == "xgboost":
        return bool(getattr(last, "enable_categorical", False)) and _xgboost_recodes()
    return _library(last) == "lightgbm" and not hasattr(last, "booster_")


def _xgboost_recodes() -> bool:
    """Older ones take the codes of whatever rows they are given for those of the fit."""
    numbers = str(getattr(sys.modules.get("xgboost"), "__version__", "0.0")).split(".")
    return tuple(int(number) for number in numbers[:2]) >= FIRST_RECODING_XGBOOST


def _trees(last: object) -> int | None:
    """None for a forest that is still to be fitted."""
    grown = getattr(last, "estimators_", ()) if _is_one_of(FORESTS, last) else ()
    return len(grown) or None


def _columns(estimator: object) -> tuple[str, ...] | None:
    names = getattr(estimator, "feature_names_in_", None)
    if names is None:
        names = getattr(estimator, "feature_names_", None)
    if names is None and callable(getattr(estimator, "feature_name", None)):
        names = estimator.feature_name()  # type: ignore[attr-defined]  # a booster of LightGBM
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    found = tuple(str(name) for name in names)
    return None if _are_numbered(found) else found


def _are_numbered(names: tuple[str, ...]) -> bool:
    """Names that a library made up for a matrix: CatBoost's `0`, LightGBM's `Column_0`."""
    return any(
        names == tuple(f"{word}{at}" for at in range(len(names))) for word in ("", "Column_")
    )


def _width(estimator: object) -> int | None:
    width = getattr(estimator, "n_features_in_", None)
    if width is None and callable(getattr(estimator, "num_feature", None)):
        width = estimator.num_feature()  # type: ignore[attr-defined]  # a booster of LightGBM
    return None if width is None else int(width)


def _listed(labels: object) -> Sequence[object]:
    tolist = getattr(labels, "tolist", None)
    found = tolist() if callable(tolist) else labels
    return found if isinstance(found, list | tuple) else [found]
