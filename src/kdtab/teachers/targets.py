"""From what a teacher said to what a student's loss takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from returns.result import Success

from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import LARGEST_TARGET
from kdtab.data.outputs import TeacherOutputs, align_classes
from kdtab.data.scale import TargetScaler
from kdtab.errors.teachers import TaskMismatch
from kdtab.losses.soft import log_probabilities_from_probabilities, log_probabilities_from_votes
from kdtab.results import Checked, fail

SMALLEST_PROBABILITY = 1e-7
"""A teacher that counts no votes is never surer than this (design 3.4)."""


def soft_targets(
    outputs: TeacherOutputs,
    classes: Sequence[str],
    target_scaler: TargetScaler | None,
    *,
    missing: Literal["error", "zero"] = "error",
) -> Checked[Float32Array]:
    """Outputs in the order of the student's classes and in the unit of its training.

    Probabilities p of B trees become log q with q = (B·p + 1/C)/(B + 1), others log max(p, 1e-7);
    logits and log-probabilities stay as they are. Values become (y − mean)/scale.

    Args:
        outputs: Checked outputs of a teacher for N rows.
        classes: The student's classes; empty for regression.
        target_scaler: The student's; None leaves values in their unit.
        missing: A class that only one side knows is an error, or gets probability 0.

    Returns:
        [N, C] logits or natural log-probabilities, or [N, 1] scaled values, float32; or
        `ClassesDiffer`, `TaskMismatch`.

    Example:
        >>> said = TeacherOutputs("probabilities", ("b", "a"), np.array([[1.0, 0.0]]), trees=120)
        >>> np.exp(soft_targets(said, ("a", "b"), None).unwrap()).round(4).tolist()
        [[0.004100000020116568, 0.9958999752998352]]
        >>> values = TeacherOutputs("values", (), np.array([[5.0]]))
        >>> soft_targets(values, (), TargetScaler(mean=1.0, scale=2.0)).unwrap().tolist()
        [[2.0]]
    """
    asked, spoken = (_task(bool(classes)), _task(outputs.kind != "values"))
    if asked != spoken:
        return fail(TaskMismatch(requested=asked, teacher=spoken))
    if outputs.kind == "values":
        return Success(_scaled(outputs.values, target_scaler))
    return align_classes(outputs, classes, missing=missing).map(_logits)


def _task(is_classification: bool) -> str:
    return "classification" if is_classification else "regression"


def _scaled(values: FloatArray, scaler: TargetScaler | None) -> Float32Array:
    scaled = values if scaler is None else scaler.transform(values)
    return np.clip(scaled, -LARGEST_TARGET, LARGEST_TARGET).astype(np.float32)


def _logits(outputs: TeacherOutputs) -> Float32Array:
    if outputs.kind != "probabilities":
        return _as_float32(outputs.values)
    shares = torch.from_numpy(np.ascontiguousarray(outputs.values, dtype=np.float64))
    if outputs.trees is not None:
        logs = log_probabilities_from_votes(shares, trees=outputs.trees)
    else:
        logs = log_probabilities_from_probabilities(shares.clamp(min=SMALLEST_PROBABILITY))
    return logs.to(torch.float32).numpy()


def _as_float32(logits: FloatArray) -> Float32Array:
    """Logits too large for float32 are lowered by their row's largest, which changes no softmax."""
    sizes = np.abs(np.where(np.isfinite(logits), logits, 0.0))
    too_large = sizes.max(axis=1, keepdims=True, initial=0.0) > LARGEST_TARGET / 2
    if not too_large.any():
        return logits.astype(np.float32)
    with np.errstate(over="ignore"):
        lowered = logits - logits.max(axis=1, keepdims=True)
    lowered = np.where(np.isneginf(logits), -np.inf, np.maximum(lowered, -LARGEST_TARGET))
    return np.where(too_large, lowered, logits).astype(np.float32)
