"""Many students of one teacher in one pass, against the same students distilled alone."""

from __future__ import annotations

import polars as pl
import pytest
import torch
from torch import nn

from clients import DATES, client_frame, config_for, teacher_of
from kdtab.config.base import revise
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.config.variants import StudentVariant, variant_grid
from kdtab.data.arrays import Float32Array
from kdtab.data.fingerprint import table_fingerprint
from kdtab.errors.configs import FieldInvalid
from kdtab.errors.teachers import TaskMismatch
from kdtab.errors.training import LossNotFinite
from kdtab.recipes.distill import distill_student
from kdtab.recipes.students import DistilledStudents, distill_many
from kdtab.shell.infer import network_outputs
from kdtab.shell.trained import TrainedModel
from kdtab.teachers import instruction

COLUMNS = ColumnOptions(date_columns=DATES.date_columns)
GRID = (
    StudentVariant(alpha=0.3, temperature=1.0),
    StudentVariant(alpha=0.7, learning_rate=0.01),
    StudentVariant(alpha=1.0),
)


def run_for(task: str = "classification", **changes: object) -> TrainingConfig:
    return config_for(task, **{"validation_size": 0.25, "epochs": 4, **changes})


def searched(
    config: TrainingConfig,
    variants: tuple[StudentVariant, ...] = GRID,
    task: str = "classification",
    *,
    scratch: bool = False,
) -> DistilledStudents:
    return distill_many(
        client_frame(task),
        teacher_of(task),
        config,
        variants,
        columns=COLUMNS,
        device="cpu",
        scratch=scratch,
    ).unwrap()


def alone(config: TrainingConfig, variant: StudentVariant, task: str) -> TrainedModel:
    changes = variant.changes
    rate = {name: changes.pop(name) for name in ("learning_rate",) if name in changes}
    return distill_student(
        client_frame(task),
        teacher_of(task),
        revise(config, **rate).unwrap(),
        DistillConfig.model_validate(changes),
        columns=COLUMNS,
        device="cpu",
    ).unwrap()


def assert_same(one: TrainedModel, other: TrainedModel) -> None:
    assert one.metrics.test_loss == pytest.approx(other.metrics.test_loss, rel=1e-4)
    losses = [model.metrics.validation_loss for model in (one, other)]
    assert losses[0] == (None if losses[1] is None else pytest.approx(losses[1], rel=1e-4))
    assert one.metrics.test_metric_value == pytest.approx(other.metrics.test_metric_value)
    mine, theirs = (model.bundle.provenance for model in (one, other))
    assert mine == theirs
    for left, right in zip(one.report.fitted.history, other.report.fitted.history, strict=True):
        assert left.terms == pytest.approx(right.terms, rel=1e-4)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_each_student_is_the_one_distilled_alone(task: str) -> None:
    config = run_for(task)
    found = searched(config, task=task)
    for one in found.every:
        assert_same(one.outcome.unwrap(), alone(config, one.variant, task))


def test_the_best_has_the_smallest_loss_on_the_validation_rows() -> None:
    found = searched(run_for())
    losses = [one.validation_loss for one in found.every]
    assert None not in losses
    assert found.best_place == losses.index(min(loss for loss in losses if loss is not None))
    assert found.best is found.every[found.best_place].outcome.unwrap()


def test_alpha_one_is_the_student_without_a_teacher_of_the_same_pass() -> None:
    found = searched(run_for(), scratch=True)
    assert found.scratch is not None
    last = found.every[-1].outcome.unwrap()
    for name, tensor in found.scratch.bundle.model.state_dict().items():
        assert torch.equal(tensor, last.bundle.model.state_dict()[name])
    evidence = found.best.report.evidence
    assert evidence is not None
    assert evidence.scratch is found.scratch
    assert found.scratch.bundle.provenance.distill_config is None


def test_the_table_is_encoded_and_the_teacher_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[nn.Module] = []

    def counted(model: nn.Module, inputs: Float32Array) -> Float32Array:
        asked.append(model)
        return network_outputs(model, inputs)

    monkeypatch.setattr("kdtab.teachers.instruction.network_outputs", counted)
    assert len(searched(run_for(epochs=1), variant_grid(alpha=(0.1, 0.5, 0.9))).every) == 3
    assert len(asked) == 1


def test_students_of_other_seeds_are_compared_on_the_same_rows() -> None:
    first, second = searched(run_for(), variant_grid(random_seed=(1, 2))).every
    one, other = first.outcome.unwrap(), second.outcome.unwrap()
    splits = [model.bundle.provenance.training_config for model in (one, other)]
    assert splits[0] == splits[1] == run_for()
    assert one.bundle.scaler is other.bundle.scaler
    assert one.report.fitted.history != other.report.fitted.history
    assert any("seed 1" in note for note in one.bundle.provenance.notes)


def test_a_fitted_teacher_gives_its_evidence_to_all() -> None:
    labels = LabelConfig(folds=3)
    found = distill_many(
        client_frame(), "boosted", run_for(), GRID, labels=labels, columns=COLUMNS, device="cpu"
    ).unwrap()
    shown = [one.outcome.unwrap().report.evidence for one in found.every]
    assert shown[0] is not None
    assert all(each is shown[0] for each in shown)
    assert found.best.bundle.provenance.teacher_kind == "boosted"
    lonely = distill_student(
        client_frame(),
        "boosted",
        run_for(),
        DistillConfig(alpha=0.3, temperature=1.0),
        labels=labels,
        columns=COLUMNS,
        device="cpu",
    ).unwrap()
    assert_same(found.every[0].outcome.unwrap(), lonely)


def test_a_student_that_diverges_is_no_reason_to_lose_the_others() -> None:
    found = distill_many(
        client_frame("regression"),
        teacher_of("regression"),
        run_for("regression"),
        (StudentVariant(learning_rate=1e38), StudentVariant(alpha=0.5)),
        columns=COLUMNS,
        device="cpu",
    ).unwrap()
    assert found.best_place == 1
    lost = found.every[0]
    assert lost.validation_loss is None
    assert isinstance(lost.outcome.failure().first, LossNotFinite)


def test_where_every_student_diverges_there_is_none() -> None:
    failed = distill_many(
        client_frame("regression"),
        teacher_of("regression"),
        run_for("regression"),
        variant_grid(learning_rate=(1e38, 2e38)),
        columns=COLUMNS,
        device="cpu",
    ).failure()
    assert {type(issue) for issue in failed.every} == {LossNotFinite}


@pytest.mark.parametrize(
    ("variants", "size", "name"), [(GRID, 0.0, "validation_size"), ((), 0.25, "variants")]
)
def test_a_choice_needs_students_and_rows_to_choose_on(
    variants: tuple[StudentVariant, ...], size: float, name: str
) -> None:
    (issue,) = distill_many(
        client_frame(), teacher_of(), run_for(validation_size=size), variants, device="cpu"
    ).failure()
    assert isinstance(issue, FieldInvalid)
    assert issue.name == name


def test_one_student_needs_no_validation_rows() -> None:
    config = run_for(validation_size=0.0)
    found = searched(config, (StudentVariant(alpha=0.3),))
    assert_same(found.best, alone(config, StudentVariant(alpha=0.3), "classification"))


def test_a_teacher_of_another_task_is_refused() -> None:
    failed = distill_many(
        client_frame("regression"),
        teacher_of(),
        revise(run_for("regression"), task="regression").unwrap(),
        GRID,
    ).failure()
    assert TaskMismatch(requested="regression", teacher="classification") in failed.every


def test_a_variant_keeps_the_bounds_of_the_configs() -> None:
    with pytest.raises(ValueError, match="alpha"):
        StudentVariant(alpha=1.5)
    assert variant_grid() == (StudentVariant(),)
    assert len(variant_grid(alpha=(0.1, 0.2), temperature=(1, 2, 3), random_seed=(1,))) == 6


def test_the_table_is_fingerprinted_once_for_all_students(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(frame: pl.DataFrame) -> str:
        asked.append(table_fingerprint(frame))
        return asked[-1]

    monkeypatch.setattr(instruction, "table_fingerprint", counted)
    found = searched(run_for(), scratch=True)
    assert found.scratch is not None
    models = [one.outcome.unwrap() for one in found.every] + [found.scratch]
    assert len(asked) == 1
    assert {model.bundle.provenance.table_fingerprint for model in models} == set(asked)
