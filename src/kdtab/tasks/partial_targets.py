"""Learn from the targets, and from a teacher that spoke of some of the rows only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from kdtab.losses.hard import cross_entropy_from_logits, squared_error
from kdtab.losses.reduce import weighted_mean
from kdtab.losses.soft import kl_divergence_from_log_probabilities
from kdtab.models.network import TabularNetwork
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import Batch, Terms


@final
@dataclass(frozen=True)
class PartialTargetTask:
    """loss = mean over rows of a_i · hard_i + (1 − a_i) · soft_i, a_i = alpha where the teacher spoke.

    A row of which it did not speak has soft targets of NaN and a_i = 1: its own label alone.

    Attributes:
        taught: Task, alpha and temperature of the rows with soft targets.

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
        """One forward, the hard loss of all rows and the soft loss of those that have one.

        Args:
            student: In train mode.
            batch: At least two rows, soft targets as `prepare` gave them.

        Returns:
            "loss" and "hard", with "soft" below alpha 1: the mean over all rows, 0 for a row
            without soft targets.

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
        spoken = ~batch.soft_targets.isnan().any(dim=1)  # [B]
        soft = self._soft_losses(outputs, batch.soft_targets, spoken)
        hard = self._hard_losses(outputs, batch.targets)
        alphas = torch.where(spoken, self.taught.alpha, 1.0)
        loss = weighted_mean(alphas * hard + (1 - alphas) * soft)
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

    def _hard_losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.taught.task == "regression":
            return squared_error(outputs, targets)
        return cross_entropy_from_logits(outputs, targets)

    def _soft_losses(self, outputs: Tensor, soft_targets: Tensor, spoken: Tensor) -> Tensor:
        """[B], 0 without soft targets; what is not known is replaced before any gradient is."""
        known = torch.where(spoken[:, None], soft_targets, 0.0)
        if self.taught.task == "regression":
            every = squared_error(outputs, known)
        else:
            every = kl_divergence_from_log_probabilities(
                outputs, known, temperature=self.taught.temperature
            )
        return torch.where(spoken, every, 0.0)
