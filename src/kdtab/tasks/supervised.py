"""What one step computes: the protocol of a training task, and the task without a teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias, final

from torch import Tensor

from kdtab.config.training import Task
from kdtab.losses.hard import cross_entropy_from_logits, squared_error
from kdtab.losses.reduce import weighted_mean
from kdtab.models.network import TabularNetwork

Terms: TypeAlias = Mapping[str, Tensor]


class Batch(NamedTuple):
    """The rows of one step.

    Attributes:
        inputs: [B, D] float32 encoded rows.
        targets: [B] int64 class codes, or [B, 1] float32 scaled values.
        soft_targets: [B, C] what the teacher said, as the task prepared it; None without one.

    Example:
        >>> import torch
        >>> Batch(torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64), None).inputs.shape
        torch.Size([4, 3])
    """

    inputs: Tensor
    targets: Tensor
    soft_targets: Tensor | None


class TrainingTask(Protocol):
    """A frozen value that says what one step computes.

    Example:
        >>> import torch
        >>> task: TrainingTask = SupervisedTask(task="regression")
        >>> task.hard_loss(torch.tensor([[1.0]]), torch.tensor([[3.0]]))
        tensor(4.)
    """

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        """What of the teacher's outputs every step needs, computed once before the loop.

        Args:
            soft_targets: [N, C] logits, log-probabilities or values; None without a teacher.

        Returns:
            [N, C] as `terms` will find them in the batch, or None when no step needs them.

        Example:
            >>> import torch
            >>> SupervisedTask(task="regression").prepare(torch.zeros(4, 1)) is None
            True
        """
        ...

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        """One student forward, and the scalars that come of it.

        Args:
            student: In train mode.
            batch: At least two rows.

        Returns:
            "loss", whose gradient is followed, and the parts that it was made of.

        Example:
            >>> import torch
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.models.build import build_model
            >>> student = build_model(LinearSpec(input_dim=3, output_dim=1))
            >>> batch = Batch(torch.zeros(4, 3), torch.zeros(4, 1), None)
            >>> sorted(SupervisedTask(task="regression").terms(student, batch))
            ['hard', 'loss']
        """
        ...

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss against the truth; on validation rows it chooses the epoch.

        Args:
            outputs: [N, C] logits or [N, 1] values.
            targets: [N] class codes or [N, 1] values.

        Returns:
            A scalar.

        Example:
            >>> import torch
            >>> task = SupervisedTask(task="classification")
            >>> task.hard_loss(torch.zeros(1, 2), torch.tensor([1]))
            tensor(0.6931)
        """
        ...


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
        if self.class_weights is None:
            return weighted_mean(losses)
        return weighted_mean(losses, losses.new_tensor(self.class_weights)[targets])
