"""What a file of trajectories says of itself."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from kdtab.config.base import FrozenConfig
from kdtab.config.labels import Digest
from kdtab.config.manifest import canonical_json
from kdtab.config.sequences import Backend, TrajectoryRequest

TRAJECTORY_FORMAT = 1
GroupName: TypeAlias = Literal["train", "val", "test"]
GROUPS: tuple[GroupName, ...] = ("train", "val", "test")
Positive: TypeAlias = Annotated[int, Field(ge=1)]


class GroupRecord(FrozenConfig):
    """One group of series in a file of trajectories.

    Attributes:
        name: train, val or test.
        available: Series of the source's group.
        series: How many were chosen.
        steps: T of the inputs; labels have T + 1.
        data_sha256: Digest of the bytes of `data`.
        labels_sha256: Digest of the bytes of `labels`.
        lengths_sha256: Digest of the bytes of `lengths`; None where every series has T steps.

    Example:
        >>> zero = "0" * 64
        >>> GroupRecord(
        ...     name="train", available=9, series=4, steps=7, data_sha256=zero, labels_sha256=zero
        ... ).lengths_sha256 is None
        True
    """

    name: GroupName
    available: Positive
    series: Positive
    steps: Positive
    data_sha256: Digest
    labels_sha256: Digest
    lengths_sha256: Digest | None = None


class TrajectoryRecord(FrozenConfig):
    """Whose states a file holds, of which series, and what was done to their inputs.

    Attributes:
        kind: "trajectories".
        format_version: 1.
        kdtab_version: The kdtab that wrote it.
        teacher: What the teacher calls itself.
        teacher_fingerprint: The same text for the same teacher.
        backend: With what the teacher was computed.
        source_sha256: Digest of the source file.
        request: Which series, and what was done to them.
        input_dim: D_in.
        output_dim: D_out.
        groups: The groups in the order train, val, test; empty until all states are there.

    Example:
        >>> example_record().request.seed
        42
    """

    kind: Literal["trajectories"] = "trajectories"
    format_version: Literal[1] = 1
    kdtab_version: str
    teacher: str
    teacher_fingerprint: str
    backend: Backend
    source_sha256: Digest
    request: TrajectoryRequest
    input_dim: Positive
    output_dim: Positive
    groups: Annotated[tuple[GroupRecord, ...], Field(strict=False)] = ()

    @property
    def plan(self) -> str:
        """Digest of all that is known before the teacher is asked; every part carries it.

        Example:
            >>> len(example_record().plan)
            64
        """
        fields = self.model_dump(mode="json", exclude={"groups"})
        return hashlib.sha256(canonical_json(fields).encode()).hexdigest()

    @property
    def is_scaled(self) -> bool:
        """Whether the inputs in the file are scaled already.

        Example:
            >>> example_record().is_scaled
            False
        """
        return self.request.scale_min is not None


COMPARED = tuple(name for name in TrajectoryRequest.model_fields if name != "batch_size")


def differing_keys(
    record: TrajectoryRecord,
    request: TrajectoryRequest,
    *,
    teacher_fingerprint: str | None,
    source_sha256: str | None,
    names: Collection[str] = COMPARED,
) -> tuple[tuple[str, str, str], ...]:
    """Where a file of trajectories is not what a config asks for.

    The batch size changes no state by more than rounding, so it is recorded and not compared.

    Args:
        record: Of the file.
        request: What is asked for.
        teacher_fingerprint: Of the teacher asked for; None: any.
        source_sha256: Of the source asked for; None: any.
        names: The fields of the request to compare: those that its user wrote.

    Returns:
        Name, what the file has, and what is asked for, of each that differs.

    Example:
        >>> record = example_record()
        >>> asked = TrajectoryRequest(max_samples=9, batch_size=1)
        >>> differing_keys(record, asked, teacher_fingerprint="t-2", source_sha256=None)
        (('teacher_fingerprint', 't-1', 't-2'), ('max_samples', 'None', '9'))
    """
    pairs: list[tuple[str, object, object]] = [
        ("teacher_fingerprint", record.teacher_fingerprint, teacher_fingerprint),
        ("source_sha256", record.source_sha256, source_sha256),
    ]
    found = [pair for pair in pairs if pair[2] is not None]
    found += [
        (name, getattr(record.request, name), getattr(request, name))
        for name in COMPARED
        if name in names
    ]
    return tuple((name, str(there), str(here)) for name, there, here in found if there != here)


def example_record() -> TrajectoryRecord:
    """A record of one source of one input and two states, for examples.

    Returns:
        The record before the teacher is asked.

    Example:
        >>> example_record().groups
        ()
    """
    return TrajectoryRecord(
        kdtab_version="0",
        teacher="rule",
        teacher_fingerprint="t-1",
        backend="torch",
        source_sha256="0" * 64,
        request=TrajectoryRequest(),
        input_dim=1,
        output_dim=2,
    )
