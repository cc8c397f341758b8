"""Learn from the targets and from a teacher, by whichever losses a config names."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor, nn

from kdtab.config.objectives import AnyLoss
from kdtab.config.schedules import ConstantSchedule, Schedule
from kdtab.config.training import Task
from kdtab.losses.balance import ComplementaryWeight
from kdtab.losses.hard import cross_entropy_from_logits, squared_error
from kdtab.losses.reduce import replaced_rows, weighted_mean
from kdtab.losses.rowgradients import has_label
from kdtab.losses.schedules import scheduled_value
from kdtab.losses.uncertainty import UncertaintyWeights
from kdtab.losses.weights import KnownBalancer
from kdtab.models.network import TabularNetwork
from kdtab.tasks.lossfit import is_over_batch
from kdtab.tasks.openshares import label_shares, teacher_share, told_targets
from kdtab.tasks.softterms import TaughtRows, soft_term
from kdtab.tasks.supervised import Batch, SupervisedTask, Terms

LEAST_ROWS_OF_A_BATCH = 2
USUAL_TEMPERATURE: Schedule = ConstantSchedule(value=2.0)
USUAL_ALPHA: Schedule = ConstantSchedule(value=0.5)


@final
@dataclass(frozen=True)
class ObjectiveTask:
    """The hard loss and distillation losses by name, combined by a balancer.

    A row of which the teacher did not speak has soft targets of NaN. It counts nothing in the
    distillation losses, whose means are over all rows of the batch; where weights are shares
    (alpha, complementary and static weights) its label gets the teacher's share too, as in
    `PartialTargetTask`. A loss over the batch sees the other rows only.

    A row without a label has the class code −1, or the value NaN. It counts nothing in the hard
    loss, and its distillation losses get the label's share too, in their own proportions; a loss
    over the batch sees it as any other. Where a loss asks for the truth, that is what the teacher
    holds most likely.

    Attributes:
        task: Classification or regression.
        losses: What is compared with the teacher, by name.
        balancer: How losses are combined; None: alpha · hard + (1 − alpha) · Σ losses.
        temperature: T from step to step.
        alpha: Weight of the hard loss from step to step, where there is no balancer.
        partial: Whether there may be rows without soft targets.
        step: Of the schedules; 0 for the first weight update.
        open_rows: Whether there may be rows without a label.

    Example:
        >>> from kdtab.config.objectives import HuberLoss
        >>> ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),)).names
        ('soft',)
    """

    task: Task
    losses: tuple[tuple[str, AnyLoss], ...]
    balancer: KnownBalancer | None = None
    temperature: Schedule = USUAL_TEMPERATURE
    alpha: Schedule = USUAL_ALPHA
    partial: bool = True
    step: int = 0
    open_rows: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The distillation losses, as they are weighed and reported.

        Example:
            >>> from kdtab.config.objectives import HuberLoss
            >>> ObjectiveTask(task="regression", losses=(("near", HuberLoss()),)).names
            ('near',)
        """
        return tuple(name for name, _ in self.losses)

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """What has parameters of its own, to be trained beside the student and not kept with it.

        Example:
            >>> from kdtab.config.objectives import HuberLoss
            >>> task = ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),))
            >>> replace(task, balancer=UncertaintyWeights(("hard", "soft"))).modules
            (UncertaintyWeights(),)
        """
        return (self.balancer,) if isinstance(self.balancer, UncertaintyWeights) else ()

    @property
    def has_teacher(self) -> bool:
        """Whether any step needs soft targets: not where alpha is 1 throughout.

        Example:
            >>> from kdtab.config.objectives import HuberLoss
            >>> task = ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),))
            >>> replace(task, alpha=ConstantSchedule(value=1.0)).has_teacher
            False
        """
        return self.balancer is not None or self.alpha != ConstantSchedule(value=1.0)

    def at_step(self, step: int) -> ObjectiveTask:
        """The task of one step, its temperature and alpha as the schedules have them there.

        Args:
            step: 0 for the first weight update.

        Returns:
            A task that shares everything else with this one.

        Example:
            >>> from kdtab.config.objectives import HuberLoss
            >>> ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),)).at_step(7).step
            7
        """
        return replace(self, step=step)

    @contextmanager
    def context(self, student: nn.Module) -> Iterator[ObjectiveTask]:
        """The task of one run: weights that are learnt begin anew, where the student is.

        Args:
            student: On the device of the run.

        Yields:
            A task with modules of its own.

        Example:
            >>> from kdtab.config.objectives import HuberLoss
            >>> task = ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),))
            >>> with task.context(nn.Linear(1, 1)) as running:
            ...     running == task
            True
        """
        if not isinstance(self.balancer, UncertaintyWeights):
            yield self
        else:
            own = copy.deepcopy(self.balancer).to(next(student.parameters()).device)
            yield replace(self, balancer=own)

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        """What the teacher said, as it is: temperatures change and losses differ.

        Args:
            soft_targets: [N, C] logits or log-probabilities, or [N, 1] values; NaN in rows without.

        Returns:
            The same; None where no step needs it.

        Example:
            >>> from kdtab.config.objectives import HuberLoss
            >>> task = ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),))
            >>> task.prepare(torch.tensor([[1.0]]))
            tensor([[1.]])
        """
        if not self.has_teacher:
            return None
        assert soft_targets is not None, "the rows come with the teacher's outputs"
        return soft_targets

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        """One forward, every loss by name, and what the balancer makes of them.

        Args:
            student: In train mode.
            batch: At least two rows, soft targets as `prepare` gave them.

        Returns:
            "loss", "hard", and each distillation loss by its name where the teacher has a say.

        Example:
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.config.objectives import HuberLoss
            >>> from kdtab.models.build import build_model
            >>> student = build_model(LinearSpec(input_dim=3, output_dim=1))
            >>> task = ObjectiveTask(task="regression", losses=(("near", HuberLoss()),))
            >>> soft = torch.tensor([[0.0], [float("nan")]])
            >>> list(task.terms(student, Batch(torch.zeros(2, 3), torch.zeros(2, 1), soft)))
            ['hard', 'near', 'loss']
        """
        return self.terms_of_outputs(student(batch.inputs), batch)

    def terms_of_outputs(
        self, outputs: Tensor, batch: Batch, hints: Mapping[str, Tensor] | None = None
    ) -> Terms:
        """Every loss by name, and what the balancer makes of them.

        Args:
            outputs: [B, C] logits or [B, 1] values.
            batch: The rows of the outputs.
            hints: Losses that are known already, for the balancer to combine with the others.

        Returns:
            As `terms`, the hints behind the other losses.

        Example:
            >>> from kdtab.config.objectives import HuberLoss
            >>> task = ObjectiveTask(task="regression", losses=(("near", HuberLoss()),))
            >>> rows = Batch(torch.zeros(1, 3), torch.zeros(1, 1), torch.ones(1, 1))
            >>> task.terms_of_outputs(torch.zeros(1, 1), rows)["near"]
            tensor(0.5000)
        """
        labelled = has_label(batch.targets) if self.open_rows else None  # [B]
        hard = self._hard_rows(outputs, batch.targets, labelled)
        own = weighted_mean(hard)
        if not self.has_teacher:
            return {"hard": own, "loss": own}
        assert batch.soft_targets is not None, "every batch has soft targets"
        truth = batch.targets if labelled is None else told_targets(batch, labelled)
        rows = TaughtRows(outputs, batch.soft_targets, truth)
        spoken = ~batch.soft_targets.isnan().any(dim=1) if self.partial else None  # [B]
        named = {name: self._term(loss, rows, spoken) for name, loss in self.losses}
        named |= hints or {}
        loss = self._combined(named, own, hard, spoken)
        if labelled is not None:
            loss = loss + self._unlabelled_share(rows, labelled, spoken)
        return {"hard": own, **named, "loss": loss}

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Plain mean cross-entropy in nats, or mean squared error.

        Args:
            outputs: [N, C] logits or [N, 1] values.
            targets: [N] class codes or [N, 1] values.

        Returns:
            A scalar.

        Example:
            >>> from kdtab.config.objectives import HuberLoss
            >>> task = ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),))
            >>> task.hard_loss(torch.tensor([[1.0]]), torch.tensor([[3.0]]))
            tensor(4.)
        """
        return SupervisedTask(self.task).hard_loss(outputs, targets)

    def _hard_rows(self, outputs: Tensor, targets: Tensor, labelled: Tensor | None) -> Tensor:
        """[B], 0 without a label."""
        known = targets if labelled is None else replaced_rows(targets, labelled)
        if self.task == "regression":
            every = squared_error(outputs, known)
        else:
            every = cross_entropy_from_logits(outputs, known)
        return every if labelled is None else torch.where(labelled, every, 0.0)

    def _term(self, loss: AnyLoss, rows: TaughtRows, spoken: Tensor | None) -> Tensor:
        """A scalar: the mean over all rows of the batch, 0 for a row without soft targets."""
        temperature = scheduled_value(self.temperature, self.step)
        if is_over_batch(loss):
            seen = rows if spoken is None else TaughtRows(*(part[spoken] for part in rows))
            if len(seen.outputs) < LEAST_ROWS_OF_A_BATCH:
                return rows.outputs.sum() * 0.0
            return soft_term(loss, seen, temperature=temperature)
        if spoken is None:
            return weighted_mean(soft_term(loss, rows, temperature=temperature))
        known = rows._replace(teacher=replaced_rows(rows.teacher, spoken))
        every = soft_term(loss, known, temperature=temperature)
        return weighted_mean(torch.where(spoken, every, 0.0))

    def _unlabelled_share(
        self, rows: TaughtRows, labelled: Tensor, spoken: Tensor | None
    ) -> Tensor:
        """What the distillation losses of rows without a label get beside their usual weight."""
        temperature = scheduled_value(self.temperature, self.step)
        heard = ~labelled if spoken is None else ~labelled & spoken
        known = rows._replace(teacher=replaced_rows(rows.teacher, heard))
        total = rows.outputs.sum() * 0.0
        shares = label_shares(self._balancer(), len(self.losses))
        for share, (_, loss) in zip(shares, self.losses, strict=True):
            if share and not is_over_batch(loss):
                alone = soft_term(loss, known, temperature=temperature)
                total = total + share * weighted_mean(torch.where(heard, alone, 0.0))
        return total

    def _balancer(self) -> KnownBalancer:
        if self.balancer is not None:
            return self.balancer
        return ComplementaryWeight(scheduled_value(self.alpha, self.step))

    def _combined(
        self, named: Mapping[str, Tensor], own: Tensor, hard: Tensor, spoken: Tensor | None
    ) -> Tensor:
        balancer = self._balancer()
        loss = balancer.combine(named, own)
        share = teacher_share(balancer)
        if spoken is None or share == 0:
            return loss
        return loss + share * weighted_mean(torch.where(spoken, 0.0, hard))
