"""The learning rate of each step: a warm-up, then constant or along a cosine down to 0."""

from __future__ import annotations

import math

from kdtab.shell.settings import FitSettings


def learning_rate_at(step: int, settings: FitSettings, *, steps: int) -> float:
    """The learning rate of one step.

    Args:
        step: 0 for the first weight update of the run, counted over all epochs.
        settings: Their learning rate, and its course.
        steps: Weight updates of the whole run, if it does not stop early.

    Returns:
        A rate above 0, at most that of the settings.

    Example:
        >>> run = FitSettings(epochs=1, batch_size=32, learning_rate=0.1, random_seed=0)
        >>> learning_rate_at(7, run, steps=100)
        0.1
    """
    return settings.learning_rate * rate_share_at(step, settings, steps=steps)


def rate_share_at(step: int, settings: FitSettings, *, steps: int) -> float:
    """The share of its full learning rate with which a step is made.

    With w steps of warm-up it is (t + 1) / w at step t < w, a line that is 0 before the first step
    and 1 at the end. Afterwards it is 1, or ½ (1 + cos(π (t − w) / (n − w))), which would be 0 at
    step n, one after the last (Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts).

    Args:
        step: t, 0 for the first weight update of the run.
        settings: The course of their learning rate.
        steps: n, weight updates of the whole run.

    Returns:
        A share in (0, 1]. A warm-up of more than half the run is one of half the run.

    Example:
        >>> run = FitSettings(
        ...     epochs=1, batch_size=32, learning_rate=0.1, random_seed=0,
        ...     learning_rate_schedule="cosine", warmup_steps=2,
        ... )
        >>> [round(rate_share_at(step, run, steps=6), 3) for step in range(6)]
        [0.5, 1.0, 1.0, 0.854, 0.5, 0.146]
    """
    warmup = warmup_within(settings.warmup_steps, steps=steps)
    if step < warmup:
        return (step + 1) / warmup
    if settings.learning_rate_schedule == "constant":
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def warmup_notes(settings: FitSettings, *, steps: int) -> tuple[str, ...]:
    """What a person should know of a warm-up that was longer than the run has room for.

    Args:
        settings: With the warm-up that was asked for.
        steps: Weight updates of the whole run.

    Returns:
        One sentence, or none.

    Example:
        >>> run = FitSettings(
        ...     epochs=1, batch_size=32, learning_rate=0.1, random_seed=0, warmup_steps=100
        ... )
        >>> warmup_notes(run, steps=60)
        ('the learning rate warmed up over 30 steps instead of 100: the run has only 60',)
        >>> warmup_notes(run, steps=4_000)
        ()
    """
    asked, taken = settings.warmup_steps, warmup_within(settings.warmup_steps, steps=steps)
    if taken == asked:
        return ()
    return (
        f"the learning rate warmed up over {taken:,} steps instead of {asked:,}: "
        f"the run has only {steps:,}",
    )


def warmup_within(warmup_steps: int, *, steps: int) -> int:
    """The warm-up of a run: what was asked for, but no more than half of all steps.

    A default that suits thousands of steps must not leave a short run without its learning rate.

    Args:
        warmup_steps: As asked for.
        steps: Weight updates of the whole run.

    Returns:
        Steps, 0 or more.

    Example:
        >>> warmup_within(100, steps=4_000), warmup_within(100, steps=60)
        (100, 30)
    """
    return min(warmup_steps, steps // 2)
