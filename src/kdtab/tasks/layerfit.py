"""From pairs of layers in a config to the task that compares them: checked before any step."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from returns.result import Result, Success
from torch import Tensor, nn

from kdtab.config.distillation import DistillConfig
from kdtab.config.layerpairs import LayerLossKind, LayerPairSpec, layer_term
from kdtab.config.objectives import ObjectiveConfig
from kdtab.config.training import Task
from kdtab.losses.features import (
    feature_absolute_error,
    feature_cosine_distance,
    feature_squared_error,
)
from kdtab.losses.relational import (
    probabilistic_transfer_over_batch,
    relational_angle_over_batch,
    relational_distance_over_batch,
    similarity_preserving_over_batch,
)
from kdtab.models.layers import LayerPair, paired_layers
from kdtab.results import Checked, collect
from kdtab.tasks.chosen import objective_task
from kdtab.tasks.criteria import Criterion
from kdtab.tasks.layerplan import PlannedPair, ProjectionPlan, planned_pair, seen_outputs
from kdtab.tasks.layertask import LayerTask
from kdtab.tasks.pairs import PairLoss


def layer_loss(kind: LayerLossKind) -> Criterion:
    """The loss between two features that a kind names.

    Args:
        kind: Of a pair of layers.

    Returns:
        A function of `kdtab.losses`: a value for each row, or one for the batch.

    Example:
        >>> layer_loss("cosine_distance").__name__
        'feature_cosine_distance'
    """
    match kind:
        case "squared_error":
            return feature_squared_error
        case "absolute_error":
            return feature_absolute_error
        case "cosine_distance":
            return feature_cosine_distance
        case "relational_distance_over_batch":
            return relational_distance_over_batch
        case "relational_angle_over_batch":
            return relational_angle_over_batch
        case "similarity_preserving_over_batch":
            return similarity_preserving_over_batch
        case "probabilistic_transfer_over_batch":
            return probabilistic_transfer_over_batch
        case _:
            assert_never(kind)


def layer_task(
    knobs: DistillConfig,
    student: nn.Module,
    teacher: nn.Module,
    example: Tensor,
    *,
    task: Task,
    classes: int,
    partial: bool = True,
) -> Checked[LayerTask]:
    """The training task of a config with pairs of layers.

    Args:
        knobs: Pairs, losses, balancer, schedules.
        student: A network like the one that will be trained; only asked, in eval mode.
        teacher: The network to learn from; only asked.
        example: [n, D] rows as both take them, to see what their layers give.
        task: Classification or regression.
        classes: C of classification.
        partial: Whether there may be rows without soft targets.

    Returns:
        The task; or, all at once, what `paired_layers` refuses; then `LayerOutputMissing`,
        `LayerOutputForeign`, `LayerWidthsDiffer` and the issues of `objective_task`.

    Example:
        >>> import torch
        >>> knobs = DistillConfig(layers=({"student": "0", "teacher": "0"},))
        >>> two, three = nn.Sequential(nn.Linear(4, 2)), nn.Sequential(nn.Linear(4, 3))
        >>> made = layer_task(knobs, two, three, torch.zeros(1, 4), task="regression", classes=1)
        >>> made.unwrap().losses[0].name, str(made.unwrap().joined[0][1])
        ('0:0', '2 -> 3')
    """
    wanted = {(pair.student, pair.teacher): pair for pair in knobs.layers}
    return Result.do(
        LayerTask(
            taught=taught,
            teacher=teacher,
            losses=_joined(losses, rows),
            weights=tuple(spec.weight for _, spec in pairs),
            joined=_projections(rows),
        )
        for pairs in paired_layers(wanted, student, teacher)
        for losses in Success(_losses(pairs))
        for rows in _rows(losses, student, teacher, example)
        for taught in objective_task(
            knobs.objective or ObjectiveConfig(),
            knobs,
            task=task,
            classes=classes,
            partial=partial,
            hints=tuple(loss.name for loss in losses),
        )
    )


def _losses(pairs: tuple[tuple[LayerPair, LayerPairSpec], ...]) -> tuple[PairLoss, ...]:
    return tuple(
        PairLoss(pair, layer_loss(spec.loss), layer_term(pair.student, pair.teacher))
        for pair, spec in pairs
    )


def _rows(
    losses: tuple[PairLoss, ...], student: nn.Module, teacher: nn.Module, example: Tensor
) -> Checked[tuple[PlannedPair, ...]]:
    ours = seen_outputs(student, [loss.pair.student for loss in losses], _for(student, example))
    theirs = seen_outputs(teacher, [loss.pair.teacher for loss in losses], _for(teacher, example))
    return collect(planned_pair(loss, ours, theirs, project=True) for loss in losses)


def _for(model: nn.Module, example: Tensor) -> Tensor:
    """The rows where the model is, in its own type."""
    weight = next(model.parameters(), example)
    return example.to(device=weight.device, dtype=weight.dtype)


def _joined(losses: tuple[PairLoss, ...], rows: tuple[PlannedPair, ...]) -> tuple[PairLoss, ...]:
    return tuple(
        loss if row.projection is None else replace(loss, projection=_key(number))
        for number, (loss, row) in enumerate(zip(losses, rows, strict=True))
    )


def _projections(rows: tuple[PlannedPair, ...]) -> tuple[tuple[str, ProjectionPlan], ...]:
    return tuple(
        (_key(number), row.projection)
        for number, row in enumerate(rows)
        if row.projection is not None
    )


def _key(number: int) -> str:
    """The names of layers have dots, which the names of modules may not have."""
    return f"pair_{number}"
