"""`kdtab compare`: a teacher and a student side by side on a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from returns.result import Result, Success

from kdtab.cli.console import Answer, aligned, figure
from kdtab.cli.fields import parsed_run
from kdtab.cli.options import (
    SectionedCommand,
    field_flags,
    plain_flags,
    table_argument,
)
from kdtab.config.reporting import ReportOptions
from kdtab.config.run import CompareRun, DeviceOptions
from kdtab.config.tables import ReadOptions
from kdtab.config.teacherfiles import TeacherFileOptions
from kdtab.errors.base import quoted
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.results import check, either, fail, gather

if TYPE_CHECKING:
    from kdtab.bundle import ModelBundle
    from kdtab.config.training import Task
    from kdtab.record import BundleRecord
    from kdtab.report.asked import AskedModels
    from kdtab.report.comparison import Comparison
    from kdtab.teachers.teacher import Teacher


@click.command(cls=SectionedCommand)
@table_argument
@click.option(
    "-t",
    "--teacher",
    required=True,
    metavar="FILE",
    help="The larger model: a bundle, .onnx, .skops, a table of scores, a folder of labels.",
)
@click.option("-s", "--student", required=True, metavar="FILE", help="The smaller model's bundle.")
@click.option(
    "--scratch",
    metavar="FILE",
    help="The same student without a teacher, for the report. Without it the one that "
    "`kdtab distill --report` kept beside the student, if it is there.",
)
@click.option(
    "--target",
    "--target-column",
    "target",
    metavar="COLUMN",
    help="The column with the truth. Without it the student's target.",
)
@plain_flags
@field_flags("Report", ReportOptions)
@field_flags("Teacher", TeacherFileOptions)
@field_flags("Reading", ReadOptions)
@field_flags("Computing", DeviceOptions)
def compare(
    table: str,
    teacher: str,
    student: str,
    scratch: str | None,
    target: str | None,
    quiet: bool,
    **flags: object,
) -> Result[Answer, Issues]:
    """Show two models side by side on TABLE.

    On the table that the student was trained on, only the rows held out from it count. With --report the page of `kdtab distill --report` is made of the models that are left.

    Example:
        >>> compare.name
        'compare'
    """
    from kdtab.cli.reporting import check_reporting
    from kdtab.disk.bundles import read_record

    run, files = parsed_run(CompareRun, None, flags), _Files(table, teacher, student, scratch)
    small = read_record(student)
    task = either(small, lambda record: record.manifest.task, _no_task)
    outlet = run.bind(lambda checked: check_reporting(checked.reporting, files.inputs()))
    large = run.bind(lambda checked: _teacher(teacher, checked, task))
    alone = run.bind(lambda checked: _scratch(files, checked.reporting))
    return gather(run, outlet, large, small, alone).bind(
        lambda _: Result.do(
            answer
            for checked in run
            for first in large
            for second in small
            for third in alone
            for answer in _compared(files, first, second, third, target, checked)
        )
    )


@dataclass(frozen=True)
class _Files:
    table: str
    teacher: str
    student: str
    scratch: str | None

    def inputs(self) -> dict[str, str]:
        """What a report must not be written over."""
        from kdtab.cli.reporting import scratch_path

        return {
            "the table": self.table,
            "the teacher": self.teacher,
            "the student": self.student,
            "the scratch student": self.scratch or scratch_path(self.student),
        }


def _no_task(_issues: Issues) -> Task | None:
    return None


def _teacher(path: str, run: CompareRun, task: Task | None) -> Result[Teacher, Issues]:
    """The teacher of a file; a bundle's network on the device that was asked for."""
    from kdtab.cli.models import restore_model
    from kdtab.disk.bundles import read_record
    from kdtab.report.asked import kept_nowhere
    from kdtab.teachers.network import NetworkTeacher
    from kdtab.teachers.resolve import resolve_teacher

    def placed(teacher: Teacher) -> Result[Teacher, Issues]:
        if not isinstance(teacher, NetworkTeacher):
            return Success(teacher)
        restored = read_record(path).bind(lambda read: restore_model(read, run.compute.device))
        return restored.bind(resolve_teacher)

    def found() -> Result[Teacher, Issues]:
        return resolve_teacher(
            path,
            task=task,
            classes=run.teacher.teacher_classes or None,
            key=run.teacher.teacher_key,
            trusted=run.teacher.trusted_types,
        )

    return check(kept_nowhere(path)).bind(lambda _: found()).bind(placed)


def _scratch(files: _Files, options: ReportOptions) -> Result[BundleRecord | None, Issues]:
    """The one that was named, or else the one beside the student; none where nobody needs it."""
    from kdtab.cli.reporting import scratch_path
    from kdtab.disk.bundles import read_record

    beside = scratch_path(files.student)
    if files.scratch is not None and not options.wanted:
        rule = "is for a report or a gate: give --report or --min-gain too"
        return fail(FieldInvalid(name="--scratch", rule=rule, found=files.scratch))
    if not options.wanted or (files.scratch is None and not Path(beside).exists()):
        return Success(None)
    return read_record(files.scratch or beside).bind(Success)


def _compared(
    files: _Files,
    teacher: Teacher,
    student: BundleRecord,
    scratch: BundleRecord | None,
    target: str | None,
    run: CompareRun,
) -> Result[Answer, Issues]:
    from kdtab.cli.models import restore_model
    from kdtab.disk.tables import read_table
    from kdtab.report.answers import batch_speed
    from kdtab.report.asked import ask_models
    from kdtab.shell.timing import speed_of

    nobody: Result[ModelBundle | None, Issues] = Success(None)
    device = run.compute.device
    return Result.do(
        answer
        for frame in read_table(files.table, run.reading)
        for small in restore_model(student, device)
        for alone in (nobody if scratch is None else restore_model(scratch, device))
        for kin, notes in Success(_kin(files, small, alone))
        for asked in ask_models(
            teacher,
            small,
            frame,
            scratch=kin,
            segments=run.reporting.segments,
            target_column=target,
            clock=speed_of if run.reporting.wanted else batch_speed,
        )
        for answer in _answer(replace(asked, notes=(*asked.notes, *notes)), run)
    )


def _kin(
    files: _Files, student: ModelBundle, scratch: ModelBundle | None
) -> tuple[ModelBundle | None, tuple[str, ...]]:
    """A file that merely lies beside the student may be that of an earlier one."""
    from kdtab.cli.reporting import scratch_path
    from kdtab.report.history import differences_from

    differing = () if scratch is None else differences_from(student, scratch)
    if files.scratch is not None or not differing:
        return scratch, ()
    note = (
        f"{quoted(scratch_path(files.student))} is not the scratch student of this student "
        f"({'; '.join(differing)}): it was left out, and so is the gain"
    )
    return None, (note,)


def _answer(asked: AskedModels, run: CompareRun) -> Result[Answer, Issues]:
    from kdtab.cli.reporting import judged, write_report

    found = asked.comparison()
    answer = Answer(text=comparison_text(found), plain=found.to_plain())
    if not run.reporting.wanted:
        return Success(answer)
    summary = asked.summary()
    return write_report(summary, run.reporting).map(
        lambda _: judged(replace(answer, notes=asked.notes), summary, run.reporting)
    )


def comparison_text(found: Comparison) -> str:
    """A comparison as a table of two columns, and which rows it speaks of.

    Args:
        found: The figures of both sides.

    Returns:
        Lines for a terminal.

    Example:
        >>> from kdtab.bundle import Metrics
        >>> from kdtab.report.comparison import Comparison, ModelFigures
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
        ("parameters", _count(large.parameters), _count(small.parameters)),
        ("saved", "-", _saved(found)),
        ("bytes", _count(large.bytes), _count(small.bytes)),
        ("rows per second", _count(large.rows_per_second), _count(small.rows_per_second)),
    ]
    return f"{aligned(rows, numbers=True)}\n{found.rows:,} rows: {found.rows_were}\n"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _saved(found: Comparison) -> str:
    large, saved = found.teacher.parameters, found.parameters_saved
    return f"{_count(saved)} ({saved / large:.0%})" if saved and large else _count(saved)
