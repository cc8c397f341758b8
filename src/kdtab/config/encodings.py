"""How a network takes the numbers of its input: by bins whose edges are part of its description."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from kdtab.config.base import FrozenConfig, fields_disagree

LARGEST_EDGE = 1e6
"""Scaled inputs are clipped to no more than this."""

SMALLEST_BIN = 1e-30
"""A narrower bin has a slope that float32 does not hold."""

MOST_ENCODED = 10_000_000


def _numbers_of_float32(values: tuple[float, ...]) -> tuple[float, ...]:
    if any(abs(value) > LARGEST_EDGE for value in values):
        raise ValueError(f"must lie within ±{LARGEST_EDGE:g}")
    if array("f", values).tolist() != list(values):
        raise ValueError("must be numbers that float32 holds")
    return values


def _edges_of_bins(edges: tuple[float, ...]) -> tuple[float, ...]:
    if len(edges) == 1:
        raise ValueError("must be none, or at least two")
    if any(high - low < SMALLEST_BIN for low, high in pairwise(edges)):
        raise ValueError(f"must ascend, by at least {SMALLEST_BIN:g}")
    return edges


Float32Numbers: TypeAlias = Annotated[
    tuple[float, ...], Field(strict=False), AfterValidator(_numbers_of_float32)
]
ColumnEdges: TypeAlias = Annotated[Float32Numbers, AfterValidator(_edges_of_bins)]
EdgesOfColumns: TypeAlias = Annotated[tuple[ColumnEdges, ...], Field(strict=False)]


class PiecewiseLinearSpec(FrozenConfig):
    """Each bin of a column as a number of its own: how far x has come through it.

    With `columns_pass` the network has the column itself too, so that a line needs no bins: what lies
    beyond the training rows, and what is steep within one wide bin, is not lost.

    e_j = clip((x - b_{j-1}) / (b_j - b_{j-1}), 0, 1) (Gorishniy et al. 2022, arXiv:2203.05556).
    NOTE[DIFF]: the paper leaves the first and the last bin linear outward; here they are clipped,
    so that no input takes the network where it never was.

    Attributes:
        kind: "piecewise_linear".
        edges: Of each input column, ascending, as float32 holds them; none: the column passes.
        columns_pass: Whether columns with edges pass too, beside their bins.

    Example:
        >>> PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0), ())).width
        3
        >>> PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0), ()), columns_pass=True).width
        4
    """

    added_later = frozenset({"columns_pass"})

    kind: Literal["piecewise_linear"] = "piecewise_linear"
    edges: EdgesOfColumns
    columns_pass: bool = False

    @property
    def width(self) -> int:
        """Columns that come out: one for each bin, one for each column that passes.

        Example:
            >>> PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0, 3.0),)).width
            3
        """
        bins = sum(len(edges) - 1 for edges in self.edges if edges)
        return bins + sum(self.columns_pass or not edges for edges in self.edges)

    @model_validator(mode="after")
    def _is_bounded(self) -> PiecewiseLinearSpec:
        if self.width > MOST_ENCODED:
            rule = f"must give at most {MOST_ENCODED:,} columns"
            raise fields_disagree("edges", rule, self.width)
        return self


class QuantileSpec(FrozenConfig):
    """A column becomes the normal score of its rank, in a line from edge to edge, flat outside.

    Attributes:
        kind: "quantile".
        edges: Of each input column, ascending, as float32 holds them; none: the column passes.
        scores: What each edge becomes; they never fall.

    Example:
        >>> QuantileSpec(edges=((0.0, 1.0, 5.0), ()), scores=((-3.0, 0.0, 3.0), ())).width
        2
    """

    kind: Literal["quantile"] = "quantile"
    edges: EdgesOfColumns
    scores: Annotated[tuple[Float32Numbers, ...], Field(strict=False)]

    @property
    def width(self) -> int:
        """Columns that come out: as many as come in.

        Example:
            >>> QuantileSpec(edges=((0.0, 1.0),), scores=((-1.0, 1.0),)).width
            1
        """
        return len(self.edges)

    @model_validator(mode="after")
    def _scores_fit(self) -> QuantileSpec:
        if _lengths(self.scores) != _lengths(self.edges):
            raise fields_disagree("scores", "must be one for each edge", len(self.scores))
        for scores in self.scores:
            if any(high < low for low, high in pairwise(scores)):
                raise fields_disagree("scores", "must never fall", scores[:4])
        return self


NumericEncodingSpec: TypeAlias = Annotated[
    PiecewiseLinearSpec | QuantileSpec, Field(discriminator="kind")
]


def _lengths(columns: Sequence[tuple[float, ...]]) -> list[int]:
    return [len(column) for column in columns]
