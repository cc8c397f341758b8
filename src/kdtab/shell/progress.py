"""What a training run says while it runs, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, final


@final
@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to.

    Attributes:
        epoch: 1 for the first.
        terms: The mean over the epoch's rows of each term of the training task: "loss", and as
            they apply "hard" and "soft".
        validation_loss: The hard loss of the validation rows after the epoch; None without them.

    Example:
        >>> EpochRecord(epoch=1, terms={"loss": 0.7, "hard": 0.7}, validation_loss=None).loss
        0.7
    """

    epoch: int
    terms: Mapping[str, float]
    validation_loss: float | None

    @property
    def loss(self) -> float:
        """The mean training loss of the epoch.

        Example:
            >>> EpochRecord(epoch=2, terms={"loss": 0.5}, validation_loss=0.6).loss
            0.5
        """
        return self.terms["loss"]


class Progress(Protocol):
    """Hears of a run: start, then steps and epochs, then finish, which always comes.

    Example:
        >>> heard: Progress = SILENT
        >>> heard.start(epochs=2, steps_per_epoch=10)
    """

    def start(self, epochs: int, steps_per_epoch: int) -> None:
        """The run begins; with early stopping it may end before its last epoch.

        Args:
            epochs: How many at most.
            steps_per_epoch: Weight updates in each.

        Example:
            >>> SILENT.start(epochs=2, steps_per_epoch=10)
        """
        ...

    def step(self) -> None:
        """One weight update was made; called often, so it must cost next to nothing.

        Example:
            >>> SILENT.step()
        """
        ...

    def epoch(self, record: EpochRecord) -> None:
        """An epoch has ended.

        Args:
            record: Its losses.

        Example:
            >>> SILENT.epoch(EpochRecord(epoch=1, terms={"loss": 0.7}, validation_loss=None))
        """
        ...

    def finish(self) -> None:
        """The run has ended: by its last epoch, early, with an issue or by Ctrl-C.

        Example:
            >>> SILENT.finish()
        """
        ...


class RunProgress(Progress, Protocol):
    """Hears of a run of several parts: a teacher that is fitted fold by fold, then its students.

    Example:
        >>> heard: RunProgress = SILENT
        >>> heard.stage("teacher", "fold 2 of 5")
    """

    def stage(self, name: str, detail: str = "") -> None:
        """Another part of the run begins.

        Args:
            name: What the steps and epochs that follow belong to: "teacher", "distilling".
            detail: How far it is, where it has no epochs: "fold 2 of 5".

        Example:
            >>> SILENT.stage("teacher", "fold 2 of 5")
        """
        ...

    def remark(self, sentence: str) -> None:
        """Something that a person should read before the run goes on.

        Args:
            sentence: One sentence.

        Example:
            >>> SILENT.remark("the teacher is worse than the student alone")
        """
        ...


@final
class SilentProgress:
    """Hears everything and says nothing.

    Example:
        >>> SilentProgress().finish()
    """

    def start(self, epochs: int, steps_per_epoch: int) -> None:
        """Nothing.

        Args:
            epochs: Not looked at.
            steps_per_epoch: Not looked at.

        Example:
            >>> SilentProgress().start(2, 10)
        """

    def step(self) -> None:
        """Nothing.

        Example:
            >>> SilentProgress().step()
        """

    def epoch(self, record: EpochRecord) -> None:
        """Nothing.

        Args:
            record: Not looked at.

        Example:
            >>> SilentProgress().epoch(EpochRecord(1, {"loss": 0.7}, None))
        """

    def finish(self) -> None:
        """Nothing.

        Example:
            >>> SilentProgress().finish()
        """

    def stage(self, name: str, detail: str = "") -> None:
        """Nothing.

        Args:
            name: Not looked at.
            detail: Not looked at.

        Example:
            >>> SilentProgress().stage("teacher", "fold 2 of 5")
        """

    def remark(self, sentence: str) -> None:
        """Nothing.

        Args:
            sentence: Not looked at.

        Example:
            >>> SilentProgress().remark("the teacher is worse than the student alone")
        """


SILENT: RunProgress = SilentProgress()
