"""Which layer will learn from which, what both give, and what joins them: before any step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, final

import torch
from returns.result import Success
from torch import Tensor, nn

from kdtab.errors.layers import LayerOutputMissing, Side
from kdtab.models.loans import in_eval_mode
from kdtab.models.projection import (
    FeatureAxis,
    feature_axis,
    feature_width,
    without_width,
)
from kdtab.results import Checked, fail
from kdtab.tasks.captures import listening
from kdtab.tasks.criteria import Criterion, takes_any_width
from kdtab.tasks.pairs import Form, PairLoss, form_of

HEADINGS = ("student", "teacher", "loss", "student gives", "teacher gives", "projection")
GAP = "  "


@final
@dataclass(frozen=True)
class SeenOutput:
    """What a layer gave for the example batch.

    Attributes:
        form: Its shape, or the type of what is no tensor; None where the layer did not run.
        calls: How often the layer ran; the last output counts.
        dtype: Of the tensor.
        device: Of the tensor.

    Example:
        >>> SeenOutput((2, 3), 1).shown
        '[2, 3]'
    """

    form: Form | None
    calls: int
    dtype: torch.dtype | None = None
    device: torch.device | None = None

    @property
    def shown(self) -> str:
        """The shape as text, with the number of runs where there were several.

        Example:
            >>> SeenOutput("tuple", 2).shown
            'tuple (last of 2)'
        """
        if self.form is None:
            return "nothing"
        text = self.form if isinstance(self.form, str) else str(list(self.form))
        return f"{text} (last of {self.calls})" if self.calls > 1 else text


@final
@dataclass(frozen=True)
class ProjectionPlan:
    """A projection from the student's width to the teacher's.

    Attributes:
        student: The student's width.
        teacher: The teacher's.
        axis: Where the width is.
        dtype: Of the student's output.
        device: Of the student's output.

    Example:
        >>> str(ProjectionPlan(8, 16, "last"))
        '8 -> 16'
    """

    student: int
    teacher: int
    axis: FeatureAxis
    dtype: torch.dtype | None = None
    device: torch.device | None = None

    def __str__(self) -> str:
        return f"{self.student} -> {self.teacher}"


@final
@dataclass(frozen=True)
class PlannedPair:
    """One row of a plan.

    Attributes:
        student: The student's layer; empty: the model itself.
        teacher: The teacher's layer.
        loss: The name of the term.
        student_gives: For the example batch; None without one.
        teacher_gives: The same of the teacher's layer.
        projection: What joins them; None where nothing is needed.

    Example:
        >>> PlannedPair("h", "h", "MSELoss_0").cells
        ('h', 'h', 'MSELoss_0', '?', '?', '-')
    """

    student: str
    teacher: str
    loss: str
    student_gives: SeenOutput | None = None
    teacher_gives: SeenOutput | None = None
    projection: ProjectionPlan | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as texts.

        Example:
            >>> PlannedPair("", "g", "MSELoss_0", SeenOutput((2, 3), 1)).cells[:4]
            ('(model)', 'g', 'MSELoss_0', '[2, 3]')
        """
        return (
            self.student or "(model)",
            self.teacher or "(model)",
            self.loss,
            self.student_gives.shown if self.student_gives else "?",
            self.teacher_gives.shown if self.teacher_gives else "?",
            str(self.projection or "-"),
        )


@final
@dataclass(frozen=True)
class LayerPlan:
    """What a conversion will do; `print` shows it as a table.

    Attributes:
        pairs: One row for each pair of layers, patterns expanded.
        balancer: The type of what makes one number of the losses; None for a single loss.

    Example:
        >>> print(LayerPlan((PlannedPair("h", "g", "MSELoss_0"),), None))
        student  teacher  loss       student gives  teacher gives  projection
        h        g        MSELoss_0  ?              ?              -
        balancer: none, one loss
    """

    pairs: tuple[PlannedPair, ...]
    balancer: str | None

    def __str__(self) -> str:
        rows = [HEADINGS, *(pair.cells for pair in self.pairs)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, f"balancer: {self.balancer or 'none, one loss'}"])


Seen: TypeAlias = Mapping[str, SeenOutput]


def seen_outputs(model: nn.Module, names: Iterable[str], example: object) -> Seen:
    """What layers give for one batch, in eval mode and without gradients.

    Args:
        model: Any module; its modes and numbers are the same afterwards.
        names: Layers.
        example: One batch: a tuple is the positional inputs, a mapping the named ones, anything
            else the one input.

    Returns:
        One entry for each layer.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        >>> seen_outputs(model, ["0"], torch.zeros(5, 2))["0"].shown
        '[5, 3]'
    """
    args = example if isinstance(example, tuple) else ()
    named = example if isinstance(example, Mapping) else {}
    if not args and not named:
        args = (example,)
    with listening(model, names) as taps, in_eval_mode(model):
        taps.begin()
        taps.end(model(*args, **named))
        return {name: _seen(tap.output, tap.filled, tap.calls) for name, tap in taps.taps.items()}


def planned_pair(
    loss: PairLoss, student: Seen, teacher: Seen, *, project: bool
) -> Checked[PlannedPair]:
    """One row of a plan from what was seen.

    Args:
        loss: The pair and its loss.
        student: What the student's layers gave.
        teacher: What the teacher's gave.
        project: Whether widths that differ may be joined.

    Returns:
        The row, or `LayerOutputMissing` and what `PairLoss.fitting` refuses.

    Example:
        >>> from kdtab.models.layers import LayerPair
        >>> loss = PairLoss(LayerPair("h", "g"), nn.MSELoss(), "MSELoss_0")
        >>> sides = {"h": SeenOutput((4, 2), 1)}, {"g": SeenOutput((4, 3), 1)}
        >>> str(planned_pair(loss, *sides, project=True).unwrap().projection)
        '2 -> 3'
        >>> planned_pair(loss, *sides, project=False).failure().first.loss
        'MSELoss'
    """
    ours, theirs = student[loss.pair.student], teacher[loss.pair.teacher]
    row = PlannedPair(*loss.names, loss.name, ours, theirs)
    if ours.form is None or theirs.form is None:
        side: Side = "student" if ours.form is None else "teacher"
        return fail(LayerOutputMissing(pair=loss.names, side=side, ran=True))
    joined = _projection(loss.criterion, ours, theirs) if project else None
    if joined is not None:
        return Success(replace(row, projection=joined))
    return loss.fitting(ours.form, theirs.form).map(lambda _: row)


def _seen(output: object, filled: bool, calls: int) -> SeenOutput:
    if not filled:
        return SeenOutput(None, 0)
    if isinstance(output, Tensor):
        return SeenOutput(form_of(output), calls, output.dtype, output.device)
    return SeenOutput(form_of(output), calls)


def _projection(
    criterion: Criterion, ours: SeenOutput, theirs: SeenOutput
) -> ProjectionPlan | None:
    if isinstance(ours.form, str) or isinstance(theirs.form, str) or ours.form == theirs.form:
        return None
    if ours.form is None or theirs.form is None or takes_any_width(criterion):
        return None
    axis = feature_axis(ours.form)
    if not ours.form or without_width(ours.form, axis) != without_width(theirs.form, axis):
        return None
    widths = (feature_width(ours.form, axis), feature_width(theirs.form, axis))
    return ProjectionPlan(*widths, axis, ours.dtype, ours.device)
