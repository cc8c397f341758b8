"""Encodings through whole runs: whose rows the edges come from, and what they change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from clients import DATES, client_frame, config_for, features_of
from clients import clients as client_rows
from kdtab.bundle import ModelBundle
from kdtab.config.distillation import DistillConfig
from kdtab.config.encodings import NumericEncodingSpec
from kdtab.config.layerpairs import LayerPairSpec
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import NumericEncoding, TrainingConfig
from kdtab.config.variants import StudentVariant
from kdtab.data import prepared as prepared_module
from kdtab.data.arrays import Float32Array
from kdtab.data.numericbins import numeric_encoding_spec
from kdtab.data.prepare import PreparedTable, prepare_table, prepare_with_artifacts
from kdtab.models.network import TabularNetwork
from kdtab.predictor import Predictor
from kdtab.recipes.distill import distill_student
from kdtab.recipes.predict import predict_frame
from kdtab.recipes.students import distill_many
from kdtab.recipes.train import train_model
from kdtab.results import Checked
from kdtab.serialization import load_bundle, save_bundle
from kdtab.shell.assemble import FitPlan, TrainedModel, fit_model
from kdtab.teachers import gate as gate_module

ENCODINGS: tuple[NumericEncoding, ...] = ("piecewise_linear", "quantile")
TASKS = ("classification", "regression")


def run_for(
    kind: NumericEncoding, task: str = "classification", **changes: object
) -> TrainingConfig:
    return config_for(
        task, **{"numeric_encoding": kind, "encoding_bins": 5, "validation_size": 0.25, **changes}
    )


def trained(config: TrainingConfig, task: str = "classification") -> ModelBundle:
    return train_model(client_frame(task), config, columns=DATES, device="cpu").unwrap().bundle


def encoding_of(bundle: ModelBundle) -> NumericEncodingSpec | None:
    assert isinstance(bundle.model, TabularNetwork)
    return bundle.model.spec.encoding


@pytest.mark.parametrize("kind", ENCODINGS)
@pytest.mark.parametrize("mode", ["mlp_dense", "tabresnet", "linear_glm_baseline"])
def test_a_model_has_the_edges_of_its_training_rows(kind: NumericEncoding, mode: str) -> None:
    config = run_for(kind, training_mode=mode)
    prepared = prepare_table(client_frame(), config, DATES).unwrap()
    found = encoding_of(trained(config))
    assert found is not None
    assert found == numeric_encoding_spec(kind, prepared.training.inputs, 5)
    assert [bool(edges) for edges in found.edges] == [
        len(np.unique(column)) > 2 for column in prepared.training.inputs.T
    ]


@pytest.mark.parametrize("task", TASKS)
def test_an_encoding_and_its_bins_change_what_is_learnt(task: str) -> None:
    runs = (
        run_for("scaled", task),
        run_for("quantile", task),
        run_for("piecewise_linear", task),
        run_for("piecewise_linear", task, encoding_bins=2),
    )
    losses = [
        train_model(client_frame(task), run, columns=DATES, device="cpu").unwrap().metrics.test_loss
        for run in runs
    ]
    assert len(set(losses)) == 4
    assert encoding_of(trained(runs[0], task)) is None


@pytest.mark.parametrize("kind", ENCODINGS)
@pytest.mark.parametrize("task", TASKS)
def test_a_file_predicts_as_the_model_that_was_written(
    kind: NumericEncoding, task: str, tmp_path: Path
) -> None:
    bundle = trained(run_for(kind, task), task)
    path = tmp_path / "model.kdtab"
    save_bundle(bundle, path)
    read = load_bundle(path, "cpu")
    assert read.fingerprint == bundle.fingerprint
    rows = pl.DataFrame(features_of(client_rows(30)))
    expected = predict_frame(bundle, rows, "cpu").unwrap()
    assert predict_frame(read, rows, "cpu").unwrap().equals(expected)
    found = Predictor.load(path).predict_frame(rows)
    if task == "regression":
        np.testing.assert_allclose(found["prediction"], expected["prediction"], rtol=1e-5)
    else:
        assert found["prediction"].to_list() == expected["prediction"].to_list()
        np.testing.assert_allclose(found["probability_no"], expected["probability_no"], atol=1e-6)


def test_a_student_of_a_bundle_has_edges_of_its_own() -> None:
    # The teacher saw other rows, and more of them; the student has its artifacts, not its edges.
    teacher = trained(config_for(random_seed=7, numeric_encoding="piecewise_linear"))
    config = run_for("piecewise_linear")
    student = distill_student(client_frame(), teacher, config, columns=DATES, device="cpu").unwrap()
    prepared = prepare_with_artifacts(
        client_frame(), config, DATES, teacher.artifacts, teacher.task, LabelConfig()
    ).unwrap()
    found = encoding_of(student.bundle)
    assert found == numeric_encoding_spec("piecewise_linear", prepared.training.inputs, 5)
    assert found != encoding_of(teacher)
    assert isinstance(student.bundle.model, TabularNetwork)
    assert getattr(student.bundle.model.spec, "hidden_dim", 0) == 16  # the least of a student


def test_layers_of_encoded_networks_are_paired_by_name() -> None:
    teacher = trained(run_for("quantile"))
    pairs = (LayerPairSpec(student="blocks.0", teacher="blocks.1"),)
    student = distill_student(
        client_frame(),
        teacher,
        run_for("piecewise_linear"),
        DistillConfig(layers=pairs),
        columns=DATES,
        device="cpu",
    ).unwrap()
    assert any("blocks.0" in name for name in student.report.fitted.history[-1].terms)


@pytest.mark.parametrize("kind", ENCODINGS)
def test_many_students_share_one_encoding_and_are_those_distilled_alone(
    kind: NumericEncoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def spy(named: NumericEncoding, inputs: Float32Array, bins: int) -> NumericEncodingSpec | None:
        asked.append(named)
        return numeric_encoding_spec(named, inputs, bins)

    teacher = trained(config_for())
    monkeypatch.setattr(prepared_module, "numeric_encoding_spec", spy)
    config = run_for(kind)
    grid = (StudentVariant(alpha=0.3), StudentVariant(alpha=0.7), StudentVariant(alpha=1.0))
    found = distill_many(
        client_frame(), teacher, config, grid, columns=DATES, device="cpu"
    ).unwrap()
    assert asked == [kind]
    for one in found.every:
        student = distill_student(
            client_frame(),
            teacher,
            config,
            DistillConfig(alpha=one.variant.alpha or 0.0),
            columns=DATES,
            device="cpu",
        ).unwrap()
        mine = one.outcome.unwrap()
        assert encoding_of(mine.bundle) == encoding_of(student.bundle) is not None
        assert mine.metrics.test_loss == pytest.approx(student.metrics.test_loss, rel=1e-4)


def test_the_student_that_the_gate_fits_on_other_folds_has_edges_of_those_folds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitted: list[tuple[PreparedTable, FitPlan]] = []

    def spy(prepared: PreparedTable, plan: FitPlan, **named: object) -> Checked[TrainedModel]:
        fitted.append((prepared, plan))
        return fit_model(prepared, plan, **named)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(gate_module, "fit_model", spy)
    config = TrainingConfig(
        target_column="y", epochs=1, batch_size=32, hidden_dim=16, numeric_encoding="quantile"
    )
    cells = np.random.default_rng(0).standard_normal((300, 2))
    frame = pl.DataFrame({"a": cells[:, 0], "b": cells[:, 1], "y": cells[:, 0] > cells[:, 1]})
    student = distill_student(frame, "boosted", config, labels=LabelConfig(), device="cpu").unwrap()
    (prepared, plan), *others = fitted
    assert not others
    own = numeric_encoding_spec("quantile", prepared.training.inputs, config.encoding_bins)
    assert plan.spec.encoding == own
    assert own != encoding_of(student.bundle)
