"""A report for a terminal."""

from __future__ import annotations

from kdtab.report.summary import Summary
from kdtab.report.tables import Cell, ReportTable, report_tables
from kdtab.report.verdict import headline, verdict_sentence
from kdtab.report.wording import SHOWN_IN_NOTE, shown_text


def render_text(summary: Summary) -> str:
    """The verdict, the tables and the notes, as lines of text.

    Args:
        summary: The report's numbers.

    Returns:
        Lines that end in a line break; intervals stand in brackets.

    Example:
        >>> import numpy as np
        >>> from kdtab.report.inputs import MeasuredRows, ModelOutputs
        >>> from kdtab.report.side_by_side import summarize
        >>> rows = MeasuredRows("price", np.arange(40.0))
        >>> off = lambda by: ModelOutputs("model", "values", np.arange(40.0)[:, None] + by)
        >>> print(render_text(summarize(rows, off(0.0), off(1.0), off(2.0))).splitlines()[0])
        75 % of the teacher’s gain retained
    """
    tables = (_table(table) for table in report_tables(summary))
    rows = f"{summary.rows:,} rows ({summary.different_rows:,} different): {summary.which}\n"
    notes = "".join(f"note: {shown_text(note, SHOWN_IN_NOTE)}\n" for note in summary.notes)
    return "\n".join([f"{headline(summary)}\n{verdict_sentence(summary)}\n", *tables, rows + notes])


def _table(table: ReportTable) -> str:
    lines = [(table.title, *table.header[1:])]
    lines += [(f"  {name}", *map(_cell, cells)) for name, cells in table.rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    drawn = "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )
    return drawn + (f"  {table.note}\n" if table.note else "")


def _cell(cell: Cell) -> str:
    return f"{cell.text} [{cell.detail}]" if cell.detail else cell.text
