"""A training task for an ensemble in one network: the mean of the losses of its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, final

import torch
from torch import Tensor, nn

from kdtab.models.batchensemble import BatchEnsembleNetwork
from kdtab.models.network import TabularNetwork
from kdtab.tasks.trainingtask import (
    Batch,
    GradientTask,
    ScheduledTask,
    Slope,
    Terms,
    TrainingTask,
    task_at_step,
)


def task_for(student: TabularNetwork, task: TrainingTask) -> TrainingTask:
    """The task of a student: as it is, or as one for each member of an ensemble.

    Args:
        student: Any.
        task: What a network that is no ensemble would learn.

    Returns:
        The task itself; for a batch ensemble one whose every term is the mean over the members.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> task = SupervisedTask("regression")
        >>> task_for(build_model(LinearSpec(input_dim=1, output_dim=1)), task) is task
        True
    """
    if not isinstance(student, BatchEnsembleNetwork):
        return task
    usual = not isinstance(task, ScheduledTask) and not getattr(task, "modules", ())
    if usual and isinstance(task, GradientTask):
        return MembersGradientTask(task)
    return MembersTask(task)


@final
@dataclass(frozen=True, eq=False)
class MembersTask:
    """loss = mean over members of the loss of a member on its own.

    Every member has the same rows, and the task sees one member at a time: a loss that compares
    the rows of a batch compares what one member says about them.

    Attributes:
        each: What a member learns.

    Source: Gorishniy et al., 2025 (arXiv:2410.24210, section 3).

    Example:
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> MembersTask(SupervisedTask("regression")).modules
        ()
    """

    each: TrainingTask

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """What is trained beside the student, once for all members.

        Example:
            >>> from kdtab.tasks.supervised import SupervisedTask
            >>> MembersTask(SupervisedTask("regression")).modules
            ()
        """
        return cast(tuple[nn.Module, ...], getattr(self.each, "modules", ()))

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        """What of the teacher's outputs every step needs.

        Args:
            soft_targets: [N, C] as the task of a member takes them.

        Returns:
            As the task of a member prepares them.

        Example:
            >>> from kdtab.tasks.supervised import SupervisedTask
            >>> MembersTask(SupervisedTask("regression")).prepare(None) is None
            True
        """
        return self.each.prepare(soft_targets)

    def at_step(self, step: int) -> MembersTask:
        """The task of one step, where that of a member has a schedule.

        Args:
            step: 0 for the first weight update of the run.

        Returns:
            What this step computes.

        Example:
            >>> from kdtab.tasks.supervised import SupervisedTask
            >>> MembersTask(SupervisedTask("regression")).at_step(3).each.task
            'regression'
        """
        return MembersTask(task_at_step(self.each, step))

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        """One forward of all members, and the means of their terms.

        Args:
            student: A batch ensemble in train mode.
            batch: At least two rows.

        Returns:
            The terms of the task of a member.

        Example:
            >>> from kdtab.config.networks import BatchEnsembleSpec
            >>> from kdtab.tasks.supervised import SupervisedTask
            >>> student = BatchEnsembleNetwork(BatchEnsembleSpec(
            ...     input_dim=3, output_dim=1, hidden_dim=4, num_hidden_layers=1, dropout=0.1, members=2
            ... ))
            >>> batch = Batch(torch.zeros(4, 3), torch.zeros(4, 1), None)
            >>> sorted(MembersTask(SupervisedTask("regression")).terms(student, batch))
            ['hard', 'loss']
        """
        return _terms(self.each, student, batch)

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss of what the ensemble says.

        Args:
            outputs: [N, C] log-probabilities or [N, 1] values.
            targets: [N] class codes or [N, 1] values.

        Returns:
            A scalar.

        Example:
            >>> from kdtab.tasks.supervised import SupervisedTask
            >>> task = MembersTask(SupervisedTask("regression"))
            >>> task.hard_loss(torch.tensor([[1.0]]), torch.tensor([[3.0]]))
            tensor(4.)
        """
        return self.each.hard_loss(outputs, targets)


@final
@dataclass(frozen=True, eq=False)
class MembersGradientTask:
    """`MembersTask` of a task that knows its own gradient.

    Attributes:
        each: What a member learns.

    Example:
        >>> from kdtab.tasks.supervised import SupervisedTask
        >>> isinstance(MembersGradientTask(SupervisedTask("regression")), GradientTask)
        True
    """

    each: GradientTask

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        """What of the teacher's outputs every step needs.

        Args:
            soft_targets: [N, C] as the task of a member takes them.

        Returns:
            As the task of a member prepares them.

        Example:
            >>> from kdtab.tasks.supervised import SupervisedTask
            >>> MembersGradientTask(SupervisedTask("regression")).prepare(None) is None
            True
        """
        return self.each.prepare(soft_targets)

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        """One forward of all members, and the means of their terms.

        Args:
            student: A batch ensemble in train mode.
            batch: At least two rows.

        Returns:
            The terms of the task of a member.

        Example:
            >>> MembersGradientTask.terms.__name__
            'terms'
        """
        return _terms(self.each, student, batch)

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss of what the ensemble says.

        Args:
            outputs: [N, C] log-probabilities or [N, 1] values.
            targets: [N] class codes or [N, 1] values.

        Returns:
            A scalar.

        Example:
            >>> from kdtab.tasks.supervised import SupervisedTask
            >>> task = MembersGradientTask(SupervisedTask("regression"))
            >>> task.hard_loss(torch.tensor([[1.0]]), torch.tensor([[3.0]]))
            tensor(4.)
        """
        return self.each.hard_loss(outputs, targets)

    def gradient(self, outputs: Tensor, batch: Batch) -> Slope:
        """The means of the members' terms, and the gradient of their loss, without a graph.

        Args:
            outputs: [K, B, C] what each member says.
            batch: The rows of the outputs.

        Returns:
            The terms, and ∂loss/∂outputs, [K, B, C].

        Example:
            >>> from kdtab.tasks.supervised import SupervisedTask
            >>> batch = Batch(torch.zeros(1, 3), torch.ones(1, 1), None)
            >>> task = MembersGradientTask(SupervisedTask("regression"))
            >>> task.gradient(torch.zeros(2, 1, 1), batch).gradient.view(-1)
            tensor([-1., -1.])
        """
        slopes = [self.each.gradient(of_member, batch) for of_member in outputs]
        gradient = torch.stack([slope.gradient for slope in slopes]).div_(len(slopes))
        return Slope(_means([slope.terms for slope in slopes]), gradient)


class _Said(TabularNetwork):
    """Stands for one member: it has spoken of the rows of a batch already."""

    def __init__(self, student: TabularNetwork, outputs: Tensor) -> None:
        nn.Module.__init__(self)
        self.spec, self.encoding, self._outputs = student.spec, None, outputs

    def forward(self, inputs: Tensor) -> Tensor:
        assert len(inputs) == len(self._outputs), "a task asks about the rows of its batch"
        return self._outputs


def _terms(task: TrainingTask, student: TabularNetwork, batch: Batch) -> Terms:
    assert isinstance(student, BatchEnsembleNetwork), "`task_for` looks at the student"
    every = student.member_outputs(batch.inputs)
    return _means([task.terms(_Said(student, outputs), batch) for outputs in every.unbind(0)])


def _means(terms: Sequence[Terms]) -> Terms:
    return {name: torch.stack([each[name] for each in terms]).mean(0) for name in terms[0]}
