"""One distillation loss of a batch, chosen by its spec: a number for each row, or one for all."""

from __future__ import annotations

from typing import NamedTuple, assert_never

from torch import Tensor

from kdtab.config.objectives import (
    AnyLoss,
    DecoupledLoss,
    DistLoss,
    DivergenceLoss,
    HuberLoss,
    JensenShannonLoss,
    LabelCorrectedLoss,
    PinballLoss,
    RelationalLoss,
    SquaredErrorLoss,
    TeacherBoundedLoss,
)
from kdtab.losses.corrected import label_corrected_kl_divergence
from kdtab.losses.correlation import dist_over_batch, inter_class_correlation
from kdtab.losses.decoupled import decoupled_divergence_from_logits
from kdtab.losses.divergences import (
    generalized_jensen_shannon_from_logits,
    gkd_jensen_shannon_from_logits,
    reverse_kl_divergence_from_logits,
    soft_cross_entropy_from_logits,
    total_variation_from_logits,
)
from kdtab.losses.hard import squared_error
from kdtab.losses.logits import logit_squared_error, teacher_label_cross_entropy
from kdtab.losses.regression import huber_error, pinball_error, teacher_bounded_squared_error
from kdtab.losses.relational import (
    probabilistic_transfer_over_batch,
    relational_angle_over_batch,
    relational_distance_over_batch,
    similarity_preserving_over_batch,
)
from kdtab.losses.soft import kl_divergence_from_logits
from kdtab.losses.standardized import standardized_kl_divergence_from_logits


class TaughtRows(NamedTuple):
    """Rows of a batch with what the teacher said about them.

    Attributes:
        outputs: [B, C] the student's logits, or [B, 1] its values.
        teacher: [B, C] logits or log-probabilities, or [B, 1] values, none of them NaN.
        targets: [B] class codes, or [B, 1] values.

    Example:
        >>> import torch
        >>> TaughtRows(torch.zeros(1, 2), torch.zeros(1, 2), torch.tensor([0])).targets
        tensor([0])
    """

    outputs: Tensor
    teacher: Tensor
    targets: Tensor


def soft_term(loss: AnyLoss, rows: TaughtRows, *, temperature: float) -> Tensor:
    """A loss of rows.

    Args:
        loss: Which, with its numbers.
        rows: At least one; two for a loss over the batch.
        temperature: T; losses of values have no use for it.

    Returns:
        [B], or a scalar where the loss is one over the batch.

    Example:
        >>> import torch
        >>> rows = TaughtRows(torch.tensor([[1.0]]), torch.tensor([[4.0]]), torch.tensor([[1.0]]))
        >>> soft_term(HuberLoss(), rows, temperature=2.0)
        tensor([2.5000])
    """
    outputs, teacher, targets = rows
    match loss:
        case DivergenceLoss():
            return _divergence(loss, rows, temperature)
        case JensenShannonLoss(kind=kind, beta=beta):
            choose = {
                "generalized_jsd": generalized_jensen_shannon_from_logits,
                "gkd_jsd": gkd_jensen_shannon_from_logits,
            }
            return choose[kind](outputs, teacher, temperature=temperature, beta=beta)
        case LabelCorrectedLoss(threshold=threshold):
            return label_corrected_kl_divergence(
                outputs, teacher, targets, temperature=temperature, threshold=threshold
            )
        case DecoupledLoss(target_weight=target, non_target_weight=rest):
            return decoupled_divergence_from_logits(
                outputs,
                teacher,
                targets,
                temperature=temperature,
                target_weight=target,
                non_target_weight=rest,
            )
        case DistLoss(inter_weight=inter, intra_weight=intra):
            return dist_over_batch(
                outputs, teacher, temperature=temperature, inter_weight=inter, intra_weight=intra
            )
        case RelationalLoss():
            return _relational(loss, rows)
        case _:
            return _of_values(loss, rows)


def _divergence(loss: DivergenceLoss, rows: TaughtRows, temperature: float) -> Tensor:
    outputs, teacher, _ = rows
    match loss.kind:
        case "forward_kl":
            return kl_divergence_from_logits(outputs, teacher, temperature=temperature)
        case "reverse_kl":
            return reverse_kl_divergence_from_logits(outputs, teacher, temperature=temperature)
        case "total_variation":
            return total_variation_from_logits(outputs, teacher, temperature=temperature)
        case "soft_cross_entropy":
            return soft_cross_entropy_from_logits(outputs, teacher, temperature=temperature)
        case "logit_squared_error":
            return logit_squared_error(outputs, teacher)
        case "teacher_label":
            return teacher_label_cross_entropy(outputs, teacher)
        case "standardized_kl":
            return standardized_kl_divergence_from_logits(outputs, teacher, temperature=temperature)
        case "inter_class_correlation":
            return inter_class_correlation(outputs, teacher, temperature=temperature)
        case _:
            assert_never(loss.kind)


def _relational(loss: RelationalLoss, rows: TaughtRows) -> Tensor:
    match loss.kind:
        case "relational_distance_over_batch":
            return relational_distance_over_batch(rows.outputs, rows.teacher)
        case "relational_angle_over_batch":
            return relational_angle_over_batch(rows.outputs, rows.teacher)
        case "similarity_preserving_over_batch":
            return similarity_preserving_over_batch(rows.outputs, rows.teacher)
        case "probabilistic_transfer_over_batch":
            return probabilistic_transfer_over_batch(rows.outputs, rows.teacher)
        case _:
            assert_never(loss.kind)


def _of_values(
    loss: SquaredErrorLoss | HuberLoss | PinballLoss | TeacherBoundedLoss, rows: TaughtRows
) -> Tensor:
    outputs, teacher, targets = rows
    match loss:
        case SquaredErrorLoss():
            return squared_error(outputs, teacher)
        case HuberLoss(delta=delta):
            return huber_error(outputs, teacher, delta=delta)
        case PinballLoss(quantile=quantile):
            return pinball_error(outputs, teacher, quantiles=(quantile,))
        case TeacherBoundedLoss(margin=margin):
            return teacher_bounded_squared_error(outputs, targets, teacher, margin=margin)
        case _:
            assert_never(loss)
