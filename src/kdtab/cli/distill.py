"""`kdtab distill`: a table and a teacher in, a student out."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click
from returns.result import Result, Success

from kdtab.cli.console import Answer
from kdtab.cli.fields import parsed_run
from kdtab.cli.options import (
    SectionedCommand,
    field_flags,
    output_flags,
    table_argument,
)
from kdtab.cli.progress import shown_progress
from kdtab.cli.target import with_columns
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.reporting import ReportOptions
from kdtab.config.run import DeviceOptions, DistillRun
from kdtab.config.tables import ReadOptions
from kdtab.config.teachers import LABEL_POLICIES, TEACHER_KINDS, LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.disk.documents import output_issue
from kdtab.errors.issue import Issues
from kdtab.results import check, gather

if TYPE_CHECKING:
    from kdtab.record import BundleRecord

# A student's sizes come from its teacher, so a train config's own would be silently without effect.
TEACHERS_SIZES = frozenset({"hidden_dim", "num_hidden_layers", "dropout"})
# Which column, which rows, which split: what was held out from the teacher stays held out.
OTHER_TEACHERS = (".onnx", ".skops", ".pkl", ".pickle", ".joblib")
INHERITED_TRAINING = ("test_size", "validation_size", "random_seed")
INHERITED_COLUMNS = ("exclude_columns", "date_columns", "missing_markers", "max_categories")


@click.command(cls=SectionedCommand)
@table_argument
@click.option(
    "-t",
    "--teacher",
    metavar="NAME|FILE",
    help="forest, extra_trees, boosted or ensemble, which are fitted on the table; or a file: "
    "a bundle, .onnx, .skops, a table of scores.",
)
@click.option(
    "-o", "--output", default="student.kdtab", show_default=True, help="Where to save the student."
)
@output_flags
@field_flags("Labels", LabelConfig)
@field_flags("Report", ReportOptions)
@field_flags("Distillation", DistillConfig)
@field_flags("Training", TrainingConfig, without=TEACHERS_SIZES)
@field_flags("Columns", ColumnOptions)
@field_flags("Reading", ReadOptions)
@field_flags("Computing", DeviceOptions)
@click.pass_context
def distill(
    context: click.Context,
    /,
    table: str,
    teacher: str | None,
    output: str,
    config: str | None,
    quiet: bool,
    **flags: object,
) -> Result[Answer, Issues]:
    """Train a smaller network on what a teacher knows.

    The student learns from the labels of TABLE and from the teacher's outputs. A bundle gives it the target, the excluded columns, the missing markers, the seed and the held-out
    shares unless you give others: what was held out from the teacher stays held out. Any other teacher needs a --target. `kdtab distill TABLE --target COLUMN --teacher forest` needs no
    teacher at all: one is fitted, and labels no row that it saw.

    Example:
        >>> distill.name
        'distill'
    """
    folder = _label_folder(flags)
    chosen = folder if teacher is None else teacher
    if chosen is None:
        (option,) = (item for item in context.command.params if item.name == "teacher")
        raise click.MissingParameter(ctx=context, param=option)
    given = flags if folder is None or teacher is not None else {**flags, "labels": None}
    if _is_bundle(chosen):
        return _from_bundle(table, chosen, output, config, given, quiet=quiet)
    return _from_other(table, chosen, output, config, given, quiet=quiet)


def _label_folder(flags: dict[str, object]) -> str | None:
    labels = flags.get("labels")
    is_folder = isinstance(labels, str) and labels not in LABEL_POLICIES and Path(labels).is_dir()
    return str(labels) if is_folder else None


def _is_bundle(teacher: str) -> bool:
    """Whatever has no other reader is taken for a bundle, and refused as one."""
    from kdtab.disk.tables import table_suffixes

    if teacher in TEACHER_KINDS or Path(teacher).is_dir():
        return False
    others = (*OTHER_TEACHERS, *table_suffixes())
    is_word = not Path(teacher).suffix and not Path(teacher).exists() and "/" not in teacher
    return not (is_word or teacher.lower().endswith(others))


def _from_bundle(
    table: str,
    teacher: str,
    output: str,
    config: str | None,
    flags: dict[str, object],
    *,
    quiet: bool,
) -> Result[Answer, Issues]:
    from kdtab.disk.bundles import read_record

    run = parsed_run(DistillRun, config, flags, target_column="(the teacher's)")
    outlet = check(output_issue(output, {"the table": table, "the teacher": teacher}))
    record = read_record(teacher)
    return gather(run, outlet, record).bind(
        lambda _: Result.do(
            answer
            for read in record
            for checked in parsed_run(DistillRun, config, flags, **inherited_fields(read))
            for answer in _distilled(table, read, checked, output, quiet=quiet)
        )
    )


def _from_other(
    table: str,
    teacher: str,
    output: str,
    config: str | None,
    flags: dict[str, object],
    *,
    quiet: bool,
) -> Result[Answer, Issues]:
    read = {"the table": table} | ({} if teacher in TEACHER_KINDS else {"the teacher": teacher})
    run = parsed_run(DistillRun, config, flags)
    outlet = check(output_issue(output, read))
    return (
        gather(run, outlet)
        .bind(lambda _: run)
        .lash(lambda issues: with_columns(issues, table, flags))
        .bind(lambda checked: _distilled(table, teacher, checked, output, quiet=quiet))
    )


def inherited_fields(teacher: BundleRecord) -> dict[str, object]:
    """What a student takes from its teacher's record when neither flag nor file says otherwise.

    Args:
        teacher: The teacher.

    Returns:
        Values by field name: the target, the columns' treatment and the split.

    Example:
        >>> from kdtab.bundle import to_record
        >>> import polars as pl
        >>> from kdtab.config.training import TrainingConfig
        >>> from kdtab.recipes.train import train_model
        >>> frame = pl.DataFrame({"x": [0.0, 1.0] * 20, "y": ["no", "yes"] * 20})
        >>> config = TrainingConfig(target_column="y", epochs=1)
        >>> model = train_model(frame, config, device="cpu").unwrap()
        >>> inherited_fields(to_record(model.bundle).unwrap())["target_column"]
        'y'
    """
    record = teacher.manifest.provenance
    return {
        "target_column": teacher.manifest.target_column,
        **{
            name: getattr(record.training_config, name)
            for name in INHERITED_TRAINING
            if record.training_config is not None
        },
        **{
            name: getattr(record.column_options, name)
            for name in INHERITED_COLUMNS
            if record.column_options is not None
        },
    }


def _distilled(
    table: str, teacher: str | BundleRecord, run: DistillRun, output: str, *, quiet: bool
) -> Result[Answer, Issues]:
    from kdtab.cli.models import restore_model, save_model, saved_answer
    from kdtab.cli.reporting import check_reporting, reported
    from kdtab.disk.tables import read_table
    from kdtab.recipes.distill import distill_student

    began = perf_counter()
    asked = run.labelling if run.labelling.model_fields_set or isinstance(teacher, str) else None
    return Result.do(
        answer
        for _checked in check_reporting(run.reporting, {"the table": table, "the student": output})
        for frame in read_table(table, run.reading)
        for speaker in (
            Success[object](teacher)
            if isinstance(teacher, str)
            else restore_model(teacher, run.compute.device)
        )
        for model in distill_student(
            frame,
            speaker,
            run.training,
            run.distill,
            labels=asked,
            columns=run.columns,
            device=run.compute.device,
            progress=shown_progress("distilling", quiet=quiet),
            scratch=run.reporting.wanted,
        )
        for _ in save_model(model.bundle, output)
        for answer in reported(
            saved_answer(model, output, perf_counter() - began, quiet=quiet),
            frame,
            model,
            output,
            run.reporting,
        )
    )
