"""Steps, schedules and ensembles through the doors: table in, bundle out, the same predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from clients import DATES, client_frame, config_for
from kdtab.bundle import from_record, to_record
from kdtab.config.distillation import DistillConfig
from kdtab.config.networks import BatchEnsembleSpec
from kdtab.config.training import Task, TrainingConfig
from kdtab.config.variants import StudentVariant
from kdtab.disk.bundles import read_record, write_record
from kdtab.errors.objectives import LayersOfEnsemble
from kdtab.models.describe import parameter_count
from kdtab.predictor import Predictor
from kdtab.recipes.distill import distill_student
from kdtab.recipes.predict import predict_frame
from kdtab.recipes.students import distill_many
from kdtab.recipes.train import train_model
from kdtab.shell.assemble import TrainedModel
from kdtab.shell.infer import network_outputs

CPU = torch.device("cpu")
TASKS = pytest.mark.parametrize("task", ["classification", "regression"])
PATIENT = {
    "steps": 30,
    "epochs": None,
    "optimizer": "adamw",
    "weight_decay": 1e-3,
    "learning_rate_schedule": "cosine",
    "warmup_steps": 5,
    "ema_decay": 0.9,
}


def ensemble_config(task: str, **changes: object) -> TrainingConfig:
    return config_for(task, training_mode="batch_ensemble", ensemble_size=3, **changes)


def trained(config: TrainingConfig, task: str) -> TrainedModel:
    return train_model(client_frame(task), config, columns=DATES, device=CPU).unwrap()


def test_steps_are_made_and_recorded() -> None:
    model = trained(config_for(**{**PATIENT, "steps": 31, "batch_size": 10}), "classification")
    known = model.bundle.provenance
    assert known.update_steps == model.report.fitted.update_steps >= 31
    assert known.training_rows == 64
    assert known.epochs == 5  # of seven batches each: four would be 28 steps
    assert known.training_config is not None
    assert (known.training_config.steps, known.training_config.optimizer) == (31, "adamw")


def test_a_warm_up_longer_than_the_run_is_noted() -> None:
    model = trained(config_for(**{**PATIENT, "warmup_steps": 500}), "classification")
    assert any("warmed up" in note for note in model.report.notes)
    assert any("warmed up" in note for note in model.bundle.provenance.notes)


@TASKS
@pytest.mark.parametrize("encoding", ["scaled", "piecewise_linear"])
def test_an_ensemble_is_saved_and_served_as_it_predicts(
    task: Task, encoding: str, tmp_path: Path
) -> None:
    model = trained(ensemble_config(task, **PATIENT, numeric_encoding=encoding), task)
    spec = model.bundle.model.spec
    assert isinstance(spec, BatchEnsembleSpec)
    assert (spec.members, spec.encoding is None) == (3, encoding == "scaled")
    path = tmp_path / "model.kdtab"
    write_record(path, to_record(model.bundle).unwrap()).unwrap()
    again = from_record(read_record(path).unwrap(), CPU).unwrap()
    frame = client_frame(task)
    expected = predict_frame(model.bundle, frame, "cpu").unwrap()
    assert predict_frame(again, frame, "cpu").unwrap().equals(expected)
    predictor = Predictor.load(path)
    blocks = predictor.predict_frame(pl.concat([frame] * 2))
    singles = [predictor.predict_row(row) for row in frame.rows(named=True)]
    if task == "regression":
        wanted = expected["prediction"].to_numpy()
        np.testing.assert_allclose(blocks["prediction"].to_numpy()[: len(frame)], wanted, rtol=1e-5)
        np.testing.assert_allclose(np.array(singles, dtype=float), wanted, rtol=1e-5)
    else:
        shares = expected.drop("prediction").to_numpy()
        found = blocks.drop("prediction").to_numpy()[: len(frame)]
        np.testing.assert_allclose(found, shares, atol=1e-6)
        assert singles == expected["prediction"].to_list()


@TASKS
def test_an_ensemble_learns_from_a_teacher_and_teaches(task: Task) -> None:
    frame, config = client_frame(task), ensemble_config(task, epochs=3)
    teacher = trained(config, task)
    student = distill_student(
        frame, teacher.bundle, config, DistillConfig(), columns=DATES, device=CPU
    ).unwrap()
    assert isinstance(student.bundle.model.spec, BatchEnsembleSpec)
    assert parameter_count(student.bundle.model) < parameter_count(teacher.bundle.model)
    outputs = network_outputs(student.bundle.model, np.zeros((2, student.bundle.input_dim), "f4"))
    if task == "classification":
        np.testing.assert_allclose(np.exp(outputs).sum(axis=1), 1.0, rtol=1e-5)
    plain = distill_student(
        frame,
        teacher.bundle,
        config_for(task, epochs=3),
        DistillConfig(),
        columns=DATES,
        device=CPU,
    ).unwrap()
    assert not isinstance(plain.bundle.model.spec, BatchEnsembleSpec)


def test_many_ensembles_differ_in_their_rates() -> None:
    config = ensemble_config("classification", **PATIENT, validation_size=0.25)
    teacher = trained(config, "classification")
    variants = (StudentVariant(learning_rate=1e-3), StudentVariant(learning_rate=1e-2))
    found = distill_many(
        client_frame(), teacher.bundle, config, variants, columns=DATES, device="cpu"
    ).unwrap()
    losses = [each.outcome.unwrap().metrics.test_loss for each in found.every]
    assert len(set(losses)) == 2


def test_layers_of_an_ensemble_are_refused_on_each_side() -> None:
    knobs = DistillConfig.model_validate({"layers": [{"student": "heads", "teacher": "heads"}]})
    teacher = trained(ensemble_config("classification", epochs=1), "classification").bundle
    frame = client_frame()
    for config, sides in (
        (ensemble_config("classification"), ("student", "teacher")),
        (config_for("classification"), ("teacher",)),
    ):
        refused = distill_student(frame, teacher, config, knobs, columns=DATES, device=CPU)
        assert refused.failure().every == tuple(LayersOfEnsemble(side=side) for side in sides)
