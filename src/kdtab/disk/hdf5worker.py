"""The process that reads an HDF5 file for another one: it may hang or die, and harms nothing.

The HDF5 library trusts the bytes of a file: a changed byte can make it loop for ever, ask for all
memory or end its process. So `kdtab.disk.hdf5` runs this module as a process of its own, with a
bound on its memory and on the time it computes, and reads its answers. What the file holds is
looked at in `hdf5checks` before one number of it is read.

A request is a line of JSON that names an array, rows of it and a type; an answer is a line of JSON
and the bytes that it announces. The first answer, without a request, says what the file holds.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from h5py import h5f, h5p

from kdtab.disk.hdf5checks import Found, HarmError, checked_content

if TYPE_CHECKING:
    from h5py.h5f import _FileID

CPU_SECONDS = 20
"""Between two answers; a healthy file takes milliseconds for its structure, and for 64 MiB."""
MEMORY_BYTES = 3 * 2**30
TYPES = ("<f4", "<f8", "<i8")


def serve(path: str, requests: BinaryIO, answers: BinaryIO) -> None:
    r"""Say what a file holds, then answer requests for its numbers until there are no more.

    Args:
        path: The file.
        requests: Lines of JSON: {"place", "runs": [[first, last + 1], …], "type"}.
        answers: Gets a line of JSON for each, {"size"} before the bytes, or {"refused"} or
            {"broken"}.

    Example:
        >>> import io
        >>> answers = io.BytesIO()
        >>> serve("no such file", io.BytesIO(), answers)
        >>> list(json.loads(answers.getvalue()))
        ['broken']
    """
    found = _opened(path, answers)
    if found is None:
        return
    for line in requests:
        _within_seconds(CPU_SECONDS)
        try:
            content = _rows(found, json.loads(line))
        except Exception as error:  # the library raises a dozen classes for one damage
            _say(answers, {"broken": _words(error)})
        else:
            _say(answers, {"size": len(content)}, content)


def _opened(path: str, answers: BinaryIO) -> Found | None:
    try:
        found = checked_content(_file(path), Path(path).stat().st_size)
    except HarmError as harm:
        _say(answers, {"refused": harm.found, "place": harm.place})
    except Exception as error:  # the library raises a dozen classes for one damage
        _say(answers, {"broken": _words(error)})
    else:
        described = {place: array.described for place, array in found.arrays.items()}
        _say(answers, {"arrays": described, "record": found.record})
        return found
    return None


def _file(path: str) -> _FileID:
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_file_locking(False, True)  # a lock is a write, and some file systems have none
    return h5f.open(os.fsencode(path), h5f.ACC_RDONLY, access)


def _rows(found: Found, asked: Mapping[str, object]) -> bytes:
    place, runs, code = asked["place"], asked["runs"], asked["type"]
    assert isinstance(place, str)
    assert isinstance(runs, list)
    assert code in TYPES
    return b"".join(found.arrays[place].rows(first, end, str(code)) for first, end in runs)


def _say(answers: BinaryIO, head: Mapping[str, object], content: bytes = b"") -> None:
    answers.write(json.dumps(head).encode() + b"\n")
    answers.write(content)
    answers.flush()


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]


def _within_seconds(seconds: int) -> None:
    """End this process when it has computed for so long; waiting for a slow disk does not count."""
    try:
        import resource
    except ImportError:  # Windows: the other process counts by the clock alone
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _within_memory(size: int) -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or size < hard:
        resource.setrlimit(resource.RLIMIT_AS, (size, hard))


def bound_resources(memory_bytes: int = MEMORY_BYTES, cpu_seconds: int = CPU_SECONDS) -> None:
    """Bound what this process may take, before it looks at a file; nothing on Windows.

    Args:
        memory_bytes: Of its address space.
        cpu_seconds: Until its first answer.

    Example:
        >>> bound_resources.__name__
        'bound_resources'
    """
    _within_memory(memory_bytes)
    _within_seconds(cpu_seconds)


if __name__ == "__main__":
    bound_resources()
    serve(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
