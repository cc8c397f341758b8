"""Whether a file is the same as at an earlier look."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from returns.result import Success

from kdtab.disk.localfiles import check_local_file
from kdtab.errors.tables import FileNotReadable
from kdtab.results import Checked, fail


@dataclass(frozen=True)
class FileState:
    """A file's content as one digest, and by what a change of it is noticed.

    Attributes:
        sha256: 64 hexadecimal digits.
        size: Bytes.
        modified: Nanoseconds since 1970.

    Example:
        >>> FileState("0" * 64, 9, 0).size
        9
    """

    sha256: str
    size: int
    modified: int


def file_state(path: str | os.PathLike[str]) -> Checked[FileState]:
    """Read a file once, in pieces, for its digest.

    Args:
        path: A local file.

    Returns:
        Its state, or the issues of `check_local_file`.

    Example:
        >>> file_state("no such file.csv").failure().first
        FileMissing(path='no such file.csv')
    """

    def state(named: str) -> Checked[FileState]:
        try:
            with Path(named).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                found = os.fstat(file.fileno())
        except OSError as error:
            return fail(FileNotReadable(path=named, reason=(error.strerror or str(error)).lower()))
        return Success(FileState(digest, found.st_size, found.st_mtime_ns))

    return check_local_file(path).bind(state)


def is_unchanged(path: str | os.PathLike[str], state: FileState) -> bool:
    """Whether a file still has the size and the time of an earlier look.

    Args:
        path: The file.
        state: What it was.

    Returns:
        False also when it is gone.

    Example:
        >>> is_unchanged("no such file.csv", FileState("0" * 64, 9, 0))
        False
    """
    try:
        found = Path(path).stat()
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (state.size, state.modified)
