"""What happened to a table on its way to the network, as values and as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kdtab.config.schema import LeftOutColumn
from kdtab.data.vectorize import UnreadableCells
from kdtab.errors.base import listed, quoted


@dataclass(frozen=True)
class PreparationReport:
    """What a person should know about the rows and columns of one run.

    Attributes:
        rows: Rows of the table.
        rows_without_target: Rows that were left out because their target is missing.
        left_out: Columns that are no features, with the reason.
        identical_share: Share of the rows with a target that have an identical twin.
        class_counts: Rows of each class, in the order of the classes; empty for regression.
        rare_classes: Classes too rare to give a test row, all of whose rows stay out of the test.
        unreadable: Cells that mean nothing in their column and count as missing.
        columns_absent: Feature columns of the teacher that the table lacks.
        columns_extra: Columns of the table that the teacher does not use.
        remarks: Anything else worth telling.

    Example:
        >>> PreparationReport(rows=3, rows_without_target=1).notes
        ('1 of 3 rows has no target and was left out',)
    """

    rows: int
    rows_without_target: int = 0
    left_out: tuple[LeftOutColumn, ...] = ()
    identical_share: float = 0.0
    class_counts: tuple[tuple[str, int], ...] = ()
    rare_classes: tuple[str, ...] = ()
    unreadable: tuple[UnreadableCells, ...] = ()
    columns_absent: tuple[str, ...] = ()
    columns_extra: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything worth telling, one sentence each; empty where there is nothing.

        Example:
            >>> PreparationReport(rows=3, columns_absent=("age",)).notes
            ("the table lacks columns of the teacher, taken as missing: 'age'",)
        """
        return tuple(_sentences(self))


def _sentences(report: PreparationReport) -> Iterator[str]:
    if report.rows_without_target:
        count = report.rows_without_target
        verbs = ("has", "was") if count == 1 else ("have", "were")
        yield (f"{count:,} of {report.rows:,} rows {verbs[0]} no target and {verbs[1]} left out")
    for column in report.left_out:
        yield f"column {quoted(column.name)} was left out: {column.reason}"
    if report.identical_share > 0:
        yield f"{report.identical_share:.1%} of the rows are identical to another row"
    if report.rare_classes:
        yield f"classes too rare to be tested on: {listed(report.rare_classes)}"
    for cells in report.unreadable:
        yield (
            f"{cells.count:,} cells of column {quoted(cells.column)} cannot be read and count as "
            f"missing, the first in row {cells.first_row:,}: {quoted(cells.example)}"
        )
    if report.columns_absent:
        yield f"the table lacks columns of the teacher, taken as missing: {listed(report.columns_absent)}"
    if report.columns_extra:
        yield f"the teacher does not use these columns: {listed(report.columns_extra)}"
    yield from report.remarks
