"""Anything that a distillation task may be given as its teacher, as one frozen module."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import final

import torch
from returns.result import Success
from torch import Tensor, nn

from kdtab.bundle import ModelBundle, from_record
from kdtab.data.scale import Scaler
from kdtab.disk.bundles import read_record
from kdtab.disk.weightfiles import read_weights
from kdtab.errors.configs import ArgumentOfWrongType
from kdtab.errors.extras import ExtraMissing
from kdtab.errors.taskteachers import TeacherNotCreated, TeacherWeightsMissing, TeacherWeightsUnfit
from kdtab.models.frozen import frozen_view, unwrapped
from kdtab.models.normalization import IMAGENET, InputScaling, image_constants, input_scaling
from kdtab.results import Checked, fail
from kdtab.teachers.answers import reason_of

TAKEN = "a module, a DistillationTeacher, a kdtab bundle or its path, or the name of a timm model"
CPU = torch.device("cpu")
BUNDLE_SUFFIX = ".kdtab"
COUNTS_BATCHES = "num_batches_tracked"


@final
@dataclass(frozen=True, eq=False)
class TaskTeacher:
    """A frozen view of a model, and how it wants its inputs.

    Attributes:
        module: In eval mode, without gradients; the model that was given is not touched.
        scaling: How its inputs are scaled; ImageNet's constants where nothing says so.

    Example:
        >>> TaskTeacher(nn.Identity(), IMAGENET).scaling.axis
        'channels'
    """

    module: nn.Module
    scaling: InputScaling


@final
@dataclass(frozen=True)
class TimmModel:
    """A model that timm shall create, and the file of its weights.

    Attributes:
        name: As timm knows it.
        pretrained_path: A safetensors file.
        num_classes: Its outputs; None leaves them to timm.
        in_chans: Channels of its images.

    Example:
        >>> TimmModel("resnet18", None).in_chans
        3
    """

    name: str
    pretrained_path: str | os.PathLike[str] | None
    num_classes: int | None = None
    in_chans: int = 3


def task_teacher(
    teacher: object,
    *,
    num_classes: int | None = None,
    in_chans: int = 3,
    pretrained_path: str | os.PathLike[str] | None = None,
    scaler: object = None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> Checked[TaskTeacher]:
    """A frozen view of whatever was given as a teacher. Nothing is downloaded or unpickled.

    Args:
        teacher: A module; a `ModelBundle` or its path, whose own scaler counts; a timm model's
            name, with `pretrained_path`.
        num_classes: Outputs of a named model.
        in_chans: Channels of a named model.
        pretrained_path: Safetensors file of a named model.
        scaler: How the inputs are scaled, for `input_scaling`; None: the bundle's scaler, the
            `pretrained_cfg` of the module, ImageNet's constants.
        device: Where the view goes; None: it stays where the model is.
        dtype: Float type of the view; None: the model's.

    Returns:
        The teacher, or `ArgumentOfWrongType`, the issues of `read_record`, `read_weights`,
        `frozen_view` and `input_scaling`, `TeacherWeightsMissing`, `ExtraMissing`,
        `TeacherNotCreated`, `TeacherWeightsUnfit`.

    Example:
        >>> task_teacher("resnet50").failure().first.name
        'resnet50'
    """
    named = TimmModel(str(teacher), pretrained_path, num_classes, in_chans)
    if isinstance(teacher, os.PathLike) or (isinstance(teacher, str) and _is_path(named)):
        opened = read_record(teacher).bind(lambda record: from_record(record, CPU))
        return opened.bind(lambda bundle: _of_model(bundle, scaler, device, dtype))
    if isinstance(teacher, str):
        created = timm_model(named)
        return created.bind(lambda model: _of_model(model, scaler, device, dtype))
    if isinstance(teacher, nn.Module | ModelBundle):
        return _of_model(teacher, scaler, device, dtype)
    found = type(teacher).__name__
    return fail(ArgumentOfWrongType(name="the teacher", expected=TAKEN, found=found))


def timm_model(named: TimmModel) -> Checked[nn.Module]:
    """A model that timm creates, with the weights of a local file.

    torch's random state is afterwards what it was before.

    Args:
        named: Name, file and sizes.

    Returns:
        The model on the CPU, or `TeacherWeightsMissing`, `ExtraMissing`, `TeacherNotCreated`,
        `TeacherWeightsUnfit` and the issues of `read_weights`.

    Example:
        >>> timm_model(TimmModel("resnet18", None)).failure().first.name
        'resnet18'
    """
    path = named.pretrained_path
    if path is None:
        return fail(TeacherWeightsMissing(name=named.name))
    if find_spec("timm") is None:
        return fail(ExtraMissing(extra="timm", package="timm"))
    return read_weights(path).bind(
        lambda weights: _created(named).bind(
            lambda model: _loaded(model, weights, named.name, os.fspath(path))
        )
    )


def _is_path(named: TimmModel) -> bool:
    if named.pretrained_path is not None:
        return False
    path = Path(named.name)
    return path.suffix == BUNDLE_SUFFIX or os.sep in named.name or path.is_file()


def _created(named: TimmModel) -> Checked[nn.Module]:
    if ":" in named.name:
        reason = "a name with a source may ask for a download"
        return fail(TeacherNotCreated(name=named.name, reason=reason))
    sizes = {"num_classes": named.num_classes, "in_chans": named.in_chans}
    given = {name: size for name, size in sizes.items() if size is not None}
    try:
        import timm

        with torch.random.fork_rng(devices=[]):
            return Success(timm.create_model(named.name, pretrained=False, **given))
    except Exception as error:  # the import, and a thousand models with reasons of their own
        return fail(TeacherNotCreated(name=named.name, reason=reason_of(error)))


def _loaded(
    model: nn.Module, weights: Mapping[str, Tensor], name: str, path: str
) -> Checked[nn.Module]:
    own = model.state_dict()
    wanted = {key for key in own if not key.endswith(COUNTS_BATCHES)}
    wrong = (wanted - weights.keys()) | (weights.keys() - own.keys())
    wrong |= {key for key in weights.keys() & own.keys() if weights[key].shape != own[key].shape}
    if wrong:
        return fail(TeacherWeightsUnfit(name=name, path=path, names=tuple(sorted(wrong))))
    model.load_state_dict(weights, strict=False)
    return Success(model)


def _of_model(
    model: nn.Module | ModelBundle,
    scaler: object,
    device: torch.device | None,
    dtype: torch.dtype | None,
) -> Checked[TaskTeacher]:
    module = model.model if isinstance(model, ModelBundle) else model
    return frozen_view(module).bind(
        lambda view: _scaling(model, scaler).map(
            lambda scaling: TaskTeacher(view.to(device=device, dtype=dtype), scaling)
        )
    )


def _scaling(model: nn.Module | ModelBundle, scaler: object) -> Checked[InputScaling]:
    if scaler is not None:
        return input_scaling(scaler, "teacher")
    if isinstance(model, ModelBundle):
        known = isinstance(model.scaler, Scaler)
        return input_scaling(model.scaler, "teacher") if known else Success(IMAGENET)
    return image_constants(unwrapped(model), "teacher").map(lambda found: found or IMAGENET)
