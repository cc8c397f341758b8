"""The bytes of a bundle file, which may be anything."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, TypeVar

from returns.result import Result, Success

from kdtab.errors.bundles import (
    BundleCorrupt,
    BundleForeign,
    BundleMissing,
    BundleNotReadable,
    BundleTooLarge,
)
from kdtab.errors.issue import Issues
from kdtab.results import fail

MOST_BYTES = 2 * 2**30
# Without O_NONBLOCK, opening a pipe that took the file's place would wait for ever.
OPEN_OLD = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
Value = TypeVar("Value")


def bundle_content(path: str) -> Result[bytes, Issues]:
    """The bytes of a file, unless it is absent, no regular file, or too large.

    Args:
        path: A regular file, or a link to one.

    Returns:
        The whole content; or `BundleMissing`, `BundleNotReadable`, `BundleForeign`,
        `BundleTooLarge`, `BundleCorrupt`.

    Example:
        >>> bundle_content("no such file").failure().first
        BundleMissing(path='no such file')
    """
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):
            return _irregular(path, mode)
        with os.fdopen(os.open(path, OPEN_OLD), "rb") as file:
            return _whole(path, file)
    except (FileNotFoundError, NotADirectoryError):
        return fail(BundleMissing(path=path))
    except OSError as error:
        return fail(BundleNotReadable(path=path, reason=error.strerror or str(error)))
    except ValueError:
        return fail(BundleNotReadable(path=path, reason="no file can have this name"))


def _whole(path: str, file: BinaryIO) -> Result[bytes, Issues]:
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode):
        return _irregular(path, found.st_mode)
    if found.st_size > MOST_BYTES:
        return fail(BundleTooLarge(path=path, size=found.st_size, most=MOST_BYTES))
    content = file.read(found.st_size + 1)
    if len(content) != found.st_size:
        return corrupt(path, "it changed while it was read")
    return Success(content)


def _irregular(path: str, mode: int) -> Result[bytes, Issues]:
    found = "a folder" if stat.S_ISDIR(mode) else "a pipe, a device or a socket"
    return fail(BundleForeign(path=path, found=found))


def corrupt(path: str, *reasons: str) -> Result[Value, Issues]:
    """The failure of a file that is no whole bundle.

    Args:
        path: The file.
        *reasons: What is wrong with it, at least one.

    Returns:
        `BundleCorrupt` for each.

    Example:
        >>> corrupt("t.kdtab", "it is cut off").failure().first
        BundleCorrupt(path='t.kdtab', reason='it is cut off')
    """
    return fail(*(BundleCorrupt(path=path, reason=reason) for reason in reasons))
