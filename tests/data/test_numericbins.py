"""Edges that are found in training rows, against Python's own sorting."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from encoding_strategies import encoded_twin
from kdtab.config.encodings import SMALLEST_BIN, PiecewiseLinearSpec, QuantileSpec
from kdtab.data.numericbins import bin_lines, numeric_encoding_spec

Rows = npt.NDArray[np.float32]
cells = st.floats(-10, 10, width=32) | st.sampled_from([0.0, -0.0, 1.0, 1e-38, 1e-45, -1e-40])
matrices = arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=cells)


def edges_of(inputs: Rows, bins: int) -> tuple[tuple[float, ...], ...]:
    spec = numeric_encoding_spec("piecewise_linear", inputs, bins)
    return ((),) * inputs.shape[1] if spec is None else spec.edges


@settings(max_examples=150)
@given(inputs=matrices, bins=st.integers(2, 30))
def test_edges_are_the_different_quantiles_of_their_column(inputs: Rows, bins: int) -> None:
    for column, edges in zip(inputs.T, edges_of(inputs, bins), strict=True):
        ordered = sorted(column.tolist())
        last = len(ordered) - 1
        expected = sorted({ordered[at * last // bins] for at in range(bins + 1)})
        if all(high - low >= SMALLEST_BIN for low, high in pairwise(expected)):
            assert list(edges) == (expected if len(expected) >= 3 else [])
        else:  # a bin too narrow for a slope in float32 is none
            assert set(edges) < set(expected)
            assert all(high - low >= SMALLEST_BIN for low, high in pairwise(edges))


@settings(max_examples=50)
@given(inputs=matrices, bins=st.integers(2, 30), seed=st.integers(0, 9))
def test_the_order_of_rows_and_other_columns_do_not_matter(
    inputs: Rows, bins: int, seed: int
) -> None:
    edges = edges_of(inputs, bins)
    assert edges_of(np.random.default_rng(seed).permutation(inputs), bins) == edges
    for at in range(inputs.shape[1]):
        assert edges_of(inputs[:, [at]], bins) == (edges[at],)


def test_indicators_and_constants_pass() -> None:
    generator = np.random.default_rng(0)
    indicator = np.where(generator.random(200) < 0.3, np.float32(-0.7), np.float32(1.4))
    constant = np.full(200, 2.5, np.float32)
    number = generator.normal(size=200).astype(np.float32)
    edges = edges_of(np.column_stack([indicator, constant, number]), 24)
    assert edges[:2] == ((), ())
    assert len(edges[2]) == 25


def test_nothing_is_encoded_where_all_columns_pass_or_nobody_asked() -> None:
    indicators = np.array([[0.0], [1.0]] * 20, np.float32)
    numbers = np.arange(40, dtype=np.float32)[:, np.newaxis]
    assert numeric_encoding_spec("piecewise_linear", indicators, 24) is None
    assert numeric_encoding_spec("quantile", indicators, 24) is None
    assert numeric_encoding_spec("scaled", numbers, 24) is None
    assert numeric_encoding_spec("quantile", numbers[:0], 24) is None


@settings(max_examples=50)
@given(inputs=matrices, bins=st.integers(2, 30))
def test_scores_are_normal_scores_of_middle_ranks(inputs: Rows, bins: int) -> None:
    spec = numeric_encoding_spec("quantile", inputs, bins)
    for at in range(inputs.shape[1] if spec is not None else 0):
        assert isinstance(spec, QuantileSpec)
        column = inputs[:, at].tolist()
        for edge, score in zip(spec.edges[at], spec.scores[at], strict=True):
            below, with_equals = sum(x < edge for x in column), sum(x <= edge for x in column)
            rank = (below + with_equals) / 2 / len(column)
            share = (1 + math.erf(score / math.sqrt(2))) / 2
            assert share == pytest.approx(min(max(rank, 0.001), 0.999), abs=1e-6)


def test_a_quantile_encoding_makes_any_column_look_normal() -> None:
    skewed = np.exp(np.random.default_rng(3).normal(size=5_000) * 2).astype(np.float32)[
        :, np.newaxis
    ]
    spec = numeric_encoding_spec("quantile", skewed, 64)
    assert spec is not None
    made = encoded_twin(spec, skewed.astype(np.float64))[:, 0]
    assert abs(made.mean()) < 0.02
    assert abs(made.std() - 1) < 0.03
    assert np.abs(made).max() < 3.1


def test_an_integer_matrix_and_a_float_matrix_give_the_same_edges() -> None:
    numbers = np.arange(100, dtype=np.float32)[:, np.newaxis]
    assert edges_of(numbers, 4) == ((0.0, 24.0, 49.0, 74.0, 99.0),)
    assert (
        edges_of(np.asfortranarray(np.hstack([numbers, numbers])), 4)[1] == edges_of(numbers, 4)[0]
    )


def test_lines_of_bins_come_first_and_then_what_passes() -> None:
    lines = bin_lines(PiecewiseLinearSpec(edges=((), (0.0, 1.0, 3.0), (), (-1.0, 1.0))))
    assert lines.columns.tolist() == [1, 1, 3, 0, 2]
    assert lines.low.tolist() == [0.0, 1.0, -1.0]
    assert lines.slope.tolist() == [1.0, 0.5, 0.5]
    both = bin_lines(PiecewiseLinearSpec(edges=((), (0.0, 1.0, 3.0)), columns_pass=True))
    assert both.columns.tolist() == [1, 1, 0, 1]
    none = bin_lines(PiecewiseLinearSpec(edges=((), ())))
    assert none.columns.tolist() == [0, 1]
    assert none.low.tolist() == []
