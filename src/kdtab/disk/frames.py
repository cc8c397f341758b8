"""Frames out: CSV, TSV, Parquet and JSON lines, each file whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO, Protocol

import polars as pl

from kdtab.disk.atomic import write_bytes
from kdtab.errors.configs import OutputFormatUnknown
from kdtab.results import Checked, check


class _Writer(Protocol):
    def __call__(self, frame: pl.DataFrame, stream: BinaryIO) -> object: ...


WRITERS: dict[str, _Writer] = {
    ".csv": lambda frame, stream: frame.write_csv(stream),
    ".tsv": lambda frame, stream: frame.write_csv(stream, separator="\t"),
    ".parquet": lambda frame, stream: frame.write_parquet(stream),
    ".jsonl": lambda frame, stream: frame.write_ndjson(stream),
    ".ndjson": lambda frame, stream: frame.write_ndjson(stream),
}


def suffix_issue(path: str | os.PathLike[str]) -> OutputFormatUnknown | None:
    """Why a frame cannot be written under this name.

    Args:
        path: Where a frame is to be written.

    Returns:
        `OutputFormatUnknown` unless the name ends in a suffix that stands for a format.

    Example:
        >>> suffix_issue("out.csv") is None, suffix_issue("out.xls").path
        (True, 'out.xls')
    """
    if Path(path).suffix.lower() in WRITERS:
        return None
    return OutputFormatUnknown(path=os.fspath(path), known=tuple(WRITERS))


def write_frame(path: str | os.PathLike[str], frame: pl.DataFrame) -> Checked[None]:
    r"""Write a frame in the format that the suffix names.

    Args:
        path: A `.csv`, `.tsv`, `.parquet`, `.jsonl` or `.ndjson` file; what is there is replaced.
        frame: [N rows] with columns of plain types.

    Returns:
        None, or `OutputFormatUnknown`, `FolderMissing`, `NotWritable`, `DiskFull`; on a failure the
        path is as it was.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     outcome = write_frame(Path(folder, "a.csv"), pl.DataFrame({"x": [1, 2]}))
        ...     outcome, Path(folder, "a.csv").read_text()
        (<Success: None>, 'x\n1\n2\n')
    """

    def write(_: None) -> Checked[None]:
        stream = io.BytesIO()
        WRITERS[Path(path).suffix.lower()](frame, stream)
        return write_bytes(path, stream.getvalue())

    return check(suffix_issue(path)).bind(write)
