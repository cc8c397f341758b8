"""Labels out of a store: joined to the rows of a frame by key, never by position."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from kdtab.config.labels import LabelLedger, LabelPart
from kdtab.data.outputs import TeacherOutputs
from kdtab.data.rowkeys import content_keys, id_texts
from kdtab.disk.labelledger import read_ledger
from kdtab.disk.labelparts import ID, KEY, OUTPUT, read_part
from kdtab.errors.issue import Issue
from kdtab.errors.labels import (
    IdsMissing,
    IdsRepeated,
    KeyColumnsMissing,
    LabelsDamaged,
    LabelsUnfinished,
    RowsChanged,
    RowsUnlabelled,
)
from kdtab.results import Checked, check, collect, fail

_ROW, _KEY_HERE = "row", "key here"


@dataclass(frozen=True)
class LabelStore:
    """A finished folder of labels.

    Attributes:
        folder: Where it is.
        ledger: Whose labels they are, and how rows find theirs.

    Example:
        >>> from kdtab.config.labels import example_ledger
        >>> LabelStore("labels", example_ledger()).ledger.teacher
        'rule'
    """

    folder: str
    ledger: LabelLedger


def read_labels(folder: str | os.PathLike[str]) -> Checked[LabelStore]:
    """Open a label store; its parts are read, and verified, when labels are asked for.

    Args:
        folder: As `kdtab label` wrote it.

    Returns:
        The store, or `LabelsAbsent`, `LabelsTooNew`, `LabelsUnfinished`, and a `LabelsDamaged` for
        each part that is missing or of another size.

    Example:
        >>> read_labels("no-such-folder").failure().first
        LabelsAbsent(path='no-such-folder')
    """
    named = os.fspath(folder)

    def finished(ledger: LabelLedger) -> Checked[LabelStore]:
        if ledger.rows is None:
            done = len(list(Path(named).glob("part-*.parquet")))
            return fail(LabelsUnfinished(path=named, parts=done))
        damage = [_damage(named, part) for part in ledger.parts]
        return check(*damage).map(lambda _: LabelStore(named, ledger))

    return read_ledger(named).bind(finished)


def joined_outputs(store: LabelStore, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
    """What the teacher said about the rows of a frame, in the frame's order.

    Rows find their labels by the id column, or by their content where the store has none; a label
    found by id counts only if the row's cells are those that were labelled. Rows of the store that
    the frame lacks, and columns that the store does not know, are left aside. Rows of equal content
    share a label, while an id stands for one row.

    Args:
        store: A finished store.
        frame: [N] rows in any order.

    Returns:
        [N, C] outputs, or every one of `KeyColumnsMissing`, `IdsMissing`, `IdsRepeated`,
        `RowsUnlabelled`, `RowsChanged` with counts, and `LabelsDamaged`.

    Example:
        >>> from kdtab.config.labels import example_ledger
        >>> store = LabelStore("labels", example_ledger())
        >>> joined_outputs(store, pl.DataFrame({"y": [1]})).failure().first
        KeyColumnsMissing(missing=('x',), found=('y',))
    """
    ledger = store.ledger
    needed = (*(() if ledger.id_column is None else (ledger.id_column,)), *ledger.columns)
    missing = tuple(name for name in needed if name not in frame.columns)
    if missing:
        return fail(KeyColumnsMissing(missing=missing, found=tuple(frame.columns)))
    keys = pl.DataFrame({_ROW: range(frame.height), KEY: content_keys(frame, ledger.columns)})
    if ledger.id_column is None:
        return _by_content(store, keys)
    return _by_id(store, ledger.id_column, keys.with_columns(id_texts(frame, ledger.id_column)))


def id_issues(ids: pl.Series, column: str, place: str, first_row: int = 0) -> list[Issue]:
    """What is wrong with the ids of rows that are to be told apart by them.

    Args:
        ids: [N] texts as `id_texts` gives them.
        column: The id column.
        place: Where they stand: "the table", "the labels".
        first_row: The table's row of the first id, from 0.

    Returns:
        `IdsMissing` and `IdsRepeated`, as they apply.

    Example:
        >>> id_issues(pl.Series(["a", None, "a"]), "id", "the table")[1].example
        'a'
    """
    without, repeated = ids.is_null(), ids.is_not_null() & ~ids.is_first_distinct()
    issues: list[Issue] = []
    if without.any():
        first = first_row + (without.arg_max() or 0) + 1
        issues.append(IdsMissing(column=column, rows=int(without.sum()), first_row=first))
    if repeated.any():
        rows, example = int(repeated.sum()), str(ids.filter(repeated)[0])
        issues.append(IdsRepeated(column=column, place=place, rows=rows, example=example))
    return issues


def _damage(folder: str, part: LabelPart) -> LabelsDamaged | None:
    path = Path(folder, part.name)
    try:
        size = path.stat().st_size
    except OSError:
        return LabelsDamaged(path=str(path), reason="it is missing")
    if size == part.size:
        return None
    return LabelsDamaged(path=str(path), reason=f"it has {size:,} bytes, not {part.size:,}")


def _by_content(store: LabelStore, rows: pl.DataFrame) -> Checked[TeacherOutputs]:
    def joined(labels: pl.DataFrame) -> Checked[TeacherOutputs]:
        distinct = labels.unique(KEY, keep="first", maintain_order=True)
        found = rows.join(distinct, on=KEY, how="left", maintain_order="left")
        return check(_unlabelled(store, found)).map(lambda _: _outputs(store.ledger, found))

    return _labels_of(store, rows, KEY).bind(joined)


def _by_id(store: LabelStore, column: str, rows: pl.DataFrame) -> Checked[TeacherOutputs]:
    def joined(labels: pl.DataFrame) -> Checked[TeacherOutputs]:
        known = id_issues(labels[ID], column, "the labels")
        distinct = labels.unique(ID, keep="first", maintain_order=True)
        here = rows.rename({KEY: _KEY_HERE})
        found = here.join(distinct, on=ID, how="left", maintain_order="left")
        changed = _changed(store, column, found)
        return check(*known, _unlabelled(store, found), changed).map(
            lambda _: _outputs(store.ledger, found)
        )

    own = check(*id_issues(rows[ID], column, "the table"))
    return own.bind(lambda _: _labels_of(store, rows, ID)).bind(joined)


def _labels_of(store: LabelStore, rows: pl.DataFrame, key: str) -> Checked[pl.DataFrame]:
    """The labels that some row may need, part by part, so that memory follows the frame's rows."""
    parts = collect(
        read_part(store.folder, part, store.ledger).map(
            lambda labels: labels.join(rows, on=key, how="semi", maintain_order="left")
        )
        for part in store.ledger.parts
    )
    return parts.map(pl.concat)


def _unlabelled(store: LabelStore, found: pl.DataFrame) -> RowsUnlabelled | None:
    lost = found.filter(pl.col(f"{OUTPUT}0").is_null())[_ROW]
    if len(lost) == 0:
        return None
    return RowsUnlabelled(
        path=store.folder,
        rows=len(lost),
        total=found.height,
        first_row=int(lost[0]) + 1,
        id_column=store.ledger.id_column,
    )


def _changed(store: LabelStore, column: str, found: pl.DataFrame) -> RowsChanged | None:
    other = found.filter(pl.col(KEY).is_not_null() & (pl.col(KEY) != pl.col(_KEY_HERE)))[_ROW]
    if len(other) == 0:
        return None
    return RowsChanged(
        path=store.folder,
        rows=len(other),
        total=found.height,
        first_row=int(other[0]) + 1,
        id_column=column,
    )


def _outputs(ledger: LabelLedger, found: pl.DataFrame) -> TeacherOutputs:
    values = found.select(f"{OUTPUT}{at}" for at in range(ledger.width)).to_numpy()
    return TeacherOutputs(ledger.output_kind, ledger.classes, values, ledger.trees)
