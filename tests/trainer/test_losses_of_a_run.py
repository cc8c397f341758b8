"""The loss whose gradient is followed, batch by batch, seen from outside the package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from torch import Tensor
from torch.nn import functional

from clients import DATES, client_frame, config_for, teacher_of, write_clients
from kdtab.data.artifacts import network_targets
from kdtab.data.prepare import PreparedTable, prepare_table
from kdtab.trainer import distill_model_from_file, train_model_from_file
from oracles import class_weights_twin
from spies import TrainingSeen, watched_training

SEED = 42


def prepared_clients(task: str) -> PreparedTable:
    return prepare_table(client_frame(task), config_for(task), DATES).unwrap()


def of_each_row(prepared: PreparedTable, values: Tensor) -> Callable[[Tensor], Tensor]:
    """A function from a batch's inputs to what belongs to its rows, found by their content."""
    keys = [row.tobytes() for row in prepared.training.inputs]
    assert len(set(keys)) == len(keys)
    places = {key: at for at, key in enumerate(keys)}
    return lambda inputs: values[[places[row.tobytes()] for row in inputs.numpy()]]


def targets_of(prepared: PreparedTable) -> Callable[[Tensor], Tensor]:
    targets = network_targets(prepared.training.targets, prepared.artifacts)
    return of_each_row(prepared, torch.from_numpy(np.ascontiguousarray(targets)))


def seen_of_distillation(folder: Path, task: str, alpha: float, temperature: float) -> TrainingSeen:
    with watched_training() as seen:
        distill_model_from_file(
            write_clients(folder, task),
            config_for(task),
            teacher_bundle=teacher_of(task),
            alpha=alpha,
            temperature=temperature,
        )
    assert len(seen.losses) == len(seen.outputs) == 12
    return seen


def seen_of_training(folder: Path, task: str, mode: str) -> TrainingSeen:
    with watched_training() as seen:
        train_model_from_file(
            write_clients(folder, task),
            config_for(task, training_mode=mode),
            date_columns=["joined"],
        )
    assert len(seen.losses) == len(seen.outputs) == 12
    return seen


def teacher_says(task: str, inputs: Tensor) -> Tensor:
    with torch.no_grad():
        outputs: Tensor = teacher_of(task).model(inputs)
    return outputs


@pytest.mark.requirement("REQ-KD17", "AC-KD17", "REQ-KD19", "AC-KD19", "EC-KD01", "EC-KD02")
@pytest.mark.parametrize(
    ("alpha", "temperature"), [(0.5, 2.0), (0.3, 2.0), (0.3, 4.5), (0.0, 2.0), (1.0, 2.0)]
)
def test_classification_is_distilled_by_cross_entropy_and_tempered_divergence(
    tmp_path: Path, alpha: float, temperature: float
) -> None:
    seen = seen_of_distillation(tmp_path, "classification", alpha, temperature)
    labels = targets_of(prepared_clients("classification"))
    for inputs, outputs, loss in zip(seen.inputs, seen.outputs, seen.losses, strict=True):
        hard = functional.cross_entropy(outputs, labels(inputs))
        soft = functional.kl_div(
            functional.log_softmax(outputs / temperature, dim=1),
            functional.softmax(teacher_says("classification", inputs) / temperature, dim=1),
            reduction="batchmean",
        )
        expected = alpha * hard + (1 - alpha) * soft * temperature**2
        assert loss == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.requirement("REQ-KD18", "REQ-KD19", "EC-KD01", "EC-KD02")
@pytest.mark.parametrize("alpha", [0.3, 0.0, 1.0])
def test_regression_is_distilled_by_two_squared_errors(tmp_path: Path, alpha: float) -> None:
    seen = seen_of_distillation(tmp_path, "regression", alpha, 2.0)
    values = targets_of(prepared_clients("regression"))
    for inputs, outputs, loss in zip(seen.inputs, seen.outputs, seen.losses, strict=True):
        hard = functional.mse_loss(outputs, values(inputs))
        soft = functional.mse_loss(outputs, teacher_says("regression", inputs))
        assert loss == pytest.approx((alpha * hard + (1 - alpha) * soft).item(), rel=1e-5)


@pytest.mark.requirement("REQ-T05", "REQ-T10")
@pytest.mark.parametrize(
    ("mode", "smoothing"),
    [
        ("mlp_dense", 0.0),
        ("tabresnet", 0.0),
        ("linear_glm_baseline", 0.0),
        ("calibrated_classifier", 0.05),
    ],
)
def test_classification_is_trained_by_cross_entropy_smoothed_where_calibrated(
    tmp_path: Path, mode: str, smoothing: float
) -> None:
    seen = seen_of_training(tmp_path, "classification", mode)
    labels = targets_of(prepared_clients("classification"))
    for inputs, outputs, loss in zip(seen.inputs, seen.outputs, seen.losses, strict=True):
        expected = functional.cross_entropy(outputs, labels(inputs), label_smoothing=smoothing)
        assert loss == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.requirement("REQ-T05")
def test_imbalance_aware_training_weighs_the_classes_by_their_rarity(tmp_path: Path) -> None:
    seen = seen_of_training(tmp_path, "classification", "imbalance_aware")
    prepared = prepared_clients("classification")
    labels = targets_of(prepared)
    balance = torch.tensor(class_weights_twin(prepared.training.targets.astype(np.int64), 2))
    assert balance[0] != balance[1]
    for inputs, outputs, loss in zip(seen.inputs, seen.outputs, seen.losses, strict=True):
        expected = functional.cross_entropy(outputs, labels(inputs), weight=balance)
        assert loss == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.requirement("REQ-T11")
@pytest.mark.parametrize("mode", ["mlp_dense", "tabresnet", "linear_glm_baseline"])
def test_regression_is_trained_by_squared_error(tmp_path: Path, mode: str) -> None:
    seen = seen_of_training(tmp_path, "regression", mode)
    values = targets_of(prepared_clients("regression"))
    for inputs, outputs, loss in zip(seen.inputs, seen.outputs, seen.losses, strict=True):
        assert loss == pytest.approx(functional.mse_loss(outputs, values(inputs)).item(), rel=1e-5)


@pytest.mark.requirement("REQ-T09", "AC-T09")
def test_the_tree_teacher_of_a_classification_counts_half_and_is_tempered_by_powers(
    tmp_path: Path,
) -> None:
    seen = seen_of_training(tmp_path, "classification", "tree_teacher_distillation")
    prepared = prepared_clients("classification")
    rows, codes = prepared.training.inputs, prepared.training.targets
    forest = RandomForestClassifier(n_estimators=120, max_depth=8, random_state=SEED)
    shares = torch.from_numpy(forest.fit(rows, codes).predict_proba(rows)).sqrt()
    labels = targets_of(prepared)
    trees = of_each_row(prepared, shares / shares.sum(dim=1, keepdim=True))
    for inputs, outputs, loss in zip(seen.inputs, seen.outputs, seen.losses, strict=True):
        hard = functional.cross_entropy(outputs, labels(inputs))
        soft = functional.kl_div(
            functional.log_softmax(outputs.double() / 2, dim=1),
            trees(inputs),
            reduction="batchmean",
        )
        assert loss == pytest.approx((0.5 * hard + 0.5 * 4 * soft).item(), rel=1e-5)


@pytest.mark.requirement("REQ-T09")
def test_the_tree_teacher_of_a_regression_counts_half(tmp_path: Path) -> None:
    seen = seen_of_training(tmp_path, "regression", "tree_teacher_distillation")
    prepared = prepared_clients("regression")
    values = targets_of(prepared)
    scaled = network_targets(prepared.training.targets, prepared.artifacts).ravel()
    forest = RandomForestRegressor(n_estimators=120, max_depth=10, random_state=SEED)
    said = forest.fit(prepared.training.inputs, scaled).predict(prepared.training.inputs)
    trees = of_each_row(prepared, torch.from_numpy(said.astype(np.float32)).reshape(-1, 1))
    for inputs, outputs, loss in zip(seen.inputs, seen.outputs, seen.losses, strict=True):
        hard = functional.mse_loss(outputs, values(inputs))
        soft = functional.mse_loss(outputs, trees(inputs))
        assert loss == pytest.approx((0.5 * hard + 0.5 * soft).item(), rel=1e-5)
