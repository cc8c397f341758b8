"""What the figures of all tables come to: pure functions of what was measured.

A relative gain is (L_scratch − L) / L_scratch, from mean losses over the test rows of all seeds. The
gain retained is that of the student divided by that of the teacher; pooled, both are summed over the
tables where the teacher's lead is beyond chance. Intervals are of 95 %: over rows for one table, a row
that several seeds test being one; over tables for what is pooled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from benchmarks.quality.records import TEACHER, Case, RowFigures

from kdtab.config.training import Task
from kdtab.data.arrays import BoolArray, FloatArray, IntArray
from kdtab.metrics.bootstrap import Interval, interval_of, resampled_means
from kdtab.metrics.calibration import calibration_error, reliability_bins

DRAWS, TABLE_DRAWS, CALIBRATION_DRAWS = 1_000, 10_000, 300
MANY_ROWS = 2_000
"""Pooled test rows from which a table's loss increase is held to a number."""


@dataclass(frozen=True, eq=False)
class PooledTable:
    """The test rows of all seeds of a table.

    `groups` gives each row the code of its place in the whole table; `losses`, `said` and `right` are
    by model: the loss, the confidence (or the value) and whether the class was right.
    """

    name: str
    task: Task
    seeds: int
    groups: IntArray
    losses: Mapping[str, FloatArray]
    said: Mapping[str, FloatArray]
    right: Mapping[str, BoolArray]

    @property
    def rows(self) -> int:
        """Test rows, of all seeds."""
        return len(self.groups)


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class TableGain:
    """Relative gains of student and teacher on a table, and the share that was kept."""

    table: str
    teacher: Estimate
    student: Estimate

    @property
    def is_taught(self) -> bool:
        """Whether the teacher is better than the scratch student beyond chance."""
        return self.teacher.interval.low > 0

    @property
    def retained(self) -> float:
        """1 is all of the teacher's lead; without a lead it says nothing."""
        return self.student.value / self.teacher.value


def pooled_table(
    name: str, task: Task, found: Mapping[Case, Mapping[str, RowFigures]]
) -> PooledTable:
    """Rows of the seeds, one after the other; each seed must have the same models."""
    cases = list(found.values())
    models = list(cases[0])
    numbers = np.concatenate([case[TEACHER].numbers for case in cases])
    return PooledTable(
        name=name,
        task=task,
        seeds=len(cases),
        groups=np.unique(numbers, return_inverse=True)[1],
        losses={one: np.concatenate([case[one].losses for case in cases]) for one in models},
        said={one: np.concatenate([case[one].said for case in cases]) for one in models},
        right={one: np.concatenate([case[one].right for case in cases]) for one in models},
    )


def relative_lead(table: PooledTable, model: str, scratch: str) -> Estimate:
    """(L_scratch − L_model) / L_scratch, paired over rows; the base is the measured one."""
    base = float(table.losses[scratch].mean())
    leads = (table.losses[scratch] - table.losses[model]) / base
    drawn = resampled_means(
        leads[:, np.newaxis], np.random.default_rng(0), draws=DRAWS, groups=table.groups
    )
    return Estimate(float(leads.mean()), interval_of(drawn[:, 0]))


def table_gain(table: PooledTable, student: str, scratch: str) -> TableGain:
    """Of one student on one table."""
    teacher = relative_lead(table, TEACHER, scratch)
    return TableGain(table.name, teacher, relative_lead(table, student, scratch))


def taught_gains(
    tables: Sequence[PooledTable], student: str, scratch: str
) -> tuple[TableGain, ...]:
    """Of the tables where the teacher is better beyond chance."""
    every = (table_gain(table, student, scratch) for table in tables)
    return tuple(one for one in every if one.is_taught)


def pooled_gain(gains: Sequence[TableGain]) -> Estimate | None:
    """Sum of the students' relative gains over that of the teachers'; None without a table."""
    return pooled_difference(gains, None)


def pooled_difference(
    gains: Sequence[TableGain], others: Sequence[TableGain] | None
) -> Estimate | None:
    """By how much more the first student retains, on the same tables; of nobody, what it retains."""
    if not gains:
        return None
    students = np.array([one.student.value for one in gains])
    if others is not None:
        students = students - np.array([one.student.value for one in others])
    teachers = np.array([one.teacher.value for one in gains])
    drawn = resampled_means(
        np.stack([students, teachers], axis=1), np.random.default_rng(0), draws=TABLE_DRAWS
    )
    value = float(students.sum() / teachers.sum())
    return Estimate(value, interval_of(drawn[:, 0] / drawn[:, 1]))


def calibration_difference(table: PooledTable, model: str, other: str = TEACHER) -> Estimate:
    """Calibration error of a model less that of another, in 15 bins of equal mass.

    Resampling makes every calibration error larger, but that of both alike.
    """
    generator, count = np.random.default_rng(0), int(table.groups.max()) + 1
    order = np.argsort(table.groups, kind="stable")
    starts = np.searchsorted(table.groups[order], np.arange(count + 1))

    def difference(rows: IntArray) -> float:
        return _calibration(table, model, rows) - _calibration(table, other, rows)

    def draw() -> IntArray:
        picked = generator.integers(0, count, count)
        return np.concatenate([order[starts[code] : starts[code + 1]] for code in picked])

    drawn = np.array([difference(draw()) for _ in range(CALIBRATION_DRAWS)])
    return Estimate(difference(np.arange(table.rows)), interval_of(drawn))


def loss_increase(table: PooledTable, model: str, scratch: str) -> Estimate:
    """(L_model − L_scratch) / L_scratch: above 0 the model is worse than without a teacher."""
    lead = relative_lead(table, model, scratch)
    return Estimate(-lead.value, Interval(-lead.interval.high, -lead.interval.low))


def is_harmless(table: PooledTable, increase: Estimate) -> bool:
    """Whether a table keeps the promise: never worse than without a teacher, within noise."""
    if table.rows < MANY_ROWS:
        return increase.interval.low <= 0
    return increase.value <= 0.003 and increase.interval.high <= 0.02


def _calibration(table: PooledTable, model: str, rows: IntArray) -> float:
    right = table.right[model][rows].astype(np.float64)
    return calibration_error(reliability_bins(table.said[model][rows], right))
