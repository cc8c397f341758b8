"""What a table looks like it was meant to be, where that differs from how it was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from kdtab.data.cells import (
    NUMBER_PATTERN,
    MissingRule,
    missing_rule,
    stripped_texts,
    text_counts,
)
from kdtab.errors.base import listed, quoted

COMMA_NUMBER_PATTERN = r"^[+-]?[0-9]+,[0-9]+$"


def comma_remarks(
    frame: pl.DataFrame, names: Sequence[str], markers: Iterable[str]
) -> tuple[str, ...]:
    """The text columns that would be numbers if their commas were decimal points.

    Args:
        frame: [N] rows.
        names: Columns to look at; other types than text are passed over.
        markers: Texts that mean "missing".

    Returns:
        One sentence, or nothing.

    Example:
        >>> comma_remarks(pl.DataFrame({"t": ["13,6", "14", "?"]}), ["t"], ["?"])
        ("text, but numbers if the comma is a decimal comma (read the table with decimal_comma): 't', with cells such as '13,6'",)
    """
    rule = missing_rule(markers)
    found = {name: cell for name in names for cell in _comma_cell(frame[name], rule)}
    if not found:
        return ()
    example = quoted(next(iter(found.values())))
    return (
        "text, but numbers if the comma is a decimal comma (read the table with decimal_comma): "
        f"{listed(tuple(found))}, with cells such as {example}",
    )


def _comma_cell(series: pl.Series, rule: MissingRule) -> Iterator[str]:
    if series.dtype not in (pl.String, pl.Enum):
        return
    words = text_counts(series, "stripped", rule)["text"].drop_nulls()
    commas = words.str.contains(COMMA_NUMBER_PATTERN)
    if commas.any() and (commas | words.str.contains(NUMBER_PATTERN)).all():
        cells = stripped_texts(series, rule)
        yield cells.filter(cells.str.contains(COMMA_NUMBER_PATTERN))[0]
