"""The teacher of a distillation task, for callers of exceptions."""

from __future__ import annotations

import os
from typing import TypeAlias

import torch
from torch import Tensor, nn

from kdtab.bundle import ModelBundle
from kdtab.errors.issue import Issues
from kdtab.errors.raised import raise_issues
from kdtab.errors.taskmodules import FeatureHeadSilent
from kdtab.models.features import feature_reader
from kdtab.models.frozen import unwrapped
from kdtab.results import either
from kdtab.tasks.frozenteacher import TeacherModule
from kdtab.teachers.taskteacher import task_teacher

Path: TypeAlias = str | os.PathLike[str]
IMAGE_CHANNELS = 3


class DistillationTeacher(TeacherModule):
    """A frozen view of a model; the model itself stays as it is, its mode and flags included.

    The view shares the memory of its weights. It is always in eval mode and gives no gradient.

    Args:
        model_name_or_module: A module; a kdtab bundle or its path; a timm model's name.
        num_classes: Outputs of a named model.
        in_chans: Channels of a named model.
        pretrained_path: Weights of a named model, a safetensors file; nothing is downloaded.
        device: Where the view goes; None: where the model is.
        dtype: Float type of the view; None: the model's.
        scaler: How its inputs are scaled: a scaler of kdtab or scikit-learn, or a pair (mean,
            scale). None: the bundle's, the module's `pretrained_cfg`, ImageNet's constants.
        head: The layer whose input its features are; None finds it.

    Raises:
        KdtabError: A `ValueError`; a `TypeError` for another type, an `ImportError` without timm.

    Example:
        >>> model = nn.Linear(3, 2)
        >>> teacher = DistillationTeacher(model)
        >>> teacher(torch.zeros(1, 3)).requires_grad, model.training, model.weight.requires_grad
        (False, True, True)
    """

    def __init__(
        self,
        model_name_or_module: nn.Module | ModelBundle | Path,
        num_classes: int | None = None,
        in_chans: int = 3,
        pretrained_path: Path | None = None,
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
        *,
        scaler: object = None,
        head: str | None = None,
    ) -> None:
        found = task_teacher(
            model_name_or_module,
            num_classes=num_classes,
            in_chans=in_chans,
            pretrained_path=pretrained_path,
            scaler=scaler,
            device=device,
            dtype=dtype,
        )
        made = either(found, lambda teacher: teacher, raise_issues)
        given = scaler is not None
        super().__init__(made.module, made.scaling, device, dtype, was_given_scaler=given)
        self.head = head

    def forward(self, input: Tensor, return_features: bool = False) -> Tensor:
        """What the teacher says, without a gradient.

        Args:
            input: As the teacher wants it.
            return_features: Give what goes into its head instead of its outputs.

        Returns:
            Logits or features.

        Example:
            >>> teacher = DistillationTeacher(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)))
            >>> teacher.forward(torch.zeros(5, 3), return_features=True).shape
            torch.Size([5, 4])
        """
        with torch.no_grad():
            taken = self.as_taken(input)
            if not return_features:
                outputs: Tensor = self.model(taken)
                return outputs
            known = feature_reader(self.model, "teacher", head=self.head)
            reader = either(known, lambda found: found, raise_issues)
            found = reader.features(self.model, taken)
        if found is None:
            raise_issues(Issues((FeatureHeadSilent(head=str(reader.head)),)))
        return found


def teacher_for(
    student: nn.Module,
    teacher: nn.Module | ModelBundle | Path,
    pretrained_path: Path | None,
    device: torch.device | None,
    dtype: torch.dtype | None,
) -> DistillationTeacher:
    """The teacher of a task; a named model has the student's classes and channels.

    Args:
        student: Its `num_classes` and `in_chans` count, where it has them.
        teacher: A `DistillationTeacher`, which is taken as it is, or what makes one.
        pretrained_path: Weights of a named model.
        device: Where the teacher goes; None: it stays.
        dtype: Float type of a named model and of the constants.

    Returns:
        The teacher.

    Raises:
        KdtabError: As `DistillationTeacher`.

    Example:
        >>> teacher = DistillationTeacher(nn.Linear(3, 2))
        >>> teacher_for(nn.Linear(3, 2), teacher, None, None, None) is teacher
        True
    """
    if isinstance(teacher, DistillationTeacher):
        return teacher
    classes, channels = (_count(unwrapped(student), name) for name in ("num_classes", "in_chans"))
    kind = dtype if isinstance(teacher, str | os.PathLike) else None
    in_chans = IMAGE_CHANNELS if channels is None else channels
    return DistillationTeacher(teacher, classes, in_chans, pretrained_path, device, kind)


def _count(module: nn.Module, name: str) -> int | None:
    found = getattr(module, name, None)
    return found if isinstance(found, int) else None
