"""Label a table of any size: stream its rows past a teacher, into parts that survive a kill."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TypeAlias

import polars as pl
from returns.result import Failure, Result, Success

from kdtab.config.base import revise
from kdtab.config.labels import LabelLedger, LabelOptions, WorkerShare
from kdtab.config.tables import ReadOptions
from kdtab.data.outputs import TeacherOutputs
from kdtab.data.rowkeys import content_keys, id_texts
from kdtab.disk.filestate import FileState, file_state, is_unchanged
from kdtab.disk.labelledger import begin_ledger, end_ledger, read_ledger, sweep
from kdtab.disk.labelparts import LabelRows, has_part, write_part
from kdtab.disk.labels import LabelStore, id_issues, read_labels
from kdtab.disk.tablestream import TablePiece, TableSource, table_source
from kdtab.errors.columns import ColumnMissing
from kdtab.errors.labels import TableChanged
from kdtab.errors.teachers import NoTeacherColumns, TeacherOutputsInvalid
from kdtab.results import Checked, check, either, fail
from kdtab.teachers.batched import batched_outputs
from kdtab.teachers.streamtypes import suited_teacher
from kdtab.teachers.teacher import Teacher

CELLS_PER_PART = 2**22
MOST_ROWS_PER_PART = 2**16
FEWEST_ROWS_PER_PART = 2**10
Heard: TypeAlias = Callable[[int, float], None]


@dataclass(frozen=True)
class LabelledTable:
    """What came of labelling.

    Attributes:
        store: The folder; its ledger says how many rows it has once every part is there.
        written: Parts that this process wrote.
        kept: Parts of this process that an earlier one had written.

    Example:
        >>> from kdtab.config.labels import example_ledger
        >>> LabelledTable(LabelStore("labels", example_ledger()), written=3, kept=0).finished
        False
    """

    store: LabelStore
    written: int
    kept: int

    @property
    def finished(self) -> bool:
        """Whether every row of the table has its label; other processes may still be at work.

        Example:
            >>> from kdtab.config.base import revise
            >>> from kdtab.config.labels import example_ledger
            >>> ledger = revise(example_ledger(), rows=2).unwrap()
            >>> LabelledTable(LabelStore("labels", ledger), written=1, kept=0).finished
            True
        """
        return self.store.ledger.rows is not None


def unheard(_rows: int, _share: float) -> None:
    """Progress that nobody hears of.

    Example:
        >>> unheard(8, 0.5)
    """


def label_table(
    path: str | os.PathLike[str],
    teacher: Teacher,
    folder: str | os.PathLike[str],
    options: LabelOptions | None = None,
    *,
    reading: ReadOptions | None = None,
    share: WorkerShare | None = None,
    heard: Heard = unheard,
) -> Checked[LabelledTable]:
    r"""Write what a teacher says of every row of a table into a folder.

    The rows come in pieces, the folder gets a Parquet file for each, whole or not at all; memory
    does not grow with the table. The same call goes on where an earlier one was killed, and several
    may run at once, each with its share of the parts or with all of them: in the end the bytes are
    the same. A part is asked for in batches of 8,192 rows, so that they do not depend on who asks.

    Args:
        path: The table; CSV and Parquet are streamed.
        teacher: Who scores the rows.
        folder: New, empty, or begun with the same table, teacher and options.
        options: The id column and the rows of a part.
        reading: How to read the table.
        share: Which parts are this process's; None takes all.
        heard: Is told, after each part, the rows seen and the share of the table, up to 1.

    Returns:
        The store and what was done; or the issues of the table, of the teacher, of the folder,
        `ColumnMissing`, `NoTeacherColumns`, `IdsMissing`, `IdsRepeated` (within a part),
        `TableChanged`. Parts that were written stay.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from kdtab.teachers.teacher import TeacherInfo
        >>> class Doubling:
        ...     info = TeacherInfo("rule", "regression", (), "values", "rule-1")
        ...     def outputs(self, frame: pl.DataFrame) -> Checked[TeacherOutputs]:
        ...         doubled = 2 * frame["x"].cast(pl.Float64).to_numpy()
        ...         return Success(TeacherOutputs("values", (), doubled[:, None]))
        >>> with tempfile.TemporaryDirectory() as place:
        ...     table = Path(place, "a.csv")
        ...     _ = table.write_text("x\n1\n2\n3\n")
        ...     outcome = label_table(table, Doubling(), Path(place, "labels")).unwrap()
        ...     outcome.written, outcome.store.ledger.rows
        (1, 3)
    """
    named, target = os.fspath(path), os.fspath(folder)
    read = reading or ReadOptions()
    mine = share or WorkerShare()

    def planned(suited: Teacher, source: TableSource, state: FileState) -> Checked[LabelLedger]:
        wanted = _wanted_rows(target, options or LabelOptions())
        return _plan(suited, source.head, state, read, wanted).bind(partial(begin_ledger, target))

    def written(
        suited: Teacher, source: TableSource, state: FileState, ledger: LabelLedger
    ) -> Checked[LabelledTable]:
        if ledger.rows is not None and isinstance(read_labels(target), Success):
            kept = sum(mine.has(number) for number in range(len(ledger.parts)))
            return Success(LabelledTable(LabelStore(target, ledger), 0, kept))
        begun = revise(ledger, rows=None, parts=()).unwrap()
        run = _Run(suited, target, begun, mine, heard)
        return run.over(source).bind(
            lambda done: check(_changed(named, state)).bind(lambda _: run.ended(done))
        )

    sweep(target)
    return Result.do(
        labelled
        for source in table_source(named, read)
        for state in file_state(named)
        for suited in suited_teacher(teacher, source)
        for ledger in planned(suited, source, state)
        for labelled in written(suited, source, state, ledger)
    )


@dataclass(frozen=True)
class _Done:
    rows: int
    written: int
    kept: int


@dataclass(frozen=True, eq=False)
class _Run:
    teacher: Teacher
    folder: str
    ledger: LabelLedger
    share: WorkerShare
    heard: Heard

    def over(self, source: TableSource) -> Checked[_Done]:
        rows = written = kept = 0
        for found in source.pieces(self.ledger.rows_per_part, self.wants):
            outcome = found.bind(self.write)
            if isinstance(outcome, Failure):
                return Failure(outcome.failure())
            piece = found.unwrap()
            rows += piece.rows
            written += piece.frame is not None
            kept += piece.frame is None and self.share.has(piece.number)
            self.heard(rows, piece.share)
        return Success(_Done(rows, written, kept))

    def wants(self, number: int) -> bool:
        return self.share.has(number) and not has_part(self.folder, number, self.ledger.plan)

    def write(self, piece: TablePiece) -> Checked[None]:
        if piece.frame is None:
            return Success(None)
        return _labelled(self.teacher, self.ledger, piece.frame, piece.first_row).bind(
            partial(write_part, self.folder, piece.number, self.ledger.plan)
        )

    def ended(self, done: _Done) -> Checked[LabelledTable]:
        return end_ledger(self.folder, self.ledger, done.rows).map(
            lambda ledger: LabelledTable(LabelStore(self.folder, ledger), done.written, done.kept)
        )


def _wanted_rows(folder: str, options: LabelOptions) -> LabelOptions:
    """Without a wish, the parts of a store that was begun keep their size."""
    if options.rows_per_part is not None:
        return options
    return either(
        read_ledger(folder),
        lambda there: revise(options, rows_per_part=there.rows_per_part).unwrap(),
        lambda _: options,
    )


def _plan(
    teacher: Teacher,
    head: pl.DataFrame,
    state: FileState,
    reading: ReadOptions,
    options: LabelOptions,
) -> Checked[LabelLedger]:
    info, names = teacher.info, tuple(head.columns)
    columns = _content_columns(teacher, names, options.id_column)
    fine = check(*_column_issues(teacher, names, columns, options.id_column)).bind(
        lambda _: batched_outputs(teacher, head)
    )
    usual = min(MOST_ROWS_PER_PART, max(FEWEST_ROWS_PER_PART, CELLS_PER_PART // len(names)))
    return fine.map(
        lambda outputs: LabelLedger(
            kdtab_version=version("kdtab"),
            table_sha256=state.sha256,
            table_bytes=state.size,
            reading=reading,
            columns=columns,
            id_column=options.id_column,
            rows_per_part=options.rows_per_part or usual,
            teacher=info.name,
            teacher_fingerprint=info.fingerprint,
            task=info.task,
            output_kind=outputs.kind,
            classes=outputs.classes,
            trees=outputs.trees,
        )
    )


def _content_columns(
    teacher: Teacher, names: tuple[str, ...], id_column: str | None
) -> tuple[str, ...]:
    """What the teacher looks at, where that is known; else everything but the id."""
    artifacts = teacher.info.artifacts
    if artifacts is None:
        return tuple(sorted(name for name in names if name != id_column))
    features = {column.name for column in artifacts.vectorizer.columns}
    return tuple(sorted(features & set(names)))


def _column_issues(
    teacher: Teacher, names: tuple[str, ...], columns: tuple[str, ...], id_column: str | None
) -> list[ColumnMissing | NoTeacherColumns]:
    issues: list[ColumnMissing | NoTeacherColumns] = []
    if id_column is not None and id_column not in names:
        issues.append(ColumnMissing(name=id_column, role="id_column", columns=names))
    artifacts = teacher.info.artifacts
    if artifacts is not None and not columns:
        expected = tuple(column.name for column in artifacts.vectorizer.columns)
        issues.append(NoTeacherColumns(expected=expected, found=names))
    return issues


def _labelled(
    teacher: Teacher, ledger: LabelLedger, frame: pl.DataFrame, first_row: int
) -> Checked[LabelRows]:
    ids = None if ledger.id_column is None else id_texts(frame, ledger.id_column)
    if ids is not None:
        issues = id_issues(ids, str(ledger.id_column), "the table", first_row)
        if issues:
            return fail(*issues)
    said = batched_outputs(teacher, frame, first_row).bind(partial(_as_planned, ledger))
    return said.map(
        lambda outputs: LabelRows(content_keys(frame, ledger.columns), ids, outputs.values)
    )


def _as_planned(ledger: LabelLedger, outputs: TeacherOutputs) -> Checked[TeacherOutputs]:
    said = (outputs.kind, outputs.classes, outputs.trees)
    if said == (ledger.output_kind, ledger.classes, ledger.trees):
        return Success(outputs)
    return fail(TeacherOutputsInvalid(reason="their kind or classes change between rows"))


def _changed(path: str, before: FileState) -> TableChanged | None:
    return None if is_unchanged(path, before) else TableChanged(path=path)
