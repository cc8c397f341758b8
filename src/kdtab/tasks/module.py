"""A task as a torch module: what it trains is part of it, its teacher is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from kdtab.errors.issue import Issue
from kdtab.errors.taskmodules import NotDistributable, TaskLossNotScalar
from kdtab.models.normalization import InputMap, InputScaling
from kdtab.tasks.frozenteacher import TeacherModule, constant_of
from kdtab.tasks.weighting import LossWeights, weighted_loss

WRAPPED = "module."
NO_GROUP = (
    "there is no process group; start with torchrun and call torch.distributed."
    "init_process_group first"
)


class TaskModule(nn.Module):
    """What the tasks share; `teacher` is held beside the module tree, not in it.

    So its weights are in no `parameters()`, no optimizer and no `state_dict()`, and `train()` and
    `requires_grad_()` do not reach it; `to()` and its relatives do.

    Args:
        trained: The name of the attribute that is trained, and wrapped for several processes.
        teacher: Frozen.
        weights: Of both losses.
        student_scaling: How the inputs are scaled; None: not known, the teacher gets them as they
            are.
        to_teacher: From the student's inputs to the teacher's; None: they are the same.

    Attributes:
        teacher: As given; it stays for the life of the task.
        task_loss_weight: A schedule may set it before each step.
        distill_loss_weight: A schedule may set it before each step.
        student_mean: The mean of the student's inputs, shaped as the teacher's; None: not known.
        student_std: Their scale.

    Example:
        >>> teacher = TeacherModule(nn.Linear(3, 2), InputScaling((0.5,), (0.25,)))
        >>> task = TaskModule("student", teacher, LossWeights(1.0, 1.0), None, None)
        >>> task.student = nn.Linear(3, 2)
        >>> sorted(task.state_dict()), len(list(task.parameters()))
        (['student.bias', 'student.weight'], 2)
    """

    teacher: TeacherModule
    student_mean: Tensor | None
    student_std: Tensor | None

    def __init__(
        self,
        trained: str,
        teacher: TeacherModule,
        weights: LossWeights,
        student_scaling: InputScaling | None,
        to_teacher: InputMap | None,
    ) -> None:
        super().__init__()
        self.trained = trained
        self.teacher = teacher
        self.task_loss_weight = weights.task
        self.distill_loss_weight = weights.distill
        self.to_teacher = to_teacher
        like = teacher.mean_kd
        for name, part in (("student_mean", "mean"), ("student_std", "scale")):
            found = None
            if student_scaling is not None:
                numbers = getattr(student_scaling, part)
                found = constant_of(numbers, student_scaling, like.device, like.dtype)
            self.register_buffer(name, found, persistent=False)
        self._register_state_dict_hook(_names_without_wrapper)  # type: ignore[no-untyped-call]  # public only in newer torch

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "teacher":
            super().__setattr__(name, value)
        elif name in self.__dict__:
            raise AttributeError("a task keeps its teacher: make a new task for another one")
        else:
            object.__setattr__(self, name, value)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self.teacher._apply(fn)  # type: ignore[no-untyped-call]  # torch has no types for it
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # nor here
        return self

    def _load_from_state_dict(self, state_dict: Any, prefix: Any, *rest: Any) -> None:
        if self.is_distributed:
            start = f"{prefix}{self.trained}."
            _rename(state_dict, start, start + WRAPPED)
        super()._load_from_state_dict(state_dict, prefix, *rest)

    @property
    def is_distributed(self) -> bool:
        """Whether what is trained is wrapped for several processes.

        Example:
            >>> teacher = TeacherModule(nn.Linear(3, 2), InputScaling((0.5,), (0.25,)))
            >>> task = TaskModule("student", teacher, LossWeights(1.0, 1.0), None, None)
            >>> task.student = nn.Linear(3, 2)
            >>> task.is_distributed
            False
        """
        return isinstance(getattr(self, self.trained), DistributedDataParallel)

    def seen_by_teacher(self, inputs: Tensor) -> Tensor:
        """The inputs as the teacher wants them.

        Args:
            inputs: As the student gets them.

        Returns:
            In the teacher's scale.

        Example:
            >>> teacher = TeacherModule(nn.Linear(3, 2), InputScaling((0.5,), (0.25,)))
            >>> task = TaskModule("student", teacher, LossWeights(1.0, 1.0), None, None)
            >>> task.seen_by_teacher(torch.ones(1, 3))
            tensor([[1., 1., 1.]])
        """
        return inputs if self.to_teacher is None else self.to_teacher(inputs)

    def total(self, task_loss: Tensor, kd_loss: Tensor) -> Tensor:
        """Both losses with their weights of this moment.

        Args:
            task_loss: A scalar.
            kd_loss: A scalar.

        Returns:
            A scalar.

        Example:
            >>> teacher = TeacherModule(nn.Linear(3, 2), InputScaling((0.5,), (0.25,)))
            >>> task = TaskModule("student", teacher, LossWeights(1.0, 5.0), None, None)
            >>> task.total(torch.tensor(1.0), torch.tensor(2.0))
            tensor(11.)
        """
        weights = LossWeights(self.task_loss_weight, self.distill_loss_weight)
        return weighted_loss(task_loss, kd_loss, weights)

    def wrap(self, options: Mapping[str, object]) -> Issue | None:
        """Wrap what is trained in `DistributedDataParallel`, and nothing else.

        Args:
            options: Of the wrapper. A term without weight leaves parameters without a gradient, so
                `find_unused_parameters` is then on unless it is given.

        Returns:
            `NotDistributable` without a process group or when done already; None when it is done.

        Example:
            >>> teacher = TeacherModule(nn.Linear(3, 2), InputScaling((0.5,), (0.25,)))
            >>> task = TaskModule("student", teacher, LossWeights(1.0, 1.0), None, None)
            >>> task.student = nn.Linear(3, 2)
            >>> task.wrap({}).reason[:25]
            'there is no process group'
        """
        if not torch.distributed.is_available() or not torch.distributed.is_initialized():
            return NotDistributable(reason=NO_GROUP)
        if self.is_distributed:
            return NotDistributable(reason="it was prepared before")
        absent = 0 in (self.task_loss_weight, self.distill_loss_weight)
        given: dict[str, Any] = {"find_unused_parameters": absent, **options}
        setattr(self, self.trained, DistributedDataParallel(getattr(self, self.trained), **given))
        return None


def task_loss_problem(loss: Tensor) -> Issue | None:
    """What keeps the criterion's answer from being a loss.

    Args:
        loss: What the criterion returned.

    Returns:
        `TaskLossNotScalar`, or None.

    Example:
        >>> task_loss_problem(torch.zeros(3)).shape
        (3,)
    """
    return None if loss.ndim == 0 else TaskLossNotScalar(shape=tuple(loss.shape))


def _names_without_wrapper(task: TaskModule, state: Any, prefix: str, _: object) -> None:
    # A checkpoint has the same names whether one process wrote it or several.
    if task.is_distributed:
        start = f"{prefix}{task.trained}."
        _rename(state, start + WRAPPED, start)


def _rename(state: dict[str, object], start: str, instead: str) -> None:
    for name in [name for name in state if name.startswith(start)]:
        state[instead + name.removeprefix(start)] = state.pop(name)
