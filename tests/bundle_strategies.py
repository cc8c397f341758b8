"""Bundles for tests: two plain examples, and a strategy for all kinds."""

from __future__ import annotations

import numpy as np
import polars as pl
import torch
from hypothesis import strategies as st

from kdtab.bundle import ModelBundle
from kdtab.config.networks import (
    BatchEnsembleSpec,
    LinearSpec,
    MlpSpec,
    NetworkSpec,
    TabResNetSpec,
)
from kdtab.config.schema import (
    BooleanColumn,
    CategoricalColumn,
    DateColumn,
    FeatureColumn,
    LeftOutColumn,
    NumericColumn,
    TableSchema,
)
from kdtab.config.training import TrainingConfig
from kdtab.data.arrays import Float32Array, FloatArray
from kdtab.data.artifacts import encode_features
from kdtab.data.scale import Scaler, TargetScaler
from kdtab.data.target import LabelEncoder
from kdtab.data.vectorize import Vectorizer
from kdtab.models.build import build_model
from kdtab.models.network import TabularNetwork
from kdtab.record import Provenance
from kdtab.shell.infer import network_outputs

HOSTILE_CELLS = ["", "?", "7", "-1e308", "true", "a", "💥", "2020-02-29", "x" * 300, None]

finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(min_value=1e-300, max_value=1e300)
names = st.text(max_size=8)


def seeded_network(spec: NetworkSpec, seed: int, spread: float = 1.0) -> TabularNetwork:
    """A network of which every weight is drawn anew, running statistics too; in train mode."""
    generator = torch.Generator().manual_seed(seed)
    network = build_model(spec)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                drawn = torch.randn(tensor.shape, generator=generator) * spread
                tensor.copy_(drawn.abs() if "running_var" in name else drawn)
            else:
                tensor.fill_(seed)
    return network


def regression_bundle() -> ModelBundle:
    """One numeric column, one Linear: y = 2 (x - 1) / 4 + 3, then in units of 10 around 100."""
    network = build_model(LinearSpec(input_dim=1, output_dim=1))
    with torch.no_grad():
        network.state_dict()["head.weight"].fill_(2.0)
        network.state_dict()["head.bias"].fill_(3.0)
    column = NumericColumn(name="x", reason="a number type")
    return ModelBundle(
        model=network.eval(),
        task="regression",
        vectorizer=Vectorizer((column,), ("", "?")),
        scaler=Scaler(np.array([1.0]), np.array([4.0]), 10.0),
        feature_medians=np.array([5.0]),
        label_encoder=None,
        target_scaler=TargetScaler(mean=100.0, scale=10.0),
        target_column="y",
        input_dim=1,
        output_dim=1,
        class_names=(),
        schema=TableSchema(features=(column,), left_out=()),
        provenance=Provenance(kdtab_version="0.1.0", epochs=3, notes=("made by hand",)),
    )


def classification_bundle(spec_type: type[MlpSpec] | type[TabResNetSpec] = MlpSpec) -> ModelBundle:
    """Every kind of column, two classes, a network with BatchNorm."""
    columns: tuple[FeatureColumn, ...] = (
        NumericColumn(name="age", reason="a number type"),
        CategoricalColumn(
            name="città",
            reason="text",
            categories=("Bern", "東京"),
            has_rare=True,
            has_missing=True,
        ),
        DateColumn(name="joined", reason="date_columns", format="%Y-%m-%d", has_time=False),
        BooleanColumn(name="member", reason="truth values"),
    )
    vectorizer = Vectorizer(columns, ("", "?"))
    width = len(vectorizer.feature_names)
    spec = spec_type(input_dim=width, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.25)
    return ModelBundle(
        model=seeded_network(spec, seed=3).eval(),
        task="classification",
        vectorizer=vectorizer,
        scaler=Scaler(np.linspace(-1, 1, width), np.linspace(0.1, 3, width), 10.0),
        feature_medians=np.linspace(0, 7, width),
        label_encoder=LabelEncoder(("no", "yes")),
        target_scaler=None,
        target_column="bought",
        input_dim=width,
        output_dim=2,
        class_names=("no", "yes"),
        schema=TableSchema(
            features=columns, left_out=(LeftOutColumn(name="id", reason="a text in every row"),)
        ),
        provenance=Provenance(training_config=TrainingConfig(target_column="bought"), rows=60),
    )


def logits_of(bundle: ModelBundle, frame: pl.DataFrame) -> Float32Array:
    """What the bundle's network says about a frame, before labels and units."""
    return network_outputs(bundle.model, encode_features(frame, bundle.artifacts))


def columns_named(name: str) -> st.SearchStrategy[FeatureColumn]:
    """A column of any kind."""
    return st.one_of(
        st.builds(NumericColumn, name=st.just(name), reason=names),
        st.builds(BooleanColumn, name=st.just(name), reason=names),
        st.builds(
            CategoricalColumn,
            name=st.just(name),
            reason=names,
            categories=st.lists(names, min_size=1, max_size=3, unique=True).map(tuple),
            has_rare=st.booleans(),
            has_missing=st.booleans(),
        ),
        st.builds(
            DateColumn,
            name=st.just(name),
            reason=names,
            format=st.sampled_from([None, "%Y-%m-%d", "%d/%m/%Y %H:%M"]),
            has_time=st.booleans(),
        ),
    )


@st.composite
def feature_columns(draw: st.DrawFn) -> tuple[FeatureColumn, ...]:
    """One column to four, each of any kind, with any names."""
    distinct = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    return tuple(draw(columns_named(name)) for name in distinct)


@st.composite
def network_specs(draw: st.DrawFn, input_dim: int, output_dim: int) -> NetworkSpec:
    """Every kind of network that ends in one Linear, very small."""
    if draw(st.booleans()):
        return LinearSpec(input_dim=input_dim, output_dim=output_dim)
    kind: type[MlpSpec] | type[TabResNetSpec] = MlpSpec if draw(st.booleans()) else TabResNetSpec
    return kind(
        input_dim=input_dim,
        output_dim=output_dim,
        hidden_dim=draw(st.integers(1, 4)),
        num_hidden_layers=draw(st.integers(1, 2)),
        dropout=draw(st.floats(0, 1, exclude_max=True)),
    )


def ensemble_specs(input_dim: int, output_dim: int) -> st.SearchStrategy[BatchEnsembleSpec]:
    """Batch ensembles, very small."""
    return st.builds(
        BatchEnsembleSpec,
        input_dim=st.just(input_dim),
        output_dim=st.just(output_dim),
        hidden_dim=st.integers(1, 4),
        num_hidden_layers=st.integers(1, 2),
        dropout=st.floats(0, 1, exclude_max=True),
        members=st.integers(2, 3),
    )


def float_arrays(width: int, elements: st.SearchStrategy[float]) -> st.SearchStrategy[FloatArray]:
    """[width] float64."""
    return st.lists(elements, min_size=width, max_size=width).map(np.array)


provenances = st.builds(
    Provenance,
    rows=st.none() | st.integers(0, 2**60),
    task_reason=st.none() | names,
    threads=st.none() | st.integers(1, 64),
    teacher_fingerprint=st.none() | names,
    notes=st.lists(names, max_size=2).map(tuple),
)


@st.composite
def bundles(draw: st.DrawFn) -> ModelBundle:
    """Any bundle that can be saved: any columns, network, weights, artifacts present or absent."""
    columns = draw(feature_columns())
    vectorizer = Vectorizer(columns, tuple(draw(st.lists(names, max_size=2))))
    width = len(vectorizer.feature_names)
    regression = draw(st.booleans())
    classes = tuple(draw(st.lists(names, min_size=1, max_size=3, unique=True)))
    outputs = 1 if regression else len(classes)
    spec = draw(st.one_of(network_specs(width, outputs), ensemble_specs(width, outputs)))
    return ModelBundle(
        model=seeded_network(
            spec, draw(st.integers(0, 2**40)), draw(st.sampled_from([0.0, 1e-30, 1.0, 1e20]))
        ).train(draw(st.booleans())),
        task="regression" if regression else "classification",
        vectorizer=vectorizer,
        scaler=Scaler(
            draw(float_arrays(width, finite)),
            draw(float_arrays(width, positive)),
            draw(st.floats(1e-3, 1e6)),
        ),
        feature_medians=draw(st.none() | float_arrays(width, finite)),
        label_encoder=None if regression or draw(st.booleans()) else LabelEncoder(classes),
        target_scaler=draw(st.none() | st.builds(TargetScaler, mean=finite, scale=positive)),
        target_column=draw(names),
        input_dim=width,
        output_dim=outputs,
        class_names=() if regression else classes,
        schema=TableSchema(features=columns, left_out=()),
        provenance=draw(provenances),
    )


def frame_for(bundle: ModelBundle) -> pl.DataFrame:
    """Ten rows of texts for a bundle's columns, most of them unreadable."""
    cells = HOSTILE_CELLS
    return pl.DataFrame(
        {
            column.name: pl.Series(cells[at:] + cells[:at], dtype=pl.String)
            for at, column in enumerate(bundle.vectorizer.columns)
        }
    )
