"""An estimator that learns from any teacher: the same rows, the same labels, the same held-out rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pytest
from sklearn.base import is_classifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier  # type: ignore[import-untyped]  # as above
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from clients import DATES, client_frame, config_for, teacher_of
from kdtab.config.training import TrainingConfig
from kdtab.errors.configs import AlphaOutOfRange
from kdtab.errors.estimators import EstimatorTaskOther, EstimatorWithoutWeights
from kdtab.metrics.logits import log_losses_from_logits
from kdtab.metrics.retention import Retained
from kdtab.recipes.distill import distill_student
from kdtab.recipes.softlabels import distill_to_estimator
from kdtab.shell.progress import EpochRecord
from kdtab.teachers.estimatorstudent import EstimatorStudent
from kdtab.teachers.logodds import BoostedLogOdds

CONFIG = TrainingConfig(target_column="y", epochs=1, random_seed=3)


def noisy_table(task: str = "classification", rows: int = 500) -> pl.DataFrame:
    """A smooth rule with much noise: what a teacher of many trees knows better than one tree."""
    random = np.random.default_rng(7)
    inputs = random.normal(size=(rows, 4))
    signal = inputs[:, 0] + inputs[:, 1] + 0.5 * inputs[:, 2]
    columns = {f"x{place}": column for place, column in enumerate(inputs.T)}
    if task == "regression":
        return pl.DataFrame(columns | {"y": 50 + 10 * (signal + random.normal(size=rows))})
    labels = random.random(rows) < 1 / (1 + np.exp(-1.5 * signal))
    return pl.DataFrame(columns | {"y": np.where(labels, "yes", "no")})


def student_of(
    estimator: object, task: str = "classification", **changes: object
) -> EstimatorStudent:
    options = {"alpha": 0.25, "device": "cpu", **changes}
    teacher = options.pop("teacher", "forest")
    frame, found = noisy_table(task), distill_to_estimator
    return found(frame, teacher, estimator, CONFIG, **options).unwrap()  # type: ignore[arg-type]  # any


def test_a_tree_of_soft_labels_is_better_than_the_same_tree_of_labels() -> None:
    student = student_of(DecisionTreeClassifier(max_depth=6))
    assert student.metrics.test_loss < 0.8 * student.metrics_alone.test_loss
    assert isinstance(student.gain, Retained)
    assert student.gain.value > 0.3


def test_a_regression_tree_of_mixed_values_is_better_than_the_same_tree_of_values() -> None:
    student = student_of(DecisionTreeRegressor(max_depth=7), "regression")
    assert student.metrics.test_loss < student.metrics_alone.test_loss
    assert student.metrics.test_metric_name == "rmse"


def test_the_metrics_are_those_of_the_predictions_on_the_held_out_rows() -> None:
    student, frame = student_of(DecisionTreeClassifier(max_depth=4)), noisy_table()
    assert student.evidence is not None
    held_out = frame[student.evidence.test_rows]
    said = student.predicted(held_out.drop("y")).unwrap()
    shares = said.select("probability_no", "probability_yes").to_numpy()
    codes = (held_out["y"] == "yes").to_numpy().astype(np.int64)
    losses = log_losses_from_logits(np.log(np.maximum(shares, 1e-7)), codes)
    assert student.metrics.test_loss == pytest.approx(losses.mean(), rel=1e-5)
    assert student.metrics.test_metric_value == (said["prediction"] == held_out["y"]).mean()
    assert student.metrics.test_rows == 100


def test_a_network_student_of_the_same_run_is_measured_on_the_same_rows() -> None:
    student = student_of(DecisionTreeClassifier(max_depth=4))
    network = distill_student(noisy_table(), "forest", CONFIG, device="cpu").unwrap()
    assert student.evidence is not None
    assert network.report.evidence is not None
    np.testing.assert_array_equal(student.evidence.test_rows, network.report.evidence.test_rows)
    assert student.evidence.held_out_loss == network.report.evidence.held_out_loss
    assert student.evidence.method == "out_of_bag"


def test_values_and_their_error_are_in_the_unit_of_the_target() -> None:
    student, frame = student_of(LinearRegression(), "regression"), noisy_table("regression")
    said = student.predicted(frame).unwrap()
    assert said.columns == ["prediction"]
    assert 40 < said["prediction"].to_numpy().mean() < 60
    assert student.evidence is not None
    held_out = frame[student.evidence.test_rows]
    missed = (student.predicted(held_out).unwrap()["prediction"] - held_out["y"]).to_numpy()
    assert student.metrics.test_metric_value == pytest.approx(np.sqrt(np.mean(missed**2)))


def test_at_alpha_one_the_student_is_the_estimator_alone() -> None:
    student, frame = student_of(DecisionTreeClassifier(max_depth=4), alpha=1.0), noisy_table()
    rows = student.matrix(frame)
    taught, alone = (one.outputs(rows).unwrap() for one in (student.pupil, student.alone))
    np.testing.assert_allclose(taught, alone)


def test_a_bundle_teaches_a_tree_of_every_kind_of_column() -> None:
    teacher = teacher_of()
    student = distill_to_estimator(
        client_frame(),
        teacher,
        DecisionTreeClassifier(max_depth=3),
        config_for(),
        columns=DATES,
        device="cpu",
    ).unwrap()
    assert student.artifacts.scaler is teacher.scaler
    assert "age" in student.feature_names
    assert len(student.feature_names) == student.matrix(client_frame()).shape[1]
    said = student.predicted(client_frame()).unwrap()
    assert said.columns == ["prediction", "probability_no", "probability_yes"]
    assert student.predicted(pl.DataFrame({"age": ["30", None]})).unwrap().height == 2
    assert student.evidence is not None
    assert student.evidence.method == "as_given"


def test_a_tree_sees_numbers_in_their_own_unit_and_a_linear_model_those_of_a_network() -> None:
    frame = noisy_table()
    tree, linear = (
        student_of(DecisionTreeClassifier(max_depth=2)),
        student_of(LogisticRegression(), inputs="network"),
    )
    np.testing.assert_allclose(tree.matrix(frame)[:, 0], frame["x0"])
    scaled = linear.matrix(frame)
    assert np.abs(scaled.mean(axis=0)).max() < 0.1
    assert linear.metrics.test_loss < 0.6


def test_soft_learners_get_the_distribution_itself() -> None:
    student = student_of(BoostedLogOdds(max_iter=20), alpha=0.0)
    assert is_classifier(student.estimator)
    assert student.metrics.test_loss < student.metrics_alone.test_loss


def test_without_probabilities_there_is_no_log_loss_and_it_is_said() -> None:
    student = student_of(LinearSVC(), inputs="network")
    assert math.isnan(student.metrics.test_loss)
    assert student.metrics.test_metric_value > 0.6
    assert student.gain is None
    assert any("LinearSVC gives no probabilities" in note for note in student.notes)
    assert student.predicted(noisy_table()).unwrap().columns == ["prediction"]


def test_the_same_seed_gives_the_same_student() -> None:
    first, second = (student_of(DecisionTreeClassifier(max_features=2)) for _ in range(2))
    frame = noisy_table()
    assert first.predicted(frame).unwrap().equals(second.predicted(frame).unwrap())


@dataclass
class Watched:
    """Counts the fits that a teacher begins."""

    stages: list[str] = field(default_factory=list)

    def start(self, epochs: int, steps_per_epoch: int) -> None: ...

    def step(self) -> None: ...

    def epoch(self, record: EpochRecord) -> None: ...

    def finish(self) -> None: ...

    def remark(self, sentence: str) -> None: ...

    def stage(self, name: str, detail: str = "") -> None:
        self.stages.append(name)


def test_an_estimator_without_weights_is_refused_before_a_teacher_is_fitted() -> None:
    heard = Watched()
    distill_to_estimator(
        noisy_table(), "forest", DecisionTreeClassifier(), CONFIG, device="cpu", progress=heard
    ).unwrap()
    assert heard.stages
    watched = Watched()
    issues = distill_to_estimator(
        noisy_table(), "forest", KNeighborsClassifier(), CONFIG, device="cpu", progress=watched
    ).failure()
    assert issues.every == (EstimatorWithoutWeights(estimator="KNeighborsClassifier"),)
    assert watched.stages == []


def test_every_mistake_is_reported_at_once() -> None:
    config = CONFIG.model_copy(update={"task": "classification"})
    issues = distill_to_estimator(
        noisy_table(), "forest", DecisionTreeRegressor(), config, alpha=1.5, device="cpu"
    ).failure()
    assert [type(issue) for issue in issues.every] == [AlphaOutOfRange, EstimatorTaskOther]


def test_a_regressor_decides_the_task_where_the_config_leaves_it_open() -> None:
    frame = noisy_table("regression").with_columns(y=pl.Series([1, 2, 3, 4, 5] * 100))
    student = distill_to_estimator(
        frame, "forest", DecisionTreeRegressor(max_depth=2), CONFIG, device="cpu"
    ).unwrap()
    assert student.metrics.task == "regression"
