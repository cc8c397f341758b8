"""Learn from the targets and from what a teacher said about the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor

from kdtab.config.training import Task
from kdtab.losses.gradients import (
    LOG_OF_ZERO,
    cross_entropy_with_gradient,
    divergence_with_gradient,
    mean_square_with_gradient,
)
from kdtab.losses.hard import squared_error
from kdtab.losses.reduce import weighted_mean
from kdtab.losses.soft import kl_divergence_from_log_probabilities, tempered_log_probabilities
from kdtab.models.network import TabularNetwork
from kdtab.tasks.supervised import SupervisedTask
from kdtab.tasks.trainingtask import Batch, Slope, Terms


@final
@dataclass(frozen=True)
class SoftTargetTask:
    """loss = alpha · hard + (1 − alpha) · soft, both from one student forward (REQ-KD19).

    At alpha 0 or 1 the term without weight is not computed: 0 · inf would be nan.

    Attributes:
        task: Classification or regression.
        alpha: Weight of the hard loss, in [0, 1].
        temperature: T in softmax(z / T); regression has no use for it.

    Example:
        >>> SoftTargetTask(task="classification", alpha=0.3).temperature
        2.0
    """

    task: Task
    alpha: float = 0.5
    temperature: float = 2.0

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        """Temper what the teacher said, once for all epochs.

        Args:
            soft_targets: [N, C] logits or log-probabilities (−∞ allowed), or [N, 1] values in the
                unit of training.

        Returns:
            [N, C] log softmax(z / T), or the values as they are; None at alpha 1.

        Example:
            >>> import torch
            >>> SoftTargetTask(task="classification").prepare(torch.zeros(1, 2)).exp()
            tensor([[0.5000, 0.5000]])
            >>> SoftTargetTask(task="classification", alpha=1.0).prepare(torch.zeros(1, 2)) is None
            True
        """
        if self.alpha == 1:
            return None
        assert soft_targets is not None, "below alpha 1 the rows come with the teacher's outputs"
        if self.task == "regression":
            return soft_targets
        tempered = tempered_log_probabilities(soft_targets, temperature=self.temperature)
        return tempered.clamp_min_(LOG_OF_ZERO)

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        """One forward, and the losses that have a weight (REQ-KD17, REQ-KD18, REQ-T09).

        Args:
            student: In train mode.
            batch: At least two rows, soft targets as `prepare` gave them.

        Returns:
            "loss", with "hard" above alpha 0 and "soft" below alpha 1.

        Example:
            >>> import torch
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.models.build import build_model
            >>> student = build_model(LinearSpec(input_dim=3, output_dim=1))
            >>> batch = Batch(torch.zeros(4, 3), torch.zeros(4, 1), torch.zeros(4, 1))
            >>> sorted(SoftTargetTask(task="regression", alpha=0.0).terms(student, batch))
            ['loss', 'soft']
        """
        outputs = student(batch.inputs)
        if self.alpha == 1:
            hard = self.hard_loss(outputs, batch.targets)
            return {"hard": hard, "loss": hard}
        assert batch.soft_targets is not None, "below alpha 1 every batch has soft targets"
        soft = self.soft_loss(outputs, batch.soft_targets)
        if self.alpha == 0:
            return {"soft": soft, "loss": soft}
        hard = self.hard_loss(outputs, batch.targets)
        return {"hard": hard, "soft": soft, "loss": self.alpha * hard + (1 - self.alpha) * soft}

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Plain mean cross-entropy in nats, or mean squared error.

        Args:
            outputs: [N, C] logits or [N, 1] values.
            targets: [N] class codes or [N, 1] values.

        Returns:
            A scalar.

        Example:
            >>> import torch
            >>> SoftTargetTask(task="classification").hard_loss(torch.zeros(1, 2), torch.tensor([0]))
            tensor(0.6931)
        """
        return SupervisedTask(self.task).hard_loss(outputs, targets)

    def soft_loss(self, outputs: Tensor, soft_targets: Tensor) -> Tensor:
        """Mean of T² · KL(teacher ‖ student), or mean squared error to the teacher's values.

        Args:
            outputs: [N, C] student logits or [N, 1] values.
            soft_targets: [N, C] or [N, 1] as `prepare` gave them.

        Returns:
            A scalar.

        Example:
            >>> import torch
            >>> task = SoftTargetTask(task="regression")
            >>> task.soft_loss(torch.tensor([[1.0]]), torch.tensor([[3.0]]))
            tensor(4.)
        """
        if self.task == "regression":
            return weighted_mean(squared_error(outputs, soft_targets))
        return weighted_mean(
            kl_divergence_from_log_probabilities(
                outputs, soft_targets, temperature=self.temperature
            )
        )

    def gradient(self, outputs: Tensor, batch: Batch) -> Slope:
        """The terms of these outputs, and the gradient of their loss, without a graph.

        Args:
            outputs: [B, C] logits or [B, 1] values.
            batch: The rows of the outputs, soft targets as `prepare` gave them.

        Returns:
            The terms as in `terms`, and ∂loss/∂outputs.

        Example:
            >>> import torch
            >>> task = SoftTargetTask(task="regression", alpha=0.25)
            >>> batch = Batch(torch.zeros(1, 3), torch.ones(1, 1), torch.zeros(1, 1))
            >>> task.gradient(torch.full((1, 1), 2.0), batch).gradient
            tensor([[3.5000]])
        """
        if self.alpha == 1:
            return SupervisedTask(self.task).gradient(outputs, batch)
        assert batch.soft_targets is not None, "below alpha 1 every batch has soft targets"
        if self.task == "regression":
            return self._slope_of_values(outputs, batch.targets, batch.soft_targets)
        soft, gradient = divergence_with_gradient(
            outputs, batch.soft_targets, temperature=self.temperature
        )
        if self.alpha == 0:
            return Slope({"soft": soft, "loss": soft}, gradient)
        return self._blended(*cross_entropy_with_gradient(outputs, batch.targets), soft, gradient)

    def _slope_of_values(self, values: Tensor, targets: Tensor, soft_targets: Tensor) -> Slope:
        soft, gradient = mean_square_with_gradient(values, soft_targets)
        if self.alpha == 0:
            return Slope({"soft": soft, "loss": soft}, gradient)
        return self._blended(*mean_square_with_gradient(values, targets), soft, gradient)

    def _blended(self, hard: Tensor, of_hard: Tensor, soft: Tensor, of_soft: Tensor) -> Slope:
        terms = {"hard": hard, "soft": soft, "loss": soft.lerp(hard, self.alpha)}
        return Slope(terms, of_soft.lerp_(of_hard, self.alpha))
