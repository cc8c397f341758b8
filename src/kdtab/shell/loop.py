"""The one loop. It knows epochs, batches, stopping and non-finite losses, and no backend."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, final

from returns.result import Result, Success

from kdtab.errors.issue import Issues
from kdtab.errors.training import LossNotFinite
from kdtab.results import fail
from kdtab.shell.progress import EpochRecord, Progress

TERMS_HELD = 1_024

State = TypeVar("State")
Batch = TypeVar("Batch")
Terms = TypeVar("Terms")


@final
@dataclass(frozen=True)
class LoopPlan:
    """How long to run.

    Attributes:
        epochs: Passes over the training rows, at most.
        steps_per_epoch: Weight updates in each.
        patience: Epochs without a better validation loss before the run stops; None runs them all.

    Example:
        >>> LoopPlan(epochs=2, steps_per_epoch=10, patience=None).epochs
        2
    """

    epochs: int
    steps_per_epoch: int
    patience: int | None


@final
@dataclass(frozen=True)
class LoopParts(Generic[State, Batch, Terms]):
    """What a backend brings to the loop.

    Attributes:
        batches: One epoch's batches, in a new order at each call.
        step: One update: a state and a batch give the next state and the terms of the batch.
        join: The terms of many steps as the terms of one; an epoch's are joined now and then, so
            that a million steps need no more memory than a thousand.
        read: Terms as numbers by name; the loop waits for the device here only.
        validate: The hard loss of the validation rows; None without them.
        keep: A function that brings this very state back later.
        is_done: Whether a state has no use for another epoch; None leaves that to the plan.

    Example:
        >>> parts = LoopParts(batches=lambda: [3.0], step=lambda s, b: (s + b, b),
        ...                   join=sum, read=lambda terms: {"loss": terms},
        ...                   validate=None, keep=lambda s: lambda: s)
        >>> parts.step(1.0, 2.0)
        (3.0, 2.0)
    """

    batches: Callable[[], Iterable[Batch]]
    step: Callable[[State, Batch], tuple[State, Terms]]
    join: Callable[[Sequence[Terms]], Terms]
    read: Callable[[Terms], Mapping[str, float]]
    validate: Callable[[State], float] | None
    keep: Callable[[State], Callable[[], State]]
    is_done: Callable[[State], bool] | None = None


@final
@dataclass(frozen=True)
class LoopEnd(Generic[State]):
    """Where the loop ended.

    Attributes:
        state: After the best epoch by validation loss; after the last one without validation.
        history: Every epoch that was run.
        best_epoch: The epoch of the state, 1 for the first.

    Example:
        >>> LoopEnd(state=0.0, history=(), best_epoch=1).best_epoch
        1
    """

    state: State
    history: tuple[EpochRecord, ...]
    best_epoch: int


@dataclass(frozen=True)
class _Best(Generic[State]):
    epoch: int
    loss: float
    restore: Callable[[], State]


def run_loop(
    state: State,
    plan: LoopPlan,
    parts: LoopParts[State, Batch, Terms],
    progress: Progress,
) -> Result[LoopEnd[State], Issues]:
    """Run every epoch, or stop early, or stop with an issue (REQ-T11).

    Args:
        state: What the steps hand on to each other.
        plan: How long.
        parts: The backend.
        progress: Hears of steps and epochs; `finish` is called however the loop ends.

    Returns:
        The state of the best epoch, or `LossNotFinite` after the first epoch whose training or
        validation loss is NaN or infinite.

    Example:
        >>> from kdtab.shell.progress import SILENT
        >>> parts = LoopParts(batches=lambda: [3.0], step=lambda s, b: (s + b, b),
        ...                   join=sum, read=lambda terms: {"loss": terms},
        ...                   validate=lambda s: abs(s - 4.0), keep=lambda s: lambda: s)
        >>> end = run_loop(0.0, LoopPlan(5, 1, patience=2), parts, SILENT).unwrap()
        >>> end.state, end.best_epoch, len(end.history)
        (3.0, 1, 3)
    """
    progress.start(plan.epochs, plan.steps_per_epoch)
    try:
        return _run_epochs(state, plan, parts, progress)
    finally:
        progress.finish()


def _run_epochs(
    state: State, plan: LoopPlan, parts: LoopParts[State, Batch, Terms], progress: Progress
) -> Result[LoopEnd[State], Issues]:
    history: list[EpochRecord] = []
    best: _Best[State] | None = None
    for epoch in range(1, plan.epochs + 1):
        collected: list[Terms] = []
        for batch in parts.batches():
            state, terms = parts.step(state, batch)
            collected.append(terms)
            progress.step()
            if len(collected) == TERMS_HELD:
                collected = [parts.join(collected)]

        means = parts.read(parts.join(collected))
        if not math.isfinite(means["loss"]):
            return fail(LossNotFinite(epoch=epoch, what="the loss"))

        validation_loss = parts.validate(state) if parts.validate else None
        if validation_loss is not None and not math.isfinite(validation_loss):
            return fail(LossNotFinite(epoch=epoch, what="the validation loss"))

        record = EpochRecord(epoch, means, validation_loss)
        history.append(record)
        progress.epoch(record)

        if validation_loss is not None:
            if best is None or validation_loss < best.loss:
                best = _Best(epoch, validation_loss, parts.keep(state))
            elif plan.patience is not None and epoch - best.epoch >= plan.patience:
                break
        if parts.is_done is not None and parts.is_done(state):
            break

    if best is None:
        return Success(LoopEnd(state, tuple(history), best_epoch=len(history)))
    return Success(LoopEnd(best.restore(), tuple(history), best_epoch=best.epoch))
