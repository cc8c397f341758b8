"""Learn from targets and soft targets, and layer by layer from a network that runs beside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor, nn

from kdtab.models.loans import borrowed
from kdtab.models.network import TabularNetwork
from kdtab.models.projection import FeatureProjection
from kdtab.tasks.layerplan import ProjectionPlan
from kdtab.tasks.layers import LayerLesson
from kdtab.tasks.objectives import ObjectiveTask
from kdtab.tasks.pairs import PairLoss
from kdtab.tasks.trainingtask import Batch, Terms


@final
@dataclass(frozen=True, eq=False)
class LayerTask:
    """The losses of an `ObjectiveTask`, and one for each pair of layers.

    Where the objective has a balancer it combines them all. Otherwise the losses of the layers are
    added: loss = alpha · hard + (1 − alpha) · Σ soft + Σ w · layer (FitNets, arXiv:1412.6550).

    The teacher runs at every step, on the student's inputs and without gradients: what its layers
    give is too large to keep for all rows.

    Attributes:
        taught: All of the loss but the layers.
        teacher: The network that is compared with; left as it is.
        losses: One for each pair of layers.
        weights: One for each loss, where there is no balancer.
        joined: From the student's width to the teacher's, by the names that the losses have for it.

    Example:
        >>> from kdtab.config.objectives import HuberLoss
        >>> taught = ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),))
        >>> LayerTask(taught, nn.Linear(1, 1), (), (), ()).losses
        ()
    """

    taught: ObjectiveTask
    teacher: nn.Module
    losses: tuple[PairLoss, ...]
    weights: tuple[float, ...]
    joined: tuple[tuple[str, ProjectionPlan], ...]

    @contextmanager
    def context(self, student: TabularNetwork) -> Iterator[LayerTaskInRun]:
        """Hooks on both networks, the teacher on loan, new projections from torch's generator.

        Args:
            student: On the device of the run.

        Yields:
            The task of the run. At its end all hooks are gone and the teacher is as it was, on its
            own device.

        Example:
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.config.objectives import HuberLoss
            >>> from kdtab.models.build import build_model
            >>> student, teacher = build_model(LinearSpec(input_dim=1, output_dim=1)), nn.Linear(1, 1)
            >>> taught = ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),))
            >>> with LayerTask(taught, teacher, (), (), ()).context(student) as running:
            ...     running.lesson.teacher.training
            False
            >>> teacher.training
            True
        """
        place = next(student.parameters())
        projections = {
            name: FeatureProjection(
                plan.student, plan.teacher, axis=plan.axis, device=place.device, dtype=place.dtype
            )
            for name, plan in self.joined
        }
        lesson = LayerLesson(student, borrowed(self.teacher), self.losses, None, projections)
        try:
            lesson.teacher.to(device=place.device, dtype=place.dtype)
            with self.taught.context(student) as taught:
                weights = {
                    loss.name: weight
                    for loss, weight in zip(self.losses, self.weights, strict=True)
                }
                yield LayerTaskInRun(taught, lesson, weights)
        finally:
            lesson.end()

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        """What the teacher said, as the objective needs it.

        Args:
            soft_targets: [N, C] logits, or [N, 1] values.

        Returns:
            The same, or None where no step needs it.

        Example:
            >>> from kdtab.config.objectives import HuberLoss
            >>> taught = ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),))
            >>> LayerTask(taught, nn.Linear(1, 1), (), (), ()).prepare(torch.ones(1, 1))
            tensor([[1.]])
        """
        return self.taught.prepare(soft_targets)

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        """One step outside of a run; projections are new each time.

        Args:
            student: In train mode.
            batch: At least two rows.

        Returns:
            As `LayerTaskInRun.terms`.

        Example:
            >>> LayerTask.terms.__name__
            'terms'
        """
        with self.context(student) as running:
            return running.terms(student, batch)

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Plain mean cross-entropy in nats, or mean squared error.

        Args:
            outputs: [N, C] logits or [N, 1] values.
            targets: [N] class codes or [N, 1] values.

        Returns:
            A scalar.

        Example:
            >>> from kdtab.config.objectives import HuberLoss
            >>> taught = ObjectiveTask(task="regression", losses=(("soft", HuberLoss()),))
            >>> task = LayerTask(taught, nn.Linear(1, 1), (), (), ())
            >>> task.hard_loss(torch.tensor([[1.0]]), torch.tensor([[3.0]]))
            tensor(4.)
        """
        return self.taught.hard_loss(outputs, targets)


@final
@dataclass(frozen=True, eq=False)
class LayerTaskInRun:
    """A `LayerTask` while its hooks are installed.

    Attributes:
        taught: All of the loss but the layers.
        lesson: Both networks, what listens to them, and the projections.
        weights: Of the layers' losses by name, where there is no balancer.

    Example:
        >>> LayerTaskInRun.__dataclass_params__.frozen
        True
    """

    taught: ObjectiveTask
    lesson: LayerLesson
    weights: Mapping[str, float]

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """What is trained beside the student and not kept with it.

        Example:
            >>> LayerTaskInRun.modules.fget.__name__
            'modules'
        """
        return (*self.taught.modules, self.lesson.trained)

    def at_step(self, step: int) -> LayerTaskInRun:
        """The task of one step, its temperature and alpha as the schedules have them there.

        Args:
            step: 0 for the first weight update.

        Returns:
            A task that shares everything else with this one.

        Example:
            >>> LayerTaskInRun.at_step.__name__
            'at_step'
        """
        return replace(self, taught=self.taught.at_step(step))

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        """As `LayerTask.prepare`.

        Args:
            soft_targets: [N, C] logits, or [N, 1] values.

        Returns:
            The same, or None where no step needs it.

        Example:
            >>> LayerTaskInRun.prepare.__name__
            'prepare'
        """
        return self.taught.prepare(soft_targets)

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        """One forward of teacher and student, and every loss by name.

        Args:
            student: In train mode, the one of the context.
            batch: At least two rows, soft targets as `prepare` gave them.

        Returns:
            "loss", "hard", the distillation losses and those of the layers: the mean over the rows,
            or what a loss over the batch gives.

        Example:
            >>> LayerTaskInRun.terms.__name__
            'terms'
        """
        outputs = self.lesson.forward(student, (batch.inputs,), {})
        assert isinstance(outputs, Tensor), "a tabular network gives one tensor"
        hints = self.lesson.terms(None, {}).unwrap()
        if self.taught.balancer is not None:
            return self.taught.terms_of_outputs(outputs, batch, hints)
        known = self.taught.terms_of_outputs(outputs, batch)
        added = [self.weights[name] * hint for name, hint in hints.items()]
        return {**known, **hints, "loss": torch.stack([known["loss"], *added]).sum()}

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """As `LayerTask.hard_loss`.

        Args:
            outputs: [N, C] logits or [N, 1] values.
            targets: [N] class codes or [N, 1] values.

        Returns:
            A scalar.

        Example:
            >>> LayerTaskInRun.hard_loss.__name__
            'hard_loss'
        """
        return self.taught.hard_loss(outputs, targets)
