"""What a person is told about a table."""

from __future__ import annotations

from kdtab.config.schema import LeftOutColumn
from kdtab.data.report import PreparationReport
from kdtab.data.vectorize import UnreadableCells


def test_a_table_without_surprises_needs_no_words() -> None:
    assert PreparationReport(rows=10).notes == ()


def test_every_fact_becomes_one_sentence() -> None:
    report = PreparationReport(
        rows=1_000,
        rows_without_target=1,
        left_out=(LeftOutColumn(name="note", reason="every cell is missing"),),
        identical_share=0.0312,
        rare_classes=("c",),
        unreadable=(UnreadableCells("age", 1_200, 3, "o\nld"),),
        columns_absent=("a",),
        columns_extra=("b",),
        remarks=("last",),
    )
    assert report.notes == (
        "1 of 1,000 rows has no target and was left out",
        "column 'note' was left out: every cell is missing",
        "3.1% of the rows are identical to another row",
        "classes too rare to be tested on: 'c'",
        "1,200 cells of column 'age' cannot be read and count as missing, the first in row 3: 'o\\nld'",
        "the table lacks columns of the teacher, taken as missing: 'a'",
        "the teacher does not use these columns: 'b'",
        "last",
    )
