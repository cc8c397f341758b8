"""What each column of a table is: decided once, at fit, and stored with the reason."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from kdtab.config.base import FrozenConfig


class NumericColumn(FrozenConfig):
    """Numbers, or text of which every cell is a number; one feature.

    Example:
        >>> NumericColumn(name="age", reason="a number type").kind
        'numeric'
    """

    kind: Literal["numeric"] = "numeric"
    name: str
    reason: str


class BooleanColumn(FrozenConfig):
    """True and False, as a type or as text; one feature, 1 for true.

    Example:
        >>> BooleanColumn(name="member", reason="a boolean type").kind
        'boolean'
    """

    kind: Literal["boolean"] = "boolean"
    name: str
    reason: str


class CategoricalColumn(FrozenConfig):
    """Values without an order; one feature for each kept category, then rare, then missing.

    Attributes:
        name: The column.
        reason: Why it is categorical.
        categories: The kept categories as canonical texts, sorted.
        has_rare: One more feature for values that are none of the categories.
        has_missing: One more feature for missing cells.

    Example:
        >>> CategoricalColumn(name="sex", reason="text", categories=("f", "m"),
        ...                   has_rare=False, has_missing=True).categories
        ('f', 'm')
    """

    kind: Literal["categorical"] = "categorical"
    name: str
    reason: str
    categories: Annotated[tuple[str, ...], Field(strict=False)]
    has_rare: bool
    has_missing: bool


class DateColumn(FrozenConfig):
    """Dates, replaced by calendar features.

    Attributes:
        name: The column.
        reason: Why it is a date.
        format: The one strptime format of its text cells; None for a date type.
        has_time: The column has a time of day, so hours are features too.

    Example:
        >>> DateColumn(name="born", reason="date_columns", format="%d/%m/%Y", has_time=False).format
        '%d/%m/%Y'
    """

    kind: Literal["date"] = "date"
    name: str
    reason: str
    format: str | None
    has_time: bool


class LeftOutColumn(FrozenConfig):
    """A column that is no feature: nothing but missing cells, or a text that names its row.

    Example:
        >>> LeftOutColumn(name="note", reason="every cell is missing").kind
        'left_out'
    """

    kind: Literal["left_out"] = "left_out"
    name: str
    reason: str


FeatureColumn: TypeAlias = Annotated[
    NumericColumn | BooleanColumn | CategoricalColumn | DateColumn, Field(discriminator="kind")
]


class TableSchema(FrozenConfig):
    """All columns of the training table but the target: the features by name, and the others.

    Example:
        >>> TableSchema(features=(), left_out=()).left_out
        ()
    """

    features: Annotated[tuple[FeatureColumn, ...], Field(strict=False)]
    left_out: Annotated[tuple[LeftOutColumn, ...], Field(strict=False)]
