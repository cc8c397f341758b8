"""The page: the ladder, the promises and every table, as Markdown between two marks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.quality.evaluation import (
    PooledTable,
    calibration_difference,
    loss_increase,
    pooled_gain,
    relative_lead,
    table_gain,
    taught_gains,
)
from benchmarks.quality.findings import Findings, estimate_text, median_of, targets
from benchmarks.quality.records import TEACHER
from benchmarks.quality.students import (
    GATED,
    PRESET,
    ROWS,
    SCRATCH,
    SEED_RECIPE,
    WIDE_SCRATCH,
    ladder,
)

BEGIN, END = "<!-- quality: begin -->", "<!-- quality: end -->"
PICTURES = ("quality-ladder.png", "quality-costs.png")


def section(found: Findings, facts: str, pictures: str | None = None) -> str:
    """Everything between the marks.

    `pictures` is the folder of the figures as the page names it; None leaves them out.
    """
    seeds = max((table.seeds for table in found.tables), default=0)
    drawn = [] if pictures is None else [f"![]({pictures}/{name})" for name in PICTURES]
    return "\n".join(
        [
            f"{len(found.tables)} tables, {seeds} seeds, 60 % of the rows for training. {facts}",
            "",
            *_ladder_table(found),
            "",
            *_target_table(found),
            "",
            *(line for picture in drawn for line in (picture, "")),
            *_table_table(found),
        ]
    )


def put_section(page: Path, text: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Replace what stands between the marks; a page without them gets them at its end."""
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    begin, end = marks
    new = f"{begin}\n{text}\n{end}"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    whole = marked.sub(lambda _: new, old) if marked.search(old) else f"{old.rstrip()}\n\n{new}\n"
    page.write_text(whole.lstrip("\n"), encoding="utf-8")


def _ladder_table(found: Findings) -> Iterator[str]:
    """All rungs against the narrow student without a teacher, on the same tables."""
    yield "| student | gain retained | worst table | seconds | bytes | one row, µs |"
    yield "|---|---|---|---|---|---|"
    for rung in ladder():
        gains = taught_gains(found.tables, rung.name, SCRATCH)
        pooled = pooled_gain(gains)
        worst = min(gains, key=lambda one: one.retained, default=None)
        models = found.of_model(rung.name)
        cells = [
            rung.text,
            "" if pooled is None else estimate_text(pooled),
            "" if worst is None else f"{worst.retained:.2f} ({worst.table})",
            f"{median_of([one.seconds for one in models]):.1f}",
            f"{median_of([one.bytes for one in models]):,.0f}",
            f"{1e6 * median_of([one.row_seconds for one in models]):,.1f}",
        ]
        yield _row(cells)


def _target_table(found: Findings) -> Iterator[str]:
    yield "| what | promised | found | |"
    yield "|---|---|---|---|"
    for target in targets(found):
        verdict = {True: "met", False: "missed", None: ""}[target.is_met]
        yield _row([target.what, target.promised, target.found, verdict])


def _table_table(found: Findings) -> Iterator[str]:
    yield (
        "| table | test rows | scratch 2×64 | teacher's lead over 2×64, 2×256 | seed recipe | 2×64 "
        "| preset | handed out: loss | calibration error − teacher's |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for table in found.tables:
        yield _row(_table_cells(table))


def _table_cells(table: PooledTable) -> Sequence[str]:
    narrow, wide = (relative_lead(table, TEACHER, scratch) for scratch in (SCRATCH, WIDE_SCRATCH))
    increase = loss_increase(table, GATED, WIDE_SCRATCH)
    calibration = (
        f"{calibration_difference(table, GATED).value:+.3f}"
        if table.task == "classification"
        else ""
    )
    return [
        table.name,
        f"{table.rows:,}",
        f"{table.losses[SCRATCH].mean():.4f}",
        f"{narrow.value:+.1%} [{narrow.interval.low:+.1%}, {narrow.interval.high:+.1%}], "
        f"{wide.value:+.1%} [{wide.interval.low:+.1%}, {wide.interval.high:+.1%}]",
        *(
            _kept(table, student, scratch)
            for student, scratch in (
                (SEED_RECIPE, SCRATCH),
                (ROWS, SCRATCH),
                (PRESET, WIDE_SCRATCH),
            )
        ),
        f"{increase.value:+.1%} [{increase.interval.low:+.1%}, {increase.interval.high:+.1%}]",
        calibration,
    ]


def _kept(table: PooledTable, student: str, scratch: str) -> str:
    """The share where the teacher leads; elsewhere the student's own relative gain."""
    gain = table_gain(table, student, scratch)
    return f"{gain.retained:.2f}" if gain.is_taught else f"({gain.student.value:+.1%})"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
