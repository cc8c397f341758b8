"""What one step computes for S students at once: each with an alpha and a temperature of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

import torch
from torch import Tensor

from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.stacked_rows import StackedRows, partial_slope
from kdtab.tasks.supervised import SupervisedTask
from kdtab.tasks.trainingtask import Slope, Terms, TrainingTask


class StackedBatch(NamedTuple):
    """The rows of one step, of one batch for all students or of one for each.

    Attributes:
        inputs: [S, B, D] encoded rows.
        targets: [S, B] int64 class codes, or [S, B, 1] values.
        soft_targets: [S, C, B] what the teacher said, at each student's temperature; None where no
            student listens.

    Example:
        >>> StackedBatch._fields
        ('inputs', 'targets', 'soft_targets')
    """

    inputs: Tensor
    targets: Tensor
    soft_targets: Tensor | None


def taught_by(task: TrainingTask) -> SoftTargetTask | None:
    """The task as one of alpha and temperature, where that says it all.

    Args:
        task: Any.

    Returns:
        The same loss as a `SoftTargetTask`, for rows that lack nothing; labels alone are alpha 1.
        None for other tasks.

    Example:
        >>> taught_by(SupervisedTask("regression")).alpha
        1.0
        >>> taught_by(SupervisedTask("classification", label_smoothing=0.1)) is None
        True
    """
    if isinstance(task, SoftTargetTask):
        return task
    if isinstance(task, PartialTargetTask):
        return task.taught
    if isinstance(task, SupervisedTask) and task == SupervisedTask(task.task):
        return SoftTargetTask(task.task, alpha=1.0)
    return None


@final
class StackedTargets:
    """loss = alpha · hard + (1 − alpha) · soft of each student, and where it falls.

    Args:
        tasks: One for each student, all of one kind of target.
        partial: Whether rows may lack a label or the teacher's word, as for `PartialTargetTask`.

    Example:
        >>> StackedTargets([SoftTargetTask("regression", alpha=a) for a in (0.2, 1.0)]).listens
        True
    """

    def __init__(self, tasks: Sequence[SoftTargetTask], *, partial: bool = False) -> None:
        self._partial = partial
        self._task = tasks[0].task
        assert all(each.task == self._task for each in tasks), "one kind of target"
        self._listening = [task for task in tasks if task.alpha < 1]
        self._temperatures = sorted({task.temperature for task in self._listening})
        # A student that does not listen gets numbers of any temperature, and takes none of them.
        hot = [task.temperature if task.alpha < 1 else self._usual() for task in tasks]
        self._places = [self._prepared_at(each) for each in hot]
        self._place = torch.tensor(self._places, dtype=torch.int64)
        self._hot = torch.tensor(hot)[:, None, None]
        self._alphas = torch.tensor([task.alpha for task in tasks])
        self._alphas_of_rows = self._alphas[:, None, None]
        self._scales: dict[int, tuple[Tensor, Tensor]] = {}
        self._names = tuple(_names(task.alpha) for task in tasks)

    @property
    def listens(self) -> bool:
        """Whether any student learns from the teacher.

        Example:
            >>> StackedTargets([SoftTargetTask("regression", alpha=1.0)]).listens
            False
        """
        return bool(self._listening)

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """The terms of each student's own loss.

        Example:
            >>> StackedTargets([SoftTargetTask("regression", alpha=0.0)]).names
            (('soft', 'loss'),)
        """
        return self._names

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        """Temper what the teacher said, once for each temperature.

        Args:
            soft_targets: [N, C] as for `SoftTargetTask`.

        Returns:
            [N, K, C] for K different temperatures, or [N, 1, 1] values; None where nobody listens.

        Example:
            >>> pair = [SoftTargetTask("classification", temperature=t) for t in (1.0, 4.0)]
            >>> StackedTargets(pair).prepare(torch.zeros(5, 3)).shape
            torch.Size([5, 2, 3])
        """
        if not self._listening:
            return None
        if self._task == "regression":
            kinds = self._listening[:1]
        else:
            first = {task.temperature: task for task in self._listening}
            kinds = [first[temperature] for temperature in self._temperatures]
        found = [task.prepare(soft_targets) for task in kinds]
        return torch.stack([each for each in found if each is not None], 1)

    def at_own_temperatures(self, prepared: Tensor) -> Tensor:
        """What each student hears of a batch that all of them see.

        Args:
            prepared: [B, K, C] rows of what `prepare` gave.

        Returns:
            [S, C, B].

        Example:
            >>> pair = [SoftTargetTask("classification", temperature=t) for t in (1.0, 4.0)]
            >>> StackedTargets(pair).at_own_temperatures(torch.zeros(5, 2, 3)).shape
            torch.Size([2, 3, 5])
        """
        return prepared.permute(1, 2, 0).index_select(0, self._place)

    def at_own_temperature(self, prepared: Tensor, student: int) -> Tensor:
        """What one student hears of its own batch.

        Args:
            prepared: [B, K, C] rows of what `prepare` gave.
            student: Its place.

        Returns:
            [C, B].

        Example:
            >>> pair = [SoftTargetTask("classification", temperature=t) for t in (1.0, 4.0)]
            >>> StackedTargets(pair).at_own_temperature(torch.zeros(5, 2, 3), 1).shape
            torch.Size([3, 5])
        """
        return prepared[:, self._places[student]].t()

    def gradient(self, outputs: Tensor, batch: StackedBatch) -> Slope:
        """The terms of these outputs, and the gradient of each student's loss.

        Args:
            outputs: [S, B, C] logits or [S, B, 1] values.
            batch: The rows of the outputs.

        Returns:
            "loss" and "hard", and "soft" where anybody listens, [S] each; and [S, B, C].

        Example:
            >>> pair = [SoftTargetTask("regression", alpha=alpha) for alpha in (1.0, 0.0)]
            >>> batch = StackedBatch(torch.zeros(2, 1, 3), torch.ones(2, 1, 1), torch.zeros(2, 1, 1))
            >>> StackedTargets(pair).gradient(torch.full((2, 1, 1), 2.0), batch).gradient.view(-1)
            tensor([2., 4.])
        """
        # A softmax along rows of memory is many times faster than one over a few neighbours.
        across = outputs.mT.contiguous()  # [S, C, B]
        if self._partial and batch.soft_targets is not None:
            rows = StackedRows(across, batch.targets, batch.soft_targets)
            return partial_slope(rows, self._task, self._alphas, self._hot)
        if self._task == "regression":
            hard, of_hard = _square(across, batch.targets.mT)
        else:
            hard, of_hard = _cross_entropy(across, batch.targets)
        if batch.soft_targets is None:
            return Slope({"hard": hard, "loss": hard}, of_hard.mT)
        if self._task == "regression":
            soft, of_soft = _square(across, batch.soft_targets)
        else:
            soft, of_soft = _divergence(
                across, batch.soft_targets, self._hot, *self._scales_for(across.shape[2])
            )
        terms: Terms = {"hard": hard, "soft": soft, "loss": soft.lerp(hard, self._alphas)}
        return Slope(terms, of_soft.lerp_(of_hard, self._alphas_of_rows).mT)

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The hard loss of one student, as its own task has it.

        Args:
            outputs: [N, C] logits or [N, 1] values.
            targets: [N] class codes or [N, 1] values.

        Returns:
            A scalar.

        Example:
            >>> targets = StackedTargets([SoftTargetTask("classification")] * 2)
            >>> targets.hard_loss(torch.zeros(1, 2), torch.tensor([0]))
            tensor(0.6931)
        """
        return SupervisedTask(self._task).hard_loss(outputs, targets)

    def _usual(self) -> float:
        return self._temperatures[0] if self._temperatures else 1.0

    def _scales_for(self, rows: int) -> tuple[Tensor, Tensor]:
        """T / B and T² / B."""
        if rows not in self._scales:
            hot = self._hot.view(-1)
            self._scales[rows] = self._hot / rows, hot * hot / rows
        return self._scales[rows]

    def _prepared_at(self, temperature: float) -> int:
        if self._task == "regression" or not self._temperatures:
            return 0
        return self._temperatures.index(temperature)


def _names(alpha: float) -> tuple[str, ...]:
    if alpha == 1:
        return "hard", "loss"
    return ("soft", "loss") if alpha == 0 else ("hard", "soft", "loss")


def _cross_entropy(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """[S] means in nats, and (softmax(z) − onehot(y)) / B; logits are [S, C, B]."""
    rows, places = logits.shape[2], labels.unsqueeze(1)
    log_probabilities = torch.log_softmax(logits, 1)
    loss = log_probabilities.gather(1, places).sum((1, 2)).mul_(-1 / rows)
    gradient = log_probabilities.exp_().mul_(1 / rows)
    gradient.scatter_(1, places, -1 / rows, reduce="add")
    return loss, gradient


def _divergence(
    logits: Tensor, tempered: Tensor, hot: Tensor, of_slope: Tensor, of_loss: Tensor
) -> tuple[Tensor, Tensor]:
    """[S] means of T² · KL, and T · (softmax(s / T) − p) / B; logits are [S, C, B]."""
    student = torch.log_softmax(logits / hot, 1)
    probabilities = tempered.exp()
    total = (tempered - student).mul_(probabilities).sum((1, 2))
    gradient = student.exp_().sub_(probabilities).mul_(of_slope)
    return total.mul_(of_loss), gradient


def _square(values: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """[S] means, and 2 · (ŷ − y) / B; values are [S, 1, B]."""
    difference = values - targets
    loss = difference.square().mean((1, 2))
    return loss, difference.mul_(2 / values.shape[2])
