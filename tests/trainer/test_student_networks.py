"""The network of a distilled student: its make and its sizes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from clients import (
    config_for,
    own_teacher,
    teacher_of,
    write_clients,
)
from kdtab.bundle import Metrics, ModelBundle
from kdtab.models.network import TabularNetwork
from kdtab.trainer import distill_model_from_file, train_model_from_file


def distil(
    folder: Path,
    teacher: ModelBundle | None = None,
    /,
    *,
    hidden: int | None = None,
    layers: int | None = None,
    dropout: float | None = None,
    alpha: float = 0.5,
    **changes: object,
) -> tuple[ModelBundle, Metrics]:
    """One student of the clients, by default of the shared teacher."""
    chosen = teacher or teacher_of()
    return distill_model_from_file(
        write_clients(folder, chosen.task),
        config_for(chosen.task, **changes),
        teacher_bundle=chosen,
        device="cpu",
        alpha=alpha,
        student_hidden_dim=hidden,
        student_num_hidden_layers=layers,
        student_dropout=dropout,
    )


def spec_of(bundle: ModelBundle) -> tuple[object, ...]:
    assert isinstance(bundle.model, TabularNetwork)
    spec = bundle.model.spec
    assert spec.kind != "linear"
    return spec.kind, spec.hidden_dim, spec.num_hidden_layers, spec.dropout


@pytest.mark.requirement("REQ-KD15", "AC-KD15")
def test_a_student_is_half_as_wide_and_one_layer_less_deep(tmp_path: Path) -> None:
    path = write_clients(tmp_path)
    teacher, _ = train_model_from_file(
        path, config_for(epochs=1, hidden_dim=128, num_hidden_layers=3, dropout=0.25)
    )
    student, _ = distil(tmp_path, teacher, epochs=1)
    assert spec_of(student) == ("mlp", 64, 2, 0.25 + 0.05)


@pytest.mark.requirement("REQ-KD15")
def test_defaults_stop_at_sixteen_units_one_layer_and_half(tmp_path: Path) -> None:
    path = write_clients(tmp_path)
    teacher, _ = train_model_from_file(
        path, config_for(epochs=1, hidden_dim=8, num_hidden_layers=1, dropout=0.48)
    )
    student, _ = distil(tmp_path, teacher, epochs=1)
    assert spec_of(student) == ("mlp", 16, 1, 0.5)


@pytest.mark.requirement("REQ-KD15")
def test_given_sizes_are_taken_dropout_zero_too(tmp_path: Path) -> None:
    student, _ = distil(
        tmp_path, hidden=5, layers=3, dropout=0.0, epochs=1, training_mode="tabresnet"
    )
    assert spec_of(student) == ("tabresnet", 5, 3, 0.0)


@pytest.mark.requirement("REQ-KD15")
@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("mlp_dense", "mlp"),
        ("imbalance_aware", "mlp"),
        ("calibrated_classifier", "mlp"),
        ("tree_teacher_distillation", "mlp"),
        ("tabresnet", "tabresnet"),
        ("linear_glm_baseline", "linear"),
    ],
)
def test_the_configs_mode_decides_the_students_network(
    tmp_path: Path, mode: str, kind: str
) -> None:
    student, _ = distil(tmp_path, epochs=1, training_mode=mode)
    assert isinstance(student.model, TabularNetwork)
    assert student.model.spec.kind == kind


@pytest.mark.requirement("REQ-KD15")
def test_a_teacher_of_unknown_make_gives_the_default_sizes(tmp_path: Path) -> None:
    teacher = own_teacher()
    foreign = replace(teacher, model=nn.Linear(teacher.input_dim, 2).eval())
    student, _ = distil(tmp_path, foreign, epochs=1)
    assert spec_of(student) == ("mlp", 64, 1, 0.1 + 0.05)
