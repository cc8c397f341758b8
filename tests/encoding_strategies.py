"""Numeric encodings for tests: any edges that a spec allows, and their slow twins in numpy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from kdtab.config.encodings import (
    SMALLEST_BIN,
    NumericEncodingSpec,
    PiecewiseLinearSpec,
    QuantileSpec,
)
from kdtab.config.networks import LinearSpec, MlpSpec, NetworkSpec, TabResNetSpec
from kdtab.data.arrays import FloatArray

plain_floats = st.floats(-12, 12, width=32)
odd_floats = st.sampled_from(
    [
        0.0,
        -0.0,
        2.0**-99,
        -(2.0**-99),
        2.0**-98,
        1.0,
        float(np.nextafter(np.float32(1), np.float32(2))),
        1e6,
    ]
)


@st.composite
def ascending(draw: st.DrawFn) -> tuple[float, ...]:
    values = sorted(set(draw(st.lists(plain_floats | odd_floats, min_size=2, max_size=7))))
    kept: list[float] = []
    for value in values:
        if not kept or value - kept[-1] >= SMALLEST_BIN:
            kept.append(value)
    return tuple(kept) if len(kept) > 1 else ()


@st.composite
def encodings(
    draw: st.DrawFn,
    columns: int | None = None,
    edges: st.SearchStrategy[tuple[float, ...]] | None = None,
) -> NumericEncodingSpec:
    count = draw(st.integers(1, 4)) if columns is None else columns
    of_column = ascending() if edges is None else edges
    found = tuple(draw(st.just(()) | of_column) for _ in range(count))
    kind = draw(st.sampled_from(["bins", "bins and columns", "scores"]))
    if kind != "scores":
        return PiecewiseLinearSpec(edges=found, columns_pass=kind == "bins and columns")
    scores = tuple(
        tuple(sorted(draw(st.lists(plain_floats, min_size=len(each), max_size=len(each)))))
        for each in found
    )
    return QuantileSpec(edges=found, scores=scores)


def few_edges(seed: int, columns: int, kind: str) -> NumericEncodingSpec:
    """Edges of sane bins for every column but each third, the same for the same seed.

    `kind` is that of a spec, or "bins_and_columns".
    """
    generator = np.random.default_rng(seed)
    edges = tuple(
        () if at % 3 == 2 else tuple(np.sort(np.float32(generator.normal(size=5))).tolist())
        for at in range(columns)
    )
    if kind != "quantile":
        return PiecewiseLinearSpec(edges=edges, columns_pass=kind == "bins_and_columns")
    return QuantileSpec(
        edges=edges, scores=tuple((-2.0, -1.0, 0.0, 0.5, 3.0)[: len(e)] for e in edges)
    )


def network_specs(
    encoding: NumericEncodingSpec | None, columns: int, outputs: int = 2, dropout: float = 0.3
) -> tuple[NetworkSpec, ...]:
    """One network of each kind that takes its numbers by an encoding."""
    return (
        MlpSpec(
            input_dim=columns,
            output_dim=outputs,
            hidden_dim=8,
            num_hidden_layers=2,
            dropout=dropout,
            encoding=encoding,
        ),
        TabResNetSpec(
            input_dim=columns,
            output_dim=outputs,
            hidden_dim=8,
            num_hidden_layers=2,
            dropout=dropout,
            encoding=encoding,
        ),
        LinearSpec(input_dim=columns, output_dim=outputs, encoding=encoding),
    )


def encoded_twin(spec: NumericEncodingSpec, inputs: FloatArray) -> FloatArray:
    """[N, D] to [N, W] in float64, number by number: bins or scores first, then what passes."""
    binned = [at for at, edges in enumerate(spec.edges) if edges]
    every = isinstance(spec, PiecewiseLinearSpec) and spec.columns_pass
    passing = [at for at, edges in enumerate(spec.edges) if every or not edges]
    lines = []
    for row in inputs.tolist():
        line: list[float] = []
        for at in binned:
            edges = spec.edges[at]
            if isinstance(spec, QuantileSpec):
                line.append(float(np.interp(row[at], edges, spec.scores[at])))
            else:
                for low, high in pairwise(edges):
                    line.append(min(max((row[at] - low) / (high - low), 0.0), 1.0))
        lines.append(line + [row[at] for at in passing])
    return np.array(lines).reshape(len(inputs), -1)
