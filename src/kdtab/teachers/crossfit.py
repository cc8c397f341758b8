"""Labels for training rows from teachers that did not see them (Dao et al., arXiv:2104.09732)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeAlias, TypeVar

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.data.arrays import BoolArray, Float32Array, FloatArray, IntArray
from kdtab.data.folds import Folds
from kdtab.results import Checked
from kdtab.shell.trained import LabelMethod

Rows = TypeVar("Rows", Float32Array, pl.DataFrame)
Targets: TypeAlias = IntArray | FloatArray
"""[N] class codes, or values in the target's unit."""
Says: TypeAlias = Callable[[Rows], Checked[FloatArray]]
"""Rows to [N, C] probabilities in the order of the codes, or [N, 1] values in the target's unit."""
Fit: TypeAlias = Callable[[Rows, Targets], Checked[Says[Rows]]]
"""Rows and their targets to a fitted teacher."""
Heard: TypeAlias = Callable[[str], None]
"""Is told which of the fits begins."""


def unheard(_detail: str) -> None:
    """Nobody is told.

    Example:
        >>> unheard("fold 1 of 5")
    """


@dataclass(frozen=True, eq=False)
class FoldLabels(Generic[Rows]):
    """What the teachers of the folds say of the training rows, before there is one of all rows.

    Attributes:
        outputs: As of `Labelling`.
        fit_all: Fits the teacher of all training rows; not called for one that nobody asks.
        method: As of `Labelling`.

    Example:
        >>> FoldLabels(np.zeros((2, 1)), lambda: Success(Success)).finished().unwrap().method
        'out_of_fold'
    """

    outputs: FloatArray
    fit_all: Callable[[], Checked[Says[Rows]]]
    method: LabelMethod = "out_of_fold"

    def finished(self) -> Checked[Labelling[Rows]]:
        """The labels with the teacher of all training rows, which is fitted now.

        Returns:
            The labelling, or the issues of that fit.

        Example:
            >>> labels = FoldLabels(np.zeros((2, 1)), lambda: Success(Success))
            >>> labels.finished().unwrap().outputs.shape
            (2, 1)
        """
        return self.fit_all().map(lambda says: Labelling(self.outputs, says, self.method))


@dataclass(frozen=True, eq=False)
class Labelling(Generic[Rows]):
    """What a teacher says of its training rows, and the teacher to ask about all others.

    Attributes:
        outputs: [N, C] probabilities or [N, 1] values; NaN in the rows of which no teacher that
            saw other rows alone could speak.
        says: The teacher that was fitted on all training rows.
        method: How the training rows were kept from the teacher that labels them.

    Example:
        >>> Labelling(np.full((2, 1), np.nan), Success, "out_of_fold").labelled.tolist()
        [False, False]
    """

    outputs: FloatArray
    says: Says[Rows]
    method: LabelMethod

    @property
    def labelled(self) -> BoolArray:
        """[N] whether the teacher spoke of a row.

        Example:
            >>> Labelling(np.zeros((2, 1)), Success, "out_of_fold").labelled.tolist()
            [True, True]
        """
        return np.asarray(~np.isnan(self.outputs).any(axis=1))


def fold_labels(
    fit: Fit[Rows], rows: Rows, targets: Targets, folds: Folds, heard: Heard = unheard
) -> Checked[FoldLabels[Rows]]:
    """One teacher for each fold, fitted without it; the one of all rows is left for later.

    Args:
        fit: Fits a teacher; given the fold's rows and no others.
        rows: [N] the training rows.
        targets: [N] their targets.
        folds: Which rows each teacher sees and which it labels.
        heard: Is told of every fit.

    Returns:
        The labels, or the issues of the first fit that failed.

    Example:
        >>> from kdtab.data.folds import fold_rows
        >>> def mean(rows, targets):
        ...     return Success(lambda asked: Success(np.full((len(asked), 1), targets.mean())))
        >>> folds = fold_rows(np.zeros(2, dtype=np.int64), np.arange(2), count=2, seed=0).unwrap()
        >>> rows = np.zeros((2, 1), dtype=np.float32)
        >>> fold_labels(mean, rows, np.array([1.0, 3.0]), folds).unwrap().outputs.tolist()
        [[3.0], [1.0]]
    """

    def fit_all() -> Checked[Says[Rows]]:
        heard("all training rows")
        return fit(rows, targets)

    spoken: Checked[dict[int, FloatArray]] = Success({})
    for fold, seen in enumerate(folds.fits):
        asked = folds.rows(fold)
        if len(seen) and len(asked):
            told = partial(heard, f"fold {fold + 1} of {len(folds.fits)}")
            spoken = spoken.bind(_with_fold(fit, rows, targets, seen, asked, fold, told))
    return spoken.map(lambda by_fold: FoldLabels(_spread(by_fold, folds), fit_all))


def cross_fit(
    fit: Fit[Rows], rows: Rows, targets: Targets, folds: Folds, heard: Heard = unheard
) -> Checked[Labelling[Rows]]:
    """One teacher for each fold, fitted without it, and one of all rows for rows from elsewhere.

    Args:
        fit: Fits a teacher; given the fold's rows and no others.
        rows: [N] the training rows.
        targets: [N] their targets.
        folds: Which rows each teacher sees and which it labels.
        heard: Is told of every fit.

    Returns:
        The labelling, or the issues of the first fit that failed.

    Example:
        >>> from kdtab.data.folds import fold_rows
        >>> def mean(rows, targets):
        ...     return Success(lambda asked: Success(np.full((len(asked), 1), targets.mean())))
        >>> folds = fold_rows(np.zeros(2, dtype=np.int64), np.arange(2), count=2, seed=0).unwrap()
        >>> rows = np.zeros((2, 1), dtype=np.float32)
        >>> cross_fit(mean, rows, np.array([1.0, 3.0]), folds).unwrap().says(rows[:1]).unwrap()
        array([[2.]])
    """
    return fold_labels(fit, rows, targets, folds, heard).bind(lambda labels: labels.finished())


def fit_in_sample(fit: Fit[Rows], rows: Rows, targets: Targets) -> Checked[Labelling[Rows]]:
    """One teacher of all training rows that also labels them: what it memorised, it repeats.

    Args:
        fit: Fits a teacher.
        rows: [N] the training rows.
        targets: [N] their targets.

    Returns:
        The labelling, or the issues of the fit.

    Example:
        >>> def parrot(rows, targets):
        ...     return Success(lambda asked: Success(targets.reshape(-1, 1)))
        >>> rows = np.zeros((2, 1), dtype=np.float32)
        >>> fit_in_sample(parrot, rows, np.array([1.0, 3.0])).unwrap().outputs.tolist()
        [[1.0], [3.0]]
    """
    return fit(rows, targets).bind(
        lambda says: says(rows).map(lambda outputs: Labelling(outputs, says, "in_sample"))
    )


def _with_fold(
    fit: Fit[Rows],
    rows: Rows,
    targets: Targets,
    seen: IntArray,
    asked: IntArray,
    fold: int,
    told: Callable[[], None],
) -> Callable[[dict[int, FloatArray]], Checked[dict[int, FloatArray]]]:
    def add(before: dict[int, FloatArray]) -> Checked[dict[int, FloatArray]]:
        told()
        return fit(_taken(rows, seen), targets[seen]).bind(
            lambda says: says(_taken(rows, asked)).map(lambda outputs: before | {fold: outputs})
        )

    return add


def _taken(rows: Rows, places: IntArray) -> Rows:
    return rows[places]


def _spread(by_fold: dict[int, FloatArray], folds: Folds) -> FloatArray:
    width = next(iter(by_fold.values())).shape[1] if by_fold else 1
    outputs = np.full((len(folds.parts), width), np.nan)
    for fold, said in by_fold.items():
        outputs[folds.parts == fold] = said
    return outputs
