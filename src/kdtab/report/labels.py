"""Names beside points: those that would lie on each other are moved apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEAR = 0.4
"""Share of the width within which names beside two points may meet."""
LINE_HEIGHT = 1.25
GAP = 8.0
MOVED = 3.0
"""Points; a name that was moved farther has a line to its point."""


@final
@dataclass(frozen=True)
class PointLabel:
    r"""A name for a point.

    Attributes:
        x: Of the point, in the unit of a logarithmic axis.
        y: Of the point.
        text: One line or two.
        colour: Of the text.
        size: Of the letters, in points.

    Example:
        >>> PointLabel(1.0, 0.5, "student\n4 kB", "#000000", 8.0).height
        20.0
    """

    x: float
    y: float
    text: str
    colour: str
    size: float

    @property
    def height(self) -> float:
        """Of the text, in points.

        Example:
            >>> PointLabel(1.0, 0.5, "student", "#000000", 8.0).height
            10.0
        """
        return self.size * LINE_HEIGHT * len(self.text.splitlines())


def spread(centres: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Where names stand that want to be at some heights and may not overlap.

    The places that are nearest to what is wanted, by squared distance, in the order of the centres
    (pool adjacent violators, Barlow et al. 1972).

    Args:
        centres: [N] wanted, in any order; of equal ones the first stands lower.
        heights: [N] of the names, in the same unit.

    Returns:
        [N] centres; neighbours stand at least half of both heights apart.

    Example:
        >>> spread([5.0, 5.0, 40.0], [10.0, 10.0, 10.0])
        [0.0, 10.0, 40.0]
    """
    order = np.argsort(np.asarray(centres, dtype=np.float64), kind="stable")
    tall = np.asarray(heights, dtype=np.float64)[order]
    # Without the room that each needs above the one before it, the order alone must be kept.
    needed = np.cumsum(np.concatenate([[0.0], (tall[1:] + tall[:-1]) / 2]))[: len(order)]
    wanted = np.asarray(centres, dtype=np.float64)[order] - needed
    pools: list[tuple[float, int]] = []
    for each in wanted.tolist():
        pools.append((each, 1))
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (low, few), (high, more) = pools[-2:]
            pools[-2:] = [((low * few + high * more) / (few + more), few + more)]
    placed = np.repeat([mean for mean, _ in pools], [count for _, count in pools]) + needed
    found = np.empty(len(order))
    found[order] = placed
    return found.tolist()


def write_labels(axes: Axes, labels: Sequence[PointLabel], size: tuple[float, float]) -> None:
    """Write names to the right of their points, on axes whose limits are set.

    Args:
        axes: With a logarithmic x axis.
        labels: Any number.
        size: Of the axes, in points, about.

    Example:
        >>> write_labels.__name__
        'write_labels'
    """
    left, right = (math.log(limit) for limit in axes.get_xlim())
    bottom, top = axes.get_ylim()
    wide, tall = size[0] / (right - left), size[1] / (top - bottom)
    for near in _neighbours(labels, NEAR * (right - left)):
        places = spread([each.y * tall for each in near], [each.height for each in near])
        column = max(math.log(each.x) for each in near)
        for label, place in zip(near, places, strict=True):
            across, up = wide * (column - math.log(label.x)), place - label.y * tall
            line = {"arrowstyle": "-", "color": label.colour, "linewidth": 0.5, "alpha": 0.5}
            axes.annotate(
                label.text,
                (label.x, label.y),
                xytext=(GAP + across, up),
                textcoords="offset points",
                arrowprops=line if math.hypot(across, up) > MOVED else None,
                va="center",
                color=label.colour,
                fontsize=label.size,
            )


def _neighbours(labels: Sequence[PointLabel], farthest: float) -> Iterator[list[PointLabel]]:
    """Those that stand near each other from left to right."""
    group: list[PointLabel] = []
    for label in sorted(labels, key=lambda each: each.x):
        if group and math.log(label.x / group[-1].x) > farthest:
            yield group
            group = []
        group.append(label)
    if group:
        yield group
