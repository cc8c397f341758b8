"""From the truth and what each model said to the report's numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from kdtab.data.arrays import BoolArray, FloatArray, IntArray
from kdtab.metrics.bootstrap import group_count
from kdtab.metrics.logits import class_agreement
from kdtab.metrics.numbers import r_squared
from kdtab.metrics.retention import Gain, gain_retained
from kdtab.report.draws import Draws, drawn_means
from kdtab.report.inputs import MeasuredRows, ModelOutputs, Segmentation
from kdtab.report.measures import (
    Side,
    agreement_grid,
    class_lines,
    class_quality,
    columns_of,
    reliability_of,
    side_of,
    value_quality,
)
from kdtab.report.quality import Estimate
from kdtab.report.summary import (
    Fidelity,
    LossGap,
    ModelReport,
    OtherStudent,
    SegmentLine,
    Summary,
)


@np.errstate(over="ignore", invalid="ignore")  # what is not finite becomes None
def summarize(
    rows: MeasuredRows,
    teacher: ModelOutputs,
    student: ModelOutputs,
    scratch: ModelOutputs | None = None,
    *,
    facts: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
    random_seed: int = 0,
    others: Sequence[ModelOutputs] = (),
) -> Summary:
    """Measure teacher, student and scratch student on the same rows, side by side.

    Intervals are of 95 %, from 1,000 draws of the rows; differences and shares are paired.
    Identical rows (`rows.groups`) are drawn together.

    Args:
        rows: At least one row, with its truth.
        teacher: What the teacher said about them.
        student: What the student said.
        scratch: What the same student with the same budget and without a teacher said; without it
            the gain is left out.
        facts: How it was run, as names and values for a person.
        notes: Sentences that a person should read.
        random_seed: Of the draws.
        others: What students said that were fitted too and not kept.

    Returns:
        The report as plain data; the same arguments give the same report.

    Example:
        >>> rows = MeasuredRows("price", np.arange(40.0))
        >>> off = lambda by: ModelOutputs("model", "values", np.arange(40.0)[:, None] + by)
        >>> found = summarize(rows, off(0.0), off(1.0), off(2.0))
        >>> found.gain.value
        0.75
        >>> [model.quality.rmse.value for model in found.models]
        [0.0, 1.0, 2.0]
    """
    sides = _sides(rows, teacher, student, scratch)
    draws = _draws(sides, rows, random_seed)
    constant_loss, constant_metric = _constant(rows)
    return Summary(
        task="classification" if rows.classes else "regression",
        target=rows.target,
        classes=rows.classes,
        rows=len(rows.truth),
        different_rows=group_count(len(rows.truth), rows.groups),
        which=rows.which,
        models=tuple(_model(side, rows, draws) for side in sides),
        fidelity=tuple(_fidelity(side, sides[0], rows, draws) for side in sides[1:]),
        gaps=_gaps(sides, draws),
        constant_loss=constant_loss,
        constant_metric=constant_metric,
        gain=_gain(sides, rows, random_seed),
        segments=_segments(sides, rows, random_seed),
        facts=tuple(facts),
        notes=tuple(notes),
        others=tuple(_other(outputs, rows) for outputs in others),
    )


def _sides(
    rows: MeasuredRows, teacher: ModelOutputs, student: ModelOutputs, scratch: ModelOutputs | None
) -> tuple[Side, ...]:
    pair = (side_of("teacher", teacher, rows), side_of("student", student, rows))
    return pair if scratch is None else (*pair, side_of("scratch", scratch, rows))


def _draws(sides: Sequence[Side], rows: MeasuredRows, random_seed: int) -> Draws:
    columns: dict[str, FloatArray] = {}
    for side in sides:
        columns |= columns_of(side, sides[0], rows)
    if not rows.classes:
        for name, values in (("truth", rows.truth), ("teacher", sides[0].said)):
            columns[f"{name}.offset"] = values - values.mean()
            columns[f"{name}.square"] = columns[f"{name}.offset"] ** 2
    return drawn_means(columns, rows.groups, random_seed=random_seed)


def _model(side: Side, rows: MeasuredRows, draws: Draws) -> ModelReport:
    outputs = side.outputs
    quality = class_quality if rows.classes else value_quality
    return ModelReport(
        role=side.role,
        name=outputs.name,
        quality=quality(side, rows, draws),
        reliability=reliability_of(side, rows),
        per_class=class_lines(side, rows),
        epochs=outputs.epochs,
        parameters=outputs.parameters,
        bytes=outputs.bytes,
        rows_per_second=outputs.rows_per_second,
        p50=outputs.p50,
        p99=outputs.p99,
    )


def _other(outputs: ModelOutputs, rows: MeasuredRows) -> OtherStudent:
    loss = float(side_of("student", outputs, rows).losses.mean())
    return OtherStudent(
        name=outputs.name,
        loss=loss if math.isfinite(loss) else None,
        parameters=outputs.parameters,
        bytes=outputs.bytes,
        p50=outputs.p50,
    )


def _fidelity(side: Side, teacher: Side, rows: MeasuredRows, draws: Draws) -> Fidelity:
    role, grid = side.role, agreement_grid(side, teacher, rows)
    if rows.classes:
        agreement = draws.estimate(lambda means: means[f"{role}.same"])
        divergence = draws.estimate(lambda means: means[f"{role}.divergence"])
        return Fidelity(role, agreement, divergence, grid)
    explained = draws.estimate(
        lambda means: (
            1 - means[f"{role}.apart"] / (means["teacher.square"] - means["teacher.offset"] ** 2)
        )
    )
    return Fidelity(role, explained, None, grid)


def _gaps(sides: Sequence[Side], draws: Draws) -> tuple[LossGap, ...]:
    worst_first = ("scratch", "student", "teacher")
    ordered = sorted((side.role for side in sides), key=worst_first.index)
    return tuple(LossGap(of, less, _gap(draws, of, less)) for of, less in combinations(ordered, 2))


def _gap(draws: Draws, of: str, less: str) -> Estimate:
    return draws.estimate(lambda means: means[f"{of}.loss"] - means[f"{less}.loss"])


def _gain(sides: Sequence[Side], rows: MeasuredRows, random_seed: int) -> Gain | None:
    if len(sides) < 3:
        return None
    teacher, student, scratch = (side.losses for side in sides)
    generator = np.random.default_rng(random_seed)
    return gain_retained(scratch, student, teacher, generator, groups=rows.groups)


def _constant(rows: MeasuredRows) -> tuple[float, float]:
    if rows.classes:
        shares = np.bincount(rows.truth.astype(np.int64)) / len(rows.truth)
        held = shares[shares > 0]
        return float(-np.sum(held * np.log(held))), float(shares.max())
    variance = float(np.var(rows.truth))
    return variance, variance**0.5


def _segments(
    sides: Sequence[Side], rows: MeasuredRows, random_seed: int
) -> tuple[SegmentLine, ...]:
    return tuple(
        _segment(sides, rows, segmentation, code, random_seed)
        for segmentation in rows.segments
        for code in range(len(segmentation.labels))
        if (segmentation.codes == code).any()
    )


def _segment(
    sides: Sequence[Side], rows: MeasuredRows, by: Segmentation, code: int, random_seed: int
) -> SegmentLine:
    chosen = by.codes == code
    columns = {f"{side.role}.loss": side.losses[chosen] for side in sides}
    draws = drawn_means(columns, _regrouped(rows.groups, chosen), random_seed=random_seed)
    return SegmentLine(
        column=by.column,
        value=by.labels[code],
        rows=int(chosen.sum()),
        metrics=tuple(_metric(side, rows, chosen) for side in sides),
        losses=tuple(float(side.losses[chosen].mean()) for side in sides),
        agreement=_agreement(sides[1].said[chosen], sides[0].said[chosen], rows),
        behind=_gap(draws, "student", "teacher"),
    )


def _regrouped(groups: IntArray | None, chosen: BoolArray) -> IntArray | None:
    return None if groups is None else np.unique(groups[chosen], return_inverse=True)[1]


def _metric(side: Side, rows: MeasuredRows, chosen: BoolArray) -> float:
    if not rows.classes:
        return float(np.sqrt(side.losses[chosen].mean()))
    return float(np.mean(side.said[chosen].argmax(axis=1) == rows.truth[chosen]))


def _agreement(said: FloatArray, by_teacher: FloatArray, rows: MeasuredRows) -> float | None:
    if rows.classes:
        return class_agreement(said, by_teacher)
    explained = r_squared(said, by_teacher)
    return explained if np.isfinite(explained) else None
