"""Learn quantiles: from values by the pinball loss, from a teacher's quantiles by their distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from kdtab.config.quantiles import median_place
from kdtab.losses.quantiles import ordered_quantiles, quantile_distance
from kdtab.losses.reduce import weighted_mean
from kdtab.losses.regression import pinball_error
from kdtab.models.network import TabularNetwork
from kdtab.tasks.trainingtask import Batch, Terms


@final
@dataclass(frozen=True)
class QuantileTask:
    """loss = alpha · pinball(y) + (1 − alpha) · mean over levels of (Q_t − Q_s)².

    A row of which the teacher did not speak has soft targets of NaN: its own value alone.

    Attributes:
        levels: τ, rising, 0.5 among them.
        alpha: Weight of the pinball loss, in [0, 1].

    Example:
        >>> QuantileTask((0.1, 0.5, 0.9), alpha=0.25).median
        1
    """

    levels: tuple[float, ...]
    alpha: float = 0.5

    @property
    def median(self) -> int:
        """The place of the median among the outputs.

        Example:
            >>> QuantileTask((0.25, 0.5, 0.75)).median
            1
        """
        return median_place(self.levels)

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        """The teacher's quantiles as they are.

        Args:
            soft_targets: [N, K] in the unit of training, NaN in rows without.

        Returns:
            The same; None at alpha 1.

        Example:
            >>> QuantileTask((0.1, 0.5, 0.9), alpha=1.0).prepare(torch.zeros(1, 3)) is None
            True
        """
        return None if self.alpha == 1 else soft_targets

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        """One forward, and the losses that have a weight.

        Args:
            student: In train mode, with K outputs.
            batch: At least two rows, soft targets as `prepare` gave them.

        Returns:
            "loss" and "hard", with "soft" below alpha 1: 0 for a row without soft targets.

        Example:
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.models.build import build_model
            >>> student = build_model(LinearSpec(input_dim=2, output_dim=3))
            >>> batch = Batch(torch.zeros(4, 2), torch.zeros(4, 1), torch.zeros(4, 3))
            >>> sorted(QuantileTask((0.1, 0.5, 0.9)).terms(student, batch))
            ['hard', 'loss', 'soft']
        """
        quantiles = ordered_quantiles(student(batch.inputs), median=self.median)
        hard = pinball_error(quantiles, batch.targets, quantiles=self.levels)
        if self.alpha == 1:
            mean = weighted_mean(hard)
            return {"hard": mean, "loss": mean}
        assert batch.soft_targets is not None, "below alpha 1 every batch has soft targets"
        spoken = ~batch.soft_targets.isnan().any(dim=1)  # [B]
        known = torch.where(spoken[:, None], batch.soft_targets, 0.0)
        soft = torch.where(spoken, quantile_distance(quantiles, known), 0.0)
        alphas = torch.where(spoken, self.alpha, 1.0)
        loss = weighted_mean(alphas * hard + (1 - alphas) * soft)
        return {"hard": weighted_mean(hard), "soft": weighted_mean(soft), "loss": loss}

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean pinball loss.

        Args:
            outputs: [N, K] of the network.
            targets: [N, 1] values in the unit of training.

        Returns:
            A scalar.

        Example:
            >>> task = QuantileTask((0.1, 0.5, 0.9))
            >>> task.hard_loss(torch.tensor([[-90.0, 1.0, -90.0]]), torch.tensor([[2.0]]))
            tensor(0.5000)
        """
        quantiles = ordered_quantiles(outputs, median=self.median)
        return weighted_mean(pinball_error(quantiles, targets, quantiles=self.levels))
