"""How much of what a teacher gains over no teacher its student kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from kdtab.data.arrays import FloatArray, IntArray
from kdtab.metrics.bootstrap import (
    DRAWS,
    LEAST_GROUPS,
    Interval,
    group_count,
    interval_of,
    resampled_means,
)


@dataclass(frozen=True)
class Retained:
    """The teacher is better than the scratch student, and this share of the lead was kept.

    Attributes:
        value: (L_scratch − L_student) / (L_scratch − L_teacher): 1 is all of it, 0 none, below 0
            the student is worse than without a teacher, above 1 better than its teacher.
        interval: Of the value, paired.
        lead: L_scratch − L_teacher.
        lead_interval: Of the lead; wholly above 0.
        kind: "retained".

    Example:
        >>> Retained(0.8, Interval(0.7, 0.9), 0.1, Interval(0.05, 0.15)).kind
        'retained'
    """

    value: float
    interval: Interval
    lead: float
    lead_interval: Interval
    kind: Literal["retained"] = "retained"


@dataclass(frozen=True)
class TeacherNotBetter:
    """The teacher is not better than the scratch student beyond chance, so there is no share.

    Attributes:
        lead: L_scratch − L_teacher.
        lead_interval: Of the lead; it covers 0, or lies below it.
        kind: "teacher_not_better".

    Example:
        >>> TeacherNotBetter(-0.1, Interval(-0.2, -0.05)).worse
        True
    """

    lead: float
    lead_interval: Interval
    kind: Literal["teacher_not_better"] = "teacher_not_better"

    @property
    def worse(self) -> bool:
        """Whether the teacher is worse than the scratch student beyond chance.

        Example:
            >>> TeacherNotBetter(0.0, Interval(-0.1, 0.1)).worse
            False
        """
        return self.lead_interval.high < 0


@dataclass(frozen=True)
class TooFewRows:
    """There are too few different rows to tell a lead from chance.

    Attributes:
        rows: Different rows there are.
        least: Different rows there must be.
        kind: "too_few_rows".

    Example:
        >>> TooFewRows(rows=3, least=20).kind
        'too_few_rows'
    """

    rows: int
    least: int
    kind: Literal["too_few_rows"] = "too_few_rows"


Gain: TypeAlias = Retained | TeacherNotBetter | TooFewRows


def gain_retained(
    scratch: FloatArray,
    student: FloatArray,
    teacher: FloatArray,
    generator: np.random.Generator,
    *,
    draws: int = DRAWS,
    groups: IntArray | None = None,
) -> Gain:
    """(L_scratch − L_student) / (L_scratch − L_teacher) on rows that none of them saw.

    L is the mean of a proper loss. Scratch is the same student with the same budget and without a
    teacher. There is no number where the paired bootstrap interval of the denominator reaches 0.

    Args:
        scratch: [N] losses of the scratch student: −log p of the true class, or squared errors.
        student: [N] losses of the student on the same rows.
        teacher: [N] losses of the teacher on the same rows.
        generator: For the draws.
        draws: How many.
        groups: [N] codes of rows that belong together; None makes every row its own.

    Returns:
        The share with its interval, or the verdict that says why there is none. A draw in which
        the teacher leads nothing counts as an infinite share with the sign of its numerator, so
        that the interval errs on the wide side.

    Example:
        >>> student = np.linspace(0.4, 0.6, 50)
        >>> kept = gain_retained(
        ...     student + 0.1, student, student - 0.1, np.random.default_rng(0)
        ... )
        >>> round(kept.value, 6)
        0.5
        >>> gain_retained(student, student, student, np.random.default_rng(0)).kind
        'teacher_not_better'
    """
    different = group_count(len(scratch), groups)
    if different < LEAST_GROUPS:
        return TooFewRows(rows=different, least=LEAST_GROUPS)
    gaps = np.stack([scratch - student, scratch - teacher], axis=1)
    kept, lead = gaps.mean(axis=0).tolist()
    drawn = resampled_means(gaps, generator, draws=draws, groups=groups)
    lead_interval = interval_of(drawn[:, 1])
    if not (lead_interval.low > 0 and math.isfinite(kept / lead)):
        return TeacherNotBetter(lead, lead_interval)
    return Retained(kept / lead, interval_of(_shares(drawn)), lead, lead_interval)


def _shares(drawn: FloatArray) -> FloatArray:
    kept, lead = drawn[:, 0], drawn[:, 1]
    return np.divide(kept, lead, out=np.copysign(np.inf, kept), where=lead > 0)
