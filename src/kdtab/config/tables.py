"""How a table's file is to be read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kdtab.config.base import FrozenConfig


class ReadOptions(FrozenConfig):
    """What a file cannot say about itself; None lets the file decide.

    Attributes:
        sheet_name: Sheet of an Excel workbook; None takes the first. An error for other formats.
        encoding: Text encoding of a CSV or JSON-lines file, as Python names it.
        separator: One character between the cells of a CSV.
        decimal_comma: Numbers of a CSV are written `1,5`.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> ReadOptions(encoding="latin-1").decimal_comma
        False
    """

    sheet_name: str | None = None
    encoding: Annotated[str, Field(min_length=1)] = "utf-8"
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    decimal_comma: bool = False
