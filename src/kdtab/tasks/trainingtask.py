"""What one step computes: the protocols of a training task, and the rows that it gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeAlias, cast, runtime_checkable

from torch import Tensor

from kdtab.models.network import TabularNetwork

Terms: TypeAlias = Mapping[str, Tensor]


class Batch(NamedTuple):
    """The rows of one step.

    Attributes:
        inputs: [B, D] float32 encoded rows.
        targets: [B] int64 class codes, or [B, 1] float32 scaled values; −1 or NaN where a row has
            no label, as tasks made by `task_of_open_rows` take it.
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
        >>> from kdtab.tasks.supervised import SupervisedTask
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
            >>> from kdtab.tasks.supervised import SupervisedTask
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
            >>> from kdtab.tasks.supervised import SupervisedTask
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
            >>> from kdtab.tasks.supervised import SupervisedTask
            >>> import torch
            >>> task = SupervisedTask(task="classification")
            >>> task.hard_loss(torch.zeros(1, 2), torch.tensor([1]))
            tensor(0.6931)
        """
        ...


class Slope(NamedTuple):
    """The terms of some outputs, and where their loss falls.

    Attributes:
        terms: As `TrainingTask.terms` gives them, without a graph.
        gradient: [B, C] ∂loss/∂outputs, in the type of the outputs.

    Example:
        >>> Slope._fields
        ('terms', 'gradient')
    """

    terms: Terms
    gradient: Tensor


@runtime_checkable
class GradientTask(TrainingTask, Protocol):
    """A task that looks at nothing of the student but its outputs, and knows its own gradient.

    The step then needs no graph. `gradient` must say what `terms` says.

    Example:
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> isinstance(SupervisedTask(task="regression"), GradientTask)
        True
    """

    def gradient(self, outputs: Tensor, batch: Batch) -> Slope:
        """The terms of these outputs, and the gradient of their loss, without a graph.

        Args:
            outputs: [B, C] logits or [B, 1] values.
            batch: The rows of the outputs, soft targets as `prepare` gave them.

        Returns:
            The terms as in `terms`, and ∂loss/∂outputs.

        Example:
            >>> from kdtab.tasks.supervised import SupervisedTask
            >>> import torch
            >>> batch = Batch(torch.zeros(1, 3), torch.ones(1, 1), None)
            >>> SupervisedTask(task="regression").gradient(torch.zeros(1, 1), batch).gradient
            tensor([[-2.]])
        """
        ...


@runtime_checkable
class ScheduledTask(TrainingTask, Protocol):
    """A task that is another one at each step.

    Example:
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> isinstance(SupervisedTask(task="regression"), ScheduledTask)
        False
    """

    def at_step(self, step: int) -> TrainingTask:
        """The task of one step. Rows are prepared, and validated, by the task itself.

        Args:
            step: 0 for the first weight update of the run, counted over all epochs.

        Returns:
            What this step computes.

        Example:
            >>> class Later(Protocol):
            ...     def at_step(self, step: int) -> TrainingTask: ...
        """
        ...


def task_at_step(task: TrainingTask, step: int) -> TrainingTask:
    """The task of one step: itself, or what a `ScheduledTask` says.

    Args:
        task: Of the run.
        step: 0 for the first weight update of the run.

    Returns:
        What this step computes.

    Example:
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> task_at_step(SupervisedTask(task="regression"), 5)
        SupervisedTask(task='regression', class_weights=None, label_smoothing=0.0)
    """
    # Asked at every step: a look at an attribute is much cheaper than isinstance with a protocol.
    at_step = getattr(task, "at_step", None)
    return task if at_step is None else cast(ScheduledTask, task).at_step(step)
