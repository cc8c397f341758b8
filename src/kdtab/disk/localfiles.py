"""Open a local regular file, and nothing else: no folder, no pipe, no address of the web."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from kdtab.errors.issue import Issue
from kdtab.errors.tables import (
    FileMissing,
    FileNotReadable,
    PathIsFolder,
    PathIsUrl,
    PathNotRegular,
)
from kdtab.results import Checked, Value, check, fail

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# Without O_NONBLOCK, opening a pipe that took the file's place would wait for ever.
_OPEN_OLD = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def check_local_file(path: str | os.PathLike[str]) -> Checked[str]:
    """Look at a path without opening it.

    Args:
        path: The file.

    Returns:
        The path as text, or what `read_local_file` would say of it.

    Example:
        >>> check_local_file("/").failure().first
        PathIsFolder(path='/')
    """
    named = os.fspath(path)
    if _ADDRESS.match(named):
        return fail(PathIsUrl(path=named))
    if not named:  # `Path("")` is the working folder
        return fail(FileMissing(path=named))
    return _guarded(named, lambda: check(_refusal(named, Path(named).stat().st_mode))).map(
        lambda _: named
    )


def read_local_file(path: str | os.PathLike[str]) -> Checked[bytes]:
    """The bytes of one local regular file, opened by exactly that name.

    Nothing is expanded: `a[1].csv` and `a*.csv` are names like any other.

    Args:
        path: The file.

    Returns:
        Its content, or `PathIsUrl`, `FileMissing`, `PathIsFolder`, `PathNotRegular`,
        `FileNotReadable`.

    Example:
        >>> read_local_file("no such file.csv").failure().first
        FileMissing(path='no such file.csv')
        >>> read_local_file("/").failure().first
        PathIsFolder(path='/')
    """
    return check_local_file(path).bind(lambda named: _guarded(named, lambda: _content(named)))


def _guarded(named: str, action: Callable[[], Checked[Value]]) -> Checked[Value]:
    try:
        return action()
    except FileNotFoundError:
        return fail(FileMissing(path=named))
    except OSError as error:
        return fail(FileNotReadable(path=named, reason=(error.strerror or str(error)).lower()))
    except ValueError as error:  # a NUL character in the path
        return fail(FileNotReadable(path=named, reason=str(error)))


def _content(named: str) -> Checked[bytes]:
    with open(os.open(named, _OPEN_OLD), "rb") as file:  # noqa: PTH123
        fine = check(_refusal(named, os.fstat(file.fileno()).st_mode))
        return fine.map(lambda _: file.read())


def _refusal(named: str, mode: int) -> Issue | None:
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode):
        return PathIsFolder(path=named)
    found = "a named pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
    return PathNotRegular(path=named, found=found)
