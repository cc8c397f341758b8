"""How each column enters the first layer: measured features as numbers, categories as look-ups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from kdtab.config.schema import (
    BooleanColumn,
    CategoricalColumn,
    DateColumn,
    NumericColumn,
)
from kdtab.data.arrays import FloatArray
from kdtab.data.artifacts import Artifacts
from kdtab.data.cells import MissingRule, canonical_texts, missing_rule
from kdtab.data.scale import impute
from kdtab.data.values import text_series
from kdtab.data.vectorize import Vectorizer
from kdtab.serving.bins import BinnedColumn
from kdtab.serving.networks import FoldedNetwork

MeasuredKind: TypeAlias = NumericColumn | BooleanColumn | DateColumn


@dataclass(frozen=True, eq=False)
class MeasuredColumn:
    """A column of numbers, truth values or dates, and the scaling of its features.

    Attributes:
        column: How its cells are read.
        mean: [F] of each feature.
        scale: [F] of each feature.
        clip: Bound of the scaled features.
        fill: [F] the scaled features of a missing cell.

    Example:
        >>> MeasuredColumn(NumericColumn(name="x", reason=""), np.zeros(1), np.ones(1), 10.0,
        ...                np.zeros(1)).clip
        10.0
    """

    column: MeasuredKind
    mean: FloatArray
    scale: FloatArray
    clip: float
    fill: FloatArray


@dataclass(frozen=True, eq=False)
class CategoryTable:
    """A categorical column as rows of the first layer: what one of its features adds when it is 1.

    Attributes:
        column: How its cells are read.
        places: Row of each text that is one of the categories as it stands, and of each marker.
        rare: Row of every other category; the last row, of zeros, where there is no such feature.
        missing: Row of a missing cell; the last row where there is no such feature.
        rows: [features + 1, H] float64.

    Example:
        >>> sex = CategoricalColumn(name="sex", reason="", categories=("f", "m"), has_rare=False,
        ...                         has_missing=False)
        >>> CategoryTable(sex, {"f": 0, "m": 1}, 2, 2, np.zeros((3, 4))).places["m"]
        1
    """

    column: CategoricalColumn
    places: dict[str, int]
    rare: int
    missing: int
    rows: FloatArray


@dataclass(frozen=True, eq=False)
class InputPlan:
    """The first layer, told by columns: h = Σ z W + Σ bins of z + Σ rows of categories + b.

    Attributes:
        rule: Which cells are missing.
        measured: The columns whose features are numbers, in order.
        categories: The categorical columns, in order.
        weight: [M, H] the rows of the measured features; zero for those that enter by bins.
        bias: [H].
        bins: The measured features that enter by bins.

    Example:
        >>> InputPlan(missing_rule(()), (), (), np.zeros((0, 4)), np.zeros(4)).bias.shape
        (4,)
    """

    rule: MissingRule
    measured: tuple[MeasuredColumn, ...]
    categories: tuple[CategoryTable, ...]
    weight: FloatArray
    bias: FloatArray
    bins: tuple[BinnedColumn, ...] = ()


def input_plan(artifacts: Artifacts, network: FoldedNetwork) -> InputPlan:
    """The first layer of a network, told by the columns that feed it.

    A category's features are 0 or 1 and then scaled like any other: what they add at 0 goes to the
    bias, what a 1 adds beyond that is the category's row.

    Args:
        artifacts: Fitted preprocessing with D features.
        network: Its first matrix is [D, H].

    Returns:
        The plan.

    Example:
        >>> from kdtab.data.scale import Scaler
        >>> column = NumericColumn(name="x", reason="")
        >>> artifacts = Artifacts(Vectorizer((column,), ()), Scaler(np.ones(1), np.ones(1), 10.0),
        ...                       np.array([3.0]), None, None)
        >>> plan = input_plan(artifacts, FoldedNetwork(np.ones((1, 4)), np.zeros(4), ()))
        >>> plan.measured[0].fill.tolist()
        [2.0]
    """
    vectorizer, scaler = artifacts.vectorizer, artifacts.scaler
    rule = missing_rule(vectorizer.missing_markers)
    width = len(scaler.mean)
    ends = np.cumsum([_feature_count(column) for column in vectorizer.columns], dtype=int)
    fills = scaler.transform(impute(np.full((1, width), np.nan), artifacts.feature_medians))[0]
    off, on = (scaler.transform(np.full((1, width), value))[0] for value in (0.0, 1.0))
    indicators = vectorizer.indicators
    measured: list[MeasuredColumn] = []
    categories: list[CategoryTable] = []
    plain = _plain_texts(vectorizer, rule)
    for column, end in zip(vectorizer.columns, ends, strict=True):
        at = slice(end - _feature_count(column), end)
        if isinstance(column, CategoricalColumn):
            rows = network.weight[at] * (on - off)[at, np.newaxis]
            for binned in network.bins:
                if at.start <= binned.column < at.stop:
                    rows[binned.column - at.start] += binned.at(on[binned.column]) - binned.at(
                        off[binned.column]
                    )
            categories.append(_category_table(column, rows, plain, rule))
        else:
            measured.append(
                MeasuredColumn(column, scaler.mean[at], scaler.scale[at], scaler.clip, fills[at])
            )
    return InputPlan(
        rule=rule,
        measured=tuple(measured),
        categories=tuple(categories),
        weight=network.weight[~indicators],
        bias=sum(
            (binned.at(off[binned.column]) for binned in network.bins if indicators[binned.column]),
            network.bias + off[indicators] @ network.weight[indicators],
        ),
        bins=tuple(
            replace(binned, column=int(np.count_nonzero(~indicators[: binned.column])))
            for binned in network.bins
            if not indicators[binned.column]
        ),
    )


def _feature_count(column: NumericColumn | BooleanColumn | CategoricalColumn | DateColumn) -> int:
    return len(Vectorizer((column,), ()).feature_names)


def _plain_texts(vectorizer: Vectorizer, rule: MissingRule) -> frozenset[str]:
    """The categories that are their own canonical text, as those of a fitted column all are."""
    texts = [
        text
        for column in vectorizer.columns
        if isinstance(column, CategoricalColumn)
        for text in column.categories
    ]
    canonical = canonical_texts(text_series("", list(texts)), rule).to_list()
    return frozenset(text for text, same in zip(texts, canonical, strict=True) if text == same)


def _category_table(
    column: CategoricalColumn, rows: FloatArray, plain: frozenset[str], rule: MissingRule
) -> CategoryTable:
    kept, nothing = len(column.categories), len(rows)
    missing = kept + column.has_rare if column.has_missing else nothing
    places = {text: place for place, text in enumerate(column.categories) if text in plain}
    return CategoryTable(
        column=column,
        places=places | {word: missing for word in rule.words if word.isascii()},
        rare=kept if column.has_rare else nothing,
        missing=missing,
        rows=np.vstack([rows, np.zeros((1, rows.shape[1]))]),
    )
