"""The door to bundle files."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from returns.result import Success
from torch import nn

from bundle_strategies import classification_bundle, frame_for, logits_of, regression_bundle
from kdtab.bundle import to_record
from kdtab.errors.configs import DeviceUnusable
from kdtab.errors.raised import CorruptBundleError, DiskError, KdtabError, WrongTypeError
from kdtab.models.network import TabularNetwork
from kdtab.record import Provenance
from kdtab.serialization import load_bundle, read_bundle, save_bundle


@pytest.mark.requirement("REQ-T22", "REQ-T23")
def test_a_saved_bundle_comes_back_with_the_same_weights_and_answers(tmp_path: Path) -> None:
    bundle = classification_bundle()
    save_bundle(bundle, tmp_path / "m.kdtab")
    loaded = load_bundle(tmp_path / "m.kdtab")
    frame = frame_for(bundle)
    assert logits_of(loaded, frame).tobytes() == logits_of(bundle, frame).tobytes()
    assert loaded.fingerprint == bundle.fingerprint
    assert loaded.provenance == bundle.provenance
    assert loaded.schema == bundle.schema


@pytest.mark.requirement("INV-KD02", "INV-T02")
def test_a_loaded_network_is_in_eval_mode_though_it_was_saved_in_train_mode(
    tmp_path: Path,
) -> None:
    bundle = classification_bundle()
    bundle.model.train()
    save_bundle(bundle, tmp_path / "m.kdtab")
    assert all(module.training for module in bundle.model.modules())
    loaded = load_bundle(tmp_path / "m.kdtab")
    assert not any(module.training for module in loaded.model.modules())


def test_equal_bundles_are_equal_bytes_whatever_their_mode(tmp_path: Path) -> None:
    one, other = classification_bundle(), classification_bundle()
    other.model.train()
    save_bundle(one, tmp_path / "a")
    save_bundle(other, tmp_path / "b")
    save_bundle(load_bundle(tmp_path / "a"), tmp_path / "c")
    contents = {(tmp_path / name).read_bytes() for name in "abc"}
    assert len(contents) == 1


def test_a_bundle_is_known_by_its_content_and_not_by_its_suffix(tmp_path: Path) -> None:
    save_bundle(regression_bundle(), tmp_path / "model.csv")
    assert load_bundle(str(tmp_path / "model.csv")).task == "regression"


@pytest.mark.parametrize("place", [None, "cpu", torch.device("cpu")])
def test_a_bundle_is_loaded_to_the_device_asked_for(
    place: str | torch.device | None, tmp_path: Path
) -> None:
    save_bundle(regression_bundle(), tmp_path / "m.kdtab")
    loaded = load_bundle(tmp_path / "m.kdtab", map_location=place)
    assert {parameter.device.type for parameter in loaded.model.parameters()} == {"cpu"}


def test_a_device_that_is_none_is_refused_before_the_file_is_opened() -> None:
    with pytest.raises(KdtabError, match="torch knows no device of this name") as caught:
        load_bundle("no such file", map_location="banana")
    assert isinstance(caught.value.issues.first, DeviceUnusable)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_bundle_goes_to_cuda_and_back_without_a_changed_byte(tmp_path: Path) -> None:
    save_bundle(classification_bundle(), tmp_path / "a")
    loaded = load_bundle(tmp_path / "a", map_location="cuda")
    assert next(loaded.model.parameters()).is_cuda
    save_bundle(loaded, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_saving_over_a_bundle_replaces_it(tmp_path: Path) -> None:
    save_bundle(classification_bundle(), tmp_path / "m.kdtab")
    save_bundle(regression_bundle(), tmp_path / "m.kdtab")
    assert load_bundle(tmp_path / "m.kdtab").task == "regression"
    assert [path.name for path in tmp_path.iterdir()] == ["m.kdtab"]


def test_a_bundle_that_cannot_be_saved_leaves_the_older_file(tmp_path: Path) -> None:
    save_bundle(regression_bundle(), tmp_path / "m.kdtab")
    before = (tmp_path / "m.kdtab").read_bytes()
    odd = dataclasses.replace(regression_bundle(), input_dim=9)
    with pytest.raises(CorruptBundleError, match="the bundle contradicts itself"):
        save_bundle(odd, tmp_path / "m.kdtab")
    assert (tmp_path / "m.kdtab").read_bytes() == before


def test_a_foreign_network_is_the_wrong_type(tmp_path: Path) -> None:
    foreign = dataclasses.replace(regression_bundle(), model=nn.Linear(1, 1))
    with pytest.raises(TypeError, match="a network of type 'Linear' cannot be saved") as caught:
        save_bundle(foreign, tmp_path / "m.kdtab")
    assert isinstance(caught.value, WrongTypeError)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_a_refusal_of_the_disk_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="there is no folder"):
        save_bundle(regression_bundle(), tmp_path / "no" / "m.kdtab")


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="it is a folder"):
        save_bundle(regression_bundle(), tmp_path)


def test_read_bundle_gives_the_same_as_a_value(tmp_path: Path) -> None:
    save_bundle(regression_bundle(), tmp_path / "m.kdtab")
    result = read_bundle(tmp_path / "m.kdtab")
    assert isinstance(result, Success)
    assert result.unwrap().fingerprint == regression_bundle().fingerprint


@pytest.mark.requirement("REQ-KD25")
def test_every_weight_statistic_and_counter_is_stored(tmp_path: Path) -> None:
    bundle = classification_bundle()
    model = bundle.model
    assert isinstance(model, TabularNetwork)
    save_bundle(bundle, tmp_path / "m.kdtab")
    loaded = load_bundle(tmp_path / "m.kdtab").model.state_dict()
    assert loaded.keys() == model.state_dict().keys()
    assert loaded["blocks.0.norm.num_batches_tracked"].item() == 3
    assert loaded["blocks.0.norm.num_batches_tracked"].dtype == torch.int64


def test_provenance_of_any_kind_is_kept_and_changes_no_weight(tmp_path: Path) -> None:
    provenance = Provenance(task_reason="日本 \U0001f4a5 \x00", rows=7, notes=("a", "b"))
    bundle = dataclasses.replace(regression_bundle(), provenance=provenance)
    save_bundle(bundle, tmp_path / "m.kdtab")
    assert load_bundle(tmp_path / "m.kdtab").provenance == provenance
    assert bundle.fingerprint == regression_bundle().fingerprint


def test_a_bundle_can_be_saved_while_its_arrays_are_shared(tmp_path: Path) -> None:
    bundle = classification_bundle()
    before = to_record(bundle).unwrap()
    save_bundle(bundle, tmp_path / "m.kdtab")
    loaded = load_bundle(tmp_path / "m.kdtab")
    loaded.scaler.mean[:] = 0
    assert to_record(bundle).unwrap() == before
