"""The numbers that a process ends with."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of `kdtab`.

    Example:
        >>> int(Exit.INTERRUPTED)
        130
    """

    DONE = 0
    GATE_MISSED = 1
    USAGE = 2
    DATA = 3
    BUNDLE = 4
    TRAINING = 5
    DISK = 6
    BUG = 70
    INTERRUPTED = 130
