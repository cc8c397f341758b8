"""What a table looks like it was meant to be."""

from __future__ import annotations

import polars as pl
import pytest

from kdtab.config.columns import ColumnOptions
from kdtab.config.training import TrainingConfig
from kdtab.data.hints import comma_remarks
from kdtab.data.prepare import prepare_table


@pytest.mark.parametrize(
    ("cells", "seen"),
    [
        (["1,5", "2,25", "-0,5", None], True),
        (["1,5", "7", " ? "], True),
        (["1,5", "a"], False),
        (["1", "2.5"], False),
        (["1,2,3"], False),
        (["?", ""], False),
        ([1.5, 2.5], False),
        ([], False),
    ],
)
def test_texts_that_would_be_numbers_with_a_decimal_comma_are_seen(
    cells: list[object], seen: bool
) -> None:
    frame = pl.DataFrame({"x": cells})
    assert bool(comma_remarks(frame, ["x"], ["?", ""])) == seen


def test_a_table_read_without_its_decimal_comma_says_so() -> None:
    target = [f"{at},{at % 7}" for at in range(40)]
    frame = pl.DataFrame({"x": [f"0,{at}" for at in range(40)], "z": ["a", "b"] * 20, "y": target})
    config = TrainingConfig(target_column="y")
    notes = (
        prepare_table(frame, config, ColumnOptions(exclude_columns=("x",))).unwrap().report.notes
    )
    assert (
        "text, but numbers if the comma is a decimal comma (read the table with decimal_comma): "
        "'y', with cells such as '0,0'"
    ) in notes
