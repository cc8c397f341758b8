from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.networks import LinearSpec, MlpSpec, NetworkSpec, TabResNetSpec, network_spec
from kdtab.config.training import TrainingMode
from kdtab.models.build import build_model
from kdtab.models.describe import parameter_count
from oracles import mlp_parameters_twin, tabresnet_parameters_twin

sizes = st.fixed_dictionaries(
    {
        "input_dim": st.integers(1, 9),
        "output_dim": st.integers(1, 5),
        "hidden_dim": st.integers(1, 12),
        "num_hidden_layers": st.integers(1, 4),
        "dropout": st.sampled_from([0.0, 0.1, 0.5]),
    }
)
specs: st.SearchStrategy[NetworkSpec] = st.one_of(
    sizes.map(lambda chosen: MlpSpec.model_validate(chosen)),
    sizes.map(lambda chosen: TabResNetSpec.model_validate(chosen)),
    st.builds(LinearSpec, input_dim=st.integers(1, 9), output_dim=st.integers(1, 5)),
)
SMALL = {
    "input_dim": 4,
    "output_dim": 3,
    "hidden_dim": 8,
    "num_hidden_layers": 2,
    "dropout": 0.1,
}


@given(spec=specs, rows=st.integers(2, 6))
def test_a_network_maps_rows_to_outputs_and_knows_its_spec(spec: NetworkSpec, rows: int) -> None:
    network = build_model(spec)
    assert network.training
    assert network(torch.zeros(rows, spec.input_dim)).shape == (rows, spec.output_dim)
    assert network.spec == spec


@given(spec=specs)
def test_in_eval_mode_one_row_and_no_row_are_answered(spec: NetworkSpec) -> None:
    network = build_model(spec).eval()
    assert network(torch.zeros(1, spec.input_dim)).shape == (1, spec.output_dim)
    assert network(torch.zeros(0, spec.input_dim)).shape == (0, spec.output_dim)


@given(spec=specs)
def test_an_equal_network_takes_the_weights(spec: NetworkSpec) -> None:
    one, other = build_model(spec).eval(), build_model(spec).eval()
    other.load_state_dict(one.state_dict())
    inputs = torch.linspace(-1, 1, 3 * spec.input_dim).reshape(3, spec.input_dim)
    assert torch.equal(one(inputs), other(inputs))


@given(chosen=sizes)
def test_the_parameters_of_an_mlp_are_those_of_its_formula(chosen: dict[str, int]) -> None:
    spec = MlpSpec.model_validate(chosen)
    d, c, h, layers = spec.input_dim, spec.output_dim, spec.hidden_dim, spec.num_hidden_layers
    closed = d * h + h + (layers - 1) * (h * h + h) + 2 * layers * h + h * c + c
    assert parameter_count(build_model(spec)) == closed == mlp_parameters_twin(d, c, h, layers)


@given(chosen=sizes)
def test_the_parameters_of_a_tabresnet_are_those_of_its_formula(chosen: dict[str, int]) -> None:
    spec = TabResNetSpec.model_validate(chosen)
    d, c, h, blocks = spec.input_dim, spec.output_dim, spec.hidden_dim, spec.num_hidden_layers
    closed = d * h + h + blocks * (2 * h * h + 4 * h) + 2 * h + h * c + c
    assert parameter_count(build_model(spec)) == closed
    assert closed == tabresnet_parameters_twin(d, c, h, blocks)


def test_a_linear_network_has_one_weight_for_each_input_and_output_and_one_bias() -> None:
    assert parameter_count(build_model(LinearSpec(input_dim=5, output_dim=3))) == 5 * 3 + 3


@pytest.mark.requirement("REQ-KD15", "REQ-T08")
@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("mlp_dense", "MlpNetwork"),
        ("imbalance_aware", "MlpNetwork"),
        ("calibrated_classifier", "MlpNetwork"),
        ("tree_teacher_distillation", "MlpNetwork"),
        ("tabresnet", "TabResNetNetwork"),
        ("linear_glm_baseline", "LinearNetwork"),
    ],
)
def test_every_training_mode_has_its_network(mode: TrainingMode, name: str) -> None:
    spec = network_spec(
        mode, input_dim=4, output_dim=3, hidden_dim=8, num_hidden_layers=2, dropout=0.1
    )
    assert type(build_model(spec)).__name__ == name


def test_names_of_weights_are_part_of_the_file_format() -> None:
    assert list(build_model(LinearSpec(input_dim=1, output_dim=1)).state_dict()) == [
        "head.weight",
        "head.bias",
    ]
    mlp = build_model(MlpSpec.model_validate(SMALL)).state_dict()
    assert [name for name in mlp if name.startswith("blocks.1.")] == [
        "blocks.1.linear.weight",
        "blocks.1.linear.bias",
        "blocks.1.norm.weight",
        "blocks.1.norm.bias",
        "blocks.1.norm.running_mean",
        "blocks.1.norm.running_var",
        "blocks.1.norm.num_batches_tracked",
    ]
    resnet = build_model(TabResNetSpec.model_validate(SMALL)).state_dict()
    assert {name.split(".")[-2] for name in resnet} == {"stem", "norm", "inner", "outer", "head"}


def test_weights_come_from_the_global_generator() -> None:
    spec = MlpSpec.model_validate(SMALL)
    before = torch.get_rng_state()
    first = build_model(spec).state_dict()
    torch.set_rng_state(before)
    second = build_model(spec).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
