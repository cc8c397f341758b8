"""The tables of a report, as texts; the terminal and the page show the same ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kdtab.report.quality import Estimate
from kdtab.report.summary import Fidelity, ModelReport, Role, Summary
from kdtab.report.wording import (
    ABSENT,
    ROLE_NAMES,
    count_text,
    duration_text,
    interval_text,
    number_text,
    percent_text,
    shown_text,
    size_text,
)

SHOWN_CLASSES = 30


@dataclass(frozen=True)
class Cell:
    """One figure of a table.

    Attributes:
        text: What stands there.
        detail: Its interval, or what else is said in smaller letters.
        best: Whether it is the best of its row.

    Example:
        >>> Cell("0.914", best=True).detail
        ''
    """

    text: str
    detail: str = ""
    best: bool = False


@dataclass(frozen=True)
class ReportTable:
    """One table.

    Attributes:
        title: What it shows.
        header: Names of the columns; the first is that of the rows' names.
        rows: The name and the cells of each row.
        note: A sentence below it.

    Example:
        >>> ReportTable("Classes", ("", "rows"), (("yes", (Cell("9"),)),)).note
        ''
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    note: str = ""


ONE_ROW = (
    "One row is asked alone: a bundle is given it by column name, as kdtab.Predictor takes it, "
    "any other model as a table of one row."
)


@dataclass(frozen=True)
class _Measure:
    name: str
    field: str
    share: bool = False
    lower_is_better: bool = False


CLASS_MEASURES = (
    _Measure("log loss ↓", "log_loss", lower_is_better=True),
    _Measure("accuracy ↑", "accuracy", share=True),
    _Measure("balanced accuracy ↑", "balanced_accuracy", share=True),
    _Measure("F1 ↑", "f1"),
    _Measure("average precision ↑", "average_precision"),
    _Measure("area under ROC ↑", "auc"),
    _Measure("Brier score ↓", "brier", lower_is_better=True),
    _Measure("calibration error ↓", "calibration_error", lower_is_better=True),
)
VALUE_MEASURES = (
    _Measure("RMSE ↓", "rmse", lower_is_better=True),
    _Measure("MAE ↓", "mae", lower_is_better=True),
    _Measure("R² ↑", "r_squared"),
    _Measure("mean squared error ↓", "mse", lower_is_better=True),
    _Measure("calibration error ↓", "calibration_error", lower_is_better=True),
)


def report_tables(summary: Summary) -> tuple[ReportTable, ...]:
    """All tables of a report that have rows, the most important first.

    Args:
        summary: The report's numbers.

    Returns:
        Quality, fidelity, cost, differences, classes, segments, and how it was run.

    Example:
        >>> report_tables.__name__
        'report_tables'
    """
    every = (
        _quality(summary),
        _fidelity(summary),
        _gaps(summary),
        _cost(summary),
        _classes(summary),
        _segments(summary),
        _facts(summary),
    )
    return tuple(table for table in every if table.rows)


def _header(summary: Summary) -> tuple[str, ...]:
    return ("", *(ROLE_NAMES[model.role] for model in summary.models))


def _quality(summary: Summary) -> ReportTable:
    measures = CLASS_MEASURES if summary.task == "classification" else VALUE_MEASURES
    lines = []
    for measure in measures:
        found = [getattr(model.quality, measure.field) for model in summary.models]
        if any(estimate.value is not None for estimate in found):
            lines.append((measure.name, _estimates(measure, found)))
    return ReportTable("Quality", _header(summary), tuple(lines), _quality_note(summary))


def _quality_note(summary: Summary) -> str:
    loss, metric = number_text(summary.constant_loss), summary.constant_metric
    if summary.task == "regression":
        return f"Always saying the mean has RMSE {number_text(metric)}."
    of = "the mean over the classes"
    if len(summary.classes) == 2:
        of = f"of class “{shown_text(summary.classes[1])}”"
    return (
        f"The best constant answer has log loss {loss} and accuracy {percent_text(metric)}. "
        f"F1 and average precision are {of}."
    )


def _estimates(measure: _Measure, found: Sequence[Estimate]) -> tuple[Cell, ...]:
    form = percent_text if measure.share else number_text
    texts = [form(estimate.value) for estimate in found]
    values = [estimate.value for estimate in found if estimate.value is not None]
    best = form((min if measure.lower_is_better else max)(values))
    return tuple(
        Cell(text, interval_text(estimate.interval, measure.share), text == best)
        for text, estimate in zip(texts, found, strict=True)
    )


def _fidelity(summary: Summary) -> ReportTable:
    classes = summary.task == "classification"
    by_role: dict[Role, Fidelity] = {item.role: item for item in summary.fidelity}
    agreements = tuple(_agreement(by_role.get(model.role), classes) for model in summary.models)
    rows = [("same class ↑" if classes else "R² against it ↑", agreements)]
    if classes:
        divergences = tuple(_divergence(by_role.get(model.role)) for model in summary.models)
        rows.append(("KL divergence ↓", divergences))
    return ReportTable("Agreement with the teacher", _header(summary), tuple(rows))


def _agreement(item: Fidelity | None, share: bool) -> Cell:
    if item is None:
        return Cell(ABSENT)
    form = percent_text if share else number_text
    return Cell(form(item.agreement.value), interval_text(item.agreement.interval, share))


def _divergence(item: Fidelity | None) -> Cell:
    if item is None or item.divergence is None:
        return Cell(ABSENT)
    return Cell(number_text(item.divergence.value), interval_text(item.divergence.interval))


def _gaps(summary: Summary) -> ReportTable:
    loss = "log loss" if summary.task == "classification" else "mean squared error"
    rows = tuple(
        (
            f"{ROLE_NAMES[item.of]} − {ROLE_NAMES[item.less]}",
            (Cell(number_text(item.gap.value)), Cell(interval_text(item.gap.interval) or ABSENT)),
        )
        for item in summary.gaps
    )
    return ReportTable(
        f"Differences in {loss}",
        ("", "difference", "95 % interval"),
        rows,
        "Paired over the same rows; above 0 the second is the better one.",
    )


def _cost(summary: Summary) -> ReportTable:
    asked: tuple[tuple[str, Callable[[ModelReport], str]], ...] = (
        ("parameters", lambda model: count_text(model.parameters)),
        ("stored size", lambda model: size_text(model.bytes)),
        ("rows per second", lambda model: count_text(model.rows_per_second)),
        ("one row, median", lambda model: duration_text(model.p50)),
        ("one row, 99th percentile", lambda model: duration_text(model.p99)),
    )
    lines = [(name, tuple(Cell(form(item)) for item in summary.models)) for name, form in asked]
    known = tuple(line for line in lines if any(cell.text != ABSENT for cell in line[1]))
    timed = any(item.p50 is not None for item in summary.models)
    return ReportTable("Cost", _header(summary), known, ONE_ROW if timed else "")


def _classes(summary: Summary) -> ReportTable:
    names = [ROLE_NAMES[model.role] for model in summary.models]
    header = ("", "rows", *names)
    lines = list(zip(*(model.per_class for model in summary.models), strict=True))
    rows = tuple(
        (
            shown_text(line[0].name),
            (
                Cell(count_text(line[0].rows)),
                *(
                    Cell(" / ".join(map(_short, (item.recall, item.precision, item.f1))))
                    for item in line
                ),
            ),
        )
        for line in sorted(lines, key=lambda line: -line[0].rows)[:SHOWN_CLASSES]
    )
    left = len(lines) - len(rows)
    note = f"{left:,} rarer classes are left out." * (left > 0)
    return ReportTable("Classes: recall / precision / F1", header, rows, note)


def _short(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.2f}"


def _segments(summary: Summary) -> ReportTable:
    classes = summary.task == "classification"
    names = [ROLE_NAMES[model.role] for model in summary.models]
    metric = "accuracy" if classes else "RMSE"
    header = ("", "rows", *names, "agreement", "behind")
    form = percent_text if classes else number_text
    rows = tuple(
        (
            f"{shown_text(line.column)} = {shown_text(line.value)}",
            (
                Cell(count_text(line.rows)),
                *(Cell(form(value)) for value in line.metrics),
                Cell(form(line.agreement)),
                Cell(number_text(line.behind.value), interval_text(line.behind.interval)),
            ),
        )
        for line in summary.segments
    )
    return ReportTable(
        f"Segments: {metric}",
        header,
        rows,
        "Agreement: of the student with the teacher. Behind: the student’s loss less the teacher’s.",
    )


def _facts(summary: Summary) -> ReportTable:
    named = ((ROLE_NAMES[model.role], model.name) for model in summary.models)
    roles = [(role, name) for role, name in named if name != role]
    rows = tuple((shown_text(name), (Cell(shown_text(value)),)) for name, value in summary.facts)
    models = tuple((name, (Cell(shown_text(value)),)) for name, value in roles)
    return ReportTable("How it was run", ("", ""), models + rows)
