"""`train_model_from_file`: epochs, batches and the optimizer, counted from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from clients import (
    config_for,
    write_clients,
    write_rows,
)
from kdtab.bundle import Metrics, ModelBundle
from kdtab.config.training import TrainingConfig
from kdtab.errors.raised import KdtabError
from kdtab.trainer import train_model_from_file
from spies import (
    watched_training,
)

TRAINING_ROWS = 64


def train(
    folder: Path, task: str = "classification", /, **changes: object
) -> tuple[ModelBundle, Metrics]:
    path = write_clients(folder, task)
    config = config_for(task, **changes)
    return train_model_from_file(path, config, date_columns=["joined"], device="cpu")


@pytest.mark.requirement("REQ-T10", "AC-T10")
def test_the_optimizer_is_adam_with_the_seeds_weight_decay(tmp_path: Path) -> None:
    with watched_training() as seen:
        bundle, _ = train(tmp_path, learning_rate=0.0123)
    adam = seen.optimizers[0]
    assert (adam.learning_rate, adam.weight_decay, adam.decoupled) == (0.0123, 1e-4, False)
    learnt = {parameter.data_ptr() for parameter in bundle.model.parameters()}
    assert {parameter.data_ptr() for parameter in adam.tensors} == learnt


@pytest.mark.requirement("REQ-T11", "AC-T11")
def test_five_epochs_see_every_training_row_five_times_in_batches(tmp_path: Path) -> None:
    with watched_training() as seen:
        bundle, _ = train(tmp_path, epochs=5, batch_size=20)
    assert seen.batch_sizes == [20, 20, 20, 4] * 5
    assert len(seen.optimizers) == bundle.provenance.update_steps == 20
    assert bundle.provenance.epochs == 5
    epochs = [torch.cat(seen.inputs[start : start + 4]) for start in range(0, 20, 4)]
    rows = [sorted(map(tuple, epoch.tolist())) for epoch in epochs]
    assert all(epoch == rows[0] for epoch in rows)
    assert not torch.equal(epochs[0], epochs[1])


@pytest.mark.requirement("REQ-T12", "AC-T12")
def test_a_tail_of_one_row_is_skipped(tmp_path: Path) -> None:
    with watched_training() as seen:
        bundle, _ = train(tmp_path, epochs=2, batch_size=9)
    assert TRAINING_ROWS % 9 == 1
    assert seen.batch_sizes == [9] * 14
    assert len(seen.optimizers) == len(seen.losses) == bundle.provenance.update_steps == 14


@pytest.mark.requirement("REQ-T13", "AC-T13")
def test_batches_of_one_row_are_an_error_before_the_first_epoch(tmp_path: Path) -> None:
    with (
        watched_training() as seen,
        pytest.raises(ValueError, match="update_steps == 0") as caught,
    ):
        train(tmp_path, batch_size=1, epochs=10_000)
    assert isinstance(caught.value, KdtabError)
    assert seen.batch_sizes == []


@pytest.mark.requirement("REQ-T13", "EC-T01")
def test_a_single_training_row_is_an_error(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "t.csv", [{"x": "1", "y": "0.5"}, {"x": "2", "y": "0.75"}])
    with pytest.raises(ValueError, match="update_steps == 0"):
        train_model_from_file(path, TrainingConfig(target_column="y", batch_size=8, epochs=1))


@pytest.mark.requirement("EC-T01")
def test_fewer_rows_than_a_batch_are_one_batch_an_epoch(tmp_path: Path) -> None:
    with watched_training() as seen:
        train(tmp_path, epochs=3, batch_size=4_096)
    assert seen.batch_sizes == [TRAINING_ROWS] * 3
