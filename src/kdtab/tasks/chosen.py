"""The training task that a config describes, or why it would teach nothing."""

from __future__ import annotations

from returns.result import Result, Success

from kdtab.config.distillation import DistillConfig
from kdtab.config.objectives import ObjectiveConfig, loss_names
from kdtab.config.schedules import ConstantSchedule
from kdtab.config.training import Task
from kdtab.errors.issue import Issues
from kdtab.losses.weights import KnownBalancer
from kdtab.results import gather
from kdtab.tasks.lossfit import balancer_from_spec, fitting_losses
from kdtab.tasks.objectives import ObjectiveTask


def objective_task(
    objective: ObjectiveConfig,
    knobs: DistillConfig,
    *,
    task: Task,
    classes: int,
    accumulation: int = 1,
    partial: bool = True,
    hints: tuple[str, ...] = (),
) -> Result[ObjectiveTask, Issues]:
    """The training task that a config describes, or why it would teach nothing.

    Args:
        objective: Losses, balancer and schedules.
        knobs: Temperature and alpha where the objective has no schedule for them.
        task: Classification or regression.
        classes: C of classification; of no meaning for regression.
        accumulation: From how many parts a step is put together.
        partial: Whether there may be rows without soft targets.
        hints: Names of losses that the task does not compute itself, and the balancer weighs.

    Returns:
        The task; or every issue of `fitting_losses` and of the balancer's weights.

    Example:
        >>> found = objective_task(ObjectiveConfig(), DistillConfig(), task="regression", classes=1)
        >>> found.unwrap().losses
        (('soft', SquaredErrorLoss(kind='squared_error')),)
    """
    names = loss_names(objective.losses)
    losses = fitting_losses(objective.losses, task=task, classes=classes, accumulation=accumulation)
    nothing: Result[KnownBalancer | None, Issues] = Success(None)
    spec = objective.balancer
    balancer = nothing if spec is None else balancer_from_spec(spec, (*names, *hints)).map(_perhaps)
    return Result.do(
        ObjectiveTask(
            task=task,
            losses=tuple(zip(names, chosen, strict=True)),
            balancer=weights,
            temperature=objective.temperature or ConstantSchedule(value=knobs.temperature),
            alpha=objective.alpha or ConstantSchedule(value=knobs.alpha),
            partial=partial,
        )
        for _ in gather(losses, balancer)
        for chosen in losses
        for weights in balancer
    )


def _perhaps(balancer: KnownBalancer) -> KnownBalancer | None:
    return balancer
