"""What a search of students comes to: each of them, and the one to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from kdtab.config.variants import StudentVariant
from kdtab.results import Checked
from kdtab.shell.trained import TrainedModel


@final
@dataclass(frozen=True, eq=False)
class DistilledVariant:
    """One student of many.

    Attributes:
        variant: What it changed of the run.
        outcome: The student, or what ended its training.
        alone: Whether it knew no teacher.

    Example:
        >>> DistilledVariant.__dataclass_params__.frozen
        True
    """

    variant: StudentVariant
    outcome: Checked[TrainedModel]
    alone: bool = False

    @property
    def validation_loss(self) -> float | None:
        """The hard loss on the validation rows, of true labels; None without one.

        Example:
            >>> from kdtab.errors.training import LossNotFinite
            >>> from kdtab.results import fail
            >>> lost = fail(LossNotFinite(epoch=1, what="the loss"))
            >>> DistilledVariant(StudentVariant(), lost).validation_loss is None
            True
        """
        return self.outcome.map(lambda model: model.metrics.validation_loss).value_or(None)


@final
@dataclass(frozen=True, eq=False)
class DistilledStudents:
    """What a search came to.

    Attributes:
        every: Each student, in the order of the variants; behind them the student without a
            teacher where it was among the candidates.
        best_place: Of the student to keep.
        scratch: The same student without a teacher, as the run has it; None where nobody needed it,
            and where its fit failed beside others.
        usual_place: Of the first whose fit came to an end: a choice keeps it without better knowledge.

    Example:
        >>> DistilledStudents.__dataclass_params__.frozen
        True
    """

    every: tuple[DistilledVariant, ...]
    best_place: int
    scratch: TrainedModel | None = None
    usual_place: int = 0

    @property
    def best(self) -> TrainedModel:
        """The student to keep.

        Example:
            >>> from returns.result import Success
            >>> DistilledStudents((DistilledVariant(StudentVariant(), Success("s")),), 0).best
            's'
        """
        return self.every[self.best_place].outcome.unwrap()
