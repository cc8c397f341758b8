"""Recorded trajectories as a teacher: the states that were stored with the very same inputs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from returns.result import Result, Success

from kdtab.data.arrays import Float32Array
from kdtab.disk.filestate import file_state
from kdtab.disk.hdf5 import Hdf5File, held_hdf5
from kdtab.disk.seriesgroups import SeriesGroup
from kdtab.disk.trajectories import TrajectoryFile, with_record
from kdtab.errors.sequenceteachers import SeriesUnrecorded
from kdtab.errors.trajectories import TrajectoryShapeInvalid
from kdtab.results import Checked, check, fail
from kdtab.teachers.sequenceinfo import SequenceTeacherInfo

KEY_BYTES = 16


@final
@dataclass(frozen=True, eq=False)
class RecordedSequenceTeacher:
    """A file of inputs and states; a series is found by its numbers, never by its position.

    Attributes:
        info: What is known of it; its fingerprint is the file's digest.
        found: The file, open for as long as the teacher is.
        places: Group and row of each series, by the digest of its inputs.

    Example:
        >>> recorded_sequence_teacher("no such file.h5").failure().first
        FileMissing(path='no such file.h5')
    """

    info: SequenceTeacherInfo
    found: TrajectoryFile
    places: Mapping[bytes, tuple[int, int]]

    def states(self, x: Float32Array) -> Checked[Float32Array]:
        """The states that were recorded for these inputs.

        Args:
            x: [N, T, D_in] float32, to the bit as they were recorded; not changed.

        Returns:
            [N, T + 1, D_out] float32, or `SeriesUnrecorded`, `TrajectoryFileBroken`.

        Example:
            >>> RecordedSequenceTeacher.states.__name__
            'states'
        """
        known = [self.places.get(_key(series)) for series in x]
        absent = sum(place is None for place in known)
        if absent:
            path = self.found.file.path
            return fail(SeriesUnrecorded(path=path, count=absent, asked=len(x)))
        states = np.empty((len(x), x.shape[1] + 1, self.info.output_dim), dtype=np.float32)
        asked = np.array(known)
        for at, group in enumerate(self.found.groups):
            mine = np.flatnonzero(asked[:, 0] == at)
            if not len(mine):
                continue
            labels = self.found.numbers(group, "labels", asked[mine, 1])
            if not isinstance(labels, Success):
                return fail(*labels.failure())
            states[mine] = labels.unwrap()[:, : states.shape[1]]
        return Success(states)


def recorded_sequence_teacher(path: str | os.PathLike[str]) -> Checked[RecordedSequenceTeacher]:
    """An HDF5 file of inputs and states as a teacher; its inputs are read once, in pieces.

    Args:
        path: A file with data and labels, by kdtab or by another program.

    Returns:
        The teacher; or `TrajectoryShapeInvalid` where t = 0 is left out, and the issues of
        `opened_trajectories`.

    Example:
        >>> recorded_sequence_teacher("no such file.h5").failure().first
        FileMissing(path='no such file.h5')
    """
    return Result.do(
        RecordedSequenceTeacher(_info(found.groups[0], state.sha256), found, places)
        for state in file_state(path)
        for file in held_hdf5(path)
        for found in with_record(file)
        for _ in check(*(_without_start(file, group) for group in found.groups))
        for places in _places(found)
    )


def _info(group: SeriesGroup, digest: str) -> SequenceTeacherInfo:
    name = "recorded trajectories"
    return SequenceTeacherInfo(name, group.input_dim, group.output_dim or 0, digest)


def _without_start(file: Hdf5File, group: SeriesGroup) -> TrajectoryShapeInvalid | None:
    if group.label_steps == group.steps + 1:
        return None
    return TrajectoryShapeInvalid(
        path=file.path,
        place=f"{group.place}/labels",
        expected=f"{group.steps + 1} steps long, t = 0 included, to be a teacher's",
        found=str(group.label_steps),
    )


def _places(found: TrajectoryFile) -> Checked[Mapping[bytes, tuple[int, int]]]:
    places: dict[bytes, tuple[int, int]] = {}
    for at, group in enumerate(found.groups):
        row = 0
        lengths = found.lengths(group)
        if not isinstance(lengths, Success):
            return fail(*lengths.failure())
        for block in found.blocks(group, "data"):
            if not isinstance(block, Success):
                return fail(*block.failure())
            for series in block.unwrap():
                places.setdefault(_key(series[: lengths.unwrap()[row]]), (at, row))
                row += 1
    return Success(places)


def _key(series: Float32Array) -> bytes:
    """By its numbers: a zero has one sign."""
    form = f"{series.shape}".encode()
    numbers = np.asarray(series + np.float32(0), dtype="<f4").tobytes()
    return hashlib.blake2b(form + numbers, digest_size=KEY_BYTES).digest()
