"""Calibration folded into the last layer, of students, of many students and of the baseline."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bundle_strategies import network_specs, seeded_network
from clients import DATES, client_frame, config_for, teacher_of
from kdtab.bundle import from_record, to_record
from kdtab.config.distillation import DistillConfig
from kdtab.config.networks import LinearSpec, MlpSpec, TabResNetSpec
from kdtab.config.training import Task, TrainingMode
from kdtab.config.variants import variant_grid
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.errors.configs import FieldInvalid
from kdtab.metrics.calibration import calibration_error, reliability_bins
from kdtab.metrics.logits import log_losses_from_logits, log_probabilities
from kdtab.models.linear import LinearNetwork
from kdtab.predictor import Predictor
from kdtab.recipes.distill import distill_student
from kdtab.recipes.predict import predict_frame
from kdtab.recipes.students import distill_many
from kdtab.shell.calibrate import Calibration, calibrated_fit, calibration_issue
from kdtab.shell.fit import FitRows, FittedNetwork
from kdtab.shell.infer import network_outputs
from kdtab.shell.trained import TrainedModel
from kdtab.tasks.supervised import SupervisedTask
from kdtab.teachers.function import function_teacher
from kdtab.teachers.hints import TeacherHints

WIDTH = 3
seeds = st.integers(0, 2**32 - 1)


def fitted_by(spec: MlpSpec | TabResNetSpec | LinearSpec, seed: int) -> FittedNetwork:
    return FittedNetwork(seeded_network(spec, seed).eval(), (), 0.0, 1, 1, 1)


def linear_network(weight: list[list[float]]) -> FittedNetwork:
    """z = x Wᵀ, without a bias."""
    fitted = fitted_by(LinearSpec(input_dim=WIDTH, output_dim=2), 0)
    assert isinstance(fitted.network, LinearNetwork)
    with torch.no_grad():
        fitted.network.head.weight.copy_(torch.tensor(weight))
        fitted.network.head.bias.zero_()
    return fitted


def calibration_of(model: TrainedModel | None) -> Calibration:
    assert model is not None
    assert model.report.calibration is not None
    return model.report.calibration


def scratch_of(model: TrainedModel) -> TrainedModel:
    assert model.report.evidence is not None
    assert model.report.evidence.scratch is not None
    return model.report.evidence.scratch


def validation_rows(seed: int, classes: int, rows: int = 80) -> FitRows:
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(rows, WIDTH)).astype(np.float32)
    return FitRows(inputs, random.integers(0, classes, rows))


def losses(outputs: Float32Array, rows: FitRows) -> float:
    return float(np.mean(log_losses_from_logits(outputs, rows.targets.astype(np.int64))))


@given(network_specs(WIDTH, 3), seeds)
def test_every_network_keeps_its_choices_and_loses_no_more_than_before(
    spec: MlpSpec | TabResNetSpec | LinearSpec, seed: int
) -> None:
    fitted, rows = fitted_by(spec, seed), validation_rows(seed, 3)
    before = network_outputs(fitted.network, rows.inputs)
    after_fit, found = calibrated_fit(
        fitted, SupervisedTask("classification"), "classification", rows
    )
    after = network_outputs(after_fit.network, rows.inputs)
    np.testing.assert_allclose(after, before / found.temperature, rtol=1e-4, atol=1e-5)
    best, second = np.sort(before, axis=1)[:, :-3:-1].T
    clear = best - second > 1e-4 * np.maximum(1, np.abs(best))
    assert (after.argmax(axis=1) == before.argmax(axis=1))[clear].all()
    assert losses(after, rows) <= losses(before, rows) + 1e-6
    assert found.loss_after <= found.loss_before


@given(network_specs(WIDTH, 1), seeds, st.floats(0.2, 5), st.floats(-3, 3))
def test_a_regression_is_moved_onto_the_line_and_loses_no_more_than_before(
    spec: MlpSpec | TabResNetSpec | LinearSpec, seed: int, scale: float, offset: float
) -> None:
    fitted = fitted_by(spec, seed)
    inputs = validation_rows(seed, 1).inputs
    before = network_outputs(fitted.network, inputs)
    rows = FitRows(inputs, (scale * before + offset).astype(np.float32))
    after_fit, found = calibrated_fit(fitted, SupervisedTask("regression"), "regression", rows)
    after = network_outputs(after_fit.network, inputs)
    bound = 1e-3 * (1 + float(np.abs(before).max()))
    np.testing.assert_allclose(after, found.scale * before + found.offset, rtol=1e-3, atol=bound)
    assert found.loss_after <= found.loss_before
    assert found.loss_after <= 1e-4 * found.loss_before + bound**2


def test_the_network_that_was_given_stays_as_it_is() -> None:
    fitted, rows = fitted_by(LinearSpec(input_dim=WIDTH, output_dim=2), 0), validation_rows(0, 2)
    before = {name: value.clone() for name, value in fitted.network.state_dict().items()}
    other, found = calibrated_fit(fitted, SupervisedTask("classification"), "classification", rows)
    assert found.scale != 1
    assert other.network is not fitted.network
    assert all(
        torch.equal(value, before[name]) for name, value in fitted.network.state_dict().items()
    )


def test_a_model_that_is_right_at_every_temperature_but_too_sure_of_it_is_left_alone() -> None:
    """The smoothed optimum is hotter than the network; the rows themselves would lose by it."""
    rows = FitRows(np.eye(2, WIDTH, dtype=np.float32), np.array([0, 1]))
    fitted = linear_network([[20.0, 0.0, 0.0], [0.0, 20.0, 0.0]])
    same, found = calibrated_fit(fitted, SupervisedTask("classification"), "classification", rows)
    assert same is fitted
    assert (found.scale, found.offset) == (1.0, 0.0)
    assert "nothing to correct" in found.note


def noisy_frame(task: Task) -> pl.DataFrame:
    """Labels of which a fifth is false, or values with noise of one."""
    random = np.random.default_rng(5)
    inputs = random.normal(size=(400, 4))
    truth = inputs[:, 0] + inputs[:, 1] > 0
    labels = np.where(random.random(400) < 0.2, ~truth, truth)
    columns = {f"x{place}": column for place, column in enumerate(inputs.T)}
    if task == "regression":
        return pl.DataFrame(columns | {"y": inputs[:, 0] + 0.5 * random.normal(size=400)})
    return pl.DataFrame(columns | {"y": np.where(labels, "yes", "no")})


def boaster(frame: pl.DataFrame) -> Float32Array:
    """Knows the rule behind the labels and is sure of each of them."""
    sure = 0.999 * (frame["x0"] + frame["x1"] > 0).to_numpy() + 0.0005
    return np.stack([1 - sure, sure], axis=1).astype(np.float32)


def exaggerator(frame: pl.DataFrame) -> Float32Array:
    """Knows the line behind the values, but doubles it and moves it up."""
    return (2 * frame["x0"].to_numpy() + 1).astype(np.float32)


@cache
def students_of(task: Task, mode: TrainingMode = "mlp_dense") -> tuple[TrainedModel, TrainedModel]:
    """The same student of such a teacher, as it is and calibrated."""
    hints = (
        TeacherHints(task=task)
        if task == "regression"
        else TeacherHints(task=task, classes=("no", "yes"), output_kind="probabilities")
    )
    rule = function_teacher(boaster if task == "classification" else exaggerator, hints).unwrap()
    config = config_for(
        target_column="y",
        task=task,
        epochs=1,
        batch_size=4,
        validation_size=0.4,
        random_seed=3,
        dropout=0.0,
        learning_rate=0.05,
        training_mode=mode,
    )
    plain, calibrated = (
        distill_student(
            noisy_frame(task),
            rule,
            config,
            DistillConfig(alpha=0.0, temperature=1.0, calibrate=wanted),
            device="cpu",
            scratch=True,
        ).unwrap()
        for wanted in (False, True)
    )
    return plain, calibrated


def calibration_gap(outputs: Float32Array, classes: IntArray) -> float:
    shares = np.exp(log_probabilities(outputs))
    right = (outputs.argmax(axis=1) == classes).astype(np.float64)
    return calibration_error(reliability_bins(shares.max(axis=1), right))


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_a_network_that_is_too_sure_or_too_timid_becomes_honest_on_fresh_rows(
    factor: float,
) -> None:
    """Labels are drawn by its own logits before they were multiplied."""
    random = np.random.default_rng(2)
    inputs = random.normal(size=(3_000, WIDTH)).astype(np.float32)
    slopes = np.array([1.5, -1.0, 0.5])
    honest = 1 / (1 + np.exp(-inputs @ slopes))
    classes = (random.random(len(inputs)) < honest).astype(np.int64)
    fitted = linear_network([[0.0] * WIDTH, (factor * slopes).tolist()])
    rows = FitRows(inputs[:1_000], classes[:1_000])
    better, found = calibrated_fit(fitted, SupervisedTask("classification"), "classification", rows)
    assert found.temperature == pytest.approx(factor, rel=0.15)
    before, after = (
        calibration_gap(network_outputs(one.network, inputs[1_000:]), classes[1_000:])
        for one in (fitted, better)
    )
    assert after < 0.5 * before


@pytest.mark.parametrize("mode", ["mlp_dense", "tabresnet", "linear_glm_baseline"])
def test_a_student_of_a_boaster_is_better_calibrated_and_chooses_the_same(
    mode: TrainingMode,
) -> None:
    plain, calibrated = students_of("classification", mode)
    found = calibration_of(calibrated)
    assert plain.report.calibration is None
    assert found.temperature > 1.2
    assert calibrated.metrics.test_metric_value == plain.metrics.test_metric_value
    assert calibrated.metrics.test_loss < plain.metrics.test_loss


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_calibration_is_recorded_in_report_provenance_and_metrics(task: Task) -> None:
    _, calibrated = students_of(task)
    found = calibration_of(calibrated)
    assert found.rows == 160
    assert calibrated.metrics.validation_loss == found.loss_after < found.loss_before
    assert found.note in calibrated.report.notes
    assert found.note in calibrated.bundle.provenance.notes
    assert calibrated.bundle.provenance.distill_config == DistillConfig(
        alpha=0.0, temperature=1.0, calibrate=True
    )


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_student_without_a_teacher_is_calibrated_alike(task: Task) -> None:
    plain, calibrated = students_of(task)
    alone = scratch_of(calibrated)
    assert scratch_of(plain).report.calibration is None
    assert alone.report.calibration is not None
    assert any(note.startswith("calibrat") for note in alone.bundle.provenance.notes)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_what_is_saved_and_served_is_the_calibrated_network(task: Task) -> None:
    _, calibrated = students_of(task)
    record = to_record(calibrated.bundle).unwrap()
    rows = noisy_frame(task)[:50].drop("y")
    expected = predict_frame(calibrated.bundle, rows).unwrap()
    again = predict_frame(from_record(record, torch.device("cpu")).unwrap(), rows).unwrap()
    served = Predictor.from_record(record).predict_frame(rows)
    assert again.equals(expected)
    for name in expected.columns:
        if expected[name].dtype.is_numeric():
            np.testing.assert_allclose(served[name], expected[name], atol=1e-5)


def test_each_student_of_many_has_a_temperature_of_its_own_and_the_best_is_judged_by_it() -> None:
    config = config_for(validation_size=0.3, epochs=12, learning_rate=0.02)
    found = distill_many(
        client_frame(),
        teacher_of(),
        config,
        variant_grid(alpha=(0.2, 1.0)),
        DistillConfig(calibrate=True),
        columns=DATES,
        device="cpu",
        scratch=True,
    ).unwrap()
    students = [one.outcome.unwrap() for one in found.every]
    every = [calibration_of(student) for student in students]
    assert len({one.scale for one in every}) == len(every)
    assert [one.validation_loss for one in found.every] == [one.loss_after for one in every]
    assert calibration_of(found.scratch).rows == every[0].rows


def test_one_student_of_a_search_is_the_student_that_is_distilled_alone() -> None:
    config = config_for(validation_size=0.3, epochs=4)
    knobs = DistillConfig(calibrate=True)
    [one] = (
        distill_many(
            client_frame(),
            teacher_of(),
            config,
            variant_grid(alpha=(0.5,)),
            knobs,
            columns=DATES,
            device="cpu",
        )
        .unwrap()
        .every
    )
    alone = distill_student(
        client_frame(), teacher_of(), config, knobs, columns=DATES, device="cpu"
    ).unwrap()
    both = (one.outcome.unwrap(), alone)
    first, second = (calibration_of(model).temperature for model in both)
    assert first == pytest.approx(second, rel=1e-3)


@pytest.mark.parametrize("teacher", ["forest", "a bundle"])
def test_calibration_without_validation_rows_is_refused_before_anything_is_fitted(
    teacher: str,
) -> None:
    given_teacher: object = teacher_of() if teacher == "a bundle" else teacher
    arguments = (client_frame(), given_teacher, config_for())
    knobs = DistillConfig(calibrate=True)
    single = distill_student(*arguments, knobs, columns=DATES, device="cpu").failure()
    many = distill_many(*arguments, variant_grid(), knobs, columns=DATES, device="cpu").failure()
    for issues in (single, many):
        [issue] = issues.every
        assert isinstance(issue, FieldInvalid)
        assert issue.name == "calibrate"
        assert "validation_size" in issue.rule


def test_a_mean_over_members_has_no_last_layer_to_fold_anything_into() -> None:
    issue = calibration_issue("batch_ensemble", wanted=True, validated=True)
    assert issue is not None
    assert "batch_ensemble" in issue.rule
    assert calibration_issue("batch_ensemble", wanted=False, validated=False) is None


def test_the_note_of_a_regression_names_scale_and_offset() -> None:
    found = Calibration("regression", 40, 1.1, -0.2, 0.5, 0.4)
    assert found.note.startswith("calibrated on 40 validation rows with scale 1.1 and offset -0.2")
    assert replace(found, scale=1.0, offset=0.0).note.endswith("found nothing to correct")
