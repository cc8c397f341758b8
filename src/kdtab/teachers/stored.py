"""A label store as a teacher: it says what it once was told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import final

import polars as pl

from kdtab.data.outputs import TeacherOutputs
from kdtab.disk.labels import LabelStore, joined_outputs, read_labels
from kdtab.results import Checked
from kdtab.teachers.teacher import TeacherInfo


@final
@dataclass(frozen=True, eq=False)
class StoredTeacher:
    """The labels of a store, found by key.

    Attributes:
        store: A finished store.

    Example:
        >>> from kdtab.config.labels import example_ledger
        >>> StoredTeacher(LabelStore("labels", example_ledger())).info.name
        'rule'
    """

    store: LabelStore

    @property
    def info(self) -> TeacherInfo:
        """What the store remembers of its teacher.

        Example:
            >>> from kdtab.config.labels import example_ledger
            >>> StoredTeacher(LabelStore("labels", example_ledger())).info.task
            'regression'
        """
        ledger = self.store.ledger
        return TeacherInfo(
            name=ledger.teacher,
            task=ledger.task,
            classes=ledger.classes,
            output_kind=ledger.output_kind,
            fingerprint=ledger.teacher_fingerprint,
        )

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """The stored labels of rows.

        Args:
            frame: [N] rows with the columns of the store's keys; not changed.

        Returns:
            [N, C] or [N, 1] outputs, or the issues of `joined_outputs`.

        Example:
            >>> from kdtab.config.labels import example_ledger
            >>> teacher = StoredTeacher(LabelStore("labels", example_ledger()))
            >>> teacher.outputs(pl.DataFrame({"y": [1]})).failure().first.missing
            ('x',)
        """
        return joined_outputs(self.store, frame)


def stored_teacher(folder: str | os.PathLike[str]) -> Checked[StoredTeacher]:
    """A folder of labels as a teacher.

    Args:
        folder: As `kdtab label` wrote it.

    Returns:
        The teacher, or the issues of `read_labels`.

    Example:
        >>> stored_teacher("no-such-folder").failure().first
        LabelsAbsent(path='no-such-folder')
    """
    return read_labels(folder).map(StoredTeacher)
