"""What a teacher's outputs teach: one divergence of the outputs of one batch."""

from __future__ import annotations

from typing import Literal, TypeAlias, assert_never, get_args

import torch
from returns.result import Success
from torch import Tensor
from torch.nn import functional

from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issue
from kdtab.errors.taskmodules import ClassAlone, OutputNotTensor, OutputsDiffer
from kdtab.losses.divergences import reverse_kl_divergence_from_logits
from kdtab.losses.logits import (
    binary_kl_divergence_from_logits,
    logit_squared_error,
    multilabel_kl_divergence_from_logits,
)
from kdtab.losses.reduce import weighted_mean
from kdtab.losses.soft import tempered_log_probabilities
from kdtab.results import Checked, fail

LogitLoss: TypeAlias = Literal["kl", "reverse_kl", "binary_kl", "multilabel_kl", "squared_error"]

LOSS_TYPES: tuple[LogitLoss, ...] = get_args(LogitLoss)


def logit_loss_type(found: object) -> Checked[LogitLoss]:
    """The loss of that name.

    Args:
        found: What was given as a loss type.

    Returns:
        The name, or `FieldInvalid` with all names.

    Example:
        >>> logit_loss_type("kl").unwrap()
        'kl'
        >>> logit_loss_type("kL1").failure().first.name
        'loss_type'
    """
    known = next((name for name in LOSS_TYPES if name == found), None)
    if known is None:
        rule = f"must be one of {', '.join(LOSS_TYPES)}"
        invalid = FieldInvalid(name="loss_type", rule=rule, found=str(found), known=LOSS_TYPES)
        return fail(invalid)
    return Success(known)


def output_problem(student: object, teacher: object, loss_type: LogitLoss) -> Issue | None:
    """What keeps two outputs from being compared.

    Args:
        student: What the student gave.
        teacher: What the teacher gave.
        loss_type: How they shall be compared.

    Returns:
        `OutputNotTensor`, `OutputsDiffer` or `ClassAlone`, or None.

    Example:
        >>> import torch
        >>> output_problem(torch.zeros(2, 3), torch.zeros(2, 1), "kl").teacher
        (2, 1)
    """
    if not isinstance(student, Tensor):
        return OutputNotTensor(side="student", found=type(student).__name__)
    if not isinstance(teacher, Tensor):
        return OutputNotTensor(side="teacher", found=type(teacher).__name__)
    if student.shape != teacher.shape:
        return OutputsDiffer(student=tuple(student.shape), teacher=tuple(teacher.shape))
    if loss_type in ("kl", "reverse_kl") and student.shape[-1] == 1:
        return ClassAlone(loss_type=loss_type)
    return None


def logit_distillation_loss(
    student_logits: Tensor, teacher_logits: Tensor, *, loss_type: LogitLoss, temperature: float
) -> Tensor:
    """The mean over all rows of one loss between outputs; rows are all leading dimensions.

    Args:
        student_logits: [..., C] s, any float type.
        teacher_logits: [..., C] t of the same shape.
        loss_type: T² · KL(teacher ‖ student), its reverse, both for one logit or for several
            questions, or the squared error of values.
        temperature: T, above 0; the squared error has no use for it.

    Returns:
        A scalar in float32 or wider.

    Example:
        >>> import torch
        >>> s = torch.tensor([[1.0, 2.0, 0.5], [0.2, -0.3, 1.5]])
        >>> t = torch.tensor([[2.0, 1.0, 0.1], [0.0, 0.5, 3.0]])
        >>> logit_distillation_loss(s, t, loss_type="kl", temperature=2.0)
        tensor(0.3097)
    """
    match loss_type:
        case "kl":
            return _mean_kl_divergence(student_logits, teacher_logits, temperature)
        case "reverse_kl":
            rows = reverse_kl_divergence_from_logits(
                student_logits, teacher_logits, temperature=temperature
            )
        case "binary_kl":
            rows = binary_kl_divergence_from_logits(
                student_logits.reshape(-1), teacher_logits.reshape(-1), temperature=temperature
            )
        case "multilabel_kl":
            rows = multilabel_kl_divergence_from_logits(
                student_logits, teacher_logits, temperature=temperature
            )
        case "squared_error":
            rows = logit_squared_error(student_logits, teacher_logits)
        case _:
            assert_never(loss_type)
    return weighted_mean(rows.reshape(-1))


def _mean_kl_divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """The mean of `kl_divergence_from_logits` over the rows, without a number for each of them.

    A step of a small network is so short that the difference is seen.
    """
    if student.dim() != 2:
        classes = student.shape[-1]
        student, teacher = student.reshape(-1, classes), teacher.reshape(-1, classes)
    student = tempered_log_probabilities(student, temperature=temperature)
    teacher = tempered_log_probabilities(teacher, temperature=temperature)
    finite = teacher.clamp_min(torch.finfo(teacher.dtype).min)  # exp of it is 0: 0 · log 0 = 0
    mean = functional.kl_div(student, finite, reduction="batchmean", log_target=True)
    return mean * (temperature * temperature)
