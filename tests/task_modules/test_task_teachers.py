"""Whatever may be given as a teacher, and what is refused with the way out."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import kdtab
from clients import client_frame, own_teacher
from kdtab.data.artifacts import encode_features
from kdtab.errors.extras import ExtraMissing
from kdtab.errors.raised import KdtabError
from kdtab.errors.taskteachers import TeacherNotCreated, TeacherWeightsForeign, TeacherWeightsUnfit
from kdtab.task_modules import DistillationTeacher, FeatureDistillationTask, LogitDistillationTask
from task_modules.networks import Image, tabular

PICTURES = torch.linspace(-1, 1, 2 * 3 * 4 * 4).reshape(2, 3, 4, 4)


def test_a_bundle_teaches_from_memory_and_from_its_file(tmp_path: Path) -> None:
    bundle = own_teacher()
    kdtab.save_bundle(bundle, tmp_path / "teacher.kdtab")
    rows = torch.from_numpy(encode_features(client_frame(), bundle.artifacts))
    expected = bundle.model(rows)
    student = tabular(4, inputs=bundle.input_dim, classes=2)
    for given in (bundle, tmp_path / "teacher.kdtab", str(tmp_path / "teacher.kdtab")):
        task = LogitDistillationTask(student, given)
        torch.testing.assert_close(task.teacher(rows), expected)
        assert torch.equal(task.seen_by_teacher(rows), rows)


def test_a_bundle_sees_rows_of_another_scaler_as_its_own() -> None:
    bundle = own_teacher()
    rows = torch.from_numpy(encode_features(client_frame(), bundle.artifacts))
    scaler = bundle.scaler
    mean, scale = scaler.mean + 3.0, scaler.scale * 2.0
    own = (rows.double() * torch.from_numpy(scaler.scale) + torch.from_numpy(scaler.mean)
           - torch.from_numpy(mean)) / torch.from_numpy(scale)  # fmt: skip
    student = tabular(4, inputs=bundle.input_dim, classes=2)
    task = LogitDistillationTask(student, bundle, student_scaler=(mean, scale))
    torch.testing.assert_close(task.seen_by_teacher(own).float(), rows, rtol=1e-5, atol=1e-5)
    assert task.teacher.mean_kd.shape == (1, bundle.input_dim)


def test_features_of_a_bundle_are_those_before_its_head() -> None:
    bundle = own_teacher()
    rows = torch.from_numpy(encode_features(client_frame(), bundle.artifacts))
    task = FeatureDistillationTask(tabular(4, inputs=bundle.input_dim, classes=2), bundle)
    features = task.teacher(rows, return_features=True)
    assert features.shape == (len(rows), 16)
    head = bundle.model.get_submodule("head")
    torch.testing.assert_close(head(features), bundle.model(rows))


def test_a_missing_bundle_is_a_missing_file() -> None:
    with pytest.raises(FileNotFoundError, match="no bundle at"):
        DistillationTeacher("no such.kdtab")
    with pytest.raises(FileNotFoundError, match="no bundle at"):
        DistillationTeacher(Path("folder") / "no such")


def test_a_name_alone_is_told_that_nothing_is_downloaded() -> None:
    student = Image(4)
    for make in (LogitDistillationTask, FeatureDistillationTask):
        with pytest.raises(KdtabError, match="downloads nothing: give teacher_pretrained_path"):
            make(student, "resnet50")


def test_without_timm_a_name_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ImportError, match=r"pip install 'kdtab\[timm\]'") as caught:
        LogitDistillationTask(Image(4), "resnet50", teacher_pretrained_path=tmp_path / "w")
    assert isinstance(caught.value, KdtabError)
    assert isinstance(caught.value.issues.first, ExtraMissing)


class Registry(ModuleType):
    """What kdtab asks of timm, and how it was asked."""

    def __init__(self) -> None:
        super().__init__("timm")
        self.asked: list[tuple[str, bool, dict[str, int]]] = []

    def create_model(self, model_name: str, pretrained: bool = False, **sizes: int) -> nn.Module:
        self.asked.append((model_name, pretrained, sizes))
        if model_name != "image":
            raise RuntimeError(f"Unknown model ({model_name})")
        torch.rand(7)
        return Image(5, sizes.get("num_classes", 1000))


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> Registry:
    registry = Registry()
    registry.__spec__ = sys.__spec__
    monkeypatch.setitem(sys.modules, "timm", registry)
    return registry


class Named(Image):
    """A student with the two attributes that timm's models have."""

    num_classes = 3
    in_chans = 3


def test_a_name_with_weights_is_created_without_a_download(timm: Registry, tmp_path: Path) -> None:
    model, student = Image(5).eval(), Named(4)
    save_file(model.state_dict(), tmp_path / "image.safetensors")
    torch.manual_seed(1)
    expected_draw = torch.rand(2)
    torch.manual_seed(1)
    task = LogitDistillationTask(
        student, "image", teacher_pretrained_path=tmp_path / "image.safetensors"
    )
    assert torch.equal(torch.rand(2), expected_draw)
    assert timm.asked == [("image", False, {"num_classes": 3, "in_chans": 3})]
    torch.testing.assert_close(task.teacher(PICTURES), model(PICTURES))


@pytest.mark.parametrize("name", ["imagge", "hf-hub:timm/resnet50", "local-dir:here"])
def test_a_name_that_timm_does_not_create(timm: Registry, tmp_path: Path, name: str) -> None:
    save_file(Image(5).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(KdtabError) as caught:
        DistillationTeacher(name, pretrained_path=tmp_path / "w.safetensors")
    assert isinstance(caught.value.issues.first, TeacherNotCreated)
    assert [asked[0] for asked in timm.asked] == ([name] if ":" not in name else [])


def test_weights_of_another_model_are_refused_by_name(timm: Registry, tmp_path: Path) -> None:
    save_file(Image(5, classes=4).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(KdtabError, match="check the name, num_classes and in_chans") as caught:
        DistillationTeacher("image", 3, pretrained_path=tmp_path / "w.safetensors")
    found = caught.value.issues.first
    assert isinstance(found, TeacherWeightsUnfit)
    assert found.names == ("classifier.1.bias", "classifier.1.weight")


def test_a_pickle_of_weights_is_never_opened(timm: Registry, tmp_path: Path) -> None:
    torch.save(Image(5).state_dict(), tmp_path / "w.pth")
    with pytest.raises(KdtabError, match="write it anew with safetensors") as caught:
        DistillationTeacher("image", 3, pretrained_path=tmp_path / "w.pth")
    assert isinstance(caught.value.issues.first, TeacherWeightsForeign)


@pytest.mark.parametrize("given", [7, None, ["resnet50"], Image])
def test_anything_else_is_a_type_error_that_says_what_is_taken(given: object) -> None:
    with pytest.raises(TypeError, match="the name of a timm model"):
        DistillationTeacher(given)  # type: ignore[arg-type]  # the mistake


def test_a_lazy_teacher_that_never_ran_is_refused() -> None:
    with pytest.raises(KdtabError, match="lazy"):
        DistillationTeacher(nn.LazyLinear(3))
