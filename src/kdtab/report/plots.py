"""The figures of a report, drawn from its numbers as SVG; the same numbers give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kdtab.report.costs import COLOURS, MARKERS, SQUARE, cost_drawings, loss_name
from kdtab.report.drawing import Drawing, check_plotting, svg_text
from kdtab.report.quality import Estimate
from kdtab.report.summary import ModelReport, Role, SegmentLine, Summary
from kdtab.report.wording import ROLE_NAMES, number_text, shown_text
from kdtab.results import Checked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEGMENT_LETTERS = 24
WIDE = (9.4, 1.75)


def draw_figures(summary: Summary) -> Checked[tuple[Drawing, ...]]:
    """Draw all figures that the numbers allow.

    Args:
        summary: The report's numbers; nothing else enters a figure.

    Returns:
        Loss, reliability, agreement, and where known the course of training, size and latency
        against quality and segments; or `ExtraMissing`.

    Example:
        >>> from kdtab.report.inputs import MeasuredRows, ModelOutputs
        >>> from kdtab.report.side_by_side import summarize
        >>> rows = MeasuredRows("price", np.arange(40.0))
        >>> off = lambda by: ModelOutputs("model", "values", np.arange(40.0)[:, None] + by)
        >>> drawn = draw_figures(summarize(rows, off(0.0), off(1.0))).unwrap()
        >>> [drawing.name for drawing in drawn]
        ['loss', 'reliability', 'agreement']
    """
    return check_plotting().map(lambda _: _drawings(summary))


def _drawings(summary: Summary) -> tuple[Drawing, ...]:
    every = (_loss(summary), _reliability(summary), _agreement(summary))
    known = (_training(summary), *cost_drawings(summary), _segments(summary))
    return (*every, *(drawing for drawing in known if drawing is not None))


def _loss(summary: Summary) -> Drawing:
    def draw(axes: Axes) -> None:
        for place, model in enumerate(reversed(summary.models)):
            loss = model.quality.loss
            _whisker(axes, loss, place, model.role)
        axes.set_yticks(range(len(summary.models)))
        axes.set_yticklabels([ROLE_NAMES[model.role] for model in reversed(summary.models)])
        axes.set_ylim(-0.6, len(summary.models) - 0.4)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0, labelsize=9.5)
        axes.set_xlabel(f"{loss_name(summary)} (lower is better)")

    return Drawing(
        "loss",
        "Loss on the measured rows",
        "Dots are means over the measured rows, bars their 95 % bootstrap intervals. Bars may "
        "overlap where the paired differences, given in the table, do not cover 0.",
        svg_text("loss", WIDE, draw),
        wide=True,
    )


def _whisker(axes: Axes, estimate: Estimate, place: float, role: Role) -> None:
    if estimate.value is None:
        return
    colour = COLOURS[role]
    if estimate.interval is not None:
        ends = (estimate.interval.low, estimate.interval.high)
        axes.plot(ends, (place, place), color=colour, linewidth=2.4, alpha=0.45)
    axes.plot(estimate.value, place, MARKERS[role], color=colour, markersize=7)
    axes.annotate(
        number_text(estimate.value),
        (estimate.value, place),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        color=colour,
        fontsize=8.5,
    )


def _reliability(summary: Summary) -> Drawing:
    classes = summary.task == "classification"

    def draw(axes: Axes) -> None:
        every = [item for model in summary.models for item in model.reliability]
        ends = [value for item in every for value in (item.said, item.found)]
        low, high = min(ends), 1.0 if classes else max(ends)
        axes.plot((low, high), (low, high), color="#9aa1ad", linestyle=(0, (4, 3)), linewidth=1)
        for model in summary.models:
            axes.plot(
                [item.said for item in model.reliability],
                [item.found for item in model.reliability],
                color=COLOURS[model.role],
                marker=MARKERS[model.role],
                markersize=4,
                label=ROLE_NAMES[model.role],
            )
        axes.set_xlabel("confidence in the chosen class" if classes else "mean prediction")
        axes.set_ylabel("share that is right" if classes else "mean truth")
        axes.legend(loc="upper left")

    caption = (
        "Rows in up to 15 bins of equally many rows, by the probability of the class that the model"
        " chose. On the dashed line it is right as often as it says; below it is too sure."
        if classes
        else "Rows in up to 15 bins of equally many rows, by the predicted value. On the dashed "
        "line the mean of what is predicted is the mean of what is true."
    )
    return Drawing("reliability", "Reliability", caption, svg_text("reliability", SQUARE, draw))


def _agreement(summary: Summary) -> Drawing:
    grid = summary.fidelity[0].grid
    counts = np.array(grid.counts)
    edges = np.array(grid.edges)
    middles = (edges[1:] + edges[:-1]) / 2

    def draw(axes: Axes) -> None:
        by_teacher, by_student = np.nonzero(counts)
        shares = counts[by_teacher, by_student] / counts.max()
        axes.plot(edges[[0, -1]], edges[[0, -1]], color="#9aa1ad", linestyle=(0, (4, 3)), lw=1)
        axes.scatter(
            middles[by_teacher],
            middles[by_student],
            s=4 + 76 * np.sqrt(shares),
            marker="s",
            color=COLOURS["student"],
            alpha=0.25 + 0.7 * np.sqrt(shares),
            linewidths=0,
        )
        axes.set_xlabel("the teacher says")
        axes.set_ylabel("the student says")

    return Drawing(
        "agreement",
        "Agreement of student and teacher",
        f"{_said(summary)} in 20 × 20 bins; the larger and darker a square, the more rows. On the "
        "dashed line both say the same.",
        svg_text("agreement", SQUARE, draw),
    )


def _said(summary: Summary) -> str:
    if summary.task == "regression":
        return "Predicted values"
    if len(summary.classes) == 2:
        return f"Probability of class “{shown_text(summary.classes[1])}”"
    return "Probability of the true class"


def _training(summary: Summary) -> Drawing | None:
    trained = [model for model in summary.models if model.epochs]
    if not trained:
        return None

    def draw(axes: Axes) -> None:
        for model in trained:
            _course(axes, model)
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss")
        axes.legend(loc="upper right")

    return Drawing(
        "training",
        "Course of training",
        _course_caption(trained),
        svg_text("training", SQUARE, draw),
    )


def _course_caption(trained: Sequence[ModelReport]) -> str:
    validated = any(_has_validation(model) for model in trained)
    solid = "Solid: hard loss of the validation rows, the same measure for all. Faint: loss"
    measured = solid if validated else "Loss"
    taught = {model.role for model in trained} > {"student"}
    apart = "; the student’s holds the teacher’s part, so the two are not comparable" * taught
    return f"{measured} that is trained on{apart}."


def _has_validation(model: ModelReport) -> bool:
    return any(item.validation is not None for item in model.epochs)


def _course(axes: Axes, model: ModelReport) -> None:
    colour, name = COLOURS[model.role], ROLE_NAMES[model.role]
    epochs = [item.epoch for item in model.epochs]
    validated = [item for item in model.epochs if item.validation is not None]
    axes.plot(
        epochs,
        [item.training for item in model.epochs],
        color=colour,
        alpha=0.35 if validated else 1,
        linewidth=1,
        label=None if validated else name,
    )
    if validated:
        losses = [item.validation for item in validated if item.validation is not None]
        best = int(np.argmin(losses))
        axes.plot([item.epoch for item in validated], losses, color=colour, label=name)
        axes.plot(validated[best].epoch, losses[best], MARKERS[model.role], color=colour, ms=5)


def _segments(summary: Summary) -> Drawing | None:
    lines = [line for line in reversed(summary.segments) if line.behind.interval is not None]
    if not lines:
        return None

    def draw(axes: Axes) -> None:
        axes.axvline(0, color="#9aa1ad", linestyle=(0, (4, 3)), linewidth=1)
        for place, line in enumerate(lines):
            _whisker(axes, line.behind, place, "student")
        axes.set_yticks(range(len(lines)))
        axes.set_yticklabels([_segment_name(line) for line in lines])
        axes.set_ylim(-0.6, len(lines) - 0.3)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(f"{loss_name(summary)} of the student less that of the teacher")

    return Drawing(
        "segments",
        "Where the student is behind",
        "Right of the dashed line the teacher is better. Bars are 95 % bootstrap intervals, paired.",
        svg_text("segments", (WIDE[0], 0.9 + 0.42 * len(lines)), draw),
        wide=True,
    )


def _segment_name(line: SegmentLine) -> str:
    return f"{shown_text(line.column, SEGMENT_LETTERS)} = {shown_text(line.value, SEGMENT_LETTERS)}"
