"""Everything that the page says, as values: the ladder, the tables and the targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from benchmarks.quality.evaluation import (
    MANY_ROWS,
    Estimate,
    PooledTable,
    TableGain,
    calibration_difference,
    is_harmless,
    loss_increase,
    pooled_difference,
    pooled_gain,
    pooled_table,
    table_gain,
    taught_gains,
)
from benchmarks.quality.records import TEACHER, Case, Measured, WorkFolder
from benchmarks.quality.students import (
    GATED,
    PRESET,
    ROWS,
    SCRATCH,
    SEED_RECIPE,
    WIDE_SCRATCH,
    ladder,
)


@dataclass(frozen=True, eq=False)
class Findings:
    """The pooled tables of all cases that are complete, and a line for each model measured there."""

    tables: tuple[PooledTable, ...]
    measured: tuple[Measured, ...]

    def of_model(self, student: str) -> tuple[Measured, ...]:
        """All cases of one model."""
        return tuple(one for one in self.measured if one.student == student)


@dataclass(frozen=True)
class Target:
    """A promise, what was found, and whether it is kept; None where nothing can be said."""

    what: str
    promised: str
    found: str
    is_met: bool | None


def findings(folder: WorkFolder, seeds: Sequence[int]) -> Findings:
    """What is there of these seeds; a case counts where all its models are measured."""
    by_case: dict[Case, dict[str, Measured]] = {}
    for one in folder.every():
        if one.seed in seeds:
            by_case.setdefault(one.case, {})[one.student] = one
    models = (TEACHER, *(name for rung in ladder() for name in rung.measured))
    whole = {case: found for case, found in by_case.items() if set(models) <= set(found)}
    tables = tuple(
        pooled_table(
            name,
            next(iter(found.values())).task,
            {case: {one: folder.rows(case, one) for one in models} for case in cases},
        )
        for name, cases, found in _by_table(whole)
    )
    kept = tuple(found[name] for found in whole.values() for name in models)
    return Findings(tables, kept)


def _by_table(
    whole: dict[Case, dict[str, Measured]],
) -> Iterator[tuple[str, list[Case], dict[str, Measured]]]:
    for name in sorted({case.table for case in whole}):
        cases = sorted((case for case in whole if case.table == name), key=lambda case: case.seed)
        yield name, cases, whole[cases[0]]


def targets(found: Findings) -> Iterator[Target]:
    """The promises of the protocol, one after the other."""
    tables = found.tables
    narrow, wide = taught_gains(tables, ROWS, SCRATCH), taught_gains(tables, PRESET, WIDE_SCRATCH)
    yield _gain_target(f"gain retained, 2×64, {len(narrow)} tables", narrow, 0.75, None)
    yield _gain_target(f"gain retained, 2×256, {len(wide)} tables", wide, 0.90, 0.80)
    if wide:
        worst = min(wide, key=lambda one: one.retained)
        text = f"{worst.retained:.2f} ({worst.table})"
        yield Target("the worst of those tables, 2×256", "≥ .30", text, worst.retained >= 0.30)
    yield _harm_target(tables)
    yield _lead_target(tables)
    yield _calibration_target(tables)


def _gain_target(
    what: str, gains: Sequence[TableGain], least: float, least_low: float | None
) -> Target:
    pooled = pooled_gain(gains)
    promised = f"≥ {least:.2f}" + ("" if least_low is None else f", lower bound ≥ {least_low:.2f}")
    if pooled is None:
        return Target(what, promised, "no table where the teacher is better", None)
    met = pooled.value >= least and (least_low is None or pooled.interval.low >= least_low)
    return Target(what, promised, estimate_text(pooled), met)


def _harm_target(tables: Sequence[PooledTable]) -> Target:
    increases = {table: loss_increase(table, GATED, WIDE_SCRATCH) for table in tables}
    harmed = [table.name for table, found in increases.items() if not is_harmless(table, found)]
    largest = max((found.value for found in increases.values()), default=float("nan"))
    text = f"largest {largest:+.1%}; broken by {', '.join(harmed) or 'none'}"
    promised = f"loss at most + .3 % (upper bound 2 %); below {MANY_ROWS:,} rows: not beyond chance"
    return Target("never worse than scratch, gate on", promised, text, not harmed)


def _lead_target(tables: Sequence[PooledTable]) -> Target:
    """Both against the one scratch student, so that their difference is that of the students."""
    preset = taught_gains(tables, PRESET, WIDE_SCRATCH)
    names = {one.table for one in preset}
    seed = [table_gain(table, SEED_RECIPE, WIDE_SCRATCH) for table in tables if table.name in names]
    lead = pooled_difference(preset, seed)
    text = "no table" if lead is None else estimate_text(lead)
    met = None if lead is None else lead.value >= 0.4
    return Target("the preset less the seed recipe", "≥ + .40", text, met)


def _calibration_target(tables: Sequence[PooledTable]) -> Target:
    found = {
        table.name: calibration_difference(table, GATED)
        for table in tables
        if table.task == "classification"
    }
    worst = max(found, key=lambda name: found[name].interval.low, default=None)
    what, promised = "calibration error, student − teacher", "lower bound ≤ .01 on every table"
    if worst is None:
        return Target(what, promised, "no classification", None)
    low = found[worst].interval.low
    return Target(what, promised, f"largest lower bound {low:.3f} ({worst})", low <= 0.01)


def estimate_text(estimate: Estimate) -> str:
    """A figure with its interval in brackets."""
    return f"{estimate.value:.2f} [{estimate.interval.low:.2f}, {estimate.interval.high:.2f}]"


def median_of(values: Sequence[float | int | None]) -> float:
    """Of those that are known; NaN where none is."""
    known = [float(value) for value in values if value is not None]
    return float(np.median(known)) if known else float("nan")
