"""What quality costs: stored size and the time of one row, each against the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from kdtab.report.drawing import Drawing, svg_text
from kdtab.report.labels import PointLabel, write_labels
from kdtab.report.quality import Estimate
from kdtab.report.summary import ModelReport, OtherStudent, Role, Summary
from kdtab.report.wording import ROLE_NAMES, duration_text, shown_text, size_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: dict[Role, str] = {"teacher": "#3d4451", "student": "#0b62a8", "scratch": "#c8500a"}
OTHERS_COLOUR = "#5c93c0"
MARKERS: dict[Role, str] = {"teacher": "s", "student": "o", "scratch": "^"}
SQUARE = (4.6, 3.5)
INNER = (280.0, 205.0)
"""Of the axes within, in points, about."""
ROOM_LEFT, ROOM_RIGHT = 2, 8
NAME_LETTERS = 24


@final
@dataclass(frozen=True)
class _Cost:
    """One kind of cost: of what is kept, of what was fitted too, and in words."""

    name: str
    title: str
    axis: str
    of: Callable[[ModelReport | OtherStudent], float | None]
    text: Callable[[float | None], str]


_COSTS = (
    _Cost(
        "size",
        "Size against quality",
        "stored size, log scale",
        lambda model: model.bytes,
        size_text,
    ),
    _Cost(
        "latency",
        "Latency against quality",
        "one row alone, median, log scale",
        lambda model: model.p50,
        duration_text,
    ),
)


def loss_name(summary: Summary) -> str:
    """What the loss of a report is called.

    Args:
        summary: The report's numbers.

    Returns:
        A few words.

    Example:
        >>> loss_name.__name__
        'loss_name'
    """
    return "log loss" if summary.task == "classification" else "mean squared error"


def cost_drawings(summary: Summary) -> tuple[Drawing, ...]:
    """Size and latency against quality, as far as they are known of two models.

    Args:
        summary: The report's numbers.

    Returns:
        None to two figures; students that were fitted too and not kept are hollow points.

    Example:
        >>> import numpy as np
        >>> from kdtab.report.inputs import MeasuredRows, ModelOutputs
        >>> from kdtab.report.side_by_side import summarize
        >>> rows = MeasuredRows("price", np.arange(40.0))
        >>> said = lambda size: ModelOutputs("m", "values", np.ones((40, 1)), bytes=size)
        >>> [drawn.name for drawn in cost_drawings(summarize(rows, said(9), said(3)))]
        ['size']
    """
    return tuple(_drawing(summary, cost) for cost in _COSTS if _is_known(summary, cost))


def _is_known(summary: Summary, cost: _Cost) -> bool:
    return len([model for model in summary.models if cost.of(model)]) > 1


def _points(
    summary: Summary, cost: _Cost
) -> Iterator[tuple[ModelReport | OtherStudent, float, Estimate]]:
    """What can be drawn: the cost and the loss of a model, both known."""
    for model in summary.models:
        found = cost.of(model)
        if found and model.quality.loss.value is not None:
            yield model, found, model.quality.loss
    for other in summary.others:
        found = cost.of(other)
        if found and other.loss is not None:
            yield other, found, Estimate(other.loss)


def _drawing(summary: Summary, cost: _Cost) -> Drawing:
    points = list(_points(summary, cost))

    def draw(axes: Axes) -> None:
        names = [
            _hollow(axes, model, found, loss)
            if isinstance(model, OtherStudent)
            else _solid(axes, model, found, loss, cost)
            for model, found, loss in points
        ]
        costs = [found for _, found, _ in points]
        axes.set_xscale("log")
        axes.set_xlim(min(costs) / ROOM_LEFT, max(costs) * ROOM_RIGHT)
        axes.set_ylim(axes.get_ylim())  # what a name needs moves nothing
        axes.xaxis.set_major_formatter(lambda value, _: cost.text(value))
        axes.minorticks_off()
        axes.set_xlabel(cost.axis)
        axes.set_ylabel(loss_name(summary))
        write_labels(axes, names, INNER)

    others = " Hollow: students that were fitted too." if summary.others else ""
    return Drawing(
        cost.name,
        cost.title,
        f"Towards the lower left is better. Bars are 95 % bootstrap intervals.{others}",
        svg_text(cost.name, SQUARE, draw),
    )


def _solid(axes: Axes, model: ModelReport, found: float, loss: Estimate, cost: _Cost) -> PointLabel:
    colour = COLOURS[model.role]
    assert loss.value is not None, "only what is known is drawn"
    if loss.interval is not None:
        ends = (loss.interval.low, loss.interval.high)
        axes.plot((found, found), ends, color=colour, linewidth=2.2, alpha=0.45)
    axes.plot(found, loss.value, MARKERS[model.role], color=colour, markersize=7)
    name = f"{ROLE_NAMES[model.role]}\n{cost.text(found)}"
    return PointLabel(found, loss.value, name, colour, 8.5)


def _hollow(axes: Axes, other: OtherStudent, found: float, loss: Estimate) -> PointLabel:
    assert loss.value is not None, "only what is known is drawn"
    colour = COLOURS["student"]
    axes.plot(
        found, loss.value, MARKERS["student"], color=colour, markerfacecolor="none", markersize=6
    )
    return PointLabel(found, loss.value, shown_text(other.name, NAME_LETTERS), OTHERS_COLOUR, 7)
