"""How many epochs, and how many rows in a step, when the user leaves it open."""

from __future__ import annotations

import math

from kdtab.config.training import TrainingConfig
from kdtab.shell.batches import steps_per_epoch
from kdtab.shell.fit import FitSettings

STEP_BUDGET = 4_000
FEWEST_EPOCHS = 5
MOST_EPOCHS = 400
STEPS_IN_AN_EPOCH = 100
SMALLEST_BATCH_SIZE = 32
LARGEST_BATCH_SIZE = 512


def resolve_settings(config: TrainingConfig, training_rows: int) -> FitSettings:
    """Epochs and batch size for so many rows; what the config says stands as it is (REQ-T11).

    Args:
        config: An integer in `epochs` or `batch_size` means exactly that many.
        training_rows: N.

    Returns:
        Settings with nothing left open. A batch larger than the rows is one batch (EC-T01).

    Example:
        >>> config = TrainingConfig(target_column="y")
        >>> for rows in (120, 26_000, 256_000):
        ...     found = resolve_settings(config, rows)
        ...     print(rows, found.batch_size, found.epochs)
        120 32 400
        26000 256 40
        256000 512 8
    """
    batch_size = config.batch_size or default_batch_size(training_rows)
    return FitSettings(
        epochs=config.epochs or default_epochs(training_rows, batch_size),
        batch_size=batch_size,
        learning_rate=config.learning_rate,
        random_seed=config.random_seed,
        patience=config.patience,
    )


def default_batch_size(training_rows: int) -> int:
    """The power of two that gives about a hundred steps in an epoch, between 32 and 512.

    Args:
        training_rows: N.

    Returns:
        2^k nearest to N / 100 on a logarithmic scale, within the bounds.

    Example:
        >>> [default_batch_size(rows) for rows in (0, 100, 6_400, 10_000_000)]
        [32, 32, 64, 512]
    """
    wanted = 2 ** round(math.log2(max(training_rows, 1) / STEPS_IN_AN_EPOCH))
    return int(min(LARGEST_BATCH_SIZE, max(SMALLEST_BATCH_SIZE, wanted)))


def default_epochs(training_rows: int, batch_size: int) -> int:
    """As many epochs as the step budget pays for, between 5 and 400.

    Args:
        training_rows: N.
        batch_size: Rows of a step.

    Returns:
        ⌈4,000 / steps of an epoch⌉ within the bounds.

    Example:
        >>> default_epochs(6_400, 64)
        40
    """
    steps = max(1, steps_per_epoch(training_rows, batch_size))
    return min(MOST_EPOCHS, max(FEWEST_EPOCHS, math.ceil(STEP_BUDGET / steps)))
