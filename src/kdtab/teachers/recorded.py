"""What a teacher once said, kept in a table and found again by a key."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, final

import numpy as np
import polars as pl
from returns.result import Success

from kdtab.config.training import Task
from kdtab.data.arrays import FloatArray
from kdtab.data.cells import canonical_texts, missing_rule, numbers
from kdtab.data.fingerprint import table_fingerprint
from kdtab.data.outputs import OutputKind, TeacherOutputs, checked_outputs
from kdtab.disk.tables import read_table
from kdtab.errors.answers import ScoreKeysUnusable, ScoresAbsent, ScoresUnclear
from kdtab.errors.base import listed, quoted
from kdtab.errors.columns import ColumnMissing
from kdtab.results import Checked, Value, check, fail
from kdtab.teachers.answers import PREFIX
from kdtab.teachers.classes import class_names
from kdtab.teachers.hints import NO_HINTS, TeacherHints
from kdtab.teachers.teacher import TeacherInfo

VALUE = "prediction"
NOTHING_MISSING = missing_rule(())
Columns: TypeAlias = tuple[str, ...]


@final
@dataclass(frozen=True, eq=False)
class RecordedTeacher:
    """Scores of known rows, never matched by position.

    Attributes:
        info: What the scores are.
        key: The column of the table, and of the scores, that names a row.
        places: `key` (canonical text) and `place`, the row of `scores`.
        scores: [M, C] or [M, 1].

    Example:
        >>> kept = pl.DataFrame({"id": [7, 8], "prediction": [1.0, 2.0]})
        >>> recorded_teacher(kept).unwrap().key
        'id'
    """

    info: TeacherInfo
    key: str
    places: pl.DataFrame
    scores: FloatArray

    def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        """The recorded scores of the rows, in the rows' order.

        Args:
            frame: [N] rows with the key column; `1`, `1.0` and `"1"` are one key. Not changed.

        Returns:
            [N, C] or [N, 1] outputs, or `ColumnMissing`, `ScoreKeysUnusable`, `ScoresAbsent`.

        Example:
            >>> kept = pl.DataFrame({"id": [7, 8], "prediction": [1.0, 2.0]})
            >>> teacher = recorded_teacher(kept).unwrap()
            >>> teacher.outputs(pl.DataFrame({"id": ["8", "7"]})).unwrap().values.tolist()
            [[2.0], [1.0]]
            >>> teacher.outputs(pl.DataFrame({"id": [7, 9]})).failure().first.count
            1
        """
        if self.key not in frame.columns:
            columns = tuple(frame.columns)
            return fail(ColumnMissing(name=self.key, role="key", columns=columns))
        keys = canonical_texts(frame[self.key], NOTHING_MISSING)
        return check(_unusable(keys, self.key, "the table")).bind(lambda _: self._found(keys))

    def _found(self, keys: pl.Series) -> Checked[TeacherOutputs]:
        asked = keys.alias("key").to_frame()
        places = asked.join(self.places, on="key", how="left", maintain_order="left")["place"]
        if places.null_count():
            first = keys.filter(places.is_null())[0]
            issue = ScoresAbsent(
                source=self.info.name,
                key=self.key,
                count=places.null_count(),
                rows=len(keys),
                example=first,
            )
            return fail(issue)
        info = self.info
        values = self.scores[places.to_numpy()]
        return Success(TeacherOutputs(info.output_kind, info.classes, values))


def recorded_teacher(
    source: str | os.PathLike[str] | pl.DataFrame, hints: TeacherHints = NO_HINTS
) -> Checked[RecordedTeacher]:
    """A table of scores as a teacher.

    Columns `probability_<class>` are probabilities; else the columns named by `hints.classes`; a
    column `prediction` (or the only one beside the key) is a regression's value. The key is
    `hints.key`, or the only column that is left.

    Args:
        source: A table's path (Parquet, CSV and what else `read_table` reads), or the frame itself.
        hints: Task, classes, kind of output, key.

    Returns:
        The teacher, or the issues of `read_table`, `ScoresUnclear`, `ColumnMissing`,
        `ScoreKeysUnusable` and `TeacherOutputsInvalid` with counts.

    Example:
        >>> kept = pl.DataFrame({"id": [7], "probability_no": [0.9], "probability_yes": [0.1]})
        >>> recorded_teacher(kept).unwrap().info.classes
        ('no', 'yes')
        >>> kept = pl.DataFrame({"id": [7, 7], "prediction": [1.0, 2.0]})
        >>> recorded_teacher(kept).failure().first.repeated
        1
    """
    if isinstance(source, pl.DataFrame):
        return _from_frame(source, "the frame of scores", hints)
    named = Path(source).name
    return read_table(source).bind(lambda frame: _from_frame(frame, named, hints))


@dataclass(frozen=True)
class _Layout:
    task: Task
    classes: Columns
    columns: Columns
    key: str


def _from_frame(frame: pl.DataFrame, name: str, hints: TeacherHints) -> Checked[RecordedTeacher]:
    return _outputs_in(frame, name, hints).bind(
        lambda found: _with_key(frame, name, found, hints).bind(
            lambda layout: _joined(frame, name, layout, hints)
        )
    )


def _outputs_in(
    frame: pl.DataFrame, name: str, hints: TeacherHints
) -> Checked[tuple[Task, Columns, Columns]]:
    """Task, classes, and the columns that hold the outputs."""
    prefixed = tuple(column for column in frame.columns if column.startswith(PREFIX))
    others = tuple(column for column in frame.columns if column != hints.key)
    if hints.task == "regression" or (not prefixed and VALUE in others and not hints.classes):
        column = VALUE if VALUE in others else others[0] if len(others) == 1 else None
        if column is None:
            return _unclear(name, f"no column {VALUE!r}, and more than one beside the key")
        return Success(("regression", (), (column,)))
    if prefixed:
        labels = tuple(column.removeprefix(PREFIX) for column in prefixed)
        return class_names(name, labels).map(lambda classes: ("classification", classes, prefixed))
    if hints.classes is None and (hints.key is None or hints.task is None):
        return _unclear(
            name,
            f"no column '{PREFIX}<class>' and no {VALUE!r}: pass classes, the names of the "
            "columns that hold probabilities",
        )
    return class_names(name, hints.classes or others).bind(
        lambda classes: _named_columns(frame, name, classes)
    )


def _named_columns(
    frame: pl.DataFrame, name: str, classes: Columns
) -> Checked[tuple[Task, Columns, Columns]]:
    texts = canonical_texts(pl.Series(frame.columns, dtype=pl.String), NOTHING_MISSING).to_list()
    columns = dict(zip(texts, frame.columns, strict=True))
    absent = [label for label in classes if label not in columns]
    if absent:
        return _unclear(name, f"no column for {listed(absent)} among {listed(frame.columns)}")
    return Success(("classification", classes, tuple(columns[label] for label in classes)))


def _with_key(
    frame: pl.DataFrame,
    name: str,
    found: tuple[Task, Columns, Columns],
    hints: TeacherHints,
) -> Checked[_Layout]:
    task, classes, columns = found
    left = [column for column in frame.columns if column not in (*columns, VALUE)]
    if hints.key is not None and hints.key not in frame.columns:
        return fail(ColumnMissing(name=hints.key, role="key", columns=tuple(frame.columns)))
    if hints.key is None and len(left) != 1:
        which = f"one of {listed(left)}" if left else "a column that names each row"
        return _unclear(name, f"which column is the key? Pass key, {which}")
    return Success(_Layout(task, classes, columns, hints.key or left[0]))


def _joined(
    frame: pl.DataFrame, name: str, layout: _Layout, hints: TeacherHints
) -> Checked[RecordedTeacher]:
    keys = canonical_texts(frame[layout.key], NOTHING_MISSING).alias("key")
    values = [numbers(frame[column], NOTHING_MISSING).to_numpy() for column in layout.columns]
    kept = frame.select(layout.key, *layout.columns)
    usual: OutputKind = "values" if layout.task == "regression" else "probabilities"
    info = TeacherInfo(
        name=name,
        task=layout.task,
        classes=layout.classes,
        output_kind=hints.output_kind or usual,
        fingerprint=table_fingerprint(kept[keys.arg_sort()]),
    )
    scores: FloatArray = np.stack(values, axis=1)
    outputs = TeacherOutputs(info.output_kind, info.classes, scores)
    places = pl.DataFrame([keys, pl.int_range(len(keys), eager=True).alias("place")])
    return (
        check(_unusable(keys, layout.key, quoted(name)))
        .bind(lambda _: checked_outputs(outputs, len(keys)))
        .map(lambda _: RecordedTeacher(info, layout.key, places, scores))
    )


def _unusable(keys: pl.Series, key: str, place: str) -> ScoreKeysUnusable | None:
    repeated = keys.drop_nulls().filter(keys.drop_nulls().is_duplicated())
    if not keys.null_count() and not len(repeated):
        return None
    return ScoreKeysUnusable(
        place=place,
        key=key,
        missing=keys.null_count(),
        repeated=repeated.n_unique(),
        example=repeated[0] if len(repeated) else "",
    )


def _unclear(name: str, reason: str) -> Checked[Value]:
    return fail(ScoresUnclear(source=name, reason=reason))
