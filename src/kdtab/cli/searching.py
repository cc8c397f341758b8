"""One student, or the best of many, from the command line; imports torch."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TypeAlias

import polars as pl
from returns.result import Result, Success

from kdtab.cli.console import Answer, aligned, figure
from kdtab.cli.variants import Search
from kdtab.config.choice import ChoiceOptions
from kdtab.config.run import DistillRun
from kdtab.config.teachers import LabelConfig
from kdtab.errors.issue import Issues, explain
from kdtab.recipes.distill import distill_student
from kdtab.recipes.students import DistilledStudents, DistilledVariant, distill_many
from kdtab.results import either
from kdtab.shell.progress import RunProgress
from kdtab.shell.scoring import stored_bytes
from kdtab.shell.trained import TrainedModel

Found: TypeAlias = tuple[TrainedModel, DistilledStudents | None]


def student_for(
    frame: pl.DataFrame,
    teacher: object,
    run: DistillRun,
    search: Search,
    *,
    labels: LabelConfig | None,
    unlabelled: pl.DataFrame | None,
    progress: RunProgress,
) -> Result[Found, Issues]:
    """The student that a command asks for.

    Args:
        frame: The table.
        teacher: As for `distill_student`.
        run: The checked configs.
        search: Students to choose from, and how; without variants the one of the run.
        labels: How rows are labelled; None where nobody asked.
        unlabelled: More rows for the teacher to label.
        progress: Hears of the run.

    Returns:
        The student, and all of the search where there was one; or the issues of the recipe.

    Example:
        >>> student_for.__name__
        'student_for'
    """
    wanted, device = run.reporting.wanted, run.compute.device
    if not search.variants:
        return distill_student(
            frame,
            teacher,
            run.training,
            run.distill,
            labels=labels,
            unlabelled=unlabelled,
            columns=run.columns,
            device=device,
            progress=progress,
            scratch=wanted,
        ).map(lambda model: (model, None))
    return distill_many(
        frame,
        teacher,
        run.training,
        search.variants,
        run.distill,
        labels=labels,
        unlabelled=unlabelled,
        columns=run.columns,
        device=device,
        progress=progress,
        scratch=wanted,
        choice=search.choice,
    ).map(lambda found: (found.best, found))


def with_students(
    answer: Answer, found: DistilledStudents | None, choice: ChoiceOptions | None = None
) -> Answer:
    """An answer with the table of all students, the one that was kept marked.

    Args:
        answer: What is said of it.
        found: All; None where there was one alone.
        choice: How one was kept; None: by the smallest validation loss.

    Returns:
        The answer; for programs with the students as `students`.

    Example:
        >>> with_students(Answer("done", {}), None).text
        'done'
    """
    if found is None:
        return answer
    rows = found.best.bundle.provenance.validation_rows or 0
    why = _best(found, rows) if choice is None else _kept(found, rows)
    return replace(
        answer,
        text=f"{answer.text}\n{why}:\n{_table(found)}",
        plain={**answer.plain, "students": _plain(found)},
    )


def others_of(found: DistilledStudents | None) -> tuple[tuple[str, TrainedModel], ...]:
    """The students that were fitted and not kept, as a report names them.

    Args:
        found: All; None where there was one alone.

    Returns:
        Names and models, without the student alone, which a report has anyway.

    Example:
        >>> others_of(None)
        ()
    """
    if found is None:
        return ()
    return tuple(
        (_name(one), one.outcome.unwrap())
        for place, one in enumerate(found.every)
        if place != found.best_place and not one.alone and isinstance(one.outcome, Success)
    )


def _best(found: DistilledStudents, rows: int) -> str:
    return f"best of {len(found.every):,} students by the loss of {rows:,} validation rows"


def _kept(found: DistilledStudents, rows: int) -> str:
    kept = found.every[found.best_place]
    if len(found.every) == 1:
        return f"one student was within the limits{', without a teacher' if kept.alone else ''}"
    if kept.alone:
        evidence = found.best.report.evidence
        gate = None if evidence is None else evidence.gate
        is_worse = gate is not None and gate.verdict == "worse"
        if is_worse:
            return (
                f"the student without a teacher was kept of {len(found.every):,}: the teacher is worse, "
                f"and none of its students leads by more than one standard error on {rows:,} rows"
            )
        return (
            f"kept of {len(found.every):,} students, by {rows:,} validation rows: the one without a "
            "teacher"
        )
    if found.best_place != found.usual_place:
        return (
            f"kept of {len(found.every):,} students, since it leads the usual one by more than one "
            f"standard error on {rows:,} validation rows"
        )
    return (
        f"the usual student of {len(found.every):,} was kept: none leads it by more than one standard "
        f"error on {rows:,} validation rows"
    )


def _table(found: DistilledStudents) -> str:
    """Columns of what varies, where every student varies the same; else a column of names."""
    names = tuple(found.every[0].variant.changes)
    alike = all(tuple(one.variant.changes) == names and not one.alone for one in found.every)
    metric = found.best.metrics.test_metric_name
    own = tuple(name.replace("_", " ") for name in names) if alike else ("student",)
    rows = [
        (
            "*" if place == found.best_place else "",
            *([f"{one.variant.changes[name]:g}" for name in names] if alike else [_name(one)]),
            *_measured(one),
        )
        for place, one in enumerate(found.every)
    ]
    head = ("", *own, "validation loss", f"held-out {metric}", "bytes")
    return aligned([head, *rows], numbers=True)


def _name(one: DistilledVariant) -> str:
    if one.alone:
        return "without a teacher"
    changes = one.variant.changes.items()
    return ", ".join(f"{_word(name)} {value:g}" for name, value in changes) or "usual"


def _word(name: str) -> str:
    return {"student_hidden_dim": "width", "augment": "synthetic"}.get(name, name.replace("_", " "))


def _measured(one: DistilledVariant) -> tuple[str, ...]:
    return one.outcome.map(
        lambda model: (
            figure(one.validation_loss or 0.0),
            figure(model.metrics.test_metric_value),
            f"{stored_bytes(model.bundle):,}",
        )
    ).value_or(("not finite", "-", "-"))


def _plain(found: DistilledStudents) -> list[dict[str, object]]:
    return [
        {
            **one.variant.changes,
            "is_best": place == found.best_place,
            "is_alone": one.alone,
            "validation_loss": one.validation_loss,
            "metrics": one.outcome.map(lambda model: asdict(model.metrics)).value_or(None),
            "error": either(
                one.outcome, lambda _: None, lambda issues: [explain(each) for each in issues]
            ),
        }
        for place, one in enumerate(found.every)
    ]
