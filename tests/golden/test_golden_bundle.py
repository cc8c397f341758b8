"""The golden bundle of format version 1: every later kdtab loads it and gives these answers.

`table_v1.kdtab` was written once, by `save_bundle(made_by_hand(), …)`, and is never rewritten: a
kdtab that can no longer read it, or answers otherwise, breaks the bundles of its users. Weights,
statistics and cells are sums of powers of two, so that the answers are exact on every machine.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import Tensor

from bundle_strategies import logits_of
from kdtab.bundle import ModelBundle, to_record
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.networks import MlpSpec
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
from kdtab.data.scale import Scaler
from kdtab.data.target import LabelEncoder
from kdtab.data.vectorize import Vectorizer
from kdtab.disk.bundles import encode_record
from kdtab.models.build import build_model
from kdtab.record import Provenance
from kdtab.serialization import load_bundle

GOLDEN = Path(__file__).parent / "table_v1.kdtab"
SHA256 = "a78b6c8ba59737c858de4cd1e25578eee2b8d229f3240ace2311725f6a4c1274"
FINGERPRINT = "27e6b087a85b54c1fd73c3ac1196e325f2731d4bb8949af980c5f2462317b096"
COLUMNS: tuple[FeatureColumn, ...] = (
    NumericColumn(name="age", reason="a number type"),
    CategoricalColumn(
        name="city", reason="text", categories=("Bern", "東京"), has_rare=True, has_missing=True
    ),
    DateColumn(name="joined", reason="date_columns", format="%Y-%m-%d", has_time=False),
    BooleanColumn(name="member", reason="truth values"),
)
ROWS = pl.DataFrame(
    {
        "age": ["36", "40", "?", None, "44.5", "-1e300", "old"],
        "city": ["Bern", "東京", "Zürich", "?", "bern", "東京", ""],
        "joined": [
            "2020-02-29",
            "2022-01-01",
            "?",
            "2024-12-31",
            "2020-01-01",
            "9999-12-31",
            "29.02.2020",
        ],
        "member": ["true", "False", "1", "0", None, "yes", "TRUE"],
        "id": ["a", "b", "c", "d", "e", "f", "g"],
    }
)
LOGITS = [
    [-0.125, 1.3125, 1.0625],
    [-1.5, 2.75, 1.0],
    [5.5, -0.875, 1.6875],
    [-1.25, 2.375, 1.0],
    [7.75, -1.4375, 1.96875],
    [-3.375, 5.5625, 1.0],
    [1.9375, 0.09375, 1.25],
]
LABELS = ["low", "low", "high", "low", "high", "low", "high"]


def made_by_hand() -> ModelBundle:
    """Every kind of column, three classes, one block with BatchNorm."""
    vectorizer = Vectorizer(COLUMNS, ("", "?"))
    width = len(vectorizer.feature_names)
    weighted = [
        "age",
        "city = Bern",
        "city = 東京",
        "city is rare",
        "city is missing",
        "joined__year",
        "member",
    ]
    at = [vectorizer.feature_names.index(name) for name in weighted]
    mean, scale, medians = np.zeros(width), np.ones(width), np.zeros(width)
    mean[at], scale[at] = [40, 0, 0, 0, 0, 2020, 0.5], [4, 1, 1, 1, 1, 2, 0.5]
    medians[at] = [42, 0, 0, 0, 0, 2021, 1]
    spec = MlpSpec(input_dim=width, output_dim=3, hidden_dim=2, num_hidden_layers=1, dropout=0.125)
    model = build_model(spec)
    _set(
        model.state_dict(),
        {
            "blocks.0.linear.weight": _spread(at, width),
            "blocks.0.linear.bias": [0.5, -0.25],
            # 1 - 1e-5 and BatchNorm's own 1e-5 make 1, so that its root is exact.
            "blocks.0.norm.running_var": [1 - 1e-5, 1 - 1e-5],
            "blocks.0.norm.running_mean": [0.25, -0.5],
            "blocks.0.norm.weight": [2.0, 1.0],
            "blocks.0.norm.bias": [0.0, 0.5],
            "blocks.0.norm.num_batches_tracked": 7,
            "head.weight": [[1.0, -0.5], [-0.25, 0.75], [0.125, 0.0]],
            "head.bias": [0.0, 0.5, 1.0],
        },
    )
    return ModelBundle(
        model=model.eval(),
        task="classification",
        vectorizer=vectorizer,
        scaler=Scaler(mean, scale, clip=8.0),
        feature_medians=medians,
        label_encoder=LabelEncoder(("high", "low", "none")),
        target_scaler=None,
        target_column="risk",
        input_dim=width,
        output_dim=3,
        class_names=("high", "low", "none"),
        schema=TableSchema(
            features=COLUMNS, left_out=(LeftOutColumn(name="id", reason="names its row"),)
        ),
        provenance=Provenance(
            kdtab_version="0.1.0",
            torch_version="2.13.0",
            training_config=TrainingConfig(target_column="risk", test_size=0.25),
            column_options=ColumnOptions(exclude_columns=("leak",), date_columns=("joined",)),
            distill_config=DistillConfig(temperature=2.5),
            rows=100,
            table_fingerprint="0" * 64,
            notes=("made by hand",),
        ),
    )


def _spread(at: list[int], width: int) -> list[list[float]]:
    weights = np.zeros((2, width))
    weights[:, at] = [[1, 0.5, -0.5, 2, 0.25, -1, 0.5], [-0.5, 1, 1, -1, 0.5, 0.25, -1]]
    rows: list[list[float]] = weights.tolist()
    return rows


def _set(state: dict[str, Tensor], values: dict[str, object]) -> None:
    assert state.keys() == values.keys()
    with torch.no_grad():
        for name, tensor in state.items():
            tensor.copy_(torch.tensor(values[name]))


def test_the_golden_bundle_is_the_file_that_was_written_once() -> None:
    assert hashlib.sha256(GOLDEN.read_bytes()).hexdigest() == SHA256


def test_the_golden_bundle_is_what_the_same_bundle_is_written_as_today() -> None:
    assert encode_record(to_record(made_by_hand()).unwrap()) == GOLDEN.read_bytes()


def test_the_golden_bundle_gives_the_answers_it_always_gave() -> None:
    bundle = load_bundle(GOLDEN)
    logits = logits_of(bundle, ROWS)
    assert logits.tolist() == LOGITS
    assert bundle.label_encoder is not None
    assert bundle.label_encoder.inverse_transform(logits.argmax(axis=1)).tolist() == LABELS


def test_the_golden_bundle_has_the_fingerprint_that_others_recorded_of_it() -> None:
    assert load_bundle(GOLDEN).fingerprint == FINGERPRINT


def test_the_golden_bundle_keeps_where_it_comes_from() -> None:
    assert load_bundle(GOLDEN).provenance == made_by_hand().provenance
    assert load_bundle(GOLDEN).schema == made_by_hand().schema
