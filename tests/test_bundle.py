"""Bundles in memory, and what becomes of them as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from torch import nn

from bundle_strategies import (
    bundles,
    classification_bundle,
    logits_of,
    regression_bundle,
    seeded_network,
)
from kdtab.bundle import Metrics, ModelBundle, from_record, to_record
from kdtab.config.networks import MlpSpec, TabResNetSpec
from kdtab.data.scale import Scaler, TargetScaler
from kdtab.data.target import LabelEncoder
from kdtab.errors.bundles import BundleContradiction, NetworkForeign
from kdtab.errors.issue import explain
from kdtab.models.network import TabularNetwork
from kdtab.record import BundleRecord, Provenance

CPU = torch.device("cpu")


def reasons(bundle: ModelBundle) -> list[str]:
    """Why the bundle cannot be saved."""
    issues = to_record(bundle).failure()
    return [issue.reason for issue in issues if isinstance(issue, BundleContradiction)]


@given(bundles())
def test_the_record_of_a_loaded_bundle_is_the_record_it_was_loaded_from(
    bundle: ModelBundle,
) -> None:
    record = to_record(bundle).unwrap()
    assert to_record(from_record(record, CPU).unwrap()).unwrap() == record


@given(bundles())
def test_the_fingerprint_tells_nothing_of_provenance_mode_and_schema(bundle: ModelBundle) -> None:
    other = dataclasses.replace(bundle, provenance=Provenance(rows=7), target_column="other")
    other.model.train(not bundle.model.training)
    assert other.fingerprint == bundle.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        lambda bundle: {"scaler": dataclasses.replace(bundle.scaler, clip=9.0)},
        lambda bundle: {"feature_medians": None},
        lambda bundle: {"feature_medians": bundle.feature_medians + 1e-12},
        lambda bundle: {"label_encoder": LabelEncoder(("yes", "no"))},
        lambda bundle: {"target_scaler": TargetScaler(0.0, 1.0)},
        lambda bundle: {"vectorizer": dataclasses.replace(bundle.vectorizer, missing_markers=())},
        lambda bundle: {"model": seeded_network(bundle.model.spec, seed=4)},
    ],
)
def test_the_fingerprint_tells_of_every_weight_and_artifact(
    change: Callable[[ModelBundle], dict[str, object]],
) -> None:
    bundle = classification_bundle()
    other = dataclasses.replace(bundle, **change(bundle))  # type: ignore[arg-type]  # fields by name
    assert other.fingerprint != bundle.fingerprint


def test_a_fingerprint_is_the_same_on_every_machine() -> None:
    fingerprint = "ac9ba8a4a792828d724a5577b8b53bf1e3565626eb0fa5944d475ed43d82e601"
    assert regression_bundle().fingerprint == fingerprint


def test_a_bundle_of_a_foreign_module_still_has_fingerprint_and_parameter_count() -> None:
    foreign = dataclasses.replace(regression_bundle(), model=nn.Linear(3, 2).bfloat16())
    assert len(foreign.fingerprint) == 64
    assert foreign.parameter_count == 8


@pytest.mark.requirement("REQ-T16", "AC-T16")
def test_a_bundle_holds_the_very_artifacts_it_was_given() -> None:
    bundle = classification_bundle()
    artifacts = bundle.artifacts
    assert artifacts.vectorizer is bundle.vectorizer
    assert artifacts.scaler is bundle.scaler
    assert artifacts.feature_medians is bundle.feature_medians
    assert artifacts.label_encoder is bundle.label_encoder
    assert artifacts.target_scaler is bundle.target_scaler


def test_a_field_cannot_be_set_but_replaced() -> None:
    bundle = regression_bundle()
    with pytest.raises(dataclasses.FrozenInstanceError):
        bundle.target_column = "z"  # type: ignore[misc]  # what is shown to fail
    assert dataclasses.replace(bundle, target_column="z").target_column == "z"


@pytest.mark.requirement("EC-T03")
def test_nothing_is_validated_when_a_bundle_is_made() -> None:
    odd = dataclasses.replace(
        classification_bundle(), feature_medians=np.zeros(1), label_encoder=None
    )
    assert odd.label_encoder is None


def test_metrics_are_frozen_and_begin_with_the_five_of_the_seed() -> None:
    fields = [field.name for field in dataclasses.fields(Metrics)]
    assert fields[:5] == [
        "task",
        "train_loss",
        "test_loss",
        "test_metric_name",
        "test_metric_value",
    ]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Metrics("regression", 1.0, 1.0, "rmse", 1.0).task = "x"  # type: ignore[misc,assignment]  # what is shown to fail


@pytest.mark.parametrize("spec_type", [MlpSpec, TabResNetSpec])
def test_a_loaded_network_is_in_eval_mode_and_equal_to_the_bit(
    spec_type: type[MlpSpec] | type[TabResNetSpec],
) -> None:
    bundle = classification_bundle(spec_type)
    loaded = from_record(to_record(bundle).unwrap(), CPU).unwrap()
    assert not any(module.training for module in loaded.model.modules())
    for name, tensor in bundle.model.state_dict().items():
        assert loaded.model.state_dict()[name].dtype == tensor.dtype
        assert torch.equal(loaded.model.state_dict()[name], tensor)


def test_a_loaded_network_can_be_trained_on() -> None:
    loaded = from_record(to_record(classification_bundle()).unwrap(), CPU).unwrap()
    assert all(parameter.requires_grad for parameter in loaded.model.parameters())
    assert all(parameter.is_leaf for parameter in loaded.model.parameters())


def test_taking_a_record_changes_nothing_of_the_bundle() -> None:
    bundle = classification_bundle()
    bundle.model.train()
    weights = {name: tensor.clone() for name, tensor in bundle.model.state_dict().items()}
    to_record(bundle).unwrap()
    assert all(module.training for module in bundle.model.modules())
    assert all(
        torch.equal(weights[name], tensor) for name, tensor in bundle.model.state_dict().items()
    )


def test_a_record_does_not_change_with_the_network_it_came_from() -> None:
    bundle = classification_bundle()
    record = to_record(bundle).unwrap()
    before = {name: array.tobytes() for name, array in record.arrays.items()}
    with torch.no_grad():
        for parameter in bundle.model.parameters():
            parameter.add_(1)
    assert before == {name: array.tobytes() for name, array in record.arrays.items()}


def test_a_bundle_does_not_change_with_another_from_the_same_record() -> None:
    record = to_record(classification_bundle()).unwrap()
    one, other = (from_record(record, CPU).unwrap() for _ in range(2))
    fingerprint = other.fingerprint
    with torch.no_grad():
        for parameter in one.model.parameters():
            parameter.add_(1)
    one.scaler.mean[:] = 0
    assert other.fingerprint == fingerprint


def test_weights_that_lie_crosswise_in_memory_are_stored_in_order() -> None:
    bundle = regression_bundle()
    wide = classification_bundle()
    head = wide.model.state_dict()["head.weight"]
    wide.model.get_submodule("head").weight = nn.Parameter(head.clone().T.contiguous().T)
    record = to_record(wide).unwrap()
    assert record.arrays["weights/head.weight"].flags.c_contiguous
    assert record == to_record(classification_bundle()).unwrap()
    assert record != to_record(bundle).unwrap()


def test_an_absent_artifact_comes_back_as_absent() -> None:
    bare = dataclasses.replace(
        classification_bundle(), feature_medians=None, label_encoder=None, target_scaler=None
    )
    loaded = from_record(to_record(bare).unwrap(), CPU).unwrap()
    assert loaded.feature_medians is None
    assert loaded.label_encoder is None
    assert loaded.target_scaler is None


def test_a_regression_without_target_scaler_predicts_the_same_after_loading() -> None:
    bare = dataclasses.replace(regression_bundle(), target_scaler=None)
    loaded = from_record(to_record(bare).unwrap(), CPU).unwrap()
    frame = pl.DataFrame({"x": [1.0, 3.0, None]})
    assert logits_of(loaded, frame).tolist() == [[3.0], [4.0], [5.0]]


def test_only_networks_of_kdtab_can_be_saved_and_the_sentence_says_which() -> None:
    foreign = dataclasses.replace(regression_bundle(), model=nn.Sequential(nn.Linear(1, 1)))
    issue = to_record(foreign).failure().first
    assert isinstance(issue, NetworkForeign)
    assert explain(issue) == (
        "a bundle with a network of type 'Sequential' cannot be saved: kdtab stores no code, only "
        "its own networks ('MlpNetwork', 'TabResNetNetwork', 'LinearNetwork', "
        "'BatchEnsembleNetwork'); distil it into one of them"
    )


def test_a_network_derived_from_those_of_kdtab_is_foreign_too() -> None:
    class Mine(TabularNetwork):
        """Somebody's own forward."""

    model = regression_bundle().model
    assert isinstance(model, TabularNetwork)
    foreign = dataclasses.replace(regression_bundle(), model=Mine(model.spec))
    assert to_record(foreign).failure().first == NetworkForeign(
        found="Mine",
        known=("MlpNetwork", "TabResNetNetwork", "LinearNetwork", "BatchEnsembleNetwork"),
    )


def _wider(bundle: ModelBundle) -> None:
    bundle.model.head = nn.Linear(4, 3)


def _swapped(bundle: ModelBundle) -> None:
    first = next(m for m in bundle.model.modules() if isinstance(m, nn.ReLU))
    next(
        m for m in bundle.model.modules() if getattr(m, "activation", None) is first
    ).activation = nn.GELU()


def _dropped(bundle: ModelBundle) -> None:
    next(m for m in bundle.model.modules() if isinstance(m, nn.Dropout)).p = 0.9


@pytest.mark.parametrize(
    "mutate", [_wider, _swapped, _dropped, lambda bundle: bundle.model.double()]
)
def test_a_network_that_is_no_longer_what_its_spec_says_cannot_be_saved(
    mutate: Callable[[ModelBundle], None],
) -> None:
    bundle = classification_bundle()
    mutate(bundle)
    assert reasons(bundle) == [
        "its network was changed since it was built and is not what its spec says"
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"input_dim": 7}, ["input_dim and output_dim are 7 and 1, the network has 1 and 1"]),
        ({"class_names": ("a", "b")}, []),
        (
            {"feature_medians": np.zeros(3)},
            ["array 'impute/medians' is float64 [3], it must be float64 [1]"],
        ),
        (
            {"scaler": Scaler(np.zeros(1), np.zeros(1), 10.0)},
            ["array 'scale/scale' holds a scale that is not above 0"],
        ),
        (
            {"scaler": Scaler(np.zeros(1), np.ones(1), float("inf"))},
            ["ScaleStep.clip is refused ('Input should be a finite number')"],
        ),
        (
            {"target_scaler": TargetScaler(0.0, 0.0)},
            ["TargetScaling.scale is refused ('Input should be greater than 0')"],
        ),
        (
            {"task": "ranking"},
            [
                "TableManifest.task is refused (\"Input should be 'classification' or 'regression'\")"
            ],
        ),
        (
            {"provenance": Provenance().model_copy(update={"rows": -1})},
            [
                "TableManifest.provenance.rows is refused ('Input should be greater than or equal to 0')"
            ],
        ),
        (
            {"vectorizer": classification_bundle().vectorizer},
            ["its columns give 20 features, its network takes 1"],
        ),
    ],
)
def test_a_bundle_whose_parts_deny_each_other_cannot_be_saved(
    changes: dict[str, object], expected: list[str]
) -> None:
    bundle = dataclasses.replace(regression_bundle(), **changes)  # type: ignore[arg-type]  # wrong on purpose
    if expected:
        assert reasons(bundle) == expected
    else:
        to_record(bundle).unwrap()


def test_a_network_with_a_weight_that_is_not_finite_cannot_be_saved() -> None:
    bundle = regression_bundle()
    with torch.no_grad():
        bundle.model.state_dict()["head.bias"].fill_(float("nan"))
    assert reasons(bundle) == ["array 'weights/head.bias' holds NaN or infinity"]


def test_a_record_without_a_weight_makes_no_bundle_and_neither_does_one_too_many() -> None:
    record = to_record(regression_bundle()).unwrap()
    arrays = {name: array for name, array in record.arrays.items() if name != "weights/head.bias"}
    arrays["weights/tail.bias"] = np.zeros(1, np.float32)
    issues = from_record(BundleRecord(record.manifest, arrays), CPU).failure()
    assert [explain(issue) for issue in issues] == [
        "the bundle contradicts itself: array 'weights/head.bias' is missing",
        "the bundle contradicts itself: array 'weights/tail.bias' belongs to nothing",
    ]


def test_a_spec_of_any_size_is_refused_before_memory_is_taken_for_it() -> None:
    record = to_record(classification_bundle()).unwrap()
    spec = MlpSpec(
        input_dim=10_000_000, output_dim=2, hidden_dim=65_536, num_hidden_layers=64, dropout=0.1
    )
    huge = BundleRecord(record.manifest.model_copy(update={"network": spec}), record.arrays)
    issues = from_record(huge, CPU).failure()
    assert "weights/blocks.0.linear.weight" in " ".join(explain(issue) for issue in issues)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_bundle_on_cuda_is_stored_as_if_it_were_on_the_cpu() -> None:
    bundle = classification_bundle()
    record = to_record(bundle).unwrap()
    bundle.model.to("cuda")
    assert to_record(bundle).unwrap() == record
    assert next(bundle.model.parameters()).is_cuda
    loaded = from_record(record, torch.device("cuda")).unwrap()
    assert next(loaded.model.parameters()).is_cuda
    assert loaded.fingerprint == bundle.fingerprint
