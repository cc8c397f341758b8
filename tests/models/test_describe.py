from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from kdtab.config.networks import LinearSpec, MlpSpec, TabResNetSpec
from kdtab.models.build import build_model
from kdtab.models.describe import (
    StudentSize,
    model_dropout,
    model_hidden_dim,
    model_num_hidden_layers,
    parameter_count,
    student_defaults,
)

hidden_sizes = st.fixed_dictionaries(
    {
        "hidden_dim": st.integers(1, 64),
        "num_hidden_layers": st.integers(1, 4),
        "dropout": st.floats(0.0, 0.9),
    }
)


def described(model: nn.Module) -> tuple[int, int, float]:
    return model_hidden_dim(model), model_num_hidden_layers(model), model_dropout(model)


@given(chosen=hidden_sizes, kind=st.sampled_from([MlpSpec, TabResNetSpec]))
def test_a_network_of_ours_answers_from_its_spec(
    chosen: dict[str, float], kind: type[MlpSpec] | type[TabResNetSpec]
) -> None:
    spec = kind.model_validate({"input_dim": 2, "output_dim": 2, **chosen})
    expected = (spec.hidden_dim, spec.num_hidden_layers, spec.dropout)
    assert described(build_model(spec)) == expected


@pytest.mark.parametrize(
    "model",
    [
        nn.Identity(),
        nn.Linear(3, 2),
        nn.Sequential(nn.Linear(3, 2)),
        nn.Conv1d(1, 1, 1),
        build_model(LinearSpec(input_dim=3, output_dim=2)),
    ],
    ids=["nothing", "one linear", "one linear inside", "no linear", "linear_glm_baseline"],
)
def test_a_model_without_hidden_layers_has_the_default_sizes(model: nn.Module) -> None:
    assert described(model) == (128, 2, 0.1)


def test_a_module_of_another_make_is_looked_into() -> None:
    model = nn.Sequential(
        nn.Linear(5, 48), nn.ReLU(), nn.Dropout(0.3), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 2)
    )
    assert described(model) == (48, 2, 0.3)


@pytest.mark.requirement("REQ-KD15", "AC-KD15")
def test_a_student_of_a_teacher_with_128_units_has_64() -> None:
    teacher = build_model(
        MlpSpec(input_dim=3, output_dim=2, hidden_dim=128, num_hidden_layers=2, dropout=0.1)
    )
    assert student_defaults(teacher) == StudentSize(max(16, 64), 1, 0.1 + 0.05)


@pytest.mark.requirement("REQ-KD15")
@given(chosen=hidden_sizes)
def test_student_sizes_follow_from_those_of_the_teacher(chosen: dict[str, float]) -> None:
    spec = MlpSpec.model_validate({"input_dim": 2, "output_dim": 2, **chosen})
    hidden_dim, num_hidden_layers, dropout = student_defaults(build_model(spec))
    assert hidden_dim == max(16, spec.hidden_dim // 2)
    assert num_hidden_layers == max(1, spec.num_hidden_layers - 1)
    assert dropout == min(0.5, spec.dropout + 0.05)


def test_a_shared_weight_and_running_statistics_are_not_counted_twice_or_at_all() -> None:
    shared = nn.Linear(2, 2)
    assert parameter_count(nn.Sequential(shared, nn.BatchNorm1d(2), shared)) == 6 + 4
