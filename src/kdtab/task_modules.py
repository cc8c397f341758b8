"""Distillation in the user's own loop: the classes of timm's tasks, for any module of torch."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Self, TypeAlias

import torch
from torch import Tensor, nn

from kdtab.bundle import ModelBundle
from kdtab.distillation_teacher import DistillationTeacher, Path, teacher_for
from kdtab.errors.configs import ArgumentOfWrongType
from kdtab.errors.issue import Issue, Issues
from kdtab.errors.raised import raise_issues
from kdtab.errors.taskmodules import NotDistributable
from kdtab.models.features import feature_reader
from kdtab.models.frozen import without_parallel
from kdtab.results import Checked, Value, check, either, gather
from kdtab.tasks.features import (
    FeatureTrainable,
    feature_distillation_loss,
    feature_problem,
    projection_between,
)
from kdtab.tasks.frozenteacher import TeacherModule, sharing_problem, way_to_teacher
from kdtab.tasks.logits import logit_distillation_loss, logit_loss_type, output_problem
from kdtab.tasks.module import TaskModule, task_loss_problem
from kdtab.tasks.weighting import loss_weights, temperature_problem

__all__ = ["DistillationTeacher", "FeatureDistillationTask", "LogitDistillationTask"]

Criterion: TypeAlias = Callable[[Tensor, Tensor], Tensor]
BARE = "give the student without its wrapper, and call prepare_distributed"
_logger = logging.getLogger(__name__)


class _Task(TaskModule):
    def __init__(
        self,
        trained: str,
        student: nn.Module,
        teacher: TeacherModule,
        criterion: Criterion | None,
        weights: Sequence[float | None],
        scaler: object,
        verbose: bool,
    ) -> None:
        scaling, to_teacher = _value(way_to_teacher(student, scaler, teacher))
        chosen = _value(loss_weights(*weights))
        _value(_criterion(criterion))
        super().__init__(trained, teacher, chosen, scaling, to_teacher)
        self.criterion = nn.CrossEntropyLoss() if criterion is None else criterion
        if verbose:
            name = type(self).__name__
            _logger.info("%s: weights %s, input map %s", name, chosen, to_teacher)

    def prepare_distributed(
        self, device_ids: Sequence[int | torch.device] | None = None, **ddp_kwargs: object
    ) -> Self:
        _refuse(self.wrap({"device_ids": device_ids, **ddp_kwargs}))
        return self

    def _losses(self, outputs: Tensor, target: Tensor, kd_loss: Tensor) -> dict[str, Tensor]:
        task_loss = self.criterion(outputs, target)
        _refuse(task_loss_problem(task_loss))
        loss = self.total(task_loss, kd_loss)
        return {"loss": loss, "output": outputs, "task_loss": task_loss, "kd_loss": kd_loss}


class LogitDistillationTask(_Task):
    """Task loss and the divergence of the student's outputs from the teacher's.

    loss = task_loss_weight · task_loss + distill_loss_weight · kd_loss. Both weights are 1 without
    any, independent (the task's 1) with `distill_loss_weight`, complementary with
    `task_loss_weight` alone.

    Args:
        student_model: Any module; trained.
        teacher_model: A `DistillationTeacher`, or what makes one.
        criterion: Of outputs and target, one number; None: `nn.CrossEntropyLoss()`.
        teacher_pretrained_path: Safetensors file of a named timm model.
        loss_type: "kl"; or "reverse_kl", "binary_kl" (one logit), "multilabel_kl",
            "squared_error" (values).
        distill_loss_weight: 0 or more.
        task_loss_weight: 0 or more; in [0, 1] alone.
        temperature: T above 0, in T² · KL of softmax(z / T).
        device: Where the teacher and the constants go; None: they stay.
        dtype: Float type of a named teacher and of the constants.
        verbose: Log the weights.
        student_scaler: How the student's inputs are scaled, as `scaler` of the teacher. None: its
            `pretrained_cfg`; without one the teacher gets the student's very inputs.

    Raises:
        KdtabError: A `ValueError`, for all that is out of range, before a file is opened.

    Example:
        >>> task = LogitDistillationTask(nn.Linear(3, 2), nn.Linear(3, 2), temperature=4.0)
        >>> sorted(task(torch.zeros(5, 3), torch.zeros(5, dtype=torch.int64)))
        ['kd_loss', 'loss', 'output', 'task_loss']
    """

    def __init__(
        self,
        student_model: nn.Module,
        teacher_model: nn.Module | ModelBundle | Path,
        criterion: Criterion | None = None,
        teacher_pretrained_path: Path | None = None,
        loss_type: str = "kl",
        distill_loss_weight: float | None = None,
        task_loss_weight: float | None = None,
        temperature: float = 1.0,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
        verbose: bool = True,
        *,
        student_scaler: object = None,
    ) -> None:
        weights = (distill_loss_weight, task_loss_weight)
        known = logit_loss_type(loss_type)
        tempered = check(temperature_problem(temperature))
        _value(gather(loss_weights(*weights), known, tempered, _module(student_model)))
        _refuse(sharing_problem(student_model, teacher_model))
        path = teacher_pretrained_path
        teacher = teacher_for(student_model, teacher_model, path, device, dtype)
        super().__init__(
            "student", student_model, teacher, criterion, weights, student_scaler, verbose
        )
        self.student = student_model
        self.loss_type = _value(known)
        self.temperature = float(temperature)

    def forward(self, input: Tensor, target: Tensor) -> dict[str, Tensor]:
        """One forward of both, and the losses.

        Args:
            input: As the student wants it.
            target: For the criterion.

        Returns:
            "loss", with "output" of the student, "task_loss" and "kd_loss".

        Example:
            >>> task = LogitDistillationTask(nn.Linear(3, 2), nn.Linear(3, 2))
            >>> task.forward(torch.zeros(5, 3), torch.zeros(5, dtype=torch.int64))["output"].shape
            torch.Size([5, 2])
        """
        outputs = self.student(input)
        spoken = self.teacher(self.seen_by_teacher(input))
        _refuse(output_problem(outputs, spoken, self.loss_type))
        kd_loss = logit_distillation_loss(
            outputs, spoken, loss_type=self.loss_type, temperature=self.temperature
        )
        return self._losses(outputs, target, kd_loss)


class FeatureDistillationTask(_Task):
    """Task loss and the squared error of the student's features, projected to the teacher's width.

    Features are what goes into the last layer. `trainable_module` holds the student and, where the
    widths differ, a linear projection: give its parameters to the optimizer. The student's own
    `state_dict()` has no trace of it. Weights, scalers and the rest as in `LogitDistillationTask`.

    Args:
        student_model: Any module; trained.
        teacher_model: A `DistillationTeacher`, or what makes one.
        criterion: Of outputs and target, one number; None: `nn.CrossEntropyLoss()`.
        teacher_pretrained_path: Safetensors file of a named timm model.
        distill_loss_weight: 0 or more.
        task_loss_weight: 0 or more; in [0, 1] alone.
        student_feature_dim: Width of the student's features; None finds it.
        teacher_feature_dim: Width of the teacher's features; None finds it.
        device: Where teacher, projection and constants go; None: to the student.
        dtype: Float type of a named teacher, of projection and constants; None: the student's.
        verbose: Log the weights.
        student_scaler: How the student's inputs are scaled.
        student_head: The layer whose input the student's features are; None finds it.
        teacher_head: The teacher's; None: that of its `DistillationTeacher`.

    Raises:
        KdtabError: A `ValueError`, for all that is out of range, before a file is opened.

    Example:
        >>> student = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        >>> teacher = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> FeatureDistillationTask(student, teacher).trainable_module.projection
        FeatureProjection(4 -> 8, axis=last)
    """

    def __init__(
        self,
        student_model: nn.Module,
        teacher_model: nn.Module | ModelBundle | Path,
        criterion: Criterion | None = None,
        teacher_pretrained_path: Path | None = None,
        distill_loss_weight: float | None = None,
        task_loss_weight: float | None = None,
        student_feature_dim: int | None = None,
        teacher_feature_dim: int | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
        verbose: bool = True,
        *,
        student_scaler: object = None,
        student_head: str | None = None,
        teacher_head: str | None = None,
    ) -> None:
        weights = (distill_loss_weight, task_loss_weight)
        bare = without_parallel(student_model) is student_model
        wrapper = check(None if bare else NotDistributable(reason=BARE))
        _value(gather(loss_weights(*weights), wrapper, _module(student_model)))
        _refuse(sharing_problem(student_model, teacher_model))
        path = teacher_pretrained_path
        teacher = teacher_for(student_model, teacher_model, path, device, dtype)
        super().__init__(
            "trainable_module", student_model, teacher, criterion, weights, student_scaler, verbose
        )
        width, asked = teacher_feature_dim, teacher_head or teacher.head
        own = feature_reader(student_model, "student", head=student_head, width=student_feature_dim)
        taught = feature_reader(teacher.model, "teacher", head=asked, width=width)
        _value(gather(own, taught))
        place, kind = _home(student_model)
        self.readers = (_value(own), _value(taught))
        made = projection_between(*self.readers, device=device or place, dtype=dtype or kind)
        self.trainable_module = FeatureTrainable(student_model, self.readers[0], made)

    def forward(self, input: Tensor, target: Tensor) -> dict[str, Tensor]:
        """One forward of both, and the losses.

        Args:
            input: As the student wants it.
            target: For the criterion.

        Returns:
            "loss", with "output" of the student, "task_loss" and "kd_loss".

        Example:
            >>> task = FeatureDistillationTask(nn.Linear(3, 2), nn.Linear(3, 2))
            >>> task.forward(torch.zeros(5, 3), torch.zeros(5, dtype=torch.int64))["kd_loss"]
            tensor(0.)
        """
        outputs, features = self.trainable_module(input)
        with torch.no_grad():
            taken = self.teacher.as_taken(self.seen_by_teacher(input))
            spoken = self.readers[1].features(self.teacher.model, taken)
        _refuse(feature_problem(features, spoken, self.readers))
        assert spoken is not None, "refused above"
        return self._losses(outputs, target, feature_distillation_loss(features, spoken))


def _value(checked: Checked[Value]) -> Value:
    return either(checked, lambda value: value, raise_issues)


def _refuse(problem: Issue | None) -> None:
    if problem is not None:
        raise_issues(Issues((problem,)))


def _module(student: object) -> Checked[None]:
    found = type(student).__name__
    wrong = ArgumentOfWrongType(name="student_model", expected="a torch module", found=found)
    return check(None if isinstance(student, nn.Module) else wrong)


def _criterion(given: object) -> Checked[None]:
    if given is None or (callable(given) and not isinstance(given, type)):
        return check(None)
    expected = "a function or a module of outputs and target, as in nn.CrossEntropyLoss()"
    found = f"class {given.__name__}" if isinstance(given, type) else type(given).__name__
    return check(ArgumentOfWrongType(name="criterion", expected=expected, found=found))


def _home(student: nn.Module) -> tuple[torch.device | None, torch.dtype | None]:
    floats = (one for one in student.parameters() if one.is_floating_point())
    return next(((one.device, one.dtype) for one in floats), (None, None))
