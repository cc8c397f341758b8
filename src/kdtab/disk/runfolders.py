"""The folder of a run, made before hours of work could be lost for the lack of it."""

from __future__ import annotations

import os
from pathlib import Path

from returns.result import Success

from kdtab.errors.tables import NotWritable
from kdtab.results import Checked, fail


def made_folder(path: str | os.PathLike[str]) -> Checked[str]:
    """Make a folder, and those above it, unless it is there.

    Args:
        path: Where.

    Returns:
        The path, or `NotWritable`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = made_folder(Path(folder, "runs", "a")).unwrap()
        ...     Path(made).is_dir()
        True
    """
    named = os.fspath(path)
    try:
        Path(named).mkdir(parents=True, exist_ok=True)
        if not os.access(named, os.W_OK):
            return fail(NotWritable(path=named, reason="the folder is read-only"))
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else None
        return fail(NotWritable(path=named, reason=(words or str(error)).lower()))
    return Success(named)
