"""What distillation takes from a teacher, and that it leaves no trace on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from clients import (
    DATES,
    client_frame,
    clients,
    config_for,
    own_teacher,
    teacher_of,
    write_clients,
    write_rows,
)
from kdtab.bundle import ModelBundle
from kdtab.data.prepare import prepare_table
from kdtab.data.target import LabelEncoder
from kdtab.shell import assemble
from kdtab.shell.fit import FitRows, fit_network
from kdtab.trainer import distill_model_from_file, predict_rows
from spies import record_calls_everywhere, watched_training, weights

FITTING = (
    "fit_columns",
    "fit_artifacts",
    "fit_scaler",
    "fit_target_scaler",
    "fit_label_encoder",
    "fit_medians",
    "feature_medians",
    "prepare_table",
)


def distil(folder: Path, teacher: ModelBundle, **arguments: object) -> ModelBundle:
    """One student of the clients."""
    path = write_clients(folder, teacher.task)
    student, _ = distill_model_from_file(
        path,
        config_for(teacher.task),
        teacher_bundle=teacher,
        device="cpu",
        **arguments,  # type: ignore[arg-type]  # by name
    )
    return student


def modes(network: nn.Module) -> dict[str, bool]:
    return {name: module.training for name, module in network.named_modules()}


@pytest.mark.requirement("REQ-KD16", "AC-KD16")
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_the_teacher_speaks_in_eval_mode_without_gradients(tmp_path: Path, mode: str) -> None:
    teacher = own_teacher()
    teacher.model.train(mode == "train")
    spoken: list[tuple[bool, bool, int]] = []

    def on_forward(module: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        trains = any(part.training for part in module.modules())
        spoken.append((trains, torch.is_grad_enabled() or outputs.requires_grad, len(inputs[0])))

    teacher.model.register_forward_hook(on_forward)
    distil(tmp_path, teacher)
    assert spoken
    assert {(trains, graded) for trains, graded, _ in spoken} == {(False, False)}
    assert sum(rows for _, _, rows in spoken) == 64


@pytest.mark.requirement("INV-KD01", "REQ-KD16")
@pytest.mark.parametrize("mode", ["eval", "train", "mixed"])
@pytest.mark.parametrize("fails", [False, True])
def test_the_teacher_is_left_as_it_was(tmp_path: Path, mode: str, fails: bool) -> None:
    teacher = own_teacher()
    teacher.model.train(mode == "train")
    if mode == "mixed":
        list(teacher.model.modules())[-2].train()
    first, *_ = teacher.model.parameters()
    first.requires_grad_(False)
    values = {field.name: getattr(teacher, field.name) for field in fields(teacher)}
    before = (
        weights(teacher.model),
        modes(teacher.model),
        [parameter.requires_grad for parameter in teacher.model.parameters()],
        [id(parameter) for parameter in teacher.model.parameters()],
        set(vars(teacher.model)),
        teacher.fingerprint,
    )
    if fails:
        with pytest.raises(ValueError, match="update_steps == 0"):
            distill_model_from_file(
                write_clients(tmp_path), config_for(batch_size=1), teacher_bundle=teacher
            )
    else:
        distil(tmp_path, teacher)
    assert before == (
        weights(teacher.model),
        modes(teacher.model),
        [parameter.requires_grad for parameter in teacher.model.parameters()],
        [id(parameter) for parameter in teacher.model.parameters()],
        set(vars(teacher.model)),
        teacher.fingerprint,
    )
    assert all(parameter.grad is None for parameter in teacher.model.parameters())
    assert all(getattr(teacher, name) is value for name, value in values.items())


@pytest.mark.requirement("INV-KD01")
def test_a_teacher_in_train_mode_gives_the_same_student(tmp_path: Path) -> None:
    awake = own_teacher()
    awake.model.train()
    assert weights(distil(tmp_path, awake).model) == weights(distil(tmp_path, teacher_of()).model)


@pytest.mark.requirement("REQ-KD11", "AC-KD11", "INV-KD03")
def test_nothing_is_fitted_but_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    teachers = [teacher_of(), teacher_of("regression")]
    calls = {name: record_calls_everywhere(monkeypatch, name) for name in FITTING}
    for teacher in teachers:
        distil(tmp_path, teacher)
    assert not any(calls.values())
    prepare_table(client_frame(), config_for(), DATES)
    assert calls["fit_columns"]
    assert calls["fit_artifacts"]


@pytest.mark.requirement("REQ-KD11", "AC-KD11")
def test_other_statistics_of_the_table_do_not_change_the_encoding(tmp_path: Path) -> None:
    shifted = [row | {"spent": str(1000 + 7 * at)} for at, row in enumerate(clients())]
    with watched_training() as seen:
        distill_model_from_file(
            write_rows(tmp_path / "t.csv", shifted),
            config_for(epochs=1),
            teacher_bundle=teacher_of(),
        )
    at = teacher_of().vectorizer.feature_names.index("spent")
    inputs = torch.cat(seen.inputs)[:, at]
    assert inputs.min().item() == inputs.max().item() == teacher_of().scaler.clip


@pytest.mark.requirement("REQ-KD25", "AC-KD25", "INV-KD03")
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_student_holds_the_teachers_very_objects(tmp_path: Path, task: str) -> None:
    teacher = teacher_of(task)
    student = distil(tmp_path, teacher)
    assert student.vectorizer is teacher.vectorizer
    assert student.scaler is teacher.scaler
    assert student.label_encoder is teacher.label_encoder
    assert student.target_scaler is teacher.target_scaler
    assert student.class_names == teacher.class_names
    assert (student.scaler is not None, student.vectorizer is not None) == (True, True)


@pytest.mark.requirement("REQ-KD26", "AC-KD26")
def test_the_students_medians_are_the_teachers(tmp_path: Path) -> None:
    medians = np.arange(teacher_of().input_dim, dtype=np.float64) + 0.125
    teacher = replace(teacher_of(), feature_medians=medians)
    student = distil(tmp_path, teacher)
    assert student.feature_medians is not None
    assert student.feature_medians.tolist() == medians.tolist()


@pytest.mark.requirement("REQ-KD26")
def test_a_teacher_without_medians_leaves_them_to_the_training_rows(tmp_path: Path) -> None:
    student = distil(tmp_path, replace(teacher_of(), feature_medians=None))
    split = prepare_table(client_frame(), config_for(), DATES).unwrap().split
    ages = [float(clients()[at]["age"] or "nan") for at in split.training]
    assert student.feature_medians is not None
    assert student.feature_medians[student.vectorizer.feature_names.index("age")] == np.nanmedian(
        ages
    )
    assert student.feature_medians.tolist() == pytest.approx(teacher_of().feature_medians)


@pytest.mark.requirement("REQ-KD12")
def test_labels_go_through_the_teachers_encoder(tmp_path: Path) -> None:
    """A teacher whose classes stand in another order gives targets in that order."""
    turned = replace(
        teacher_of(), label_encoder=LabelEncoder(("yes", "no")), class_names=("yes", "no")
    )
    path = write_clients(tmp_path)
    config = config_for(epochs=60, learning_rate=0.02)
    student, metrics = distill_model_from_file(path, config, teacher_bundle=turned, alpha=1.0)
    assert student.class_names == ("yes", "no")
    said = predict_rows(student, clients())
    right = [label == row["bought"] for label, row in zip(said, clients(), strict=True)]
    assert np.mean(right) > 0.9
    assert metrics.test_metric_value > 0.6


@pytest.fixture
def fitted_rows(monkeypatch: pytest.MonkeyPatch) -> list[FitRows]:
    """The training rows of every network that is fitted."""
    seen: list[FitRows] = []

    def on_fit(
        spec: object, task: object, training: FitRows, *rest: object, **more: object
    ) -> object:
        seen.append(training)
        return fit_network(spec, task, training, *rest, **more)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(assemble, "fit_network", on_fit)
    return seen


@pytest.mark.requirement("REQ-KD13")
@pytest.mark.parametrize("scaled", [True, False])
def test_targets_have_the_scale_that_the_teacher_gives_them(
    tmp_path: Path, scaled: bool, fitted_rows: list[FitRows]
) -> None:
    teacher = teacher_of("regression")
    scaler = teacher.target_scaler
    student = distil(tmp_path, teacher if scaled else replace(teacher, target_scaler=None))
    split = (
        prepare_table(client_frame("regression"), config_for("regression"), DATES).unwrap().split
    )
    prices = np.array([float(clients()[at]["price"]) for at in split.training])
    assert scaler is not None
    expected = (prices - scaler.mean) / scaler.scale if scaled else prices
    (rows,) = fitted_rows
    assert rows.targets.shape == (64, 1)
    np.testing.assert_allclose(rows.targets[:, 0], expected, rtol=1e-6, atol=1e-6)
    assert student.target_scaler is (scaler if scaled else None)


@pytest.mark.requirement("EC-KD02")
@pytest.mark.parametrize("knobs", [{"alpha": 1.0}, {"alpha": 1.0, "temperature": 7.0}])
def test_at_alpha_one_another_teacher_of_the_same_make_changes_no_bit(
    tmp_path: Path, knobs: Mapping[str, float]
) -> None:
    other = own_teacher()
    with torch.no_grad():
        for parameter in other.model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 5)
    assert weights(distil(tmp_path, other, **knobs).model) == weights(
        distil(tmp_path, teacher_of(), alpha=1.0).model
    )
    assert weights(distil(tmp_path, other).model) != weights(distil(tmp_path, teacher_of()).model)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_teacher_that_says_no_number_is_an_error(tmp_path: Path, value: float) -> None:
    broken = own_teacher()
    with torch.no_grad():
        list(broken.model.parameters())[-1].fill_(value)
    with pytest.raises(ValueError, match="64 of 64 rows are not finite"):
        distil(tmp_path, broken)


def test_a_teacher_of_other_outputs_is_an_error(tmp_path: Path) -> None:
    wide = replace(own_teacher(), model=nn.Linear(teacher_of().input_dim, 3))
    with pytest.raises(ValueError, match="unusable outputs"):
        distil(tmp_path, wide)
