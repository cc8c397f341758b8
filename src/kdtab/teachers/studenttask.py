"""Which training task a student has: that of temperature and alpha, or what an objective says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from returns.result import Result, Success
from torch import nn

from kdtab.config.distillation import DistillConfig
from kdtab.config.networks import BatchEnsembleSpec, NetworkSpec
from kdtab.config.objectives import ObjectiveConfig
from kdtab.data.arrays import Float32Array
from kdtab.data.prepare import PreparedTable
from kdtab.errors.issue import Issues
from kdtab.errors.objectives import LayersNeedBundle, LayersOfEnsemble
from kdtab.models.batchensemble import BatchEnsembleNetwork
from kdtab.models.build import build_model
from kdtab.results import Checked, check, fail
from kdtab.shell.seed import seeded
from kdtab.tasks.chosen import objective_task
from kdtab.tasks.layerfit import layer_task
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import TrainingTask

EXAMPLE_ROWS = 2

Tasked: TypeAlias = Result[TrainingTask, Issues]


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a student is taught on, and by whom.

    Attributes:
        prepared: The table.
        spec: The student's network.
        spoken: [N, C] as the student takes them; NaN in rows of which no teacher spoke.
        network: The teacher's network, where it takes the same inputs; else None.
        seed: Of the run.

    Example:
        >>> Lesson.__dataclass_params__.frozen
        True
    """

    prepared: PreparedTable
    spec: NetworkSpec
    spoken: Float32Array
    network: nn.Module | None
    seed: int


def student_task(lesson: Lesson, knobs: DistillConfig) -> Tasked:
    """The task that knobs describe.

    Args:
        lesson: What there is to learn.
        knobs: Temperature and alpha, or an objective, and pairs of layers.

    Returns:
        `SoftTargetTask` or `PartialTargetTask` without an objective; else what it describes, or
        every issue of its losses, its weights and its layers; `LayersOfEnsemble`.

    Example:
        >>> student_task.__name__
        'student_task'
    """
    task, classes = lesson.prepared.task, lesson.prepared.output_dim
    partial = bool(np.isnan(lesson.spoken).any())
    if knobs.layers:
        assert lesson.network is not None, "`objective_fits` refuses layers without a network"
        ensembles = _ensembles(lesson.spec, lesson.network)
        if ensembles:
            return fail(*(LayersOfEnsemble(side=side) for side in ensembles))
        # Nobody trains on this student: it tells the names and widths of its layers.
        with seeded(lesson.seed):
            return layer_task(
                knobs,
                build_model(lesson.spec),
                lesson.network,
                _example(lesson),
                task=task,
                classes=classes,
                partial=partial,
            ).map(_as_task)
    if knobs.objective is not None:
        return objective_task(
            knobs.objective, knobs, task=task, classes=classes, partial=partial
        ).map(_as_task)
    taught = SoftTargetTask(task=task, temperature=knobs.temperature, alpha=knobs.alpha)
    return Success(PartialTargetTask(taught) if partial else taught)


def objective_fits(prepared: PreparedTable, knobs: DistillConfig, teacher: str) -> Checked[None]:
    """Whether an objective can be followed by the student of a teacher without layers.

    Asked before such a teacher is fitted, which may take long.

    Args:
        prepared: The table.
        knobs: Losses, weights and pairs of layers.
        teacher: What the teacher is called.

    Returns:
        None, or `LayersNeedBundle` and the issues of `objective_task`.

    Example:
        >>> objective_fits.__name__
        'objective_fits'
    """
    if knobs.layers:
        return check(LayersNeedBundle(teacher=teacher))
    return objective_task(
        knobs.objective or ObjectiveConfig(),
        knobs,
        task=prepared.task,
        classes=prepared.output_dim,
    ).map(lambda _: None)


def _ensembles(student: NetworkSpec, teacher: nn.Module) -> tuple[str, ...]:
    """The sides whose layers are those of many members."""
    found = {
        "student": isinstance(student, BatchEnsembleSpec),
        "teacher": isinstance(teacher, BatchEnsembleNetwork),
    }
    return tuple(side for side, is_ensemble in found.items() if is_ensemble)


def _example(lesson: Lesson) -> torch.Tensor:
    return torch.from_numpy(lesson.prepared.training.inputs[:EXAMPLE_ROWS].copy())


def _as_task(task: TrainingTask) -> TrainingTask:
    """The same, as one of the protocol: a Result of one task is no Result of all."""
    return task
