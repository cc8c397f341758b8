"""One thread for matrix products that are too small to share.

On a busy machine two threads can be fifty times slower than one for a block of a student. The
setting belongs to the whole process, so calls that overlap are counted, and the last of them puts
back what the first one found.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Protocol

from threadpoolctl import ThreadpoolController


class Limiter(Protocol):
    """A limit that is in force.

    Example:
        >>> limiter: Limiter = ThreadpoolController().limit(limits=None)
    """

    def restore_original_limits(self) -> None:
        """Put back what was there before.

        Example:
            >>> ThreadpoolController().limit(limits=None).restore_original_limits()
        """
        ...


class OverlappingCalls:
    """The calls that are under way, and the one limit that they share.

    Example:
        >>> calls = OverlappingCalls()
        >>> with calls.on_one_thread(), calls.on_one_thread():
        ...     calls.count
        2
        >>> calls.count
        0
    """

    def __init__(self) -> None:
        self.count = 0
        self._lock = Lock()
        self._limiter: Limiter | None = None

    @contextmanager
    def on_one_thread(self) -> Iterator[None]:
        """Keep numpy's BLAS on one thread while this call, or another one, is under way.

        Yields:
            Nothing.

        Example:
            >>> with OverlappingCalls().on_one_thread():
            ...     {library.num_threads for library in _libraries().lib_controllers} <= {1}
            True
        """
        with self._lock:
            if self.count == 0:
                self._limiter = _libraries().limit(limits=1)
            self.count += 1
        try:
            yield
        finally:
            with self._lock:
                self.count -= 1
                if self.count == 0 and self._limiter is not None:
                    self._limiter.restore_original_limits()


PREDICTIONS = OverlappingCalls()
"""All predictions of this process."""


@cache
def _libraries() -> ThreadpoolController:
    """Numpy's; looking for them takes milliseconds."""
    return ThreadpoolController().select(user_api="blas")
