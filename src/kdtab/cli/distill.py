"""`kdtab distill`: a table and a teacher in, a student out."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import click
from returns.result import Result

from kdtab.cli.console import Answer
from kdtab.cli.fields import parsed_run
from kdtab.cli.options import (
    SectionedCommand,
    field_flags,
    output_flags,
    table_argument,
)
from kdtab.cli.progress import shown_progress
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.run import DeviceOptions, DistillRun
from kdtab.config.tables import ReadOptions
from kdtab.config.training import TrainingConfig
from kdtab.disk.documents import output_issue
from kdtab.errors.issue import Issues
from kdtab.results import check, gather

if TYPE_CHECKING:
    from kdtab.record import BundleRecord

# A student's sizes come from its teacher, so a train config's own would be silently without effect.
TEACHERS_SIZES = frozenset({"hidden_dim", "num_hidden_layers", "dropout"})
# Which column, which rows, which split: what was held out from the teacher stays held out.
INHERITED_TRAINING = ("test_size", "validation_size", "random_seed")
INHERITED_COLUMNS = ("exclude_columns", "date_columns", "missing_markers", "max_categories")


@click.command(cls=SectionedCommand)
@table_argument
@click.option("-t", "--teacher", required=True, metavar="FILE", help="The teacher's bundle.")
@click.option(
    "-o", "--output", default="student.kdtab", show_default=True, help="Where to save the student."
)
@output_flags
@field_flags("Distillation", DistillConfig)
@field_flags("Training", TrainingConfig, without=TEACHERS_SIZES)
@field_flags("Columns", ColumnOptions)
@field_flags("Reading", ReadOptions)
@field_flags("Computing", DeviceOptions)
def distill(
    table: str, teacher: str, output: str, config: str | None, quiet: bool, **flags: object
) -> Result[Answer, Issues]:
    """Train a smaller network on what a teacher knows.

    The student learns from the labels of TABLE and from the teacher's outputs. The target, the excluded columns, the missing markers, the seed and the held-out shares are the
    teacher's unless you give others: what was held out from the teacher stays held out.

    Example:
        >>> distill.name
        'distill'
    """
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
    table: str, record: BundleRecord, run: DistillRun, output: str, *, quiet: bool
) -> Result[Answer, Issues]:
    from kdtab.cli.models import restore_model, save_model, saved_answer
    from kdtab.disk.tables import read_table
    from kdtab.recipes.distill import distill_student

    began = perf_counter()
    return Result.do(
        saved_answer(model, output, perf_counter() - began, quiet=quiet)
        for frame in read_table(table, run.reading)
        for teacher in restore_model(record, run.compute.device)
        for model in distill_student(
            frame,
            teacher,
            run.training,
            run.distill,
            columns=run.columns,
            device=run.compute.device,
            progress=shown_progress("distilling", quiet=quiet),
        )
        for _ in save_model(model.bundle, output)
    )
