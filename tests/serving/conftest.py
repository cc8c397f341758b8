"""Models with every kind of column and network, and the numbers that two roads must agree on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import polars as pl

from bundle_strategies import seeded_network
from encoding_strategies import few_edges
from kdtab.bundle import ModelBundle, to_record
from kdtab.config.base import revise
from kdtab.config.columns import DEFAULT_MISSING_MARKERS
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
    NumericColumn,
    TableSchema,
)
from kdtab.data.arrays import FloatArray
from kdtab.data.scale import Scaler, TargetScaler
from kdtab.data.target import LabelEncoder
from kdtab.data.vectorize import Vectorizer
from kdtab.predictor import Predictor

PLAIN_KINDS = ("mlp", "tabresnet", "linear", "batch_ensemble")
KINDS = (*PLAIN_KINDS, "binned mlp", "ranked tabresnet", "binned batch_ensemble")
TASKS = ("classification", "regression")
CLASSES = ("no", "perhaps", "yes")
MARKERS = (
    DEFAULT_MISSING_MARKERS,
    ("-200", "true", "n/a"),
    ("1", "0", "2020-02-29", "Bern", "é", "12,0"),
    (),
)
COLUMNS: tuple[FeatureColumn, ...] = (
    NumericColumn(name="age", reason=""),
    CategoricalColumn(
        name="city",
        reason="",
        categories=("Bern", "zürich", "東京"),
        has_rare=True,
        has_missing=True,
    ),
    DateColumn(name="born", reason="", format=None, has_time=False),
    NumericColumn(name="spent", reason=""),
    CategoricalColumn(
        name="code",
        reason="",
        categories=("-5", "007", "1", "1.5", "9007199254740993", "inf", "true"),
        has_rare=False,
        has_missing=True,
    ),
    DateColumn(name="seen", reason="", format="%d/%m/%Y %H:%M", has_time=True),
    BooleanColumn(name="member", reason=""),
    CategoricalColumn(
        name="size", reason="", categories=("L", "M"), has_rare=True, has_missing=False
    ),
    DateColumn(name="paid", reason="", format="%d %b %Y", has_time=False),
    DateColumn(name="left", reason="", format="%Y%m%d", has_time=False),
)
NAMES = tuple(column.name for column in COLUMNS)


def spec_of(kind: str, input_dim: int, output_dim: int) -> NetworkSpec:
    if kind not in PLAIN_KINDS:
        # Edges for indicators of categories too: no fit would choose them, but a file may.
        entered, plain = kind.split()
        named = "bins_and_columns" if entered == "binned" else "quantile"
        encoding = few_edges(7, input_dim, named)
        return revise(spec_of(plain, input_dim, output_dim), encoding=encoding).unwrap()
    if kind == "linear":
        return LinearSpec(input_dim=input_dim, output_dim=output_dim)
    if kind == "batch_ensemble":
        return BatchEnsembleSpec(
            input_dim=input_dim,
            output_dim=output_dim,
            hidden_dim=8,
            num_hidden_layers=2,
            dropout=0.1,
            members=3,
        )
    hidden: type[MlpSpec] | type[TabResNetSpec] = MlpSpec if kind == "mlp" else TabResNetSpec
    return hidden(
        input_dim=input_dim, output_dim=output_dim, hidden_dim=8, num_hidden_layers=2, dropout=0.1
    )


@cache
def bundle_of(
    kind: str = "mlp",
    task: str = "classification",
    markers: tuple[str, ...] = DEFAULT_MISSING_MARKERS,
    columns: tuple[FeatureColumn, ...] = COLUMNS,
) -> ModelBundle:
    """A model with random weights of a sane size and a scaler that fits its columns."""
    vectorizer = Vectorizer(columns, markers)
    width = len(vectorizer.feature_names)
    classification = task == "classification"
    mean, scale = scaling(vectorizer)
    return ModelBundle(
        model=seeded_network(spec_of(kind, width, 3 if classification else 1), 5, 0.25).eval(),
        task="classification" if classification else "regression",
        vectorizer=vectorizer,
        scaler=Scaler(mean, scale, 10.0),
        feature_medians=mean + 0.25 * scale,
        label_encoder=LabelEncoder(CLASSES) if classification else None,
        target_scaler=None if classification else TargetScaler(mean=250.0, scale=40.0),
        target_column="y",
        input_dim=width,
        output_dim=3 if classification else 1,
        class_names=CLASSES if classification else (),
        schema=TableSchema(features=columns, left_out=()),
    )


def scaling(vectorizer: Vectorizer) -> tuple[FloatArray, FloatArray]:
    units = {
        "age": (40.0, 12.0),
        "spent": (1.0, 3.0),
        "year": (2015.0, 8.0),
        "day_of_year": (180.0, 100.0),
    }
    parts = [units.get(name.rsplit("__", 1)[-1], (0.0, 1.0)) for name in vectorizer.feature_names]
    mean, scale = np.array(parts).T
    return mean, scale


@cache
def predictor_of(bundle: ModelBundle) -> Predictor:
    return Predictor.from_record(to_record(bundle).unwrap())


def same_values(found: Sequence[object], expected: Sequence[object]) -> None:
    """Values to one part in a million, beside the rounding of float32 units of 40."""
    np.testing.assert_allclose(
        np.array(found, dtype=np.float64),
        np.array(expected, dtype=np.float64),
        rtol=1e-6,
        atol=4e-5,
    )


def same_frames(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """The same columns; probabilities to 1e-6, labels wherever two classes are not as good as equal."""
    assert found.schema == expected.schema
    assert found.height == expected.height
    if found.columns == ["prediction"]:
        same_values(found["prediction"].to_list(), expected["prediction"].to_list())
        return
    shares = expected.drop("prediction").to_numpy()
    np.testing.assert_allclose(found.drop("prediction").to_numpy(), shares, rtol=0, atol=1e-6)
    clear = np.diff(np.sort(shares, axis=1)[:, -2:], axis=1)[:, 0] > 1e-5
    both = zip(found["prediction"], expected["prediction"], clear, strict=True)
    assert all(ours == theirs for ours, theirs, sure in both if sure)
