"""`kdtab distill`: a table and a teacher in, a student out."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import click
from returns.result import Result, Success

from kdtab.cli.choosing import with_choice
from kdtab.cli.console import Answer
from kdtab.cli.fields import parsed_run
from kdtab.cli.inheriting import inherited_fields
from kdtab.cli.labelfolder import label_folder, labels_issue
from kdtab.cli.options import (
    SectionedCommand,
    field_flags,
    output_flags,
    table_argument,
)
from kdtab.cli.progress import shown_progress
from kdtab.cli.quantiles import quantile_student
from kdtab.cli.speakers import is_bundle_path
from kdtab.cli.target import run_of_table
from kdtab.cli.variants import Search, asked_search
from kdtab.config.choice import ChoiceOptions
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.reporting import ReportOptions
from kdtab.config.run import DeviceOptions, DistillRun
from kdtab.config.tables import ReadOptions
from kdtab.config.teacherfiles import TeacherFileOptions
from kdtab.config.teachers import TEACHER_KINDS, LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.disk.documents import output_issue
from kdtab.errors.issue import Issues
from kdtab.results import check, fail, gather

if TYPE_CHECKING:
    import polars as pl

    from kdtab.record import BundleRecord
    from kdtab.shell.assemble import TrainedModel

# A student's sizes come from its teacher, so a train config's own would be silently without effect.
TEACHERS_SIZES = frozenset({"hidden_dim", "num_hidden_layers", "dropout"})
THE_TABLE, UNLABELLED = "the table", "the unlabelled rows"


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
    "--unlabelled",
    metavar="FILE",
    help="More rows, read as TABLE is: the teacher labels them, and a target is not looked at.",
)
@click.option(
    "--quantiles",
    metavar="LEVELS",
    help="Tell quantiles of a number too: levels such as .1,.5,.9, or how many. The teacher is "
    "forest or extra_trees.",
)
@click.option(
    "-o", "--output", default="student.kdtab", show_default=True, help="Where to save the student."
)
@output_flags
@field_flags("Choice", ChoiceOptions)
@field_flags("Labels", LabelConfig)
@field_flags("Report", ReportOptions)
@field_flags("Teacher", TeacherFileOptions)
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
    unlabelled: str | None,
    quantiles: str | None,
    output: str,
    config: str | None,
    quiet: bool,
    **flags: object,
) -> Result[Answer, Issues]:
    """Train a smaller network on what a teacher knows.

    The student learns from the labels of TABLE and from the teacher's outputs. A bundle gives it the target, the excluded columns, the missing markers, the seed and the held-out
    shares unless you give others: what was held out from the teacher stays held out. Any other teacher needs a --target. `kdtab distill TABLE --target COLUMN --teacher forest` needs no
    teacher at all: one is fitted, and labels no row that it saw.

    With a teacher that is no bundle, whatever you do not give is taken from the preset `standard`, and a student alone, without a teacher, is fitted beside the others. The usual one is kept unless
    another leads by more than one standard error on the validation rows, or the teacher is worse than none. --preset seed is the plain recipe: one student, in-sample labels.

    Commas in --alpha, --temperature, --learning-rate and --random-seed (`--alpha .3,.5,.7`) train one student for each combination, all in one pass. The best by the loss of the validation
    rows is kept; they are 0.15 of the rows unless you give a --validation-size.

    Example:
        >>> distill.name
        'distill'
    """
    contradiction = labels_issue(flags, teacher)
    if contradiction is not None:
        return fail(contradiction)
    folder = label_folder(flags)
    chosen = folder if teacher is None else teacher
    if chosen is None:
        (option,) = (item for item in context.command.params if item.name == "teacher")
        raise click.MissingParameter(ctx=context, param=option)
    given = flags if folder is None or teacher is not None else {**flags, "labels": None}
    tables = {THE_TABLE: table} | ({} if unlabelled is None else {UNLABELLED: unlabelled})
    is_bundle = is_bundle_path(chosen)
    asked = asked_search(given).bind(
        lambda search: with_choice(search, config, chosen, is_bundle=is_bundle)
    )
    if quantiles is not None:
        return asked.bind(
            lambda search: quantile_student(
                tables, chosen, output, config, search, quantiles, quiet=quiet
            )
        )
    road = _from_bundle if is_bundle else _from_other
    return asked.bind(lambda search: road(tables, chosen, output, config, search, quiet=quiet))


def _from_bundle(
    tables: dict[str, str],
    teacher: str,
    output: str,
    config: str | None,
    search: Search,
    *,
    quiet: bool,
) -> Result[Answer, Issues]:
    from kdtab.disk.bundles import read_record

    flags = search.flags
    unknown = search.defaults({"target_column": "(the teacher's)"})
    run = parsed_run(DistillRun, config, flags, **unknown)
    inputs = tables | {"the teacher": teacher}
    outlet = check(output_issue(output, inputs))
    record = read_record(teacher)
    return gather(run, outlet, record).bind(
        lambda _: Result.do(
            answer
            for read in record
            for checked in parsed_run(
                DistillRun, config, flags, **search.defaults(inherited_fields(read))
            )
            for answer in _distilled(inputs, read, checked, search, output, quiet=quiet)
        )
    )


def _from_other(
    tables: dict[str, str],
    teacher: str,
    output: str,
    config: str | None,
    search: Search,
    *,
    quiet: bool,
) -> Result[Answer, Issues]:
    inputs = tables | ({} if teacher in TEACHER_KINDS else {"the teacher": teacher})
    run = parsed_run(DistillRun, config, search.flags, **search.defaults({}))
    outlet = check(output_issue(output, inputs))
    return run_of_table(run, outlet, table=tables[THE_TABLE], flags=search.flags).bind(
        lambda checked: _distilled(inputs, teacher, checked, search, output, quiet=quiet)
    )


def _without_gate_notes(answer: Answer, model: TrainedModel) -> Answer:
    """They were said before the training began."""
    from kdtab.teachers.gate import gate_notes

    evidence = model.report.evidence
    said = () if evidence is None else gate_notes(evidence.gate)
    return replace(answer, notes=tuple(note for note in answer.notes if note not in said))


def _distilled(
    inputs: dict[str, str],
    teacher: str | BundleRecord,
    run: DistillRun,
    search: Search,
    output: str,
    *,
    quiet: bool,
) -> Result[Answer, Issues]:
    from kdtab.cli.models import save_model, saved_answer
    from kdtab.cli.reporting import check_distilled_reporting, reported
    from kdtab.cli.searching import others_of, student_for, with_students

    began = perf_counter()
    asked = isinstance(teacher, str) or run.labelling.model_fields_set
    return Result.do(
        answer
        for _checked in check_distilled_reporting(run.reporting, inputs, output)
        for frame in _table(inputs[THE_TABLE], run)
        for more in _more_rows(inputs.get(UNLABELLED), run)
        for speaker in _speaker(teacher, run)
        for model, found in student_for(
            frame,
            speaker,
            run,
            search,
            labels=run.labelling if asked else None,
            unlabelled=more,
            progress=shown_progress("distilling", quiet=quiet),
        )
        for _ in save_model(model.bundle, output)
        for answer in reported(
            _without_gate_notes(
                with_students(
                    saved_answer(model, output, perf_counter() - began, quiet=quiet),
                    found,
                    search.choice,
                ),
                model,
            ),
            frame,
            model,
            output,
            run.reporting,
            others=others_of(found),
        )
    )


def _table(path: str, run: DistillRun) -> Result[pl.DataFrame, Issues]:
    """A segment that is not there is said before hours of training."""
    from kdtab.disk.tables import read_table
    from kdtab.report.segments import segments_by_columns

    return read_table(path, run.reading).bind(
        lambda frame: segments_by_columns(frame, run.reporting.segments).map(lambda _: frame)
    )


def _more_rows(path: str | None, run: DistillRun) -> Result[pl.DataFrame | None, Issues]:
    from kdtab.disk.tables import read_table

    return Success(None) if path is None else read_table(path, run.reading).map(_perhaps)


def _perhaps(frame: pl.DataFrame) -> pl.DataFrame | None:
    return frame


def _speaker(teacher: str | BundleRecord, run: DistillRun) -> Result[object, Issues]:
    """What is asked; a file of which the user said more than it says itself is opened here."""
    from kdtab.cli.models import restore_model
    from kdtab.teachers.resolve import resolve_teacher

    if not isinstance(teacher, str):
        return restore_model(teacher, run.compute.device).map(_spoken)
    said, task = run.teacher, run.training.task
    if teacher in TEACHER_KINDS or not said.model_fields_set:
        return Success(teacher)
    return resolve_teacher(
        teacher,
        task=task if task != "auto" else ("classification" if said.teacher_classes else None),
        classes=said.teacher_classes or None,
        key=said.teacher_key,
        trusted=said.trusted_types,
    ).map(_spoken)


def _spoken(teacher: object) -> object:
    return teacher
