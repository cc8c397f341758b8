"""The other process that reads an HDF5 file: asked, waited for, and ended when it does not answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeAlias

from returns.result import Success

from kdtab.errors.trajectories import TrajectoryFileBroken, TrajectoryFileRefused
from kdtab.results import Checked, Value, fail

MOST_LINE_BYTES = 2**24
WALL_SECONDS = 600.0
"""For one answer. A file that hangs the library is ended long before, by its computing time."""
WORKER = "kdtab.disk.hdf5worker"
Head: TypeAlias = Mapping[str, object]


class Hdf5Process:
    """A process that has one HDF5 file open; see `hdf5worker` for what it says.

    Args:
        path: The file.

    Example:
        >>> process = Hdf5Process("no such file")
        >>> process.first().failure().first.path
        'no such file'
        >>> process.close()
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._late = threading.Event()
        surroundings = {
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
            "HDF5_PLUGIN_PRELOAD": "::",  # no code out of a folder of plugins
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", WORKER, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **surroundings},
        )

    def first(self) -> Checked[Head]:
        """What it says of the file before it is asked.

        Returns:
            Arrays and record as JSON values; or `TrajectoryFileRefused`, `TrajectoryFileBroken`.

        Example:
            >>> Hdf5Process.first.__name__
            'first'
        """
        return self._heard(None, 0).map(lambda answer: answer[0])

    def answer(self, wanted: Head, size: int) -> Checked[bytes]:
        """Numbers of the file.

        Args:
            wanted: A request.
            size: The bytes of its answer.

        Returns:
            The bytes, or `TrajectoryFileBroken`; then it answers nothing more.

        Example:
            >>> Hdf5Process.answer.__name__
            'answer'
        """
        return self._heard(wanted, size).map(lambda answer: answer[1])

    def close(self) -> None:
        """End it.

        Example:
            >>> Hdf5Process.close.__name__
            'close'
        """
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                assert stream is not None
                stream.close()
        self._process.kill()
        self._process.wait()

    def _heard(self, wanted: Head | None, size: int) -> Checked[tuple[Head, bytes]]:
        watch = threading.Timer(WALL_SECONDS, self._give_up)
        watch.daemon = True
        watch.start()
        try:
            return self._spoken(wanted, size)
        except (OSError, ValueError):
            return self._broken(self._ending())
        finally:
            watch.cancel()

    def _spoken(self, wanted: Head | None, size: int) -> Checked[tuple[Head, bytes]]:
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        if wanted is not None:
            requests.write(json.dumps(wanted).encode() + b"\n")
            requests.flush()
        head = json.loads(answers.readline(MOST_LINE_BYTES))
        if "refused" in head:
            place, found = str(head["place"]), str(head["refused"])
            return fail(TrajectoryFileRefused(path=self.path, place=place, found=found))
        if "broken" in head:
            return self._broken(f"the HDF5 library says: {head['broken']}")
        content = answers.read(size)
        return Success((head, content)) if len(content) == size else self._broken(self._ending())

    def _give_up(self) -> None:
        self._late.set()
        self._process.kill()

    def _ending(self) -> str:
        """Why the other process is no more; where it only says nonsense, it is ended first."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self._process.kill()
        code = self._process.wait()
        if self._late.is_set() or code == -getattr(signal, "SIGXCPU", 0):
            return "the HDF5 library did not come back from it"
        return "the HDF5 library broke down over it"

    def _broken(self, reason: str) -> Checked[Value]:
        return fail(TrajectoryFileBroken(path=self.path, reason=reason))
