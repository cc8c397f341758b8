"""What one step computes for time series: against a teacher's states, or against classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, final

from torch import Tensor

from kdtab.config.timepooling import AnyPooling, MeanPooling, WholeCourse
from kdtab.losses.hard import cross_entropy_from_logits
from kdtab.losses.sequences import pooled_states, weighted_trajectory_loss
from kdtab.models.sequences import SequenceNetwork
from kdtab.tasks.supervised import Terms

EVERY_STEP, MEAN = WholeCourse(), MeanPooling()


class SequenceBatch(NamedTuple):
    """The series of one step.

    Attributes:
        inputs: [B, T, D_in] float32.
        targets: [B, S, D_out] float32 states, S of T + 1 or T; or [B] int64 class codes.
        weights: [B, S] what each state counts for; its steps are those of the targets, or T + 1.

    Example:
        >>> import torch
        >>> SequenceBatch(torch.zeros(2, 3, 1), torch.zeros(2, 4, 1), torch.ones(2, 4) / 4)._fields
        ('inputs', 'targets', 'weights')
    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor


class SequenceTask(Protocol):
    """A frozen value that says what one step computes.

    Example:
        >>> task: SequenceTask = TrajectoryTask()
        >>> task.pooling.kind
        'none'
    """

    @property
    def pooling(self) -> AnyPooling:
        """What of the time course counts.

        Example:
            >>> TrajectoryTask().pooling.kind
            'none'
        """
        ...

    def terms(self, student: SequenceNetwork, batch: SequenceBatch) -> Terms:
        """One student forward, and the scalars that come of it.

        Args:
            student: In train mode.
            batch: At least one series.

        Returns:
            "loss", whose gradient is followed, and the parts that it was made of.
        """
        ...

    def loss(self, states: Tensor, batch: SequenceBatch) -> Tensor:
        """The mean loss; on validation series it chooses the epoch.

        Args:
            states: [B, T + 1, D_out] of the student.
            batch: The series.

        Returns:
            A scalar.
        """
        ...


@final
@dataclass(frozen=True)
class TrajectoryTask:
    """Follow the teacher's time course: mean squared error, over every step or pooled.

    Attributes:
        pooling: What is compared.

    Example:
        >>> TrajectoryTask(pooling=MeanPooling()).pooling.kind
        'mean'
    """

    pooling: AnyPooling = EVERY_STEP

    def terms(self, student: SequenceNetwork, batch: SequenceBatch) -> Terms:
        """One forward and the loss.

        Args:
            student: In train mode.
            batch: At least one series.

        Returns:
            "soft", and the same scalar as "loss".

        Example:
            >>> import torch
            >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
            >>> student = new_sequence_bundle(example_spec(), random_seed=0).network
            >>> batch = SequenceBatch(torch.zeros(2, 3, 2), torch.zeros(2, 4, 1), torch.ones(2, 4) / 4)
            >>> sorted(TrajectoryTask().terms(student, batch))
            ['loss', 'soft']
        """
        loss = self.loss(student(batch.inputs), batch)
        return {"soft": loss, "loss": loss}

    def loss(self, states: Tensor, batch: SequenceBatch) -> Tensor:
        """The mean squared error against the batch's states.

        Args:
            states: [B, T + 1, D_out] of the student.
            batch: The series; targets with or without t = 0.

        Returns:
            A scalar.

        Example:
            >>> import torch
            >>> course = torch.ones(1, 3, 1)
            >>> batch = SequenceBatch(course, 2 * course[:, 1:], torch.ones(1, 2) / 2)
            >>> TrajectoryTask().loss(course, batch)
            tensor(1.)
        """
        compared = states[:, states.shape[1] - batch.targets.shape[1] :]
        return weighted_trajectory_loss(compared, batch.targets, self.pooling, batch.weights)


@final
@dataclass(frozen=True)
class SequenceClassTask:
    """Tell classes apart by what the pooled states say: cross-entropy of labels.

    Attributes:
        pooling: How the states [B, T + 1, C] become logits [B, C].

    Example:
        >>> SequenceClassTask().pooling.kind
        'mean'
    """

    pooling: AnyPooling = MEAN

    def terms(self, student: SequenceNetwork, batch: SequenceBatch) -> Terms:
        """One forward and the loss.

        Args:
            student: In train mode, with one output for each class.
            batch: At least one series, with class codes.

        Returns:
            "hard", and the same scalar as "loss".

        Example:
            >>> import torch
            >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
            >>> student = new_sequence_bundle(example_spec(), random_seed=0).network
            >>> batch = SequenceBatch(torch.zeros(2, 3, 2), torch.tensor([0, 0]), torch.ones(2, 4) / 4)
            >>> SequenceClassTask().terms(student, batch)["loss"].item()
            0.0
        """
        loss = self.loss(student(batch.inputs), batch)
        return {"hard": loss, "loss": loss}

    def loss(self, states: Tensor, batch: SequenceBatch) -> Tensor:
        """The mean cross-entropy in nats.

        Args:
            states: [B, T + 1, C] of the student.
            batch: The series, with class codes.

        Returns:
            A scalar.

        Example:
            >>> import torch
            >>> batch = SequenceBatch(torch.zeros(1, 1, 1), torch.tensor([1]), torch.ones(1, 2) / 2)
            >>> SequenceClassTask().loss(torch.zeros(1, 2, 2), batch)
            tensor(0.6931)
        """
        logits = pooled_states(states, self.pooling, batch.weights)
        return cross_entropy_from_logits(logits, batch.targets).mean()
