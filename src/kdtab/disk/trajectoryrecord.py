"""What a file of trajectories says of itself, read from its text."""

from __future__ import annotations

import json

from pydantic import ValidationError
from returns.result import Success

from kdtab.config.manifest import canonical_json
from kdtab.config.trajectories import TRAJECTORY_FORMAT, TrajectoryRecord
from kdtab.errors.trajectories import TrajectoriesTooNew, TrajectoryFileBroken
from kdtab.results import Checked, Value, fail


def record_in(path: str, text: str) -> Checked[TrajectoryRecord]:
    """The record of a file, as kdtab would have written it.

    Args:
        path: The file, for messages.
        text: Its attribute `kdtab`.

    Returns:
        The record, or `TrajectoryFileBroken`, `TrajectoriesTooNew`.

    Example:
        >>> from kdtab.config.trajectories import example_record
        >>> text = canonical_json(example_record().model_dump(mode="json"))
        >>> record_in("d.hdf5", text).unwrap() == example_record()
        True
        >>> record_in("d.hdf5", "{}").failure().first.reason
        'its record is not one of trajectories'
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return _broken(path, "its record is no JSON")
    if not isinstance(fields, dict) or fields.get("kind") != "trajectories":
        return _broken(path, "its record is not one of trajectories")
    version = fields.get("format_version")
    if type(version) is int and version > TRAJECTORY_FORMAT:
        return fail(TrajectoriesTooNew(path=path, found=version, known=TRAJECTORY_FORMAT))
    try:
        record = TrajectoryRecord.model_validate_json(text)
    except ValidationError as error:
        name = ".".join(str(part) for part in error.errors()[0]["loc"])
        return _broken(path, f"field {name!r} of its record is refused")
    if canonical_json(record.model_dump(mode="json")) != text:
        return _broken(path, "its record is not spelled as kdtab spells it")
    return Success(record)


def _broken(path: str, reason: str) -> Checked[Value]:
    return fail(TrajectoryFileBroken(path=path, reason=reason))
