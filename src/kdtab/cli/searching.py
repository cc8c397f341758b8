"""One student, or the best of many, from the command line; imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TypeAlias

import polars as pl
from returns.result import Result

from kdtab.cli.console import Answer, aligned, figure
from kdtab.config.run import DistillRun
from kdtab.config.teachers import LabelConfig
from kdtab.config.variants import StudentVariant
from kdtab.errors.issue import Issues, explain
from kdtab.recipes.distill import distill_student
from kdtab.recipes.students import DistilledStudents, DistilledVariant, distill_many
from kdtab.results import either
from kdtab.shell.progress import RunProgress
from kdtab.shell.trained import TrainedModel

Found: TypeAlias = tuple[TrainedModel, DistilledStudents | None]


def student_for(
    frame: pl.DataFrame,
    teacher: object,
    run: DistillRun,
    variants: Sequence[StudentVariant],
    *,
    labels: LabelConfig | None,
    progress: RunProgress,
) -> Result[Found, Issues]:
    """The student that a command asks for.

    Args:
        frame: The table.
        teacher: As for `distill_student`.
        run: The checked configs.
        variants: Students to choose from; none for the one of the run.
        labels: How rows are labelled; None where nobody asked.
        progress: Hears of the run.

    Returns:
        The student, and all of the search where there was one; or the issues of the recipe.

    Example:
        >>> student_for.__name__
        'student_for'
    """
    wanted, device = run.reporting.wanted, run.compute.device
    if not variants:
        return distill_student(
            frame,
            teacher,
            run.training,
            run.distill,
            labels=labels,
            columns=run.columns,
            device=device,
            progress=progress,
            scratch=wanted,
        ).map(lambda model: (model, None))
    return distill_many(
        frame,
        teacher,
        run.training,
        variants,
        run.distill,
        labels=labels,
        columns=run.columns,
        device=device,
        progress=progress,
        scratch=wanted,
    ).map(lambda found: (found.best, found))


def with_students(answer: Answer, found: DistilledStudents | None) -> Answer:
    """An answer with the table of all students, the best one marked.

    Args:
        answer: What is said of the best.
        found: All; None where there was one alone.

    Returns:
        The answer; for programs with the students as `students`.

    Example:
        >>> with_students(Answer("done", {}), None).text
        'done'
    """
    if found is None:
        return answer
    record = found.best.bundle.provenance
    chosen = (
        f"\nbest of {len(found.every):,} students by the loss of {record.validation_rows or 0:,} "
        "validation rows:\n"
    )
    return replace(
        answer,
        text=f"{answer.text}{chosen}{_table(found)}",
        plain={**answer.plain, "students": _plain(found)},
    )


def _table(found: DistilledStudents) -> str:
    names = tuple(found.every[0].variant.changes)
    metric = found.best.metrics.test_metric_name
    head = (*(name.replace("_", " ") for name in names), "validation loss", f"held-out {metric}")
    rows = [
        ("*" if place == found.best_place else "", *_cells(one, names))
        for place, one in enumerate(found.every)
    ]
    return aligned([("", *head), *rows], numbers=True)


def _cells(one: DistilledVariant, names: Sequence[str]) -> tuple[str, ...]:
    own = tuple(f"{one.variant.changes[name]:g}" for name in names)
    measured = one.outcome.map(
        lambda model: (
            figure(one.validation_loss or 0.0),
            figure(model.metrics.test_metric_value),
        )
    )
    return own + measured.value_or(("not finite", "-"))


def _plain(found: DistilledStudents) -> list[dict[str, object]]:
    return [
        {
            **one.variant.changes,
            "is_best": place == found.best_place,
            "validation_loss": one.validation_loss,
            "metrics": one.outcome.map(lambda model: asdict(model.metrics)).value_or(None),
            "error": either(
                one.outcome, lambda _: None, lambda issues: [explain(each) for each in issues]
            ),
        }
        for place, one in enumerate(found.every)
    ]
