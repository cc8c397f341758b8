"""Turn a model into one that learns from a teacher, and back, without a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from returns.result import Failure, Result, Success
from torch import nn

from kdtab.config.layers import KDLossConfig, loss_config
from kdtab.errors.conversions import ModelNotConvertible, ModelsShareTensors
from kdtab.errors.layers import Side
from kdtab.models.disguise import (
    built_model,
    disguised,
    plain_model,
    undisguised,
    unwrapped_model,
)
from kdtab.models.layers import LayerPair, paired_layers
from kdtab.models.loans import borrowed, shared_tensors
from kdtab.models.projection import FeatureProjection
from kdtab.results import Checked, check, collect, fail
from kdtab.shell.seed import seeded
from kdtab.tasks.carried import LESSON, carries_lesson, lesson_of
from kdtab.tasks.criteria import Criterion, criterion_name
from kdtab.tasks.layerplan import LayerPlan, PlannedPair, Seen, planned_pair, seen_outputs
from kdtab.tasks.layers import LayerLesson
from kdtab.tasks.pairs import PairLoss
from kdtab.tasks.totals import LossBalancer, balancer_may_fit


@dataclass(frozen=True, eq=False)
class Conversion:
    """All that is decided before the student is touched.

    Attributes:
        student: The model to convert.
        teacher: Built, not yet on loan.
        losses: One for each pair, patterns expanded, projections named.
        config: What was asked for.
        plan: The same as a table.

    Example:
        >>> student, teacher = nn.Linear(2, 2), nn.Linear(2, 2)
        >>> mode = [("kd_loss", {"teacher_model": teacher, "criterion": nn.MSELoss()})]
        >>> prepared_conversion(student, mode, None, ()).unwrap().losses[0].name
        'MSELoss_0'
    """

    student: nn.Module
    teacher: nn.Module
    losses: tuple[PairLoss, ...]
    config: KDLossConfig
    plan: LayerPlan

    @property
    def balancer(self) -> LossBalancer | None:
        """What makes one number of the losses.

        Example:
            >>> mode = [("kd_loss", {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()})]
            >>> prepared_conversion(nn.ReLU(), mode, None, ()).unwrap().balancer is None
            True
        """
        return cast(LossBalancer | None, self.config.loss_balancer)


def prepared_conversion(
    student: object, mode: object, example: object, reserved: tuple[str, ...]
) -> Checked[Conversion]:
    """Check everything, build the teacher, pair the layers; the student is only read.

    Args:
        student: The model to convert.
        mode: `[("kd_loss", config)]`, config a `KDLossConfig` or its fields.
        example: One batch for both models, to see shapes; None without one.
        reserved: Names that a converted model adds, which the student may not have.

    Returns:
        The conversion; or what `loss_config` and `plain_model` refuse, `ModelNotConvertible`,
        `ModelsShareTensors`, `LayerUnknown`, `LayerCountsDiffer`, `LayerPairedTwice`, what
        `balancer_may_fit` refuses, and with an example what `planned_pair` refuses.

    Example:
        >>> prepared_conversion(nn.Linear(2, 2), "nas", None, ()).failure().first
        ModeUnknown(found='nas')
    """
    return Result.do(
        conversion
        for config in loss_config(mode)
        for model in _unconverted(student, reserved)
        for teacher in built_model(config.teacher_model)
        for _ in _apart(model, teacher)
        for pairs in paired_layers(dict(config.pairs), model, teacher)
        for conversion in _planned(model, teacher, _losses(pairs), config, example)
    )


def installed_conversion(conversion: Conversion, front: type[nn.Module]) -> Checked[nn.Module]:
    """Make the student a subclass of its own class that carries a lesson.

    Args:
        conversion: What was prepared.
        front: The class that comes first among its bases.

    Returns:
        The very student; or `ModelNotConvertible` where python refuses, and nothing has changed.

    Example:
        >>> class Front(nn.Module): ...
        >>> student, teacher = nn.Linear(2, 2), nn.Linear(2, 2)
        >>> mode = [("kd_loss", {"teacher_model": teacher, "criterion": nn.MSELoss()})]
        >>> conversion = prepared_conversion(student, mode, None, ()).unwrap()
        >>> installed_conversion(conversion, Front).unwrap() is student
        True
        >>> type(removed_conversion(student).unwrap()) is nn.Linear
        True
    """
    student = conversion.student
    lesson = LayerLesson(
        student,
        borrowed(conversion.teacher),
        conversion.losses,
        conversion.balancer,
        _projections(conversion),
    )
    student.__dict__[LESSON] = lesson
    made = disguised(student, front, _taught)
    if isinstance(made, Failure):
        _forgotten(student, lesson)
    return made


def removed_conversion(model: object) -> Checked[nn.Module]:
    """The student as it would be had it never been converted, but for what it has learnt.

    Args:
        model: A converted model, perhaps inside of `DistributedDataParallel` or `torch.compile`.

    Returns:
        The very student, or `ModelNotConverted`.

    Example:
        >>> removed_conversion(nn.ReLU()).failure().first
        ModelNotConverted(found='ReLU')
    """
    inner = unwrapped_model(model)
    return lesson_of(inner).map(
        lambda lesson: undisguised(_forgotten(cast(nn.Module, inner), lesson))
    )


def _taught(
    model: nn.Module,
    own: Callable[..., object],
    args: tuple[object, ...],
    kwargs: Mapping[str, object],
) -> object:
    lesson: LayerLesson = model.__dict__[LESSON]
    return lesson.forward(own, args, kwargs)


def _forgotten(model: nn.Module, lesson: LayerLesson) -> nn.Module:
    lesson.end()
    del model.__dict__[LESSON]
    return model


def _unconverted(student: object, reserved: tuple[str, ...]) -> Checked[nn.Module]:
    if carries_lesson(student):
        reason = "it is converted already; export it first"
        return fail(
            ModelNotConvertible(side="student", found=type(student).__name__, reason=reason)
        )
    return plain_model(student, reserved)


def _apart(student: nn.Module, teacher: nn.Module) -> Checked[None]:
    converted = ModelNotConvertible(
        side="teacher",
        found=type(teacher).__name__,
        reason="it is converted itself; export it first",
    )
    shared = shared_tensors(student, teacher)
    return check(
        converted if any(map(carries_lesson, teacher.modules())) else None,
        ModelsShareTensors(names=shared) if shared else None,
    )


def _losses(pairs: tuple[tuple[LayerPair, Criterion], ...]) -> tuple[PairLoss, ...]:
    return tuple(
        PairLoss(pair, criterion, f"{criterion_name(criterion)}_{number}")
        for number, (pair, criterion) in enumerate(pairs)
    )


def _planned(
    student: nn.Module,
    teacher: nn.Module,
    losses: tuple[PairLoss, ...],
    config: KDLossConfig,
    example: object,
) -> Checked[Conversion]:
    balancer = cast(LossBalancer | None, config.loss_balancer)
    names = tuple(loss.name for loss in losses)
    chosen = None if balancer is None else type(balancer).__name__
    return Result.do(
        Conversion(student, teacher, _joined(losses, rows), config, LayerPlan(rows, chosen))
        for _ in balancer_may_fit(balancer, names)
        for rows in _rows(student, teacher, losses, config, example)
    )


def _rows(
    student: nn.Module,
    teacher: nn.Module,
    losses: tuple[PairLoss, ...],
    config: KDLossConfig,
    example: object,
) -> Checked[tuple[PlannedPair, ...]]:
    if example is None:
        return Success(tuple(PlannedPair(*loss.names, loss.name) for loss in losses))
    # A model that draws numbers while it runs must not move the process's generators.
    with seeded(config.random_seed):
        ours = _seen("student", student, [loss.pair.student for loss in losses], example)
        theirs = _seen("teacher", teacher, [loss.pair.teacher for loss in losses], example)
    return collect((ours, theirs)).bind(
        lambda both: collect(planned_pair(loss, *both, project=config.project) for loss in losses)
    )


def _seen(side: Side, model: nn.Module, names: Iterable[str], example: object) -> Checked[Seen]:
    try:
        return Success(seen_outputs(model, dict.fromkeys(names), example))
    except Exception as error:  # whatever a foreign forward does with a batch that is not its own
        reason = f"it does not take the example batch ({str(error).partition(chr(10))[0]})"
        return fail(ModelNotConvertible(side=side, found=type(model).__name__, reason=reason))


def _joined(losses: tuple[PairLoss, ...], rows: tuple[PlannedPair, ...]) -> tuple[PairLoss, ...]:
    return tuple(
        loss if row.projection is None else replace(loss, projection=loss.name)
        for loss, row in zip(losses, rows, strict=True)
    )


def _projections(conversion: Conversion) -> dict[str, FeatureProjection]:
    planned = {row.loss: row.projection for row in conversion.plan.pairs if row.projection}
    with seeded(conversion.config.random_seed):
        return {
            name: FeatureProjection(
                joined.student,
                joined.teacher,
                axis=joined.axis,
                device=joined.device,
                dtype=joined.dtype,
            )
            for name, joined in planned.items()
        }
