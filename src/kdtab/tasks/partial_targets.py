"""Learn from targets and from a teacher, on rows of which some lack the one or the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import torch
from torch import Tensor

from kdtab.losses.hard import cross_entropy_from_logits, squared_error
from kdtab.losses.reduce import replaced_rows, weighted_mean
from kdtab.losses.rowgradients import (
    cross_entropies_with_gradients,
    divergences_with_gradients,
    has_label,
    squares_with_gradients,
)
from kdtab.losses.soft import kl_divergence_from_log_probabilities
from kdtab.models.network import TabularNetwork
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import Batch, Terms
from kdtab.tasks.trainingtask import Slope


class _Shares(NamedTuple):
    """[B] what the hard and the soft loss of each row weigh."""

    hard: Tensor
    soft: Tensor


@final
@dataclass(frozen=True)
class PartialTargetTask:
    """loss = mean over rows of a_i · hard_i + (1 − a_i) · soft_i, a_i = alpha where both are known.

    A row of which the teacher did not speak has soft targets of NaN and a_i = 1: its own label
    alone. A row without a label has the class code −1, or the value NaN, and a_i = 0: the teacher
    alone. A row with neither adds nothing.

    Attributes:
        taught: Task, alpha and temperature of the rows with both.

    Example:
        >>> PartialTargetTask(SoftTargetTask(task="regression", alpha=0.0)).taught.alpha
        0.0
    """

    taught: SoftTargetTask

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        """Temper what the teacher said, once for all epochs; NaN stays NaN.

        Args:
            soft_targets: [N, C] as for `SoftTargetTask`, NaN in rows without.

        Returns:
            [N, C] log softmax(z / T), or the values as they are; None at alpha 1.

        Example:
            >>> task = PartialTargetTask(SoftTargetTask(task="classification"))
            >>> task.prepare(torch.tensor([[0.0, 0.0], [float("nan"), float("nan")]])).exp()
            tensor([[0.5000, 0.5000],
                    [   nan,    nan]])
        """
        return self.taught.prepare(soft_targets)

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        """One forward, and the losses of the rows that have one.

        Args:
            student: In train mode.
            batch: At least two rows, soft targets as `prepare` gave them.

        Returns:
            "loss" and "hard", with "soft" below alpha 1: means over all rows, 0 for a row without
            a label or without soft targets.

        Example:
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.models.build import build_model
            >>> student = build_model(LinearSpec(input_dim=3, output_dim=1))
            >>> task = PartialTargetTask(SoftTargetTask(task="regression", alpha=0.0))
            >>> soft = torch.tensor([[0.0], [float("nan")]])
            >>> sorted(task.terms(student, Batch(torch.zeros(2, 3), torch.zeros(2, 1), soft)))
            ['hard', 'loss', 'soft']
        """
        if self.taught.alpha == 1:
            return self.taught.terms(student, batch)
        outputs = student(batch.inputs)
        assert batch.soft_targets is not None, "below alpha 1 every batch has soft targets"
        labelled, spoken = has_label(batch.targets), ~batch.soft_targets.isnan().any(dim=1)  # [B]
        hard = self._hard_losses(outputs, batch.targets, labelled)
        soft = self._soft_losses(outputs, batch.soft_targets, spoken)
        shares = self._shares(labelled, spoken)
        loss = weighted_mean(shares.hard * hard + shares.soft * soft)
        return {"hard": weighted_mean(hard), "soft": weighted_mean(soft), "loss": loss}

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Plain mean cross-entropy in nats, or mean squared error.

        Args:
            outputs: [N, C] logits or [N, 1] values.
            targets: [N] class codes or [N, 1] values.

        Returns:
            A scalar.

        Example:
            >>> task = PartialTargetTask(SoftTargetTask(task="classification"))
            >>> task.hard_loss(torch.zeros(1, 2), torch.tensor([0]))
            tensor(0.6931)
        """
        return self.taught.hard_loss(outputs, targets)

    def gradient(self, outputs: Tensor, batch: Batch) -> Slope:
        """The terms of these outputs, and the gradient of their loss, without a graph.

        Args:
            outputs: [B, C] logits or [B, 1] values.
            batch: The rows of the outputs, soft targets as `prepare` gave them.

        Returns:
            The terms as in `terms`, and ∂loss/∂outputs.

        Example:
            >>> task = PartialTargetTask(SoftTargetTask(task="regression", alpha=0.25))
            >>> rows = Batch(torch.zeros(1, 3), torch.full((1, 1), float("nan")), torch.ones(1, 1))
            >>> task.gradient(torch.full((1, 1), 2.0), rows).gradient
            tensor([[2.]])
        """
        if self.taught.alpha == 1:
            return self.taught.gradient(outputs, batch)
        assert batch.soft_targets is not None, "below alpha 1 every batch has soft targets"
        if self.taught.task == "regression":
            hard, of_hard = squares_with_gradients(outputs, batch.targets)
            soft, of_soft = squares_with_gradients(outputs, batch.soft_targets)
        else:
            hard, of_hard = cross_entropies_with_gradients(outputs, batch.targets)
            soft, of_soft = divergences_with_gradients(
                outputs, batch.soft_targets, temperature=self.taught.temperature
            )
        spoken = ~batch.soft_targets.isnan().any(dim=1)
        shares = self._shares(has_label(batch.targets), spoken)
        loss = (shares.hard * hard + shares.soft * soft).mean()
        gradient = of_hard.mul_(shares.hard[:, None]).add_(of_soft.mul_(shares.soft[:, None]))
        terms = {"hard": hard.mean(), "soft": soft.mean(), "loss": loss}
        return Slope(terms, gradient.div_(len(outputs)).to(outputs.dtype))

    def _shares(self, labelled: Tensor, spoken: Tensor) -> _Shares:
        alphas = torch.where(spoken, self.taught.alpha, 1.0)
        return _Shares(alphas, torch.where(labelled, 1 - alphas, 1.0))

    def _hard_losses(self, outputs: Tensor, targets: Tensor, labelled: Tensor) -> Tensor:
        """[B], 0 without a label."""
        known = replaced_rows(targets, labelled)
        if self.taught.task == "regression":
            every = squared_error(outputs, known)
        else:
            every = cross_entropy_from_logits(outputs, known)
        return torch.where(labelled, every, 0.0)

    def _soft_losses(self, outputs: Tensor, soft_targets: Tensor, spoken: Tensor) -> Tensor:
        """[B], 0 without soft targets; what is not known is replaced before any gradient is."""
        known = replaced_rows(soft_targets, spoken)
        if self.taught.task == "regression":
            every = squared_error(outputs, known)
        else:
            every = kl_divergence_from_log_probabilities(
                outputs, known, temperature=self.taught.temperature
            )
        return torch.where(spoken, every, 0.0)
