"""A report as one page that needs nothing else: no script, no font, no picture from outside."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from kdtab.report.drawing import Drawing
from kdtab.report.plots import draw_figures
from kdtab.report.style import PAGE_STYLE
from kdtab.report.summary import Summary
from kdtab.report.tables import Cell, ReportTable, report_tables
from kdtab.report.verdict import headline, verdict_sentence
from kdtab.report.wording import SHOWN_IN_NOTE, shown_text
from kdtab.results import Checked

TABLES_BEFORE_FIGURES = 2
EVEN_COLUMNS = 4


def html_report(summary: Summary) -> Checked[str]:
    """The whole page with its figures.

    Args:
        summary: The report's numbers.

    Returns:
        HTML, the same for the same numbers; or `ExtraMissing` without matplotlib.

    Example:
        >>> import numpy as np
        >>> from kdtab.report.inputs import MeasuredRows, ModelOutputs
        >>> from kdtab.report.side_by_side import summarize
        >>> rows = MeasuredRows("price", np.arange(40.0))
        >>> off = lambda by: ModelOutputs("model", "values", np.arange(40.0)[:, None] + by)
        >>> page = html_report(summarize(rows, off(0.0), off(1.0), off(2.0))).unwrap()
        >>> page[:15], page.count("<svg"), "http" in page
        ('<!doctype html>', 3, False)
    """
    return draw_figures(summary).map(lambda drawings: render_html(summary, drawings))


def render_html(summary: Summary, drawings: Sequence[Drawing] = ()) -> str:
    """A page from numbers and figures.

    Args:
        summary: The report's numbers.
        drawings: The figures; without them the page has its tables only.

    Returns:
        HTML; every text of a user is escaped.

    Example:
        >>> import numpy as np
        >>> from kdtab.report.inputs import MeasuredRows, ModelOutputs
        >>> from kdtab.report.side_by_side import summarize
        >>> rows = MeasuredRows("<b>", np.arange(40.0))
        >>> said = ModelOutputs("model", "values", np.arange(40.0)[:, None])
        >>> "<b>" in render_html(summarize(rows, said, said))
        False
    """
    tables = [_table(table) for table in report_tables(summary)]
    title = f"Distillation report: {_safe(summary.target)}"
    parts = [
        _head(summary),
        *tables[:TABLES_BEFORE_FIGURES],
        _figures(drawings),
        *tables[TABLES_BEFORE_FIGURES:],
        _notes(summary),
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{PAGE_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _safe(text: str) -> str:
    return _html(shown_text(text, SHOWN_IN_NOTE))


def _html(text: str) -> str:
    return escape(text).replace(" %", "&nbsp;%")


def _head(summary: Summary) -> str:
    different = f", {summary.different_rows:,} of them different"
    rows = f"{summary.rows:,} rows{different * (summary.different_rows < summary.rows)}"
    kind = "gain" if summary.gain is not None and summary.gain.kind == "retained" else "no-gain"
    return (
        "<header>\n"
        f'<p class="kicker">Distillation report · {summary.task} of '
        f"<strong>{_safe(summary.target)}</strong></p>\n"
        f'<h1 class="{kind}">{_html(headline(summary))}</h1>\n'
        f'<p class="verdict">{_html(verdict_sentence(summary))}</p>\n'
        f'<p class="rows">Measured on {rows}: {_safe(summary.which)}.</p>\n'
        "</header>"
    )


def _table(table: ReportTable) -> str:
    header = "".join(f'<th scope="col">{_html(name)}</th>' for name in table.header)
    rows = "\n".join(
        f'<tr><th scope="row">{_html(name)}</th>{"".join(map(_cell, cells))}</tr>'
        for name, cells in table.rows
    )
    head = f"<thead><tr>{header}</tr></thead>\n" if any(table.header) else ""
    even = ' class="even"' if len(table.header) == EVEN_COLUMNS else ""
    note = f'<p class="note">{_html(table.note)}</p>\n' if table.note else ""
    return (
        f"<section>\n<h2>{_html(table.title)}</h2>\n"
        f'<div class="scroll"><table{even}>\n{head}<tbody>\n{rows}\n</tbody>\n</table></div>\n'
        f"{note}</section>"
    )


def _cell(cell: Cell) -> str:
    text = _html(cell.text)
    shown = f"<strong>{text}</strong>" if cell.best else text
    detail = f"<small>{_html(cell.detail)}</small>" if cell.detail else ""
    return f"<td>{shown}{detail}</td>"


def _figures(drawings: Sequence[Drawing]) -> str:
    shown = "\n".join(
        f'<figure class="{"wide" if drawing.wide else "half"}">\n{_labelled(drawing)}\n'
        f"<figcaption><strong>{_html(drawing.title)}.</strong> "
        f"{_html(drawing.caption)}</figcaption>\n</figure>"
        for drawing in drawings
    )
    return f'<section class="figures">\n{shown}\n</section>' if shown else ""


def _labelled(drawing: Drawing) -> str:
    return drawing.svg.replace("<svg", f'<svg role="img" aria-label="{_html(drawing.title)}"', 1)


def _notes(summary: Summary) -> str:
    items = "\n".join(f"<li>{_safe(note)}</li>" for note in summary.notes)
    return f"<section>\n<h2>Notes</h2>\n<ul>\n{items}\n</ul>\n</section>" if items else ""
