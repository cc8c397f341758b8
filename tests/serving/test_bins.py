"""Encoded networks without torch: rows by look-ups and blocks by products, the answers of torch."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle_strategies import seeded_network
from encoding_strategies import ascending, encodings, few_edges, network_specs
from kdtab.bundle import ModelBundle, to_record
from kdtab.config.encodings import NumericEncodingSpec, PiecewiseLinearSpec, QuantileSpec
from kdtab.config.networks import LinearSpec, NetworkSpec
from kdtab.config.schema import NumericColumn, TableSchema
from kdtab.data.arrays import Float32Array
from kdtab.data.scale import Scaler
from kdtab.data.vectorize import Vectorizer
from kdtab.disk.bundles import read_record, write_record
from kdtab.errors.bundles import BundleContradiction, BundleCorrupt
from kdtab.predictor import Predictor
from kdtab.record import BundleRecord
from kdtab.serving.bins import BinnedColumn, binned_first_layer, block_bins, row_bins
from kdtab.serving.models import served_model
from kdtab.serving.networks import network_forms
from kdtab.shell.infer import network_outputs


def bundle_with(spec: NetworkSpec, clip: float = 1e6) -> ModelBundle:
    """Numeric columns that are scaled by nothing, so that a test may say what the network sees."""
    columns = tuple(NumericColumn(name=f"x{at}", reason="") for at in range(spec.input_dim))
    return ModelBundle(
        model=seeded_network(spec, 5, 0.25).eval(),
        task="regression",
        vectorizer=Vectorizer(columns, ()),
        scaler=Scaler(np.zeros(spec.input_dim), np.ones(spec.input_dim), clip),
        feature_medians=np.full(spec.input_dim, 0.5),
        label_encoder=None,
        target_scaler=None,
        target_column="y",
        input_dim=spec.input_dim,
        output_dim=1,
        class_names=(),
        schema=TableSchema(features=columns, left_out=()),
    )


def specs_with(encoding: NumericEncodingSpec) -> tuple[NetworkSpec, ...]:
    return network_specs(encoding, len(encoding.edges), outputs=1, dropout=0.1)


def answers(
    bundle: ModelBundle, inputs: Float32Array
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], ...]:
    """Row by row, as a frame in blocks, and by torch."""
    model = served_model(to_record(bundle).unwrap()).unwrap()
    names = model.vectorizer.column_names
    rows = [dict(zip(names, row, strict=True)) for row in inputs.tolist()]
    frame = pl.DataFrame({name: inputs[:, at] for at, name in enumerate(names)})
    return (
        np.array([model.outputs_of_row(row) for row in rows]),
        model.blocks.outputs(frame).astype(np.float64),
        network_outputs(bundle.model, inputs).astype(np.float64),
    )


@settings(max_examples=80)
@given(data=st.data())
def test_rows_and_blocks_have_the_answers_of_torch_at_and_between_edges(
    data: st.DataObject,
) -> None:
    encoding = data.draw(encodings())
    spec = data.draw(st.sampled_from(specs_with(encoding)))
    known = st.sampled_from([edge for edges in encoding.edges for edge in edges] or [0.0])
    cell = known | st.floats(-12, 12, width=32) | st.sampled_from([0.0, -0.0, 1e-38, 1e-45])
    row = st.lists(cell, min_size=spec.input_dim, max_size=spec.input_dim)
    inputs = np.array(data.draw(st.lists(row, min_size=1, max_size=4)), dtype=np.float32)
    single, blocks, torchs = answers(bundle_with(spec), inputs)
    size = 1 + np.abs(torchs).max() + np.abs(inputs).max()
    np.testing.assert_allclose(single, torchs, rtol=0, atol=1e-6 * size)
    np.testing.assert_allclose(blocks, torchs, rtol=0, atol=1e-6 * size)


@settings(max_examples=80)
@given(data=st.data(), edges=ascending())
def test_a_look_up_is_the_sum_of_its_bins_and_its_column(
    data: st.DataObject, edges: tuple[float, ...]
) -> None:
    edges = edges or (0.0, 1.0)
    weights = st.lists(st.floats(-2, 2), min_size=len(edges) - 1, max_size=len(edges) - 1)
    weight = np.array([data.draw(weights), data.draw(weights)]).T
    column = BinnedColumn(1, np.array(edges, np.float32), weight)
    passing = np.array([[3.0, 0.0], [7.0, 7.0], [0.0, -1.0]])
    server = row_bins([column], passing)
    for value in (*edges, data.draw(st.floats(-12, 12, width=32)), -1e6, 1e6):
        numbers = np.array([0.5, value, 2.0], dtype=np.float32)
        through = [
            min(max((float(numbers[1]) - low) / (high - low), 0.0), 1.0)
            for low, high in pairwise(edges)
        ]
        expected = np.array([1.5, -2.0]) + 7.0 * float(numbers[1]) + np.array(through) @ weight
        np.testing.assert_allclose(server.units(numbers), expected, rtol=1e-12, atol=1e-6)
        np.testing.assert_allclose(column.at(value), np.array(through) @ weight, atol=1e-12)


def test_missing_and_extreme_cells_are_filled_and_clipped_before_they_are_encoded() -> None:
    encoding = few_edges(3, 4, "piecewise_linear")
    bundle = bundle_with(specs_with(encoding)[0], clip=1.0)
    model = served_model(to_record(bundle).unwrap()).unwrap()
    for cell, seen in (
        (None, 0.5),
        ("", 0.5),
        (float("nan"), 0.5),
        (1e300, 1.0),
        (-1e300, -1.0),
        ("x", 0.5),
    ):
        expected = network_outputs(bundle.model, np.full((1, 4), seen, np.float32))[0]
        found = model.outputs_of_row(dict.fromkeys(model.vectorizer.column_names, cell))
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["piecewise_linear", "bins_and_columns", "quantile"])
def test_many_blocks_are_as_one(kind: str) -> None:
    spec = specs_with(few_edges(1, 6, kind))[0]
    bundle = bundle_with(spec)
    inputs = np.random.default_rng(0).normal(size=(1_300, 6)).astype(np.float32)
    single, blocks, torchs = answers(bundle, inputs)
    np.testing.assert_allclose(blocks, torchs, atol=1e-6)
    np.testing.assert_allclose(single, torchs, atol=1e-6)


def test_bins_of_all_rows_never_stand_in_memory_together() -> None:
    edges = tuple(np.linspace(-4, 4, 129, dtype=np.float32).tolist())
    spec = LinearSpec(input_dim=4, output_dim=1, encoding=PiecewiseLinearSpec(edges=(edges,) * 4))
    model = served_model(to_record(bundle_with(spec)).unwrap()).unwrap()
    inputs = np.zeros((4, 40_000), dtype=np.float32)
    places = [np.zeros(40_000, dtype=np.intp)]
    tracemalloc.start()
    model.blocks.outputs_of(inputs, places)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000 * 4 * 128 * 4 / 20


def test_a_score_is_a_bin_with_the_weights_of_its_rise() -> None:
    spec = QuantileSpec(edges=((), (0.0, 1.0, 3.0)), scores=((), (-2.0, 0.0, 1.0)))
    weight, bias = np.array([[10.0], [1.0]]), np.array([0.5])
    passing, moved, bins = binned_first_layer(spec, weight, bias)
    assert passing.tolist() == [[1.0], [0.0]]
    assert moved.tolist() == [0.5 - 20.0]
    assert bins[0].weight.tolist() == [[20.0], [10.0]]
    assert block_bins(bins, passing).columns.tolist() == [1, 1, 0]


def test_a_column_beside_its_bins_goes_on_beyond_the_edges() -> None:
    spec = PiecewiseLinearSpec(edges=((0.0, 1.0), (), (0.0, 2.0)), columns_pass=True)
    weight = np.array([[8.0], [4.0], [3.0], [5.0], [0.0]])
    passing, _, bins = binned_first_layer(spec, weight, np.zeros(1))
    assert passing.tolist() == [[3.0], [5.0], [0.0]]
    assert block_bins(bins, passing).columns.tolist() == [0, 2, 0, 1]  # nothing adds nothing
    server = row_bins(bins, passing)
    for value, expected in ((-2.0, -6.0), (0.5, 5.5), (1.0, 11.0), (3.0, 17.0)):
        assert server.units(np.array([value, 0.0, 0.0], np.float32)).tolist() == [expected]


def test_an_encoded_bundle_survives_its_file(tmp_path: Path) -> None:
    for encoding in (few_edges(1, 4, kind) for kind in ("bins_and_columns", "quantile")):
        for spec in specs_with(encoding):
            record = to_record(bundle_with(spec)).unwrap()
            path = tmp_path / f"{spec.kind}_{encoding.kind}.kdtab"
            write_record(path, record).unwrap()
            read = read_record(path).unwrap()
            assert read.manifest == record.manifest
            row = {"x0": 0.25, "x1": -1.5, "x2": None, "x3": 9.0}
            assert Predictor.load(path).predict_rows([row]) == Predictor.from_record(
                record
            ).predict_rows([row])


@pytest.mark.parametrize(
    "edges", [(1.0, 0.0), (0.0, 0.1), (0.0, 1e7), (0.0,), (0.0, 1.0, 1.0)], ids=str
)
def test_a_file_with_hostile_edges_is_refused(edges: tuple[float, ...], tmp_path: Path) -> None:
    encoding = few_edges(1, 4, "piecewise_linear")
    record = to_record(bundle_with(specs_with(encoding)[0])).unwrap()
    lying = PiecewiseLinearSpec.model_construct(edges=(edges, *encoding.edges[1:]))
    network = record.manifest.network.model_copy(update={"encoding": lying})
    manifest = record.manifest.model_copy(update={"network": network})
    path = tmp_path / "lying.kdtab"
    write_record(path, BundleRecord(manifest, record.arrays)).unwrap()
    assert isinstance(read_record(path).failure().first, BundleCorrupt)


def test_weights_of_another_width_than_the_encoding_gives_are_refused() -> None:
    encoding = few_edges(1, 4, "piecewise_linear")
    record = to_record(bundle_with(specs_with(encoding)[0])).unwrap()
    network = record.manifest.network
    for lie in (None, few_edges(1, 4, "quantile")):
        other = network.model_copy(update={"encoding": lie})
        lying = BundleRecord(record.manifest.model_copy(update={"network": other}), record.arrays)
        issue = served_model(lying).failure().first
        assert isinstance(issue, BundleContradiction)
        assert "blocks.0.linear.weight" in issue.reason
    assert str(network_forms(network)["weights/blocks.0.linear.weight"]) == (
        f"float32 [8, {encoding.width}]"
    )
