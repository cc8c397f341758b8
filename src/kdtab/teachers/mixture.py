"""Several teachers as one: a weight for each, chosen on rows that none of them had seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Generic

import numpy as np

from kdtab.config.training import Task
from kdtab.data.arrays import FloatArray
from kdtab.results import Checked, collect
from kdtab.teachers.crossfit import Labelling, Rows, Says, Targets

MOST_ROUNDS = 1_000
TOLERANCE = 1e-10
SMALLEST_PROBABILITY = 1e-7
LEAST_WEIGHT = 1e-5
"""Less is 0, which the rounds only come near: the member need not be fitted on all rows."""


def mixture_weights(outputs: Sequence[FloatArray], targets: Targets, *, task: Task) -> FloatArray:
    """The weights of the mixture that fits the targets best.

    Classification: they minimise −Σ_i log Σ_m w_m · p_m(y_i | x_i), which is convex in w, by
    expectation–maximisation. Regression: they minimise Σ_i (y_i − Σ_m w_m · v_m(x_i))², exactly.

    Args:
        outputs: M times [N, C] probabilities or [N, 1] values, out of fold.
        targets: [N] class codes, or values in the same unit.
        task: Which of the two.

    Returns:
        [M] weights that are not negative and sum to 1; of several equally good ones any.

    Example:
        >>> sure, unsure = np.array([[0.9, 0.1]] * 2), np.array([[0.5, 0.5]] * 2)
        >>> codes = np.array([0, 0])
        >>> mixture_weights([sure, unsure], codes, task="classification").round(3).tolist()
        [1.0, 0.0]
    """
    if task == "classification":
        picked = [said[np.arange(len(targets)), targets.astype(np.int64)] for said in outputs]
        return _likeliest(np.maximum(np.stack(picked, axis=1), SMALLEST_PROBABILITY))
    return _nearest(np.concatenate(outputs, axis=1), targets.astype(np.float64))


def mixed_labelling(members: Sequence[Labelling[Rows]], weights: FloatArray) -> Labelling[Rows]:
    """The mean of what several teachers say, by weight.

    Args:
        members: Labellings of the same rows; a row that one of them left out stays left out.
        weights: [M] not negative, sum 1; a teacher of weight 0 is not asked.

    Returns:
        Their mixture.

    Example:
        >>> from returns.result import Success
        >>> halves = [Labelling(np.full((1, 1), x), Success, "out_of_fold") for x in (1.0, 3.0)]
        >>> mixed_labelling(halves, np.array([0.5, 0.5])).outputs.tolist()
        [[2.0]]
    """
    used = [(member, weight) for member, weight in zip(members, weights, strict=True) if weight > 0]
    outputs = _weighted([member.outputs for member, _ in used], [weight for _, weight in used])
    says = _MixedSays([member.says for member, _ in used], [weight for _, weight in used])
    return Labelling(outputs, says, members[0].method)


@dataclass(frozen=True)
class _MixedSays(Generic[Rows]):
    every: Sequence[Says[Rows]]
    weights: Sequence[float]

    def __call__(self, rows: Rows) -> Checked[FloatArray]:
        return collect([says(rows) for says in self.every]).map(
            lambda outputs: _weighted(outputs, self.weights)
        )


def _weighted(outputs: Sequence[FloatArray], weights: Sequence[float]) -> FloatArray:
    total: FloatArray = outputs[0] * weights[0]
    for said, weight in zip(outputs[1:], weights[1:], strict=True):
        total = total + said * weight
    return total


def _likeliest(picked: FloatArray) -> FloatArray:
    weights: FloatArray = np.full(picked.shape[1], 1 / picked.shape[1])
    for _ in range(MOST_ROUNDS):
        shares = picked * weights
        better: FloatArray = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
        moved = float(np.abs(better - weights).max())
        weights = better
        if moved < TOLERANCE:
            break
    weights[weights < LEAST_WEIGHT] = 0.0
    result: FloatArray = weights / weights.sum()
    return result


def _nearest(values: FloatArray, truth: FloatArray) -> FloatArray:
    """Least squares on the simplex: the best of the solutions on each of its faces."""
    errors = values - truth[:, np.newaxis]
    products: FloatArray = errors.T @ errors / max(1, len(truth))
    members = len(products)
    best: FloatArray = np.eye(members)[int(products.diagonal().argmin())]
    for size in range(2, members + 1):
        for face in combinations(range(members), size):
            weights = _on_face(products, np.array(face))
            if (weights >= 0).all() and weights @ products @ weights < best @ products @ best:
                best = weights
    return best


def _on_face(products: FloatArray, face: FloatArray) -> FloatArray:
    """Min wᵀAw with Σw = 1 over some members: w ∝ A⁻¹1."""
    inner = products[np.ix_(face, face)]
    solved = np.linalg.lstsq(inner, np.ones(len(face)), rcond=None)[0]
    weights = np.zeros(len(products))
    weights[face] = solved / solved.sum() if solved.sum() != 0 else -1.0
    return weights
