"""The report of a distillation: written to a file, and held against a gate; imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
from returns.result import Result, Success

from kdtab.cli.console import Answer, json_text
from kdtab.cli.models import save_model
from kdtab.config.reporting import ReportOptions
from kdtab.disk.atomic import write_bytes
from kdtab.disk.documents import output_issue
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.recipes.report import report_distillation
from kdtab.report.drawing import check_plotting
from kdtab.report.render import html_report
from kdtab.report.summary import Summary
from kdtab.report.text import render_text
from kdtab.report.verdict import gate, verdict_sentence
from kdtab.results import check, fail, gather
from kdtab.shell.trained import TrainedModel

PLAIN_SUFFIXES = (".json", ".txt")
SUFFIXES = (*PLAIN_SUFFIXES, ".html", ".htm", "")


def check_reporting(options: ReportOptions, inputs: dict[str, str]) -> Result[None, Issues]:
    """Whether the report can be drawn and written, before anything is trained.

    Args:
        options: What was asked for.
        inputs: The files that the command reads, by role.

    Returns:
        None, `FieldInvalid` for a suffix that is none of a report, the issue of the folder, or
        `ExtraMissing` where nothing can draw.

    Example:
        >>> check_reporting(ReportOptions(), {}).unwrap() is None
        True
    """
    if options.report is None:
        return Success(None)
    if Path(options.report).suffix.lower() not in SUFFIXES:
        rule = "is a page (.html), data (.json) or text (.txt)"
        return fail(FieldInvalid(name="report", rule=rule, found=options.report))
    drawn = not options.report.lower().endswith(PLAIN_SUFFIXES)
    plotting = check_plotting() if drawn else Success(None)
    outlet = check(output_issue(options.report, inputs))
    return outlet.bind(lambda _: plotting)


def check_distilled_reporting(
    options: ReportOptions, inputs: dict[str, str], output: str
) -> Result[None, Issues]:
    """Whether a report and the scratch student can be written beside a student.

    Args:
        options: What was asked for.
        inputs: The files that the command reads, by role.
        output: Where the student will be saved.

    Returns:
        None, or the issues of `check_reporting`; `OutputIsInput` where the scratch student would
        take the place of the table or the teacher.

    Example:
        >>> options = ReportOptions(report="same.json")
        >>> check_distilled_reporting(options, {}, "same.json").failure().first.role
        'the student'
    """
    beside = scratch_path(output)
    written = {"the student": output, "the scratch student": beside}
    scratch = check(output_issue(beside, inputs)) if options.wanted else Success(None)
    return gather(scratch, check_reporting(options, inputs | written))


def reported(
    answer: Answer,
    frame: pl.DataFrame,
    model: TrainedModel,
    output: str,
    options: ReportOptions,
    *,
    others: Sequence[tuple[str, TrainedModel]] = (),
) -> Result[Answer, Issues]:
    """The answer of a distillation, with its report written and its gate passed or missed.

    Args:
        answer: What `kdtab distill` says without a report.
        frame: The table.
        model: The student with its evidence.
        output: Where the student was saved; the scratch student is saved beside it.
        options: What was asked for.
        others: Students that were fitted too, each with a few words.

    Returns:
        The answer with the verdict, or the issues of the report or the disk.

    Example:
        >>> reported(Answer("done", {}), pl.DataFrame(), None, "s.kdtab", ReportOptions()).unwrap()
        Answer(text='done', plain={}, notes=(), gate_missed=False)
    """
    if not options.wanted:
        return Success(answer)
    return Result.do(
        judged(answer, summary, options)
        for summary in report_distillation(frame, model, segments=options.segments, others=others)
        for _ in _save_scratch(model, output)
        for _written in write_report(summary, options)
    )


def scratch_path(output: str) -> str:
    """Where the student without a teacher is kept: beside the student.

    Args:
        output: The student's file.

    Returns:
        `student.scratch.kdtab` for `student.kdtab`.

    Example:
        >>> scratch_path("out/student.kdtab")
        'out/student.scratch.kdtab'
    """
    path = Path(output)
    return str(path.with_name(f"{path.stem}.scratch{path.suffix}"))


def write_report(summary: Summary, options: ReportOptions) -> Result[None, Issues]:
    """Write a report as its file's suffix says: a page, JSON or text; whole or not at all.

    Args:
        summary: The report.
        options: Where; nothing is written without a place.

    Returns:
        None, or the issues of the disk, `ExtraMissing`.

    Example:
        >>> write_report(None, ReportOptions(min_gain=0.5)).unwrap() is None
        True
    """
    if options.report is None:
        return Success(None)
    path = options.report
    return _rendered(summary, Path(path).suffix.lower()).bind(
        lambda text: write_bytes(path, text.encode("utf-8"))
    )


def judged(answer: Answer, summary: Summary, options: ReportOptions) -> Answer:
    """An answer with the verdict of a report, and its gate passed or missed.

    Args:
        answer: What a command says without a report.
        summary: The report, as it was written.
        options: Where it was written, and what was to be reached.

    Returns:
        The answer; for programs with the report as `report`.

    Example:
        >>> import numpy as np
        >>> from kdtab.report.inputs import MeasuredRows, ModelOutputs
        >>> from kdtab.report.side_by_side import summarize
        >>> said = ModelOutputs("rule", "values", np.array([[1.0]]))
        >>> summary = summarize(MeasuredRows("price", np.array([1.0])), said, said)
        >>> judged(Answer("", {}), summary, ReportOptions(min_gain=0.9)).gate_missed
        True
    """
    passed = options.min_gain is None or gate(summary, options.min_gain, options.allow_undefined)
    written = "" if options.report is None else f"report         {options.report}\n"
    return replace(
        answer,
        text=f"{answer.text}{written}\n{verdict_sentence(summary)}\n",
        plain={**answer.plain, "report": summary.to_plain(), "gate_passed": passed},
        gate_missed=not passed,
    )


def _save_scratch(model: TrainedModel, output: str) -> Result[None, Issues]:
    evidence = model.report.evidence
    if evidence is None or evidence.scratch is None:
        return Success(None)
    return save_model(evidence.scratch.bundle, scratch_path(output))


def _rendered(summary: Summary, suffix: str) -> Result[str, Issues]:
    if suffix == ".json":
        return Success(json_text(summary.to_plain()))
    return Success(render_text(summary)) if suffix == ".txt" else html_report(summary)
