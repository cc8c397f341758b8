"""How a network is fitted, with nothing left to resolve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from kdtab.config.training import MatmulPrecision, Optimizer, RateSchedule

WEIGHT_DECAY = 1e-4


@final
@dataclass(frozen=True)
class FitSettings:
    """How to fit, with nothing left to resolve.

    Attributes:
        epochs: Passes over the training rows, at most.
        batch_size: Rows of a step.
        learning_rate: Adam's step size, of which a schedule takes its share.
        random_seed: Decides weights, orders and dropout.
        weight_decay: Adam's, 1e-4 (REQ-KD20, REQ-T10).
        patience: Epochs without a better validation loss before the run stops; None runs them all.
        optimizer: "adam" adds the decay to the gradient, "adamw" takes it off the weights.
        learning_rate_schedule: The course of the learning rate after the warm-up.
        warmup_steps: Steps in which the learning rate rises to where it is.
        ema_decay: Decay of the running mean of the weights that is validated and kept; None: the
            weights themselves.
        matmul_precision: Of matrix products, where steps are recorded; elsewhere float32.

    Example:
        >>> FitSettings(epochs=5, batch_size=32, learning_rate=1e-3, random_seed=42).weight_decay
        0.0001
    """

    epochs: int
    batch_size: int
    learning_rate: float
    random_seed: int
    weight_decay: float = WEIGHT_DECAY
    patience: int | None = None
    optimizer: Optimizer = "adam"
    learning_rate_schedule: RateSchedule = "constant"
    warmup_steps: int = 0
    ema_decay: float | None = None
    matmul_precision: MatmulPrecision = "float32"
