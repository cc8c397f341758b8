"""Learn from the targets alone: the task without a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import final

import torch
from torch import Tensor

from kdtab.config.training import Task
from kdtab.losses.gradients import cross_entropy_with_gradient, mean_square_with_gradient
from kdtab.losses.hard import cross_entropy_from_logits, squared_error
from kdtab.losses.precision import at_least_float32
from kdtab.losses.reduce import weighted_mean
from kdtab.models.network import TabularNetwork
from kdtab.tasks.trainingtask import Batch, Slope, Terms, TrainingTask

__all__ = ["Batch", "SupervisedTask", "Terms", "TrainingTask"]


@final
@dataclass(frozen=True)
class SupervisedTask:
    """Learn from the targets alone: cross-entropy or mean squared error (PT-TRAINER-001).

    Attributes:
        task: Classification or regression.
        class_weights: One weight for each class; the batch loss is Σ w·ℓ / Σ w, w the weight of a
            row's label. None: every row counts once. Classification only.
        label_smoothing: ε of the smoothed cross-entropy. Classification only.

    Example:
        >>> SupervisedTask(task="classification", label_smoothing=0.05).class_weights is None
        True
    """

    task: Task
    class_weights: tuple[float, ...] | None = None
    label_smoothing: float = 0.0

    def prepare(self, soft_targets: Tensor | None) -> None:
        """Nothing: a teacher has no say here.

        Args:
            soft_targets: Whatever they are, they are not looked at.

        Returns:
            None.

        Example:
            >>> SupervisedTask(task="regression").prepare(None) is None
            True
        """

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        """One forward and the hard loss.

        Args:
            student: In train mode.
            batch: At least two rows.

        Returns:
            "hard", and the same scalar as "loss".

        Example:
            >>> import torch
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.models.build import build_model
            >>> student = build_model(LinearSpec(input_dim=3, output_dim=2))
            >>> batch = Batch(torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64), None)
            >>> terms = SupervisedTask(task="classification").terms(student, batch)
            >>> bool(terms["hard"] == terms["loss"])
            True
        """
        hard = self.hard_loss(student(batch.inputs), batch.targets)
        return {"hard": hard, "loss": hard}

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy (weighted, smoothed) in nats, or mean squared error.

        Args:
            outputs: [N, C] logits or [N, 1] values.
            targets: [N] class codes or [N, 1] values.

        Returns:
            A scalar.

        Example:
            >>> import torch
            >>> task = SupervisedTask(task="classification", class_weights=(1.0, 3.0))
            >>> task.hard_loss(torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([1, 0]))
            tensor(0.5199)
        """
        if self.task == "regression":
            return weighted_mean(squared_error(outputs, targets))
        losses = cross_entropy_from_logits(outputs, targets, label_smoothing=self.label_smoothing)
        weights = self._weights_of_classes(outputs)
        return weighted_mean(losses, None if weights is None else weights[targets])

    def gradient(self, outputs: Tensor, batch: Batch) -> Slope:
        """The terms of these outputs, and the gradient of their loss, without a graph.

        Args:
            outputs: [B, C] logits or [B, 1] values.
            batch: The rows of the outputs.

        Returns:
            "hard", the same scalar as "loss", and ∂loss/∂outputs.

        Example:
            >>> import torch
            >>> batch = Batch(torch.zeros(1, 3), torch.tensor([1]), None)
            >>> SupervisedTask(task="classification").gradient(torch.zeros(1, 2), batch).gradient
            tensor([[ 0.5000, -0.5000]])
        """
        if self.task == "regression":
            hard, gradient = mean_square_with_gradient(outputs, batch.targets)
        else:
            hard, gradient = cross_entropy_with_gradient(
                outputs,
                batch.targets,
                class_weights=self._weights_of_classes(outputs),
                label_smoothing=self.label_smoothing,
            )
        return Slope({"hard": hard, "loss": hard}, gradient)

    def _weights_of_classes(self, outputs: Tensor) -> Tensor | None:
        if self.class_weights is None:
            return None
        return _weights(self.class_weights, at_least_float32(outputs[:0]).dtype, outputs.device)


@lru_cache(maxsize=16)
def _weights(weights: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Made once: on a device that computes by itself every copy from the host waits for it."""
    with torch.inference_mode(mode=False):
        return torch.tensor(weights, dtype=dtype, device=device)
