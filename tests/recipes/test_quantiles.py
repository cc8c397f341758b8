"""Students of quantiles: distilled, saved, loaded, served, and measured beside their teacher."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import kdtab
from kdtab.bundle import ModelBundle, from_record, to_record
from kdtab.config.distillation import DistillConfig
from kdtab.config.manifest import manifest_fields
from kdtab.config.objectives import ObjectiveConfig
from kdtab.config.quantiles import USUAL_LEVELS
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.errors.bundles import BundleContradiction
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.teachers import TaskMismatch
from kdtab.metrics.quantiles import continuous_ranked_probability_score
from kdtab.predictor import Predictor
from kdtab.recipes.distill import distill_student
from kdtab.recipes.predict import predict_frame
from kdtab.recipes.quantiles import distill_quantiles
from kdtab.record import BundleRecord, contradictions
from kdtab.shell.trained import TrainedModel

CONFIG = TrainingConfig(
    target_column="y", epochs=25, batch_size=32, validation_size=0.2, hidden_dim=32, random_seed=3
)


def noisy_frame(rows: int = 300) -> pl.DataFrame:
    """Values around 100 whose noise grows with the second column."""
    random = np.random.default_rng(4)
    first, second = random.uniform(-1, 1, size=(2, rows))
    noise = np.exp(1.5 * second) * random.normal(size=rows)
    return pl.DataFrame({"a": first, "b": second, "y": 100 + 5 * first + noise})


@cache
def student_of(kind: str = "forest", alpha: float = 0.5) -> TrainedModel:
    knobs = DistillConfig(alpha=alpha)
    return distill_quantiles(noisy_frame(), kind, CONFIG, distill=knobs, device="cpu").unwrap()


def told_by(bundle: ModelBundle, frame: pl.DataFrame) -> pl.DataFrame:
    return predict_frame(bundle, frame, "cpu").unwrap()


def names() -> list[str]:
    return [f"quantile_{level:g}" for level in USUAL_LEVELS]


@pytest.mark.parametrize(("kind", "alpha"), [("forest", 0.5), ("extra_trees", 0.0)])
def test_the_student_comes_near_to_its_teacher(kind: str, alpha: float) -> None:
    scores = student_of(kind, alpha).report.quantiles
    assert scores is not None
    random_guess = np.quantile(noisy_frame()["y"].to_numpy(), USUAL_LEVELS)
    truth = noisy_frame()["y"].to_numpy()
    blind = continuous_ranked_probability_score(
        np.repeat(random_guess[None], len(truth), axis=0), truth, USUAL_LEVELS
    )
    assert scores.student < 0.75 * blind
    assert scores.student < 1.15 * scores.teacher
    assert 0.75 < scores.coverage <= 1.0


def test_each_level_is_a_column_and_the_median_is_the_prediction() -> None:
    told = told_by(student_of().bundle, noisy_frame())
    assert told.columns == ["prediction", *names()]
    assert told["prediction"].to_list() == told["quantile_0.5"].to_list()
    assert (np.diff(told.select(names()).to_numpy(), axis=1) >= 0).all()
    assert 90 < told["prediction"].to_numpy().mean() < 110


def test_the_student_knows_where_the_noise_is() -> None:
    rows = pl.DataFrame({"a": [0.0, 0.0], "b": [-0.9, 0.9]})
    told = told_by(student_of().bundle, rows)
    width = told["quantile_0.95"] - told["quantile_0.05"]
    assert width[1] > 1.3 * width[0]


def test_the_scores_are_those_of_the_predictions_on_the_held_out_rows() -> None:
    model = student_of()
    assert model.report.quantiles is not None
    assert model.report.quantiles.note in model.bundle.provenance.notes
    assert model.bundle.provenance.label_method == "out_of_bag"
    assert model.metrics.test_metric_name == "rmse"
    assert model.metrics.test_rows == 60


def test_a_saved_student_tells_the_same(tmp_path: Path) -> None:
    bundle, rows = student_of().bundle, noisy_frame()[:70].drop("y")
    expected = told_by(bundle, rows)
    kdtab.save_bundle(bundle, tmp_path / "student.kdtab")
    loaded = kdtab.load_bundle(tmp_path / "student.kdtab")
    assert loaded.quantiles == USUAL_LEVELS
    assert loaded.fingerprint == bundle.fingerprint
    assert told_by(loaded, rows).equals(expected)
    served = Predictor.load(tmp_path / "student.kdtab")
    for part in (rows, rows[:3]):
        found = served.predict_frame(part)
        assert found.columns == expected.columns
        np.testing.assert_allclose(found.to_numpy(), expected[: part.height].to_numpy(), rtol=1e-5)
    medians = expected["prediction"].to_list()
    assert served.predict_rows(rows.to_dicts()) == pytest.approx(medians, rel=1e-5)
    assert served.predict_rows(rows.to_dicts()[:2]) == pytest.approx(medians[:2], rel=1e-5)
    assert served.predict_row(rows.to_dicts()[0]) == pytest.approx(medians[0], rel=1e-5)
    assert kdtab.predict_rows(loaded, rows.to_dicts()) == pytest.approx(medians, rel=1e-5)


def test_other_levels_are_another_model() -> None:
    bundle = student_of().bundle
    shifted = replace(bundle, quantiles=(0.01, *USUAL_LEVELS[1:]))
    assert shifted.fingerprint != bundle.fingerprint


def test_a_bundle_without_quantiles_says_nothing_of_them() -> None:
    frame = noisy_frame(60)
    plain = kdtab.train_model(frame, CONFIG, device="cpu").unwrap().bundle
    record = to_record(plain).unwrap()
    assert "quantiles" not in manifest_fields(record.manifest)
    assert told_by(plain, frame).columns == ["prediction"]


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        (USUAL_LEVELS[:-1], "18 quantiles for 19 outputs"),
        ((), "a regression network has 1 output, this one has 19"),
        ((*USUAL_LEVELS[:-1], 1.5), "must lie between 0 and 1"),
        (tuple(reversed(USUAL_LEVELS)), "must rise"),
    ],
)
def test_a_record_with_other_levels_than_outputs_is_refused(
    levels: tuple[float, ...], reason: str
) -> None:
    record = to_record(student_of().bundle).unwrap()
    manifest = record.manifest.model_copy(update={"quantiles": levels})
    broken = BundleRecord(manifest, record.arrays)
    assert any(reason in found for found in contradictions(broken))
    loaded = from_record(broken, torch.device("cpu")).failure()
    assert all(isinstance(issue, BundleContradiction) for issue in loaded.every)


def test_a_student_of_quantiles_teaches_its_median() -> None:
    config = CONFIG.model_copy(update={"epochs": 3})
    teacher = student_of().bundle
    student = distill_student(noisy_frame(), teacher, config, device="cpu", scratch=True).unwrap()
    assert student.bundle.output_dim == 1
    assert student.report.evidence is not None
    said = student.report.evidence.test_outputs.values[:, 0]
    held_out = noisy_frame()[student.report.evidence.test_rows]
    np.testing.assert_allclose(said, told_by(teacher, held_out)["prediction"], rtol=1e-5)


def test_in_sample_labels_are_said_to_be_too_narrow() -> None:
    config = CONFIG.model_copy(update={"epochs": 1})
    labels = LabelConfig(labels="in_sample")
    model = distill_quantiles(noisy_frame(), "forest", config, labels=labels, device="cpu").unwrap()
    assert any("in-sample" in note for note in model.report.notes)
    assert model.bundle.provenance.label_method == "in_sample"


def test_every_mistake_is_reported_before_a_forest_is_grown() -> None:
    config = CONFIG.model_copy(update={"training_mode": "batch_ensemble"})
    knobs = DistillConfig(objective=ObjectiveConfig(), augment=1.0, calibrate=True)
    issues = distill_quantiles(
        noisy_frame(), "boosted", config, quantiles=(0.1, 0.9, 0.95), distill=knobs, device="cpu"
    ).failure()
    found = [issue.name for issue in issues.every if isinstance(issue, FieldInvalid)]
    assert found == [
        "teacher",
        "quantiles",
        "training_mode",
        "objective",
        "augment",
        "calibrate",
    ]


def test_a_classification_has_no_quantiles() -> None:
    config = CONFIG.model_copy(update={"task": "classification"})
    [issue] = distill_quantiles(noisy_frame(), "forest", config, device="cpu").failure().every
    assert isinstance(issue, TaskMismatch)


def test_the_student_without_a_teacher_is_the_one_of_alpha_one() -> None:
    config = CONFIG.model_copy(update={"epochs": 2})
    both, alone = (
        distill_quantiles(
            noisy_frame(),
            "forest",
            config,
            distill=DistillConfig(alpha=alpha),
            device="cpu",
            scratch=True,
        )
        .unwrap()
        .report.quantiles
        for alpha in (0.25, 1.0)
    )
    assert both is not None
    assert alone is not None
    assert both.scratch == alone.scratch == alone.student
    assert both.student != alone.student
    assert "without a teacher" in both.note


def test_the_same_seed_gives_the_same_student() -> None:
    config = CONFIG.model_copy(update={"epochs": 2})
    first, second = (
        distill_quantiles(noisy_frame(), "forest", config, device="cpu").unwrap().bundle
        for _ in range(2)
    )
    assert first.fingerprint == second.fingerprint
