"""`kdtab distill --quantiles`: which levels, and the student that tells them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from time import perf_counter

from returns.result import Result, Success

from kdtab.cli.console import Answer
from kdtab.cli.fields import parsed_run
from kdtab.cli.progress import shown_progress
from kdtab.cli.target import run_of_table
from kdtab.cli.variants import Search
from kdtab.config.quantiles import levels_problem
from kdtab.config.reporting import ReportOptions
from kdtab.config.run import DistillRun
from kdtab.disk.documents import output_issue
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.issue import Issues
from kdtab.results import Checked, check, fail

WITHOUT_EFFECT = frozenset({"augment", "augment_swap", "augment_spread", "calibrate"})
"""Of a preset: a student of quantiles has a loss of its own, and a forest speaks of known rows."""
RULE = "must be left out beside quantiles: one student is fitted, and no page is written of it"


def asked_levels(text: str) -> Checked[tuple[float, ...]]:
    """The levels that a text asks for.

    Args:
        text: Levels with commas between them, or how many: 9 are 0.1, 0.2 to 0.9.

    Returns:
        Rising levels with the median among them, or `FieldInvalid`.

    Example:
        >>> asked_levels("3").unwrap(), asked_levels(".05,.5,.95").unwrap()
        ((0.25, 0.5, 0.75), (0.05, 0.5, 0.95))
        >>> asked_levels("4").failure().first.rule
        'must hold 0.5, the median'
    """
    try:
        levels = (
            tuple(float(part) for part in text.split(","))
            if "," in text
            else tuple(round(place / (int(text) + 1), 6) for place in range(1, int(text) + 1))
        )
    except ValueError:
        rule = "must be levels such as .1,.5,.9, or how many, such as 9"
        return fail(FieldInvalid(name="quantiles", rule=rule, found=text))
    problem = levels_problem(levels)
    if problem is None:
        return Success(levels)
    return fail(FieldInvalid(name="quantiles", rule=problem, found=text))


def quantile_search(search: Search, *, unlabelled: bool) -> Checked[Search]:
    """The one student of quantiles, with what a preset says of it.

    Args:
        search: With the preset's fields, and the students that a choice would fit.
        unlabelled: Whether more rows were given.

    Returns:
        The search without students to choose from; or `FieldInvalid` for each thing that was asked
        for and has no place here.

    Example:
        >>> quantile_search(Search({}, (), {"augment": 4.0, "steps": 9}), unlabelled=False).unwrap()
        Search(flags={}, variants=(), fields={'steps': 9}, choice=None)
    """
    return check(*_out_of_place(search, unlabelled=unlabelled)).map(
        lambda _: replace(
            search,
            variants=(),
            choice=None,
            fields={
                name: value for name, value in search.fields.items() if name not in WITHOUT_EFFECT
            },
        )
    )


def _out_of_place(search: Search, *, unlabelled: bool) -> Iterator[FieldInvalid]:
    choice = search.choice
    lists = search.variants if choice is None else ()
    asked = {
        "unlabelled": unlabelled,
        "tune": choice is not None and choice.tune,
        "max_bytes": choice is not None and choice.max_bytes is not None,
        "max_latency": choice is not None and choice.max_latency is not None,
        **dict.fromkeys((name for each in lists for name in each.changes), True),
    }
    for name, given in asked.items():
        if given:
            yield FieldInvalid(name=name, rule=RULE, found="given")


def _pages(reporting: ReportOptions) -> Iterator[FieldInvalid]:
    """A page or a least gain, in flags or in a file: neither is measured of quantiles."""
    asked = {"report": reporting.report, "min_gain": reporting.min_gain}
    for name, given in asked.items():
        if given is not None:
            yield FieldInvalid(name=name, rule=RULE, found=str(given))


def quantile_student(
    tables: Mapping[str, str],
    teacher: str,
    output: str,
    config: str | None,
    search: Search,
    levels: str,
    *,
    quiet: bool,
) -> Result[Answer, Issues]:
    """Fit the student of quantiles, save it, and say how good it is.

    Args:
        tables: Paths by what they are; the first is the table.
        teacher: "forest" or "extra_trees".
        output: Where to save the student.
        config: A file of fields, or None.
        search: The flags, with the preset's fields.
        levels: As for `asked_levels`.
        quiet: Whether to say nothing on the way.

    Returns:
        What the command prints; or the issues of the flags, and those of `distill_quantiles`.

    Example:
        >>> quantile_student.__name__
        'quantile_student'
    """
    table, *more = tables.values()
    run = (
        quantile_search(search, unlabelled=bool(more))
        .bind(lambda found: parsed_run(DistillRun, config, found.flags, **found.defaults({})))
        .bind(lambda known: check(*_pages(known.reporting)).map(lambda _: known))
    )
    asked, outlet = asked_levels(levels), check(output_issue(output, tables))
    return run_of_table(run, asked, outlet, table=table, flags=search.flags).bind(
        lambda known: _answer(table, teacher, known, asked.unwrap(), output, quiet=quiet)
    )


def _answer(
    table: str,
    teacher: str,
    run: DistillRun,
    levels: tuple[float, ...],
    output: str,
    *,
    quiet: bool,
) -> Result[Answer, Issues]:
    from kdtab.cli.models import save_model, saved_answer
    from kdtab.disk.tables import read_table
    from kdtab.recipes.quantiles import distill_quantiles

    began = perf_counter()
    return Result.do(
        saved_answer(model, output, perf_counter() - began, quiet=quiet)
        for frame in read_table(table, run.reading)
        for model in distill_quantiles(
            frame,
            teacher,
            run.training,
            quantiles=levels,
            distill=run.distill,
            labels=run.labelling,
            columns=run.columns,
            device=run.compute.device,
            progress=shown_progress("distilling", quiet=quiet),
        )
        for _ in save_model(model.bundle, output)
    )
