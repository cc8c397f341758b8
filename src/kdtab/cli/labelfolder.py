"""What `--labels` may be: a policy, or a folder of what a teacher said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kdtab.config.teachers import LABEL_POLICIES
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.labels import LabelsAbsent


def label_folder(flags: Mapping[str, object]) -> str | None:
    """The folder that stands in for a teacher.

    Args:
        flags: Of the command.

    Returns:
        Its path; None for a policy, and for a folder that is not there.

    Example:
        >>> label_folder({"labels": "auto"}) is None
        True
    """
    labels = flags.get("labels")
    is_folder = isinstance(labels, str) and labels not in LABEL_POLICIES and Path(labels).is_dir()
    return str(labels) if is_folder else None


def labels_issue(
    flags: Mapping[str, object], teacher: str | None
) -> FieldInvalid | LabelsAbsent | None:
    """What is wrong with a folder of labels: it is there, and there is no other teacher.

    Args:
        flags: Of the command.
        teacher: As it was given.

    Returns:
        One issue, or None.

    Example:
        >>> labels_issue({"labels": "no-such-folder"}, None)
        LabelsAbsent(path='no-such-folder')
    """
    labels, folder = flags.get("labels"), label_folder(flags)
    if folder is not None and teacher is not None:
        rule = "is a folder of what a teacher said: give it or a --teacher, not both"
        return FieldInvalid(name="--labels", rule=rule, found=folder)
    if folder is None and teacher is None and isinstance(labels, str):
        return None if labels in LABEL_POLICIES else LabelsAbsent(path=labels)
    return None
