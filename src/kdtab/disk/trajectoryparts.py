"""The parts of trajectories that are being generated: one checksummed safetensors file a batch.

They lie in a folder beside the file that they become, so that a run that was killed goes on, and
nothing is written twice: the HDF5 file is put together from them in one pass.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from returns.result import Success

from kdtab.config.manifest import canonical_json
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.disk.atomic import write_bytes
from kdtab.disk.layout import (
    METADATA,
    METADATA_KEY,
    arrays_in,
    data_of,
    digest_of,
    header_of,
    places_in,
    places_of,
    strict_json,
)
from kdtab.disk.localfiles import read_local_file
from kdtab.errors.tables import FolderMissing, NotWritable
from kdtab.errors.trajectories import TrajectoryFileBroken
from kdtab.record import Array
from kdtab.results import Checked, fail

SUFFIX = ".parts"
TEMPORARY = ".kdtab-*.tmp"
STALE_SECONDS = 3600.0
LENGTH_BYTES = 8
_PART = re.compile(r"(train|val|test)-[0-9]{6,}\.safetensors")


@dataclass(frozen=True, eq=False)
class TrajectoryPart:
    """One batch of series and of a teacher's states.

    Attributes:
        data: [n, T, D_in] inputs as the teacher got them.
        labels: [n, T + 1, D_out] states, t = 0 included.
        lengths: [n] how many steps of each series are its own.

    Example:
        >>> import numpy as np
        >>> x, y = np.zeros((1, 2, 1), np.float32), np.zeros((1, 3, 1), np.float32)
        >>> TrajectoryPart(x, y, np.array([2])).labels.shape
        (1, 3, 1)
    """

    data: Float32Array
    labels: Float32Array
    lengths: IntArray


def staging_folder(target: str) -> str:
    """Where the parts of a file lie until it is whole.

    Args:
        target: The file.

    Returns:
        A folder beside it.

    Example:
        >>> staging_folder("run/distillation_data.hdf5")
        'run/distillation_data.hdf5.parts'
    """
    return f"{target}{SUFFIX}"


def begin_staging(target: str) -> Checked[str]:
    """Make the folder of parts, or find the one of a run that was killed.

    Args:
        target: The file that is to be written; its folder exists.

    Returns:
        The folder, or `FolderMissing`, `NotWritable`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Path(begin_staging(f"{folder}/a.hdf5").unwrap()).name
        'a.hdf5.parts'
    """
    folder = staging_folder(target)
    try:
        Path(folder).mkdir(exist_ok=True)
    except FileNotFoundError:
        return fail(FolderMissing(path=target, folder=str(Path(target).parent)))
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else None
        return fail(NotWritable(path=folder, reason=(words or str(error)).lower()))
    before = time.time() - STALE_SECONDS
    for left in Path(folder).glob(TEMPORARY):
        with suppress(OSError):  # another writer was faster
            if left.stat().st_mtime < before:
                left.unlink()
    return Success(folder)


def end_staging(folder: str) -> None:
    """Remove the parts, and their folder when nothing else lies in it.

    Args:
        folder: As `begin_staging` made it.

    Example:
        >>> end_staging("no-such-folder")
    """
    with suppress(OSError):  # the file is whole; what is left of its parts is no failure
        for item in Path(folder).iterdir():
            if _PART.fullmatch(item.name) or item.match(TEMPORARY):
                item.unlink(missing_ok=True)
        Path(folder).rmdir()


def part_path(folder: str, group: str, number: int) -> str:
    """The file of a part.

    Args:
        folder: Of the parts.
        group: train, val or test.
        number: Of the batch in its group, from 0.

    Returns:
        A path that sorts by number below a million.

    Example:
        >>> part_path("a.parts", "val", 7)
        'a.parts/val-000007.safetensors'
    """
    return str(Path(folder, f"{group}-{number:06}.safetensors"))


def write_part(path: str, plan: str, part: TrajectoryPart) -> Checked[None]:
    """Put a part into the folder in one step; equal parts are equal bytes.

    Args:
        path: As `part_path` names it.
        plan: `TrajectoryRecord.plan`, which the file carries.
        part: Its arrays.

    Returns:
        None, or `FolderMissing`, `NotWritable`, `DiskFull`.

    Example:
        >>> import tempfile, numpy as np
        >>> x, y = np.ones((1, 2, 1), np.float32), np.ones((1, 3, 1), np.float32)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = part_path(folder, "train", 0)
        ...     _ = write_part(path, "plan", TrajectoryPart(x, y, np.array([2])))
        ...     read_part(path, "plan").unwrap().lengths.tolist(), read_part(path, "other").map(len)
        ([2], <Failure: ...>)
    """
    arrays: dict[str, Array] = {"data": part.data, "labels": part.labels, "lengths": part.lengths}
    places = places_of(arrays)
    data = data_of(arrays, places)
    fields: dict[str, object] = {"kind": "trajectory part", "plan": plan}
    signed = fields | {"sha256": digest_of(fields, places, data)}
    return write_bytes(path, header_of(canonical_json(signed), places) + data)


def read_part(path: str, plan: str) -> Checked[TrajectoryPart]:
    """A part of which every byte is what was written for this plan.

    Args:
        path: As `part_path` names it.
        plan: `TrajectoryRecord.plan`.

    Returns:
        The part, or an issue where there is none, a damaged one, or one of another plan: it is to
        be made again.

    Example:
        >>> read_part("no-such-file", "plan").failure().first
        FileMissing(path='no-such-file')
    """
    return read_local_file(path).bind(lambda content: _decoded(path, plan, content))


def _decoded(path: str, plan: str, content: bytes) -> Checked[TrajectoryPart]:
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    header, data = content[LENGTH_BYTES : LENGTH_BYTES + length], content[LENGTH_BYTES + length :]

    def verified(entries: Mapping[str, object]) -> Checked[TrajectoryPart]:
        metadata = entries.get(METADATA)
        text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
        if not isinstance(text, str):
            return _broken(path, "it is no part of trajectories")
        return strict_json(path, text).bind(
            lambda fields: _signed(path, plan, entries, fields, data)
        )

    return strict_json(path, header).bind(verified)


def _signed(
    path: str, plan: str, entries: Mapping[str, object], fields: Mapping[str, object], data: bytes
) -> Checked[TrajectoryPart]:
    places = places_in(path, entries)
    if not isinstance(places, Success):
        return fail(*places.failure())
    found = places.unwrap()
    whole = (found[-1].end if found else 0) == len(data)
    if not whole or fields.get("sha256") != digest_of(fields, found, data):
        return _broken(path, "its checksum differs")
    if fields.get("plan") != plan:
        return _broken(path, "it is of another run")
    arrays = arrays_in(found, memoryview(data))
    return Success(TrajectoryPart(arrays["data"], arrays["labels"], arrays["lengths"]))  # type: ignore[arg-type]  # by the digest


def _broken(path: str, reason: str) -> Checked[TrajectoryPart]:
    return fail(TrajectoryFileBroken(path=path, reason=reason))
