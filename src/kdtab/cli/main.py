"""The process that `kdtab` is: its arguments, its signals, its exit code.

Nothing but the standard library is imported before the signals are in place, so that Ctrl-C ends in
one line from the first moments on.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

INTERRUPTED = 130
ENDING_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
# Python would look through all that was imported again and again, and finds nothing to free.
SELDOM_COLLECTED = (100_000, 50, 100)


class _Interrupts:
    """Ctrl-C, a polite kill and a closed terminal: all unwind alike, so nothing is half-written."""

    def __init__(self) -> None:
        self.heard = False

    def listen(self) -> None:
        """Take the signals of this process; one that is ignored (`nohup`) stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            return
        for name in ENDING_SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._hear)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self.heard = True
        raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and print what it found, or every mistake in a sentence.

    Args:
        arguments: What stands after `kdtab`; None takes the process's own, and its signals.

    Returns:
        The exit code.

    Example:
        >>> main(["--version"])
        kdtab ...
        0
    """
    if arguments is not None:
        from kdtab.cli.group import run

        return run(list(arguments))
    return _process(_Interrupts())


def _process(interrupts: _Interrupts) -> int:
    gc.set_threshold(*SELDOM_COLLECTED)
    code = _code(interrupts)
    if interrupts.heard:
        _end_now(code)
    gc.freeze()  # the interpreter, as it ends, would look through everything several times more
    return code


def _code(interrupts: _Interrupts) -> int:
    try:
        interrupts.listen()
        from kdtab.cli.group import run

        return run(sys.argv[1:], lambda: interrupts.heard)
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        return INTERRUPTED
    finally:
        # A library that heard the signal too would raise again while the interpreter ends.
        if interrupts.heard:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_now(code: int) -> None:
    """End with this very code.

    A signal that comes while a C extension runs Python of its own (torch does, when it is imported)
    leaves a mark in the interpreter, which then ends by the signal whatever was caught since.
    Everything of ours has unwound by now.
    """
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
