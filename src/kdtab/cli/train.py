"""`kdtab train`: a table in, a teacher out."""

from __future__ import annotations

from time import perf_counter

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
from kdtab.cli.target import run_of_table
from kdtab.config.columns import ColumnOptions
from kdtab.config.run import DeviceOptions, TrainRun
from kdtab.config.tables import ReadOptions
from kdtab.config.training import TrainingConfig
from kdtab.disk.documents import output_issue
from kdtab.errors.issue import Issues
from kdtab.results import check


@click.command(cls=SectionedCommand)
@table_argument
@click.option(
    "-o", "--output", default="model.kdtab", show_default=True, help="Where to save the model."
)
@output_flags
@field_flags("Training", TrainingConfig)
@field_flags("Columns", ColumnOptions)
@field_flags("Reading", ReadOptions)
@field_flags("Computing", DeviceOptions)
def train(
    table: str, output: str, config: str | None, quiet: bool, **flags: object
) -> Result[Answer, Issues]:
    """Train a network on TABLE and save it.

    TABLE is a CSV, TSV, Parquet, Arrow, JSON-lines or Excel file. Name the column to predict with
    --target; all other columns are features unless you exclude them. The model is one file that
    holds all that its predictions need.

    Example:
        >>> train.name
        'train'
    """
    run = parsed_run(TrainRun, config, flags)
    outlet = check(output_issue(output, {"the table": table}))
    return run_of_table(run, outlet, table=table, flags=flags).bind(
        lambda checked: _trained(table, checked, output, quiet=quiet)
    )


def _trained(table: str, run: TrainRun, output: str, *, quiet: bool) -> Result[Answer, Issues]:
    from kdtab.cli.models import save_model, saved_answer
    from kdtab.disk.tables import read_table
    from kdtab.recipes.train import train_model

    began = perf_counter()
    return Result.do(
        saved_answer(model, output, perf_counter() - began, quiet=quiet)
        for frame in read_table(table, run.reading)
        for model in train_model(
            frame,
            run.training,
            columns=run.columns,
            device=run.compute.device,
            progress=shown_progress("training", quiet=quiet),
        )
        for _ in save_model(model.bundle, output)
    )
