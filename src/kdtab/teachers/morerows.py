"""Rows beside the training rows that a teacher labels: unlabelled ones, and ones made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from returns.result import Result, Success

from kdtab.data.arrays import BoolArray, Float32Array
from kdtab.data.artifacts import encode_features
from kdtab.data.augment import augmented_rows
from kdtab.data.likeness import rows_like
from kdtab.data.prepared import PreparedTable
from kdtab.data.rowkeys import id_texts
from kdtab.data.split import input_hashes
from kdtab.errors.base import listed
from kdtab.errors.issue import Issues
from kdtab.errors.morerows import NewRowsUnspoken, NoRowColumns
from kdtab.results import Checked, check
from kdtab.shell.extrarows import ExtraRows
from kdtab.teachers.recorded import RecordedTeacher
from kdtab.teachers.source import GivenSource, TeacherSource
from kdtab.teachers.stored import StoredTeacher
from kdtab.teachers.studentfit import Wish

AUGMENT_STREAM = 1
"""Of the run's seed: what is drawn here changes no other draw."""

Speaks: TypeAlias = Callable[[pl.DataFrame, Float32Array], Checked[Float32Array]]
"""Rows as the teacher takes them, and the same encoded, to what the student's loss takes."""


@dataclass(frozen=True, eq=False)
class MoreRows:
    """Where more rows come from, and who labels them.

    Attributes:
        prepared: The table of the run.
        table: All its rows as the teacher takes them.
        speaks: The teacher of all training rows.
        wish: How many rows are to be made up, and the unlabelled ones.

    Example:
        >>> MoreRows.__dataclass_params__.frozen
        True
    """

    prepared: PreparedTable
    table: pl.DataFrame
    speaks: Speaks
    wish: Wish


@dataclass(frozen=True, eq=False)
class _Part:
    inputs: Float32Array
    spoken: Float32Array
    notes: tuple[str, ...] = ()


def check_more_rows(prepared: PreparedTable, wish: Wish) -> Checked[None]:
    """Whether the unlabelled rows are rows of this table; asked before a teacher is fitted.

    Args:
        prepared: The table.
        wish: With the unlabelled rows.

    Returns:
        None, or `NoRowColumns`.

    Example:
        >>> check_more_rows.__name__
        'check_more_rows'
    """
    expected = prepared.artifacts.vectorizer.column_names
    found = () if wish.unlabelled is None else tuple(wish.unlabelled.columns)
    known = wish.unlabelled is None or bool(set(expected) & set(found))
    return check(None if known else NoRowColumns(expected=expected, found=found))


def check_new_rows(source: TeacherSource, wish: Wish) -> Checked[None]:
    """Whether a teacher can speak of rows that were made up; asked before one is fitted.

    Args:
        source: The teacher's road.
        wish: Whether there are to be such rows.

    Returns:
        None, or `NewRowsUnspoken` where it repeats what was said of known rows.

    Example:
        >>> check_new_rows.__name__
        'check_new_rows'
    """
    teacher = source.teacher if isinstance(source, GivenSource) else None
    if wish.knobs.augment and isinstance(teacher, StoredTeacher | RecordedTeacher):
        return check(NewRowsUnspoken(teacher=teacher.info.name))
    return Success(None)


def more_rows(more: MoreRows) -> Result[ExtraRows | None, Issues]:
    """All rows beside the training rows, labelled by the teacher.

    First the unlabelled rows, then those rows of the table itself that have no target, then the
    synthetic ones. Rows that equal a row of the table in every encoded column are dropped: a test
    or a validation row would be learnt from, a training row has its honest label already.

    Args:
        more: Where they come from.

    Returns:
        The rows with sentences about them; None where there is nothing to say; or the issues of the
        teacher that could not speak of them.

    Example:
        >>> more_rows.__name__
        'more_rows'
    """
    return Result.do(
        _joined(more, real, own, made)
        for real in _unlabelled(more)
        for own in _own(more)
        for made in _synthetic(more)
    )


def _joined(more: MoreRows, real: _Part, own: _Part, made: _Part) -> ExtraRows | None:
    parts = (real, own, made)
    inputs = np.concatenate([part.inputs for part in parts])
    if not (len(inputs) or any(part.notes for part in parts)):
        return None
    return ExtraRows(
        inputs,
        np.concatenate([part.spoken for part in parts]),
        synthetic=len(made.inputs),
        unlabelled=len(real.inputs) + len(own.inputs),
        notes=real.notes + own.notes,
        synthetic_notes=made.notes,
    )


def _unlabelled(more: MoreRows) -> Checked[_Part]:
    rows = more.wish.unlabelled
    if rows is None:
        return Success(_nothing(more))
    expected = more.prepared.artifacts.vectorizer.column_names
    absent = tuple(name for name in expected if name not in rows.columns)
    lacks = (f"the unlabelled rows lack columns, taken as missing: {listed(absent)}",)
    apart, dropped = _of_other_groups(more, rows)
    found = _labelled(more, rows_like(apart, more.table), "unlabelled rows")
    return found.map(
        lambda part: _Part(part.inputs, part.spoken, part.notes + dropped + lacks * bool(absent))
    )


def _of_other_groups(more: MoreRows, rows: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Without those whose group has test or validation rows: it would be known before it is asked."""
    column, split = more.wish.room.labels.group_column, more.prepared.split
    if column is None or column not in rows.columns:
        return rows, ()
    held_out = np.concatenate([split.test, split.validation])
    groups = id_texts(more.wish.room.frame[held_out], column)
    apart = rows.filter(
        ~id_texts(rows, column).is_in(groups.drop_nulls().implode()).fill_null(False)
    )
    count = rows.height - apart.height
    note = f"{count:,} unlabelled rows dropped: their {column!r} has test or validation rows"
    return apart, (note,) * bool(count)


def _own(more: MoreRows) -> Checked[_Part]:
    """Rows without a target; where rows depend on each other they could be the test rows' own."""
    split, labels = more.prepared.split, more.wish.room.labels
    has_no_target = np.ones(more.table.height, dtype=np.bool_)
    for numbers in (split.training, split.validation, split.test):
        has_no_target[numbers] = False
    rows = np.flatnonzero(has_no_target)
    tied = labels.group_column is not None or labels.time_column is not None
    if not len(rows) or tied or not more.wish.own_rows:
        return Success(_nothing(more))
    part = _labelled(more, more.table[rows], "rows of the table without a target")
    return Success(part.value_or(_nothing(more)))  # a store may not know them


def _labelled(more: MoreRows, rows: pl.DataFrame, what: str) -> Checked[_Part]:
    inputs = encode_features(rows, more.prepared.artifacts)
    is_new, notes = _new_rows(more.prepared, inputs, what)
    return _spoken_of(more, rows.filter(pl.Series(is_new)), inputs[is_new], what).map(
        lambda part: _Part(part.inputs, part.spoken, (*part.notes, *notes))
    )


def _synthetic(more: MoreRows) -> Checked[_Part]:
    knobs, config = more.wish.knobs, more.wish.room.config
    if not knobs.augment:
        return Success(_nothing(more))
    generator = np.random.default_rng((config.random_seed, AUGMENT_STREAM))
    rows = more.table.drop(config.target_column, strict=False)[more.prepared.split.training]
    made = augmented_rows(rows, more.prepared.artifacts, knobs, generator)
    apart = ~_held_out(more.prepared, made.inputs)
    dropped = _drops(int((~apart).sum()), 0, "synthetic rows")
    return _spoken_of(more, made.frame.filter(pl.Series(apart)), made.inputs[apart], "").map(
        lambda part: _Part(part.inputs, part.spoken, (*made.report.notes, *dropped))
    )


def _spoken_of(
    more: MoreRows, rows: pl.DataFrame, inputs: Float32Array, what: str
) -> Checked[_Part]:
    if not rows.height:
        return Success(_nothing(more))

    def known(spoken: Float32Array) -> _Part:
        said = ~np.isnan(spoken).any(axis=1)
        notes = (f"{int(said.sum()):,} {what} labelled by the teacher",) if what else ()
        return _Part(inputs[said], spoken[said], notes)

    progress = more.wish.progress
    progress.stage("teacher", f"asked about {rows.height:,} more rows")
    try:
        return more.speaks(rows, inputs).map(known)
    finally:
        progress.finish()


def _new_rows(
    prepared: PreparedTable, inputs: Float32Array, what: str
) -> tuple[BoolArray, tuple[str, ...]]:
    held_out = _held_out(prepared, inputs)
    trained = np.isin(input_hashes(inputs), input_hashes(prepared.training.inputs)) & ~held_out
    return ~(held_out | trained), tuple(_drops(int(held_out.sum()), int(trained.sum()), what))


def _held_out(prepared: PreparedTable, inputs: Float32Array) -> BoolArray:
    """[M] whether a row equals a test or a validation row in every encoded column."""
    hashes = input_hashes(inputs)
    held_out = np.isin(hashes, input_hashes(prepared.test.inputs))
    held_out |= np.isin(hashes, input_hashes(prepared.validation.inputs))
    return held_out


def _drops(held_out: int, trained: int, what: str) -> Iterator[str]:
    if held_out:
        yield f"{held_out:,} {what} dropped: each equals a test or a validation row"
    if trained:
        yield f"{trained:,} {what} dropped: each equals a training row"


def _nothing(more: MoreRows) -> _Part:
    rows = more.prepared.training.inputs[:0]
    return _Part(rows, np.empty((0, more.prepared.output_dim), dtype=np.float32))
