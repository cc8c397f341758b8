"""HDF5 files of any origin, read by a process that may die of them; see `hdf5worker`."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from returns.result import Success

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.disk.hdf5process import Hdf5Process, Head
from kdtab.disk.localfiles import check_local_file
from kdtab.disk.signatures import describe_foreign
from kdtab.errors.extras import ExtraMissing
from kdtab.errors.tables import FileNotReadable
from kdtab.errors.trajectories import TrajectoryFileForeign
from kdtab.results import Checked, check, fail

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MOST_ANSWER_BYTES = 2**26
Number: TypeAlias = Literal["<f4", "<f8", "<i8"]
AnyNumbers: TypeAlias = npt.NDArray[np.float32] | FloatArray | IntArray


@dataclass(frozen=True)
class ArrayInfo:
    """An array in a file.

    Attributes:
        shape: Its axes.
        type: numpy's letter and the bytes of one number: f4, i8.

    Example:
        >>> ArrayInfo((3, 4, 2), "f4").shape[0]
        3
    """

    shape: tuple[int, ...]
    type: str


@dataclass(frozen=True, eq=False)
class Hdf5File:
    """A harmless HDF5 file, open in another process.

    Attributes:
        path: The file.
        arrays: Its arrays of numbers by place, `/train/data`.
        record: The text of the attribute `kdtab`; None without one.

    Example:
        >>> Hdf5File.rows.__name__
        'rows'
    """

    path: str
    arrays: Mapping[str, ArrayInfo]
    record: str | None
    _process: Hdf5Process | None = None

    def rows(self, place: str, rows: IntArray, number: Number) -> Checked[AnyNumbers]:
        """Rows of an array, in the order asked for.

        Args:
            place: The array.
            rows: [n] places from 0; consecutive ones are read at once.
            number: The type that they are given in.

        Returns:
            [n, ...] numbers, or `TrajectoryFileBroken`.

        Example:
            >>> Hdf5File.rows.__name__
            'rows'
        """
        axes = self.arrays[place].shape[1:]
        size = max(1, prod(axes) * np.dtype(number).itemsize)
        values = np.empty((len(rows), *axes), dtype=number)
        begin = 0
        for runs in _runs(rows, max(1, MOST_ANSWER_BYTES // size)):
            count = sum(end - first for first, end in runs)
            wanted = {"place": place, "runs": runs, "type": number}
            assert self._process is not None, "the file is open"
            answer = self._process.answer(wanted, count * size)
            if not isinstance(answer, Success):
                return fail(*answer.failure())
            piece = np.frombuffer(answer.unwrap(), dtype=number)
            values[begin : begin + count] = piece.reshape(count, *axes)
            begin += count
        return Success(values)


@contextmanager
def opened_hdf5(path: str | os.PathLike[str]) -> Iterator[Checked[Hdf5File]]:
    """A file that can do no harm, for as long as the block lasts.

    Every link, type and size in it is checked before a number is read, in a process with bounds on
    its memory and its computing time.

    Args:
        path: A local regular file of any origin.

    Yields:
        The file; or `TrajectoryFileForeign`, `TrajectoryFileRefused`, `TrajectoryFileBroken`,
        `ExtraMissing`, and the issues of `check_local_file`.

    Example:
        >>> with opened_hdf5("no such file.h5") as found:
        ...     found.failure().first
        FileMissing(path='no such file.h5')
    """
    named = os.fspath(path)
    fine = check_hdf5(named)
    if not isinstance(fine, Success):
        yield fail(*fine.failure())
        return
    process = Hdf5Process(named)
    try:
        yield process.first().map(lambda head: _described(process, head))
    finally:
        process.close()


def held_hdf5(path: str | os.PathLike[str]) -> Checked[Hdf5File]:
    """A file that can do no harm, for as long as somebody refers to it.

    Args:
        path: A local regular file of any origin.

    Returns:
        As `opened_hdf5`.

    Example:
        >>> held_hdf5("no such file.h5").failure().first
        FileMissing(path='no such file.h5')
    """

    def held(_: None) -> Checked[Hdf5File]:
        process = Hdf5Process(os.fspath(path))
        found = process.first().map(lambda head: _described(process, head))
        if not isinstance(found, Success):
            process.close()
            return found
        weakref.finalize(found.unwrap(), process.close)
        return found

    return check_hdf5(os.fspath(path)).bind(held)


def check_hdf5(path: str) -> Checked[None]:
    """Whether a file opens like an HDF5 file, and there is a library to read it.

    Args:
        path: A local file.

    Returns:
        None, or `TrajectoryFileForeign`, `ExtraMissing` and the issues of `check_local_file`.

    Example:
        >>> check_hdf5("/").failure().first
        PathIsFolder(path='/')
    """

    def known(opening: bytes) -> Checked[None]:
        if not opening.startswith(SIGNATURE):
            return fail(TrajectoryFileForeign(path=path, found=describe_foreign(opening)))
        return check_h5py()

    return file_opening(path).bind(known)


def check_h5py() -> Checked[None]:
    """Whether HDF5 can be read and written here; worth knowing before a teacher is asked.

    Returns:
        None, or `ExtraMissing`.

    Example:
        >>> check_h5py().unwrap() is None
        True
    """
    absent = find_spec("h5py") is None
    return check(ExtraMissing(extra="sequences", package="h5py") if absent else None)


def file_opening(path: str, size: int = 512) -> Checked[bytes]:
    """The first bytes of a local regular file.

    Args:
        path: The file.
        size: How many at most.

    Returns:
        Its first bytes, or the issues of `check_local_file`.

    Example:
        >>> file_opening("no such file").failure().first
        FileMissing(path='no such file')
    """

    def opening(named: str) -> Checked[bytes]:
        try:
            with Path(named).open("rb") as file:
                return Success(file.read(size))
        except OSError as error:
            return fail(FileNotReadable(path=named, reason=(error.strerror or str(error)).lower()))

    return check_local_file(path).bind(opening)


def _runs(rows: IntArray, most: int) -> Iterator[list[tuple[int, int]]]:
    """Runs of consecutive rows as (first, last + 1), at most so many rows at a time."""
    for begin in range(0, len(rows), most):
        asked = rows[begin : begin + most]
        breaks = np.flatnonzero(np.diff(asked) != 1) + 1
        firsts = asked[np.concatenate([[0], breaks])].tolist()
        ends = (asked[np.concatenate([breaks - 1, [len(asked) - 1]])] + 1).tolist()
        yield list(zip(firsts, ends, strict=True))


def _described(process: Hdf5Process, head: Head) -> Hdf5File:
    arrays, record = head["arrays"], head["record"]
    assert isinstance(arrays, dict)
    infos = {
        place: ArrayInfo(tuple(about["shape"]), about["type"]) for place, about in arrays.items()
    }
    return Hdf5File(process.path, infos, None if record is None else str(record), process)
