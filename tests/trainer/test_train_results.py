"""`train_model_from_file`: the bundle and the metrics that it returns."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from clients import (
    DATES,
    client_frame,
    clients,
    config_for,
    features_of,
    write_clients,
    write_rows,
)
from kdtab.bundle import Metrics, ModelBundle
from kdtab.data.prepare import prepare_table
from kdtab.trainer import predict_rows, train_model_from_file

TRAINING_ROWS = 64


TEST_ROWS = 16


def train(
    folder: Path, task: str = "classification", /, **changes: object
) -> tuple[ModelBundle, Metrics]:
    path = write_clients(folder, task)
    config = config_for(task, **changes)
    return train_model_from_file(path, config, date_columns=["joined"], device="cpu")


@pytest.mark.requirement("REQ-T14", "AC-T14", "INV-T02")
@pytest.mark.parametrize("changes", [{}, {"validation_size": 0.2, "patience": 1}])
def test_the_returned_model_is_in_eval_mode(tmp_path: Path, changes: dict[str, object]) -> None:
    bundle, _ = train(tmp_path, **changes)
    assert not any(module.training for module in bundle.model.modules())


@pytest.mark.requirement("REQ-T15", "AC-T15", "INV-T03")
def test_the_error_of_a_regression_is_in_the_targets_own_unit(tmp_path: Path) -> None:
    bundle, metrics = train(tmp_path, "regression", epochs=60, learning_rate=0.02)
    split = (
        prepare_table(client_frame("regression"), config_for("regression"), DATES).unwrap().split
    )
    rows = [clients()[at] for at in split.test]
    said = np.array(predict_rows(bundle, features_of(rows)), dtype=np.float64)
    truth = np.array([float(row["price"]) for row in rows])
    rmse = math.sqrt(float(np.mean((said - truth) ** 2)))
    assert metrics.test_metric_name == "rmse"
    assert metrics.test_metric_value == pytest.approx(rmse, rel=1e-6)
    assert 1.0 < rmse < truth.std()
    assert len(rows) == TEST_ROWS


@pytest.mark.requirement("REQ-T15")
def test_the_accuracy_is_the_share_of_test_rows_that_predict_rows_gets_right(
    tmp_path: Path,
) -> None:
    bundle, metrics = train(tmp_path, epochs=10)
    split = prepare_table(client_frame(), config_for(), DATES).unwrap().split
    rows = [clients()[at] for at in split.test]
    assert any("" in row.values() for row in rows)
    said = predict_rows(bundle, features_of(rows))
    right = [label == row["bought"] for label, row in zip(said, rows, strict=True)]
    assert metrics.test_metric_name == "accuracy"
    assert metrics.test_metric_value == np.mean(right)
    assert 0 < np.mean(right) <= 1


@pytest.mark.requirement("REQ-T16", "AC-T16")
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_result_is_a_bundle_with_all_that_was_fitted_and_metrics(
    tmp_path: Path, task: str
) -> None:
    result = train(tmp_path, task)
    assert type(result) is tuple
    bundle, metrics = result
    assert isinstance(bundle, ModelBundle)
    assert isinstance(metrics, Metrics)
    assert isinstance(bundle.model, torch.nn.Module)
    assert bundle.feature_medians is not None
    assert bundle.vectorizer.column_names == ("age", "city", "code", "joined", "member", "spent")
    assert (bundle.label_encoder is None) == (task == "regression")
    assert (bundle.target_scaler is None) == (task == "classification")
    assert bundle.class_names == (("no", "yes") if task == "classification" else ())
    assert bundle.target_column == ("bought" if task == "classification" else "price")
    assert all(map(math.isfinite, (metrics.train_loss, metrics.test_loss)))
    assert (metrics.training_rows, metrics.test_rows) == (TRAINING_ROWS, TEST_ROWS)
    assert (metrics.epochs, metrics.update_steps) == (3, 12)


@pytest.mark.requirement("EC-T02")
@pytest.mark.parametrize("mode", ["mlp_dense", "imbalance_aware", "tree_teacher_distillation"])
def test_a_single_class_trains_and_is_always_right(tmp_path: Path, mode: str) -> None:
    rows = [row | {"bought": "yes"} for row in clients(30)]
    bundle, metrics = train_model_from_file(
        write_rows(tmp_path / "t.csv", rows), config_for(training_mode=mode)
    )
    assert (metrics.task, metrics.test_metric_value) == ("classification", 1.0)
    assert bundle.class_names == ("yes",)
    assert predict_rows(bundle, [{}]) == ["yes"]
