"""The picture of a run: teacher and student over time, for some series that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kdtab.data.arrays import Float32Array
from kdtab.metrics.trajectories import CourseExample
from kdtab.report.drawing import check_plotting, png_bytes
from kdtab.results import Checked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_UNITS = 4
CELL = (2.9, 1.45)
FRAME = 0.7
TEACHER, STUDENT = "#3d4451", "#0b62a8"


def draw_time_courses(examples: Sequence[CourseExample]) -> Checked[bytes]:
    """One column for each series, one row for each unit, up to four of those that move the most.

    Args:
        examples: At least one, all with the same units.

    Returns:
        A PNG file; or `ExtraMissing`.

    Example:
        >>> course = np.linspace(0, 1, 9, dtype=np.float32)[:, None]
        >>> example = CourseExample("test", 0, course, course / 2, 0)
        >>> draw_time_courses([example]).unwrap()[1:4]
        b'PNG'
    """
    return check_plotting().map(lambda _: _picture(examples))


def _picture(examples: Sequence[CourseExample]) -> bytes:
    from matplotlib.ticker import MaxNLocator

    units = _moving_units([example.teacher for example in examples])

    def draw(axes: Sequence[Sequence[Axes]]) -> None:
        for row, unit in zip(axes, units, strict=True):
            for cell, example in zip(row, examples, strict=True):
                _course(cell, example, unit)
            row[0].set_ylabel(f"state {unit}")
        for cell, example in zip(axes[0], examples, strict=True):
            cell.set_title(f"{example.group}, series {example.place}", fontsize=9)
        for cell in axes[-1]:
            cell.set_xlabel("step")
            cell.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes[0][0].legend(loc="best")

    size = (CELL[0] * len(examples) + FRAME, CELL[1] * len(units) + FRAME)
    return png_bytes(size, (len(units), len(examples)), draw)


def _course(axes: Axes, example: CourseExample, unit: int) -> None:
    steps = np.arange(len(example.teacher)) + example.first_step
    axes.plot(steps, example.teacher[:, unit], color=TEACHER, label="teacher", linewidth=1.8)
    axes.plot(
        steps,
        example.student[:, unit],
        color=STUDENT,
        label="student",
        linestyle=(0, (4, 2)),
        linewidth=1.4,
    )


def _moving_units(courses: Sequence[Float32Array]) -> list[int]:
    spread = np.mean([course.std(0) for course in courses], axis=0)
    return sorted(np.argsort(-spread, kind="stable")[:MOST_UNITS].tolist())
