"""What one student of many has come to, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import final

from torch import Tensor

from kdtab.errors.training import LossNotFinite
from kdtab.models.network import TabularNetwork
from kdtab.results import Checked, fail
from kdtab.shell.checkpoint import finished_network
from kdtab.shell.fit import FittedNetwork
from kdtab.shell.progress import EpochRecord


@final
class Pupil:
    """One student of a pass: its history, its best epoch, and whether it still learns.

    Args:
        network: Changed by the steps of the pass.
        patience: Epochs without a better validation loss before it stops; None: never.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> pupil = Pupil(build_model(LinearSpec(input_dim=1, output_dim=1)), patience=None)
        >>> pupil.hear({"loss": float("nan")}), pupil.is_learning
        (False, False)
    """

    def __init__(self, network: TabularNetwork, patience: int | None) -> None:
        self.network = network
        self.is_learning = True
        self._patience = patience
        self._history: list[EpochRecord] = []
        self._issue: LossNotFinite | None = None
        self._best_epoch = 0
        self._kept: dict[str, Tensor] = {}

    def hear(self, terms: Mapping[str, float]) -> bool:
        """An epoch has ended; a loss that is not finite ends the student's run.

        Args:
            terms: Its means by name, "loss" among them.

        Returns:
            Whether it goes on.

        Example:
            >>> Pupil.hear.__name__
            'hear'
        """
        self._history.append(EpochRecord(len(self._history) + 1, terms, None))
        return not self._refuse(terms["loss"], "the loss")

    def validate(self, loss: float) -> None:
        """Keep the weights where they are the best so far; stop where patience is at its end.

        Args:
            loss: The hard loss of the validation rows after the epoch that was heard of last.

        Example:
            >>> Pupil.validate.__name__
            'validate'
        """
        if self._refuse(loss, "the validation loss"):
            return
        epoch = len(self._history)
        self._history[-1] = replace(self._history[-1], validation_loss=loss)
        best = self._history[self._best_epoch - 1].validation_loss if self._best_epoch else None
        if best is None or loss < best:
            self._best_epoch = epoch
            self._kept = {name: each.clone() for name, each in self.network.state_dict().items()}
        elif self._patience is not None and epoch - self._best_epoch >= self._patience:
            self.is_learning = False

    def outcome(self, *, steps_per_epoch: int, threads: int) -> Checked[FittedNetwork]:
        """The network of the best epoch, once the pass is over.

        Args:
            steps_per_epoch: Weight updates in each.
            threads: That torch computed with.

        Returns:
            The network in eval mode and its history, or `LossNotFinite`.

        Example:
            >>> Pupil.outcome.__name__
            'outcome'
        """
        if self._issue is not None:
            return fail(self._issue)
        best = self._best_epoch or len(self._history)
        if self._kept:
            self.network.load_state_dict(self._kept)
        return finished_network(self.network, best).map(
            lambda network: FittedNetwork(
                network=network,
                history=tuple(self._history),
                train_loss=self._history[best - 1].loss,
                update_steps=len(self._history) * steps_per_epoch,
                best_epoch=best,
                threads=threads,
            )
        )

    def _refuse(self, loss: float, what: str) -> bool:
        if math.isfinite(loss):
            return False
        self._issue = LossNotFinite(epoch=len(self._history), what=what)
        self.is_learning = False
        return True
