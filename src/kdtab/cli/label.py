"""`kdtab label`: a table of any size and a teacher in, a folder of labels out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click
from returns.result import Result, Success

from kdtab.cli.console import Answer, aligned
from kdtab.cli.fields import parsed_run
from kdtab.cli.options import SectionedCommand, field_flags, plain_flags, table_argument
from kdtab.cli.rows import shown_rows
from kdtab.cli.speakers import is_bundle_path
from kdtab.config.labels import LabelOptions, WorkerShare, worker_share
from kdtab.config.run import DeviceOptions, LabelRun
from kdtab.config.tables import ReadOptions
from kdtab.config.teacherfiles import TeacherFileOptions
from kdtab.config.teachers import TEACHER_KINDS
from kdtab.disk.localfiles import check_local_file
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.results import check, gather

if TYPE_CHECKING:
    from kdtab.recipes.label import LabelledTable
    from kdtab.teachers.teacher import Teacher


@click.command(cls=SectionedCommand)
@table_argument
@click.option(
    "-t",
    "--teacher",
    required=True,
    metavar="FILE",
    help="The teacher's file: a bundle, .onnx, .skops, or a table of scores.",
)
@click.option(
    "-o", "--output", required=True, metavar="FOLDER", help="A new folder, or one to go on with."
)
@plain_flags
@field_flags("Labels", LabelOptions)
@field_flags("Teacher", TeacherFileOptions)
@field_flags("Reading", ReadOptions)
@field_flags("Computing", DeviceOptions)
def label(
    table: str, teacher: str, output: str, quiet: bool, **flags: object
) -> Result[Answer, Issues]:
    """Write what a teacher says of all rows of TABLE.

    The labels go into a folder, to be joined by `distill`. Rows are streamed: CSV and Parquet may be larger than memory. After a kill the same command goes on where it stopped. Under `torchrun` (RANK and WORLD_SIZE) each process
    writes its share of the parts.

    Example:
        >>> label.name
        'label'
    """
    run = parsed_run(LabelRun, None, flags)
    share = worker_share(os.environ)
    known = check(_unfitted(teacher)).bind(lambda _: _there(teacher))
    found = gather(run, share, check_local_file(table), known)
    return found.bind(
        lambda _: Result.do(
            answer
            for checked in run
            for mine in share
            for answer in _labelled(table, teacher, output, checked, mine, quiet=quiet)
        )
    )


def _unfitted(teacher: str) -> FieldInvalid | None:
    if teacher not in TEACHER_KINDS:
        return None
    rule = "must be a file: a teacher that is to be fitted belongs to `kdtab distill`"
    return FieldInvalid(name="teacher", rule=rule, found=teacher)


def _there(teacher: str) -> Result[None, Issues]:
    """A folder of labels is looked at when it is opened."""
    return (
        Success(None) if Path(teacher).is_dir() else check_local_file(teacher).map(lambda _: None)
    )


def _labelled(
    table: str, teacher: str, output: str, run: LabelRun, share: WorkerShare, *, quiet: bool
) -> Result[Answer, Issues]:
    from kdtab.recipes.label import label_table

    began = perf_counter()

    def labels(scores: Teacher) -> Result[LabelledTable, Issues]:
        heard = shown_rows("labelling", sys.stderr, quiet=quiet)
        try:
            return label_table(
                table, scores, output, run.labelling, reading=run.reading, share=share, heard=heard
            )
        finally:
            heard.finish()

    return (
        _teacher(teacher, run).bind(labels).map(lambda done: _answer(done, perf_counter() - began))
    )


def _teacher(path: str, run: LabelRun) -> Result[Teacher, Issues]:
    from kdtab.cli.models import restore_model
    from kdtab.disk.bundles import read_record
    from kdtab.teachers.resolve import resolve_teacher

    if not is_bundle_path(path):
        said = run.teacher
        return resolve_teacher(
            path,
            task="classification" if said.teacher_classes else None,
            classes=said.teacher_classes or None,
            key=said.teacher_key,
            trusted=said.trusted_types,
        )
    return (
        read_record(path)
        .bind(lambda record: restore_model(record, run.compute.device))
        .bind(resolve_teacher)
    )


def _answer(done: LabelledTable, seconds: float) -> Answer:
    ledger, folder = done.store.ledger, done.store.folder
    rows = [
        ("teacher", f"{ledger.teacher} ({ledger.output_kind.replace('_', ' ')})"),
        ("rows known by", ledger.id_column or "their content"),
        ("parts", f"{done.written:,} written, {done.kept:,} kept, {seconds:.1f} s"),
        ("labels", f"{folder} ({_extent(done)})"),
    ]
    plain: dict[str, object] = {
        "folder": folder,
        "finished": done.finished,
        "written": done.written,
        "kept": done.kept,
        "seconds": round(seconds, 3),
        "ledger": ledger.model_dump(mode="json", exclude={"parts"}),
    }
    return Answer(text=aligned(rows), plain=plain)


def _extent(done: LabelledTable) -> str:
    rows = done.store.ledger.rows
    return "other processes are still at work" if rows is None else f"{rows:,} rows"
