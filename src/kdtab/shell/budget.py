"""How many epochs, and how many rows in a step, when the user leaves it open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from kdtab.config.training import Task, TrainingConfig
from kdtab.shell.batches import steps_per_epoch
from kdtab.shell.settings import FitSettings

FEWEST_EPOCHS = 4
MOST_EPOCHS = 300
SMALLEST_BATCH_SIZE = 32


@final
@dataclass(frozen=True)
class StepBudget:
    """How long a task is worth training on, chosen by evidence (docs/decisions).

    Attributes:
        steps: Weight updates in all.
        steps_in_an_epoch: What the batch size aims at.
        largest_batch_size: Its upper bound.

    Example:
        >>> StepBudget(steps=2_000, steps_in_an_epoch=100, largest_batch_size=512).steps
        2000
    """

    steps: int
    steps_in_an_epoch: int
    largest_batch_size: int


CLASSIFICATION = StepBudget(steps=2_000, steps_in_an_epoch=100, largest_batch_size=512)
REGRESSION = StepBudget(steps=6_000, steps_in_an_epoch=25, largest_batch_size=256)


def step_budget(task: Task) -> StepBudget:
    """The budget of a task: labels are soon memorised, values profit from three times the steps.

    Args:
        task: Classification or regression.

    Returns:
        Steps and batch bounds.

    Example:
        >>> step_budget("regression").steps
        6000
    """
    return CLASSIFICATION if task == "classification" else REGRESSION


def resolve_settings(
    config: TrainingConfig, training_rows: int, task: Task, *, labelled_rows: int | None = None
) -> FitSettings:
    """Epochs and batch size for so many rows; what the config says stands as it is (REQ-T11).

    Args:
        config: An integer in `epochs` or `batch_size` means exactly that many; `steps` are made
            whole epochs, the last one complete.
        training_rows: N.
        task: The task as it was resolved.
        labelled_rows: How many of the rows have a label; None: all.

    Returns:
        Settings with nothing left open. A batch larger than the rows is one batch (EC-T01).

    Example:
        >>> config = TrainingConfig(target_column="y")
        >>> for rows in (120, 26_000, 256_000):
        ...     found = resolve_settings(config, rows, "classification")
        ...     print(rows, found.batch_size, found.epochs)
        120 32 300
        26000 256 20
        256000 512 4
        >>> config = TrainingConfig(target_column="y", steps=250, batch_size=64)
        >>> resolve_settings(config, 6_400, "classification").epochs
        3
    """
    budget = step_budget(task)
    batch_size = config.batch_size or default_batch_size(training_rows, budget)
    if config.steps is not None:
        labelled = training_rows if labelled_rows is None else labelled_rows
        steps = _worthwhile(config.steps, config.max_epochs, labelled, batch_size)
        epochs = epochs_of_steps(steps, training_rows, batch_size)
    else:
        epochs = config.epochs or default_epochs(training_rows, batch_size, budget)
    return FitSettings(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=config.learning_rate,
        random_seed=config.random_seed,
        weight_decay=config.weight_decay,
        patience=config.patience,
        optimizer=config.optimizer,
        learning_rate_schedule=config.learning_rate_schedule,
        warmup_steps=config.warmup_steps,
        ema_decay=config.ema_decay,
        matmul_precision=config.matmul_precision,
    )


def default_batch_size(training_rows: int, budget: StepBudget) -> int:
    """The power of two that gives about the wanted steps in an epoch, within bounds.

    Args:
        training_rows: N.
        budget: Its `steps_in_an_epoch` S and `largest_batch_size`.

    Returns:
        2^k nearest to N / S on a logarithmic scale, from 32 to the largest.

    Example:
        >>> [default_batch_size(rows, CLASSIFICATION) for rows in (0, 100, 6_400, 10_000_000)]
        [32, 32, 64, 512]
    """
    wanted = 2 ** round(math.log2(max(training_rows, 1) / budget.steps_in_an_epoch))
    return int(min(budget.largest_batch_size, max(SMALLEST_BATCH_SIZE, wanted)))


def default_epochs(training_rows: int, batch_size: int, budget: StepBudget) -> int:
    """As many epochs as the step budget pays for, between 4 and 300.

    Args:
        training_rows: N.
        batch_size: Rows of a step.
        budget: Its `steps`.

    Returns:
        ⌈steps / steps of an epoch⌉ within the bounds.

    Example:
        >>> default_epochs(6_400, 64, CLASSIFICATION)
        20
    """
    epochs = epochs_of_steps(budget.steps, training_rows, batch_size)
    return min(MOST_EPOCHS, max(FEWEST_EPOCHS, epochs))


def epochs_of_steps(steps: int, training_rows: int, batch_size: int) -> int:
    """The epochs in which so many weight updates are made, the last one complete.

    Args:
        steps: Wanted, at least 1.
        training_rows: N.
        batch_size: Rows of a step.

    Returns:
        ⌈steps / steps of an epoch⌉, at least 1.

    Example:
        >>> epochs_of_steps(1_000, 6_400, 64), epochs_of_steps(1_001, 6_400, 64)
        (10, 11)
    """
    return math.ceil(steps / max(1, steps_per_epoch(training_rows, batch_size)))


def _worthwhile(steps: int, max_epochs: int | None, labelled: int, batch_size: int) -> int:
    """Rows without a label do not count: a student alone gets as many updates as one that is taught."""
    if max_epochs is None:
        return steps
    return max(1, min(steps, math.ceil(max_epochs * labelled / batch_size)))
