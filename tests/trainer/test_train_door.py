"""`train_model_from_file`: what PT-TRAINER-001 asks of a training run."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from clients import (
    DATES,
    ROWS,
    client_frame,
    clients,
    config_for,
    features_of,
    write_clients,
    write_rows,
)
from kdtab import trainer
from kdtab.bundle import Metrics, ModelBundle
from kdtab.data.prepare import prepare_table
from kdtab.errors.raised import KdtabError
from kdtab.models.network import TabularNetwork
from kdtab.shell.fit import fit_network
from kdtab.trainer import predict_rows, train_model_from_file
from spies import (
    record_calls,
    record_calls_everywhere,
    stir_random_states,
    weights,
)

TRAINING_ROWS = 64


def train(
    folder: Path, task: str = "classification", /, **changes: object
) -> tuple[ModelBundle, Metrics]:
    path = write_clients(folder, task)
    config = config_for(task, **changes)
    return train_model_from_file(path, config, date_columns=["joined"], device="cpu")


@pytest.mark.requirement("REQ-T01", "INV-T01")
def test_python_numpy_and_torch_are_seeded_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[str] = []
    for owner, name in (
        (random, "seed"),
        (np.random, "seed"),
        (torch, "manual_seed"),
        (trainer, "read_table"),
        (trainer, "train_model"),
    ):
        record_calls(monkeypatch, owner, name, log)
    train(tmp_path, random_seed=7, epochs=1)
    assert sorted(log[:3]) == ["manual_seed(7)", "seed(7)", "seed(7)"]
    assert log.index("read_table") == 3
    assert log.index("train_model") > 3


@pytest.mark.requirement("REQ-T01", "INV-T01")
def test_they_are_seeded_also_when_a_check_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[str] = []
    for owner, name in ((random, "seed"), (np.random, "seed"), (torch, "manual_seed")):
        record_calls(monkeypatch, owner, name, log)
    with pytest.raises(ValueError, match="cannot be excluded"):
        train_model_from_file(
            tmp_path / "none.csv", config_for(random_seed=7), exclude_columns=["bought"]
        )
    assert sorted(log) == ["manual_seed(7)", "seed(7)", "seed(7)"]


@pytest.mark.requirement("REQ-T01", "AC-T01", "INV-T01")
@pytest.mark.parametrize("mode", ["mlp_dense", "tabresnet", "tree_teacher_distillation"])
def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before(
    tmp_path: Path, mode: str
) -> None:
    stir_random_states(1)
    first, metrics = train(tmp_path, training_mode=mode)
    stir_random_states(2)
    again, metrics_again = train(tmp_path, training_mode=mode)
    assert weights(first.model) == weights(again.model)
    assert metrics == metrics_again
    other, _ = train(tmp_path, training_mode=mode, random_seed=43)
    assert weights(first.model) != weights(other.model)


@pytest.mark.requirement("REQ-T02", "AC-T02")
def test_a_date_column_is_replaced_by_its_calendar_features(tmp_path: Path) -> None:
    bundle, _ = train(tmp_path)
    names = bundle.vectorizer.feature_names
    assert [name for name in names if name.startswith("joined")] == [
        f"joined__{part}"
        for part in (
            "year", "month", "day", "day_of_week", "day_of_year", "week_of_year",
            "is_month_start", "is_month_end", "sin_month", "cos_month",
            "sin_day_of_week", "cos_day_of_week", "sin_day_of_year", "cos_day_of_year",
        )
    ]  # fmt: skip
    assert bundle.input_dim == len(names)


@pytest.mark.requirement("REQ-T02")
def test_excluded_columns_are_no_features_and_change_nothing(tmp_path: Path) -> None:
    rows = clients()
    noise = [row | {"leak": row["bought"], "id": str(at)} for at, row in enumerate(rows)]
    path = write_rows(tmp_path / "t.csv", noise)
    bundle, _ = train_model_from_file(
        path, config_for(), exclude_columns=["leak", "id", "price"], date_columns=["joined"]
    )
    plain, _ = train(tmp_path)
    assert bundle.vectorizer.column_names == plain.vectorizer.column_names
    assert weights(bundle.model) == weights(plain.model)


@pytest.mark.requirement("REQ-T03", "AC-T03")
def test_an_excluded_target_is_refused_before_the_file_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = record_calls_everywhere(monkeypatch, "read_table")
    with pytest.raises(ValueError, match="excluded") as caught:
        train_model_from_file(tmp_path / "none.csv", config_for(), exclude_columns=["bought"])
    assert str(caught.value) == "target_column cannot be excluded"
    assert not isinstance(caught.value, FileNotFoundError)
    assert opened == []


def test_a_device_that_is_not_there_is_refused_before_the_file_is_opened(tmp_path: Path) -> None:
    with pytest.raises(KdtabError) as caught:
        train_model_from_file(
            tmp_path / "none.csv", config_for(), exclude_columns=["bought"], device="banana"
        )
    assert [type(issue).__name__ for issue in caught.value.issues] == [
        "TargetExcluded",
        "DeviceUnusable",
    ]


@pytest.mark.requirement("REQ-T04", "AC-T04", "INV-T03")
@pytest.mark.parametrize(
    ("values", "task"),
    [
        (("no", "yes"), "classification"),
        (("0", "1"), "classification"),
        (("0.5", "7.25"), "classification"),
        (("1", "2", "3"), "classification"),
        (("1.5", "2", "3"), "regression"),
        (tuple(map(str, range(21))), "regression"),
    ],
)
def test_the_target_decides_an_automatic_task(
    tmp_path: Path, values: tuple[str, ...], task: str
) -> None:
    rows = [row | {"bought": values[at % len(values)]} for at, row in enumerate(clients())]
    bundle, metrics = train_model_from_file(
        write_rows(tmp_path / "t.csv", rows), config_for(epochs=1), exclude_columns=["price"]
    )
    assert (bundle.task, metrics.task) == (task, task)
    assert bundle.class_names == (values if task == "classification" else ())


@pytest.mark.requirement("REQ-T04", "INV-T03")
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_an_explicit_task_is_taken_whatever_the_target_looks_like(
    tmp_path: Path, task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inferred = record_calls_everywhere(monkeypatch, "infer_task")
    rows = [row | {"bought": str(at % 7)} for at, row in enumerate(clients())]
    path = write_rows(tmp_path / "t.csv", rows)
    bundle, metrics = train_model_from_file(path, config_for(epochs=1, task=task))
    assert (bundle.task, metrics.task) == (task, task)
    assert bundle.output_dim == (7 if task == "classification" else 1)
    assert inferred == []


@pytest.mark.requirement("REQ-T05", "AC-T05")
@pytest.mark.parametrize("mode", ["imbalance_aware", "calibrated_classifier"])
@pytest.mark.parametrize("task", ["auto", "regression"])
def test_a_mode_of_classification_refuses_a_regression(
    tmp_path: Path, mode: str, task: str
) -> None:
    with pytest.raises(ValueError, match=mode):
        train(tmp_path, "regression", training_mode=mode, task=task)
    assert train(tmp_path, training_mode=mode, epochs=1)[1].task == "classification"


@pytest.mark.requirement("REQ-T06", "AC-T06", "REQ-T16")
def test_preprocessing_is_fitted_on_the_training_rows_alone(tmp_path: Path) -> None:
    bundle, _ = train(tmp_path)
    prepared = prepare_table(client_frame(), config_for(), DATES).unwrap()
    rows = [clients()[at] for at in prepared.split.training]
    ages = np.array([float(row["age"] or "nan") for row in rows])
    at = bundle.vectorizer.feature_names.index("age")
    assert bundle.feature_medians is not None
    assert bundle.feature_medians[at] == np.nanmedian(ages)
    filled = np.where(np.isnan(ages), np.nanmedian(ages), ages)
    np.testing.assert_allclose(bundle.scaler.mean[at], filled.mean(), rtol=1e-12)
    np.testing.assert_allclose(bundle.scaler.scale[at], filled.std(), rtol=1e-12)
    assert len(rows) == TRAINING_ROWS


@pytest.mark.requirement("REQ-T06")
def test_there_is_one_preparation_in_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = record_calls_everywhere(monkeypatch, "prepare_table")
    train(tmp_path, epochs=1)
    assert calls == ["prepare_table"]


@pytest.mark.requirement("REQ-T07", "AC-T07", "REQ-T08", "AC-T08")
@pytest.mark.parametrize("device", [None, "cpu", torch.device("cpu")])
def test_without_cuda_training_runs_on_the_cpu(
    tmp_path: Path, device: str | torch.device | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    path = write_clients(tmp_path)
    bundle, _ = train_model_from_file(path, config_for(epochs=1), device=device)
    assert {value.device for value in bundle.model.state_dict().values()} == {torch.device("cpu")}


@pytest.mark.requirement("REQ-T07", "REQ-T08", "AC-T08")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_with_cuda_training_runs_there(tmp_path: Path) -> None:
    path = write_clients(tmp_path)
    bundle, _ = train_model_from_file(path, config_for(epochs=1))
    assert {value.device.type for value in bundle.model.state_dict().values()} == {"cuda"}
    assert len(predict_rows(bundle, features_of(clients()))) == ROWS


@pytest.mark.requirement("REQ-T07", "REQ-T08", "AC-T08")
def test_the_device_that_was_chosen_is_the_device_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: list[torch.device] = []

    def on_cpu_after_all(*args: object, device: torch.device, **kwargs: object) -> object:
        chosen.append(device)
        return fit_network(*args, device=torch.device("cpu"), **kwargs)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr("kdtab.shell.assemble.fit_network", on_cpu_after_all)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    path = write_clients(tmp_path)
    for device in (None, "cuda:1", "cpu"):
        train_model_from_file(path, config_for(epochs=1), device=device)
    assert chosen == [torch.device("cuda"), torch.device("cuda:1"), torch.device("cpu")]


@pytest.mark.requirement("REQ-T08")
@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("mlp_dense", "Mlp"),
        ("imbalance_aware", "Mlp"),
        ("calibrated_classifier", "Mlp"),
        ("tree_teacher_distillation", "Mlp"),
        ("tabresnet", "TabResNet"),
        ("linear_glm_baseline", "Linear"),
    ],
)
def test_the_mode_decides_the_network(tmp_path: Path, mode: str, name: str) -> None:
    bundle, _ = train(tmp_path, training_mode=mode, epochs=1, hidden_dim=12, num_hidden_layers=3)
    assert isinstance(bundle.model, TabularNetwork)
    spec = bundle.model.spec
    assert type(spec).__name__ == f"{name}Spec"
    assert (spec.input_dim, spec.output_dim) == (bundle.input_dim, 2)
    if spec.kind != "linear":
        assert (spec.hidden_dim, spec.num_hidden_layers, spec.dropout) == (12, 3, 0.1)
