"""`kdtab compare`: a teacher and a student side by side on a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from returns.result import Result

from kdtab.cli.console import Answer, aligned, figure
from kdtab.cli.fields import parsed_run
from kdtab.cli.options import (
    SectionedCommand,
    field_flags,
    plain_flags,
    table_argument,
)
from kdtab.config.run import DeviceOptions, ReadRun
from kdtab.config.tables import ReadOptions
from kdtab.errors.issue import Issues
from kdtab.results import gather

if TYPE_CHECKING:
    from kdtab.recipes.compare import Comparison
    from kdtab.record import BundleRecord


@click.command(cls=SectionedCommand)
@table_argument
@click.option("-t", "--teacher", required=True, metavar="FILE", help="The larger model's bundle.")
@click.option("-s", "--student", required=True, metavar="FILE", help="The smaller model's bundle.")
@click.option(
    "--target",
    "--target-column",
    "target",
    metavar="COLUMN",
    help="The column with the truth. Without it the student's target.",
)
@plain_flags
@field_flags("Reading", ReadOptions)
@field_flags("Computing", DeviceOptions)
def compare(
    table: str, teacher: str, student: str, target: str | None, quiet: bool, **flags: object
) -> Result[Answer, Issues]:
    """Show two models side by side on TABLE.

    On the table that the student was trained on, only the rows held out from it count.

    Example:
        >>> compare.name
        'compare'
    """
    from kdtab.disk.bundles import read_record

    run = parsed_run(ReadRun, None, flags)
    large, small = read_record(teacher), read_record(student)
    return gather(run, large, small).bind(
        lambda _: Result.do(
            answer
            for checked in run
            for first in large
            for second in small
            for answer in _compared(table, first, second, target, checked)
        )
    )


def _compared(
    table: str, teacher: BundleRecord, student: BundleRecord, target: str | None, run: ReadRun
) -> Result[Answer, Issues]:
    from kdtab.cli.models import restore_model
    from kdtab.disk.tables import read_table
    from kdtab.recipes.compare import compare_models

    return Result.do(
        Answer(text=comparison_text(found), plain=found.to_plain())
        for frame in read_table(table, run.reading)
        for large in restore_model(teacher, run.compute.device)
        for small in restore_model(student, run.compute.device)
        for found in compare_models(large, small, frame, target_column=target)
    )


def comparison_text(found: Comparison) -> str:
    """A comparison as a table of two columns, and which rows it speaks of.

    Args:
        found: The figures of both sides.

    Returns:
        Lines for a terminal.

    Example:
        >>> from kdtab.bundle import Metrics
        >>> from kdtab.recipes.compare import Comparison, ModelFigures
        >>> side = ModelFigures(Metrics("regression", 0.1, 0.2, "rmse", 3.5), 10, 900, 1e5)
        >>> print(comparison_text(Comparison(9, "held out", side, side, 1.0, 0)), end="")
                         teacher  student
        rmse               3.500    3.500
        loss              0.2000   0.2000
        agreement (R²)         -    1.000
        parameters            10       10
        saved                  -        0
        bytes                900      900
        rows per second  100,000  100,000
        <BLANKLINE>
        9 rows: held out
    """
    large, small = found.teacher, found.student
    regression = large.metrics.task == "regression"
    share = f" ({found.parameters_saved / large.parameters:.0%})" if found.parameters_saved else ""
    rows = [
        ("", "teacher", "student"),
        (
            large.metrics.test_metric_name,
            figure(large.metrics.test_metric_value),
            figure(small.metrics.test_metric_value),
        ),
        (
            "loss" if regression else "log loss",
            figure(large.metrics.test_loss),
            figure(small.metrics.test_loss),
        ),
        ("agreement (R²)" if regression else "agreement", "-", figure(found.agreement)),
        ("parameters", f"{large.parameters:,}", f"{small.parameters:,}"),
        ("saved", "-", f"{found.parameters_saved:,}{share}"),
        ("bytes", f"{large.bytes:,}", f"{small.bytes:,}"),
        ("rows per second", f"{large.rows_per_second:,.0f}", f"{small.rows_per_second:,.0f}"),
    ]
    return f"{aligned(rows, numbers=True)}\n{found.rows:,} rows: {found.rows_were}\n"
