"""Write a file whole or not at all: a crash, a full disk or Ctrl-C leave what was there before."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

from returns.result import Success

from kdtab.errors.issue import Issue
from kdtab.errors.tables import DiskFull, FolderMissing, NotWritable
from kdtab.results import Checked, fail

_NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_OPEN_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def write_bytes(path: str | os.PathLike[str], content: bytes) -> Checked[None]:
    r"""Put `content` at `path`, in one step for every reader: the old file or the new one.

    The bytes go to a temporary file in the same folder, are flushed to the disk (fsync), and take
    the path's place (`os.replace`); then the folder is flushed. A symbolic link stays a link: the
    file it names is replaced. The mode is what the umask gives a new file.

    Args:
        path: Where to write; its folder exists.
        content: The whole file.

    Returns:
        `Success(None)`, or `FolderMissing`, `NotWritable`, `DiskFull`. In each of these, and on an
        interrupt, the path is as it was and no temporary file remains.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     outcome = write_bytes(Path(folder, "a.bin"), b"\x01\x02")
        ...     outcome, Path(folder, "a.bin").read_bytes(), len(list(Path(folder).iterdir()))
        (<Success: None>, b'\x01\x02', 1)
    """
    named = os.fspath(path)
    try:
        target = Path(named).resolve()
        refused = _refusal(named, target)
        if refused is not None:
            return fail(refused)
        _replace(target, content)
    except (OSError, ValueError, RuntimeError) as error:
        return fail(_issue(named, len(content), error))
    return Success(None)


def move_into_place(
    finished: str | os.PathLike[str], path: str | os.PathLike[str]
) -> Checked[None]:
    r"""Let a finished file take the place of another, in one step for every reader.

    For files too large to be in memory at once: as `write_bytes`, but for the temporary file, which
    the caller has written.

    Args:
        finished: A closed file on the same disk; it is flushed, and gone afterwards.
        path: Where it goes; its folder exists.

    Returns:
        `Success(None)`, or `FolderMissing`, `NotWritable`, `DiskFull`; then both are as they were.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.tmp").write_bytes(b"\x01")
        ...     outcome = move_into_place(Path(folder, "a.tmp"), Path(folder, "a.bin"))
        ...     outcome, [item.name for item in Path(folder).iterdir()]
        (<Success: None>, ['a.bin'])
    """
    named = os.fspath(path)
    try:
        target = Path(named).resolve()
        refused = _refusal(named, target)
        if refused is not None:
            return fail(refused)
        with Path(finished).open("rb+") as file:
            os.fsync(file.fileno())
        Path(finished).replace(target)
        _flush_folder(target.parent)
    except (OSError, ValueError, RuntimeError) as error:
        return fail(_issue(named, 0, error))
    return Success(None)


def _refusal(named: str, target: Path) -> Issue | None:
    if not named:
        return NotWritable(path=named, reason="the path is empty")
    if not target.parent.is_dir():
        return FolderMissing(path=named, folder=str(Path(named).parent))
    if not target.exists():
        return None
    if target.is_dir():
        return NotWritable(path=named, reason="it is a folder")
    if not stat.S_ISREG(target.stat().st_mode):
        return NotWritable(path=named, reason="it is a pipe, a device or a socket")
    if not os.access(target, os.W_OK):
        return NotWritable(path=named, reason="the file there is read-only")
    return None


def _replace(target: Path, content: bytes) -> None:
    # The name is short whatever the target's is, and starts with a dot: `*.kdtab` never meets it.
    temporary = target.parent / f".kdtab-{secrets.token_hex(8)}.tmp"
    try:
        with open(os.open(temporary, _OPEN_NEW, 0o666), "wb") as file:  # noqa: PTH123
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(target.parent)


def _flush_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows opens no folder
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems flush no folder; the file is in place all the same.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}:
            raise
    finally:
        os.close(descriptor)


def _issue(named: str, size: int, error: OSError | ValueError | RuntimeError) -> Issue:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return DiskFull(path=named, size=size)
    if isinstance(error, OSError) and error.strerror:
        return NotWritable(path=named, reason=error.strerror.lower())
    return NotWritable(path=named, reason=str(error).lower())
