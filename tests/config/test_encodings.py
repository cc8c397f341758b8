"""Encodings as plain data: what a bundle may say of them, and what it must not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from pydantic import TypeAdapter, ValidationError

from encoding_strategies import encodings, network_specs
from kdtab.config.encodings import MOST_ENCODED, NumericEncodingSpec, PiecewiseLinearSpec
from kdtab.config.manifest import canonical_json
from kdtab.config.networks import NetworkSpec, network_spec
from kdtab.config.training import TrainingMode

NETWORKS: TypeAdapter[NetworkSpec] = TypeAdapter(NetworkSpec)


@settings(max_examples=60)
@given(encoding=encodings())
def test_a_network_with_an_encoding_reads_back_to_the_bit(encoding: NumericEncodingSpec) -> None:
    columns = len(encoding.edges)
    for spec in network_specs(encoding, columns):
        text = canonical_json(spec.model_dump(mode="json"))
        read = NETWORKS.validate_json(text)
        assert read == spec
        assert canonical_json(read.model_dump(mode="json")) == text
        assert spec.encoded_dim == encoding.width


def test_a_network_without_an_encoding_says_nothing_of_it() -> None:
    # The bytes of every bundle that was written before there were encodings.
    sizes = {"input_dim", "output_dim", "kind"}
    hidden = {"hidden_dim", "num_hidden_layers", "dropout"}
    for spec, fields in zip(
        network_specs(None, 3), (sizes | hidden, sizes | hidden, sizes), strict=True
    ):
        assert set(json.loads(spec.model_dump_json())) == fields
        assert set(spec.model_dump()) == fields
        assert "encoding" not in repr(spec)
        assert spec.encoded_dim == 3


MODES: tuple[TrainingMode, ...] = (
    "mlp_dense",
    "tabresnet",
    "linear_glm_baseline",
    "batch_ensemble",
)


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_takes_an_encoding(mode: TrainingMode) -> None:
    encoding = PiecewiseLinearSpec(edges=((0.0, 1.0, 2.0), ()))
    spec = network_spec(
        mode,
        input_dim=2,
        output_dim=2,
        hidden_dim=4,
        num_hidden_layers=1,
        dropout=0.1,
        encoding=encoding,
    )
    assert spec.encoding == encoding
    assert spec.encoded_dim == 3


@pytest.mark.parametrize(
    "edges",
    [
        "[[0.0, 1.0]]",  # one column too few
        "[[0.0, 1.0], [], []]",
        "[]",
        "null",
        "[[0.0], []]",
        "[[1.0, 0.0], []]",
        "[[0.0, 0.0], []]",
        "[[0.0, 1e-31], []]",
        "[[0.0, NaN], []]",
        "[[0.0, Infinity], []]",
        "[[0.0, 1e400], []]",
        "[[0.0, 1000001.0], []]",
        "[[0.1, 1.0], []]",  # float32 does not hold a tenth
        '[["0", 1.0], []]',
        "[[true, 2.0], []]",
        "[[0.0, [1.0]], []]",
        "[[0.0, 1.0], null]",
        '{"0": [0.0, 1.0]}',
    ],
)
@pytest.mark.parametrize("kind", ["piecewise_linear", "quantile"])
def test_hostile_edges_are_refused(kind: str, edges: str) -> None:
    encoding = f'{{"kind": "{kind}", "edges": {edges}, "scores": {edges}}}'
    if kind == "piecewise_linear":
        encoding = f'{{"kind": "{kind}", "edges": {edges}}}'
    network = f'{{"kind": "linear", "input_dim": 2, "output_dim": 1, "encoding": {encoding}}}'
    with pytest.raises(ValidationError):
        NETWORKS.validate_json(network)


@pytest.mark.parametrize(
    "scores",
    ["[[0.0, 1.0]]", "[[0.0], []]", "[[1.0, 0.0], []]", "[[0.0, NaN], []]", "[[0.1, 1.0], []]"],
)
def test_scores_that_do_not_fit_the_edges_are_refused(scores: str) -> None:
    fitting = '{"kind": "quantile", "edges": [[0.0, 1.0], []], "scores": [[0.0, 1.0], []]}'
    network = '{"kind": "linear", "input_dim": 2, "output_dim": 1, "encoding": %s}'
    assert NETWORKS.validate_json(network % fitting).encoded_dim == 2
    with pytest.raises(ValidationError):
        NETWORKS.validate_json(network % fitting.replace("[[0.0, 1.0], []]}", scores + "}"))


def test_an_unknown_encoding_is_refused() -> None:
    for encoding in ('{"kind": "periodic"}', '{"edges": [[0.0, 1.0]]}', "7"):
        with pytest.raises(ValidationError):
            NETWORKS.validate_json(
                f'{{"kind": "linear", "input_dim": 1, "output_dim": 1, "encoding": {encoding}}}'
            )


def test_no_spec_asks_for_more_columns_than_an_input_may_have() -> None:
    many = tuple(float(edge) for edge in range(1_001))
    columns = MOST_ENCODED // 1_000 + 1
    with pytest.raises(ValidationError, match="at most"):
        PiecewiseLinearSpec(edges=(many,) * columns)
