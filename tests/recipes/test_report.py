from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from kdtab.config.training import TrainingConfig
from kdtab.errors.columns import ColumnMissing
from kdtab.errors.teachers import TeacherMissing
from kdtab.metrics.logits import accuracy_from_logits
from kdtab.recipes.distill import distill_student
from kdtab.recipes.report import report_distillation
from kdtab.recipes.train import train_model
from kdtab.report.quality import ClassQuality, ValueQuality
from kdtab.shell.trained import TrainedModel

CONFIG = TrainingConfig(target_column="y", epochs=8, batch_size=32, random_seed=3)


def noisy_table(rows: int = 400) -> pl.DataFrame:
    """Two numbers and a group; labels follow the first number, one in ten is wrong."""
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(rows, 2))
    flipped = generator.random(rows) < 0.1
    labels = np.where((numbers[:, 0] > 0) ^ flipped, "yes", "no")
    groups = np.where(numbers[:, 1] > 0, "high", "low")
    return pl.DataFrame({"a": numbers[:, 0], "b": numbers[:, 1], "g": groups, "y": labels})


@pytest.fixture(scope="module")
def student() -> TrainedModel:
    return distill_student(noisy_table(), "forest", CONFIG, device="cpu", scratch=True).unwrap()


def test_the_report_measures_what_the_run_measured(student: TrainedModel) -> None:
    summary = report_distillation(noisy_table(), student).unwrap()
    teacher, learner, scratch = summary.models
    assert student.report.evidence is not None
    assert student.report.evidence.scratch is not None
    assert isinstance(learner.quality, ClassQuality)
    assert isinstance(scratch.quality, ClassQuality)
    assert isinstance(teacher.quality, ClassQuality)
    assert learner.quality.accuracy.value == student.metrics.test_metric_value
    assert learner.quality.log_loss.value == pytest.approx(student.metrics.test_loss, rel=1e-6)
    alone = student.report.evidence.scratch.metrics
    assert scratch.quality.log_loss.value == pytest.approx(alone.test_loss, rel=1e-6)
    held_out = student.report.evidence.held_out_loss
    assert teacher.quality.log_loss.value == pytest.approx(held_out, rel=1e-5)
    assert summary.rows == student.metrics.test_rows


def test_the_truth_of_the_report_is_that_of_the_test_rows(student: TrainedModel) -> None:
    table = noisy_table()
    evidence = student.report.evidence
    assert evidence is not None
    labels = table["y"].to_numpy()[evidence.test_rows]
    codes = (labels == "yes").astype(np.int64)
    summary = report_distillation(table, student).unwrap()
    quality = summary.models[0].quality
    assert isinstance(quality, ClassQuality)
    said = accuracy_from_logits(evidence.test_outputs.values, codes)
    assert quality.accuracy.value == pytest.approx(said)


def test_rows_are_looked_at_by_the_columns_that_were_named(student: TrainedModel) -> None:
    summary = report_distillation(noisy_table(), student, segments=["g"]).unwrap()
    assert {line.value for line in summary.segments} == {"high", "low"}
    unknown = report_distillation(noisy_table(), student, segments=["group"])
    assert isinstance(unknown.failure().first, ColumnMissing)


def test_a_regression_is_reported_in_the_unit_of_its_target() -> None:
    generator = np.random.default_rng(1)
    x = generator.normal(size=300)
    table = pl.DataFrame({"x": x, "y": 1_000.0 + 50 * x})
    student = distill_student(table, "boosted", CONFIG, device="cpu", scratch=True).unwrap()
    summary = report_distillation(table, student).unwrap()
    quality = summary.models[1].quality
    assert isinstance(quality, ValueQuality)
    assert quality.rmse.value == pytest.approx(student.metrics.test_metric_value, rel=1e-6)


def test_a_model_without_a_teacher_has_no_such_report() -> None:
    alone = train_model(noisy_table(), CONFIG, device="cpu").unwrap()
    assert report_distillation(noisy_table(), alone).failure().first == TeacherMissing()
