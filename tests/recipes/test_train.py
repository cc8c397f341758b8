from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl
import pytest

from clients import DATES, client_frame, config_for
from kdtab.config.columns import ColumnOptions
from kdtab.config.training import TrainingConfig
from kdtab.errors.configs import DeviceUnusable, ModeNeedsClassification, TargetExcluded
from kdtab.errors.training import LossNotFinite, NoValidBatch
from kdtab.recipes.train import train_model
from kdtab.shell.assemble import TrainedModel
from kdtab.shell.progress import EpochRecord
from spies import weights


class Heard:
    """Writes down what a run says."""

    def __init__(self) -> None:
        self.plan: list[tuple[int, int]] = []
        self.records: list[EpochRecord] = []
        self.steps = 0
        self.finished = 0

    def start(self, epochs: int, steps_per_epoch: int) -> None:
        self.plan.append((epochs, steps_per_epoch))

    def step(self) -> None:
        self.steps += 1

    def epoch(self, record: EpochRecord) -> None:
        self.records.append(record)

    def finish(self) -> None:
        self.finished += 1


def train(task: str = "classification", /, **changes: object) -> TrainedModel:
    config = config_for(task, **changes)
    return train_model(client_frame(task), config, columns=DATES, device="cpu").unwrap()


@pytest.mark.requirement("REQ-T11", "AC-T11")
def test_progress_hears_of_every_step_and_epoch() -> None:
    heard = Heard()
    config = config_for(epochs=5)
    model = train_model(client_frame(), config, device="cpu", progress=heard).unwrap()
    assert (heard.plan, heard.steps, heard.finished) == ([(5, 4)], 20, 1)
    assert [record.epoch for record in heard.records] == [1, 2, 3, 4, 5]
    assert model.report.fitted.history == tuple(heard.records)
    assert model.metrics.train_loss == heard.records[-1].loss
    assert (model.metrics.epochs, model.metrics.update_steps) == (5, 20)


def test_the_loss_goes_down() -> None:
    losses = [record.loss for record in train(epochs=20).report.fitted.history]
    assert losses[-1] < 0.7 * losses[0]


def test_without_validation_every_epoch_is_run_and_the_last_one_stays() -> None:
    model = train(epochs=6)
    assert (model.report.fitted.best_epoch, model.metrics.validation_loss) == (6, None)
    assert model.bundle.provenance.validation_rows == 0


def test_patience_stops_early_and_restores_the_best_epoch() -> None:
    model = train(epochs=200, validation_size=0.2, patience=3, learning_rate=0.1)
    history = model.report.fitted.history
    said = [record.validation_loss for record in history]
    best = min(range(len(said)), key=lambda at: said[at] or math.inf)
    assert len(history) < 200
    assert len(history) == best + 1 + 3
    assert model.metrics.validation_loss == said[best]
    assert model.metrics.epochs == len(history)
    assert model.bundle.provenance.best_epoch == best + 1
    only = train(epochs=best + 1, validation_size=0.2, patience=1_000, learning_rate=0.1)
    assert weights(model.bundle.model) == weights(only.bundle.model)


def test_validation_rows_do_not_change_the_test_rows() -> None:
    plain, validated = train(), train(validation_size=0.2)
    assert plain.metrics.test_rows == validated.metrics.test_rows == 16
    assert (plain.metrics.training_rows, validated.metrics.training_rows) == (64, 48)


@pytest.mark.requirement("REQ-T16")
def test_the_bundle_records_the_run() -> None:
    model = train(random_seed=7, epochs=2)
    known = model.bundle.provenance
    assert known.training_config == config_for(random_seed=7, epochs=2)
    assert known.column_options == DATES
    assert (known.rows, known.training_rows, known.test_rows) == (80, 64, 16)
    assert (known.epochs, known.batch_size, known.update_steps) == (2, 16, 8)
    assert (known.device, known.threads) == ("cpu", model.report.fitted.threads)
    assert known.task_reason == "the target has two distinct values"
    assert known.kdtab_version
    assert known.teacher_fingerprint is None


def test_open_settings_are_resolved_and_recorded() -> None:
    config = TrainingConfig(target_column="bought", hidden_dim=4, num_hidden_layers=1)
    heard = Heard()
    model = train_model(client_frame(), config, device="cpu", progress=heard).unwrap()
    known = model.bundle.provenance
    assert (known.epochs, known.batch_size) == (heard.plan[0][0], model.report.settings.batch_size)
    assert (known.update_steps or 0) >= 300


def test_what_is_left_out_is_reported() -> None:
    frame = client_frame().with_columns(
        empty=pl.lit(""), name=pl.Series([f"client {at}" for at in range(80)])
    )
    model = train_model(frame, config_for(epochs=1), columns=DATES).unwrap()
    notes = model.report.notes
    assert "column 'empty' was left out: every cell is missing" in notes
    assert any(note.startswith("column 'name' was left out: text that names") for note in notes)
    assert model.bundle.provenance.notes == notes
    assert not {"empty", "name"} & set(model.bundle.vectorizer.column_names)


def test_the_frame_is_never_changed() -> None:
    frame = client_frame()
    train_model(frame, config_for(epochs=1), columns=DATES).unwrap()
    assert frame.equals(client_frame())


@pytest.mark.requirement("REQ-T03", "REQ-T05", "REQ-T07", "REQ-T13")
@pytest.mark.parametrize(
    ("changes", "arguments", "issue"),
    [
        ({}, {"columns": ColumnOptions(exclude_columns=("price",))}, TargetExcluded),
        ({"training_mode": "imbalance_aware"}, {}, ModeNeedsClassification),
        (
            {"training_mode": "calibrated_classifier", "task": "regression"},
            {},
            ModeNeedsClassification,
        ),
        ({"batch_size": 1}, {}, NoValidBatch),
        ({}, {"device": "banana"}, DeviceUnusable),
        ({"learning_rate": 1e30}, {}, LossNotFinite),
    ],
)
def test_a_mistake_is_a_failure_and_no_exception(
    changes: Mapping[str, object], arguments: Mapping[str, object], issue: type[object]
) -> None:
    config = config_for("regression", **changes)
    failed = train_model(client_frame("regression"), config, **arguments)  # type: ignore[arg-type]  # by name
    assert isinstance(failed.failure().first, issue)
