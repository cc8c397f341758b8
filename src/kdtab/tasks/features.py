"""What a teacher's features teach, and the module that is trained to give them."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from kdtab.errors.issue import Issue
from kdtab.errors.taskmodules import FeatureHeadSilent, FeatureShapesDiffer
from kdtab.losses.precision import at_least_float32
from kdtab.models.features import FeatureReader
from kdtab.models.projection import FeatureProjection, feature_width


@final
class FeatureTrainable(nn.Module):
    """The student, and beside it the projection of its features: all that a feature task trains.

    One forward computes both outputs, so that a wrapper for several processes sees every weight at
    work.

    Args:
        student: The user's own module.
        reader: How to read its features.
        projection: From its width to the teacher's; None where they are equal.

    Example:
        >>> from kdtab.models.features import feature_reader
        >>> student = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
        >>> reader = feature_reader(student, "student").unwrap()
        >>> trainable = FeatureTrainable(student, reader, FeatureProjection(4, 6))
        >>> [output.shape for output in trainable(torch.zeros(5, 3))]
        [torch.Size([5, 2]), torch.Size([5, 6])]
    """

    def __init__(
        self, student: nn.Module, reader: FeatureReader, projection: FeatureProjection | None
    ) -> None:
        super().__init__()
        self.student = student
        self.reader = reader
        self.projection = projection

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """The student's outputs and its features in the teacher's width.

        Args:
            inputs: As the student takes them.

        Returns:
            Logits, and features; None for features where the head was not called.

        Example:
            >>> from kdtab.models.features import feature_reader
            >>> student = nn.Linear(3, 2)
            >>> reader = feature_reader(student, "student").unwrap()
            >>> FeatureTrainable(student, reader, None).forward(torch.ones(1, 3))[1]
            tensor([[1., 1., 1.]])
        """
        logits, features = self.reader.logits_and_features(self.student, inputs)
        if self.projection is None or features is None:
            return logits, features
        if feature_width(tuple(features.shape), self.reader.axis) != self.reader.width:
            return logits, features  # of another width than was said: `feature_problem` tells it
        return logits, self.projection(features)


def projection_between(
    student: FeatureReader,
    teacher: FeatureReader,
    *,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> FeatureProjection | None:
    """The projection that two widths ask for, new from torch's global generator.

    Args:
        student: How the student's features are read.
        teacher: How the teacher's are.
        device: Of the weights.
        dtype: Of the weights.

    Returns:
        The projection, or None for equal widths.

    Example:
        >>> narrow, wide = FeatureReader("a", 2, "last"), FeatureReader("b", 3, "last")
        >>> projection_between(narrow, wide)
        FeatureProjection(2 -> 3, axis=last)
    """
    if student.width == teacher.width:
        return None
    return FeatureProjection(
        student.width, teacher.width, axis=student.axis, device=device, dtype=dtype
    )


def feature_problem(
    student: Tensor | None, teacher: Tensor | None, readers: tuple[FeatureReader, FeatureReader]
) -> Issue | None:
    """What keeps the features of both from being compared.

    Args:
        student: Projected features; None: not seen.
        teacher: Features; None: not seen.
        readers: How the student's and the teacher's were read.

    Returns:
        `FeatureHeadSilent`, `FeatureShapesDiffer`, or None.

    Example:
        >>> reader = FeatureReader("fc", 4, "last")
        >>> feature_problem(torch.zeros(2, 4), None, (reader, reader)).head
        'fc'
    """
    for features, reader in zip((student, teacher), readers, strict=True):
        if features is None:
            return FeatureHeadSilent(head=str(reader.head))
    assert student is not None
    assert teacher is not None
    if student.shape != teacher.shape:
        return FeatureShapesDiffer(student=tuple(student.shape), teacher=tuple(teacher.shape))
    return None


def feature_distillation_loss(student_features: Tensor, teacher_features: Tensor) -> Tensor:
    """The mean of `feature_squared_error` over the rows, which is that over all numbers.

    Computed as such, since torch does it in one pass over features that can be large.

    Args:
        student_features: [B, …] projected, any float type.
        teacher_features: [B, …] of the same shape.

    Returns:
        A scalar in float32 or wider.

    Example:
        >>> feature_distillation_loss(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 5.0]]))
        tensor(4.5000)
    """
    student, teacher = at_least_float32(student_features), at_least_float32(teacher_features)
    return functional.mse_loss(student, teacher)
