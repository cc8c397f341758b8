"""The figures of the page: the ladder, and what the loss costs in bytes and in time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.quality.evaluation import pooled_gain, taught_gains
from benchmarks.quality.findings import Findings, median_of
from benchmarks.quality.page import PICTURES
from benchmarks.quality.records import TEACHER, Measured, write_whole
from benchmarks.quality.students import ROWS, SCRATCH, WIDE_SCRATCH, ladder

from kdtab.report.costs import COLOURS, MARKERS
from kdtab.report.drawing import png_bytes
from kdtab.report.labels import PointLabel, write_labels
from kdtab.report.summary import Role

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STUDENT, TEACHER_COLOUR = COLOURS["student"], COLOURS["teacher"]
LEAST, MOST = -2.0, 1.7
INNER = (335.0, 225.0)
"""Of the axes of a cost within, in points, about."""
TEXTS = {rung.name: rung.text for rung in ladder()} | {
    SCRATCH: "2×64 alone",
    WIDE_SCRATCH: "2×256 alone",
}


def write_pictures(found: Findings, folder: Path) -> None:
    """Both figures, drawn from the findings alone."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = (ladder_picture(found), costs_picture(found))
    for name, content in zip(PICTURES, drawn, strict=True):
        write_whole(folder / name, content)


def ladder_picture(found: Findings) -> bytes:
    """Gain retained, rung by rung: dots are tables, the large dot and its bar all of them."""

    def draw(grid: Sequence[Sequence[Axes]]) -> None:
        axes, rungs = grid[0][0], ladder()
        for place, rung in enumerate(reversed(rungs)):
            _rung(axes, found, rung.name, place)
        axes.set_yticks(range(len(rungs)))
        axes.set_yticklabels([rung.text for rung in reversed(rungs)])
        for at in (0.0, 1.0):
            axes.axvline(at, color=TEACHER_COLOUR, linewidth=0.8, linestyle=":")
        axes.set_xlim(LEAST - 0.05, MOST + 0.05)
        axes.set_xlabel("share of the teacher's lead over the student alone that is kept")

    return png_bytes((8.6, 2.8), (1, 1), draw)


def _shown(share: float) -> float:
    """What lies beyond the figure is drawn at its edge."""
    return max(LEAST, min(MOST, share))


def _rung(axes: Axes, found: Findings, student: str, place: int) -> None:
    gains = taught_gains(found.tables, student, SCRATCH)
    shares = [_shown(one.retained) for one in gains]
    axes.plot(shares, [place] * len(gains), ".", color=STUDENT, alpha=0.35, markersize=6)
    pooled = pooled_gain(gains)
    if pooled is None:
        return
    ends = [_shown(end) for end in (pooled.interval.low, pooled.interval.high)]
    axes.plot(ends, (place, place), color=STUDENT, linewidth=2.4, alpha=0.6)
    axes.plot(_shown(pooled.value), place, "o", color=STUDENT, markersize=8)


def costs_picture(found: Findings) -> bytes:
    """Size and the time of one row against loss, where the teacher is better: lower left is better."""
    names = (TEACHER, SCRATCH, WIDE_SCRATCH, *(rung.name for rung in ladder()))
    axis_names = ("stored size in bytes", "one row from its raw cells, µs")

    def draw(grid: Sequence[Sequence[Axes]]) -> None:
        for axes, axis_name, of in zip(grid[0], axis_names, (_bytes, _microseconds), strict=True):
            labels = [
                _cost(axes, found, name, median_of([of(one) for one in found.of_model(name)]))
                for name in names
            ]
            axes.set_xscale("log")
            axes.set_xlabel(f"{axis_name}, median of the tables")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            axes.set_xlim(right=axes.get_xlim()[1] * 3)
            axes.set_ylim(axes.get_ylim())
            write_labels(axes, labels, INNER)
        grid[0][0].set_ylabel("loss / that of 2×64 alone, median")

    return png_bytes((10.4, 3.8), (1, 2), draw)


def _bytes(one: Measured) -> float | None:
    return one.bytes


def _microseconds(one: Measured) -> float | None:
    return None if one.row_seconds is None else 1e6 * one.row_seconds


def _cost(axes: Axes, found: Findings, name: str, cost: float) -> PointLabel:
    taught = {gain.table for gain in taught_gains(found.tables, ROWS, SCRATCH)}
    loss = median_of(
        [
            float(table.losses[name].mean() / table.losses[SCRATCH].mean())
            for table in found.tables
            if table.name in taught
        ]
    )
    role: Role = (
        "teacher"
        if name == TEACHER
        else "scratch"
        if name in (SCRATCH, WIDE_SCRATCH)
        else "student"
    )
    axes.plot(cost, loss, MARKERS[role], color=COLOURS[role], markersize=7)
    return PointLabel(cost, loss, TEXTS.get(name, name), COLOURS[role], 8)
