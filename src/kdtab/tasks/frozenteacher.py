"""A frozen model as a task holds it."""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from kdtab.bundle import ModelBundle
from kdtab.errors.conversions import ModelsShareTensors
from kdtab.errors.issue import Issue
from kdtab.errors.taskmodules import ScalersUnlike
from kdtab.models.frozen import unwrapped
from kdtab.models.normalization import (
    InputMap,
    InputScaling,
    image_constants,
    input_map,
    input_scaling,
)
from kdtab.results import Checked, fail


class TeacherModule(nn.Module):
    """A frozen model that answers without gradients, in eval mode whatever it is told.

    Args:
        model: In eval mode, without a parameter that can be trained.
        scaling: How it wants its inputs.
        device: Of the constants; None: where the model is.
        dtype: Of the constants; None: torch's default.
        was_given_scaler: Whether the user said how, so that the student must say it too.

    Attributes:
        model: The frozen view.
        scaling: As given.
        mean_kd: The mean of its inputs, [1, C, 1, 1] for images, [1, D] for rows.
        std_kd: Their scale, of the same shape.

    Example:
        >>> TeacherModule(nn.Linear(3, 2), InputScaling((0.5,), (0.25,))).train().training
        False
    """

    mean_kd: Tensor
    std_kd: Tensor

    def __init__(
        self,
        model: nn.Module,
        scaling: InputScaling,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
        *,
        was_given_scaler: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.was_given_scaler = was_given_scaler
        place = device or next((one.device for one in model.parameters()), None)
        self.scaling = scaling
        for name, numbers in (("mean_kd", scaling.mean), ("std_kd", scaling.scale)):
            constant = constant_of(numbers, scaling, place, dtype)
            self.register_buffer(name, constant, persistent=False)
        super().train(False)

    def train(self, mode: bool = True) -> Self:
        """Eval mode, always: a teacher with dropout would teach noise.

        Args:
            mode: Is not looked at.

        Returns:
            Itself.

        Example:
            >>> teacher = TeacherModule(nn.Dropout(0.5), InputScaling((0.5,), (0.25,)))
            >>> teacher.train().model.training
            False
        """
        return super().train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """No gradient, always: what a teacher says does not change while it is learnt.

        Args:
            requires_grad: Is not looked at.

        Returns:
            Itself.

        Example:
            >>> teacher = TeacherModule(nn.Linear(3, 2), InputScaling((0.5,), (0.25,)))
            >>> any(one.requires_grad for one in teacher.requires_grad_(True).parameters())
            False
        """
        return super().requires_grad_(False)

    def as_taken(self, inputs: Tensor) -> Tensor:
        """Inputs in a float type that the model has.

        Args:
            inputs: Of any type.

        Returns:
            The same, or a copy in the type of the first parameter where none has theirs.

        Example:
            >>> teacher = TeacherModule(nn.Linear(3, 2).double(), InputScaling((0.5,), (0.25,)))
            >>> teacher.as_taken(torch.zeros(1, 3)).dtype
            torch.float64
        """
        first = next(self.model.parameters(), None)
        if first is None or first.dtype is inputs.dtype or not inputs.is_floating_point():
            return inputs
        own = [one.dtype for one in self.model.parameters() if one.is_floating_point()]
        return inputs if inputs.dtype in own or not own else inputs.to(own[0])

    def normalize_input(
        self,
        input: Tensor,
        student_mean: Tensor | None = None,
        student_std: Tensor | None = None,
    ) -> Tensor:
        """The student's input as the teacher wants it: (x · s + m − m') / s'.

        Args:
            input: [B, C, H, W] or [B, D], scaled for the student.
            student_mean: m, shaped as `mean_kd`; None: nothing to do.
            student_std: s, shaped as `std_kd`; None: nothing to do.

        Returns:
            The input itself where both are scaled alike, else a new tensor of its type.

        Example:
            >>> teacher = TeacherModule(nn.Linear(1, 1), InputScaling((1.0,), (2.0,)))
            >>> teacher.normalize_input(torch.ones(1, 1), torch.zeros(1, 1), torch.full((1, 1), 5.0))
            tensor([[2.]])
        """
        if student_mean is None or student_std is None:
            return input
        if torch.equal(student_mean, self.mean_kd) and torch.equal(student_std, self.std_kd):
            return input
        mean, std = (
            torch.tensor(numbers, device=input.device, dtype=torch.float64).view(self.scaling.shape)
            for numbers in (self.scaling.mean, self.scaling.scale)
        )
        factor, shift = student_std / std, (student_mean - mean) / std
        computed = input if input.dtype is torch.float64 else input.float()
        mapped = torch.addcmul(shift.to(computed.dtype), computed, factor.to(computed.dtype))
        clipped = mapped.clamp(-self.scaling.clip, self.scaling.clip)
        return clipped.to(input.dtype) if input.is_floating_point() else clipped


def sharing_problem(student: nn.Module, teacher: object) -> Issue | None:
    """Numbers that student and teacher have in common, so that the teacher would learn too.

    Args:
        student: The one that is trained.
        teacher: What was given as the teacher; a frozen view has the memory of its model.

    Returns:
        `ModelsShareTensors`, or None.

    Example:
        >>> model = nn.Linear(3, 2)
        >>> sharing_problem(model, model).names
        ('weight', 'bias')
        >>> sharing_problem(model, nn.Linear(3, 2)) is None
        True
    """
    model = teacher.model if isinstance(teacher, ModelBundle) else teacher
    if not isinstance(model, nn.Module):
        return None
    theirs = {_place(tensor) for tensor in (*model.parameters(), *model.buffers())}
    ours = (*student.named_parameters(), *student.named_buffers())
    names = tuple(name for name, tensor in ours if _place(tensor) in theirs)
    return ModelsShareTensors(names=names) if names else None


def _place(tensor: Tensor) -> tuple[object, ...]:
    if is_lazy(tensor) or tensor.layout is not torch.strided or not tensor.data_ptr():
        return (id(tensor),)
    return (tensor.device, tensor.data_ptr())


def way_to_teacher(
    student: nn.Module, student_scaler: object, teacher: TeacherModule
) -> Checked[tuple[InputScaling | None, InputMap | None]]:
    """How the student's inputs are scaled, and what makes them the teacher's.

    Args:
        student: Its `pretrained_cfg` counts where no scaler is given.
        student_scaler: For `input_scaling`; None: not given.
        teacher: Knows how it wants its inputs.

    Returns:
        The student's scaling, None where nothing tells it; and the map, None where there is none
        to make. Or the issues of `input_scaling` and `input_map`; `ScalersUnlike` too for a
        teacher that was given a scaler where the student has none.

    Example:
        >>> teacher = TeacherModule(nn.Linear(1, 1), InputScaling((1.0,), (2.0,)))
        >>> scaling, to_teacher = way_to_teacher(nn.Linear(1, 1), ([0.0], [1.0]), teacher).unwrap()
        >>> to_teacher(torch.ones(1, 1))
        tensor([[0.]])
    """
    found: Checked[InputScaling | None]
    if student_scaler is None:
        found = image_constants(unwrapped(student), "student")
    else:
        found = input_scaling(student_scaler, "student").map(_known)
    return found.bind(lambda scaling: _with_map(scaling, teacher))


def _known(scaling: InputScaling) -> InputScaling | None:
    return scaling


def _with_map(
    scaling: InputScaling | None, teacher: TeacherModule
) -> Checked[tuple[InputScaling | None, InputMap | None]]:
    if scaling is None and teacher.was_given_scaler:
        unlike = ScalersUnlike(student="nothing that is known", teacher=teacher.scaling.text)
        return fail(unlike)
    made = input_map(scaling, teacher.scaling, teacher.mean_kd.device)
    return made.map(lambda to_teacher: (scaling, to_teacher))


def constant_of(
    numbers: tuple[float, ...],
    scaling: InputScaling,
    device: torch.device | None,
    dtype: torch.dtype | None,
) -> Tensor:
    """Constants of a scaling as a tensor that broadcasts against a batch.

    Args:
        numbers: One for each column or channel.
        scaling: Says where these lie.
        device: Of the tensor.
        dtype: Of the tensor; None: torch's default.

    Returns:
        [1, D] or [1, C, 1, 1].

    Example:
        >>> constant_of((0.5, 0.5), InputScaling((0.0,), (1.0,)), None, None)
        tensor([[0.5000, 0.5000]])
    """
    return torch.tensor(numbers, device=device, dtype=dtype).view(scaling.shape)
