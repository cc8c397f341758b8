"""A file of trajectories, put together from its parts in one pass; equal parts are equal bytes."""

from __future__ import annotations

import errno
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from returns.result import Success

from kdtab.config.base import revise
from kdtab.config.manifest import canonical_json
from kdtab.config.trajectories import GroupName, GroupRecord, TrajectoryRecord
from kdtab.data.arrays import IntArray
from kdtab.data.rangescale import RangeScaler
from kdtab.disk.atomic import move_into_place
from kdtab.disk.trajectoryparts import TrajectoryPart, read_part
from kdtab.errors.extras import ExtraMissing
from kdtab.errors.issue import Issue
from kdtab.errors.tables import DiskFull, NotWritable
from kdtab.results import Checked, fail

if TYPE_CHECKING:
    from h5py import File, _Group

VERSIONS = ("earliest", "v108")
"""Of the format: the oldest that does, whose bytes no newer library writes in another way."""


@dataclass(frozen=True)
class GroupPlan:
    """What is known of a group before its states are.

    Attributes:
        name: train, val or test.
        available: Series of the source's group.
        series: How many were chosen.
        steps: T.
        parts: The files of its batches, in order.

    Example:
        >>> GroupPlan("train", 9, 4, 7, ("a.parts/train-000000.safetensors",)).series
        4
    """

    name: GroupName
    available: int
    series: int
    steps: int
    parts: tuple[str, ...]


def assemble_trajectories(
    target: str,
    folder: str,
    record: TrajectoryRecord,
    groups: Sequence[GroupPlan],
    scaler: RangeScaler | None = None,
) -> Checked[TrajectoryRecord]:
    """Write the HDF5 file of all parts, and let it take its name when it is whole.

    Args:
        target: The file; what is there already is replaced.
        folder: Of the parts; the file is written there before it is moved.
        record: What is known beforehand.
        groups: The groups in order.
        scaler: Kept in `scaling/minimum` and `scaling/maximum`, [D_in] float64.

    Returns:
        The record with its groups, as it stands in the file; or the issues of `read_part` for a
        part that was damaged meanwhile, `ExtraMissing`, `NotWritable`, `DiskFull`.

    Example:
        >>> assemble_trajectories.__name__
        'assemble_trajectories'
    """
    try:
        import h5py
    except ImportError:
        return fail(ExtraMissing(extra="sequences", package="h5py"))
    temporary = Path(folder, f".kdtab-{secrets.token_hex(8)}.tmp")
    try:
        with h5py.File(str(temporary), "w", libver=VERSIONS) as file:
            written = _written(file, record, groups, scaler)
        return written.bind(lambda ended: move_into_place(temporary, target).map(lambda _: ended))
    except (OSError, RuntimeError) as error:
        return fail(_issue(target, _size(record, groups), error))
    finally:
        temporary.unlink(missing_ok=True)


def _written(
    file: File,
    record: TrajectoryRecord,
    groups: Sequence[GroupPlan],
    scaler: RangeScaler | None,
) -> Checked[TrajectoryRecord]:
    ended: list[GroupRecord] = []
    for plan in groups:
        outcome = _Filling(file.create_group(plan.name), plan, record).filled()
        if not isinstance(outcome, Success):
            return fail(*outcome.failure())
        ended.append(outcome.unwrap())
    if scaler is not None:
        kept = file.create_group("scaling")
        for name, values in (("minimum", scaler.least), ("maximum", scaler.greatest)):
            kept.create_dataset(name, data=values.astype("<f8"), track_times=False)
    whole = revise(record, groups=tuple(ended)).unwrap()
    text = canonical_json(whole.model_dump(mode="json"))
    file.attrs["kdtab"] = np.bytes_(text.encode("ascii"))
    return Success(whole)


@dataclass
class _Filling:
    group: _Group
    plan: GroupPlan
    record: TrajectoryRecord
    digests: dict[str, hashlib._Hash] = field(default_factory=dict)
    lengths: list[IntArray] = field(default_factory=list)

    def filled(self) -> Checked[GroupRecord]:
        plan, record = self.plan, self.record
        self._array("data", (plan.series, plan.steps, record.input_dim))
        self._array("labels", (plan.series, plan.steps + 1, record.output_dim))
        first = 0
        for path in plan.parts:
            part = read_part(path, record.plan)
            if not isinstance(part, Success):
                return fail(*part.failure())
            first = self._put(part.unwrap(), first)
        assert first == plan.series, "the parts of a plan hold all of its series"
        return Success(self._ended())

    def _array(self, name: str, shape: tuple[int, ...]) -> None:
        self.group.create_dataset(name, shape=shape, dtype="<f4", track_times=False)
        self.digests[name] = hashlib.sha256()

    def _put(self, part: TrajectoryPart, first: int) -> int:
        end = first + len(part.data)
        for name, values in (("data", part.data), ("labels", part.labels)):
            self.group[name][first:end] = values
            self.digests[name].update(np.asarray(values, dtype="<f4").tobytes())
        self.lengths.append(part.lengths.copy())  # a view would keep the whole part
        return end

    def _ended(self) -> GroupRecord:
        lengths, digest = np.concatenate(self.lengths).astype("<i8"), None
        if (lengths < self.plan.steps).any():
            self.group.create_dataset("lengths", data=lengths, track_times=False)
            digest = hashlib.sha256(lengths.tobytes()).hexdigest()
        return GroupRecord(
            name=self.plan.name,
            available=self.plan.available,
            series=self.plan.series,
            steps=self.plan.steps,
            data_sha256=self.digests["data"].hexdigest(),
            labels_sha256=self.digests["labels"].hexdigest(),
            lengths_sha256=digest,
        )


def _size(record: TrajectoryRecord, groups: Sequence[GroupPlan]) -> int:
    return sum(
        4 * plan.series * (plan.steps * record.input_dim + (plan.steps + 1) * record.output_dim)
        for plan in groups
    )


def _issue(target: str, size: int, error: OSError | RuntimeError) -> Issue:
    """The library raises its own words, in which the system's stand."""
    text = str(error)
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in text:
        return DiskFull(path=target, size=size)
    return NotWritable(path=target, reason=text.splitlines()[0].lower())
