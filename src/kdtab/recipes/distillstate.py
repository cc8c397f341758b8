"""Keep a model that is being taught in one file, and go on from it to the bit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.metadata import version

import numpy as np
import torch
from returns.result import Result, Success
from torch import Tensor, nn

from kdtab.config.lessons import LessonRecord, ModelManifest
from kdtab.disk.distillstate import StoredModel, StoredTensor, read_model, write_model
from kdtab.errors.base import quoted
from kdtab.errors.conversions import StateDiffers, StateUnsavable
from kdtab.models.disguise import unwrapped_model
from kdtab.models.weights import weights_fingerprint
from kdtab.results import Checked, check, collect, either, fail
from kdtab.tasks.carried import lesson_of
from kdtab.tasks.layers import LayerLesson

STUDENT = "student/"
TRAINED = "distillation/"
CODES: dict[torch.dtype, str] = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
DTYPES = {code: dtype for dtype, code in CODES.items()}


def saved_state(model: object, path: str | os.PathLike[str]) -> Checked[None]:
    """Write a model, and where its distillation stands if it is converted.

    Args:
        model: Any module, perhaps wrapped for data parallelism or compiled.
        path: Where; what is there already is replaced.

    Returns:
        None; or `StateUnsavable`, and what the disk refuses.

    Example:
        >>> saved_state(nn.ReLU(), "no such folder/a").failure().first.folder
        'no such folder'
    """
    inner = _module(model)
    lesson = _lesson(inner)
    parts = [(STUDENT, inner)] + ([(TRAINED, lesson.trained)] if lesson else [])
    tensors = collect(
        _stored(prefix + name, value)
        for prefix, module in parts
        for name, value in module.state_dict().items()
    )
    record = None if lesson is None else _record(lesson)
    manifest = ModelManifest(kdtab_version=version("kdtab"), lesson=record)
    return tensors.bind(lambda pairs: write_model(path, StoredModel(manifest, dict(pairs))))


def restored_state(model: nn.Module, path: str | os.PathLike[str]) -> Checked[nn.Module]:
    """Put a file's numbers into a model like the one that was saved.

    Args:
        model: Plain: gets the student's numbers. Converted: those of its distillation too.
        path: What `saved_state` wrote.

    Returns:
        The very model; or the issues of `read_model`, and `StateDiffers` for all that does not fit,
        with nothing changed.

    Example:
        >>> restored_state(nn.ReLU(), "no such file").failure().first
        FileMissing(path='no such file')
    """
    inner = _module(model)
    lesson = _lesson(inner)
    return Result.do(
        _loaded(model, inner, lesson, stored)
        for stored in read_model(path)
        for _ in _fits(os.fspath(path), inner, lesson, stored)
    )


def _module(model: object) -> nn.Module:
    inner = unwrapped_model(model)
    assert isinstance(inner, nn.Module), "a module is saved"
    return inner


def _lesson(model: nn.Module) -> LayerLesson | None:
    return either(lesson_of(model), lambda lesson: lesson, lambda _: None)


def _record(lesson: LayerLesson) -> LessonRecord:
    return LessonRecord(
        step=lesson.step,
        teacher_sha256=weights_fingerprint(lesson.teacher),
        pairs=tuple((*loss.names, loss.name) for loss in lesson.losses),
        balancer=None if lesson.balancer is None else type(lesson.balancer).__name__,
    )


def _stored(name: str, value: object) -> Checked[tuple[str, StoredTensor]]:
    if not isinstance(value, Tensor):
        return fail(StateUnsavable(name=name, reason=f"a {type(value).__name__} is no tensor"))
    if value.dtype not in CODES or value.layout is not torch.strided or value.is_quantized:
        kind = str(value.dtype).removeprefix("torch.")
        return fail(StateUnsavable(name=name, reason=f"it is {kind} in a layout of its own"))
    flat = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return Success(
        (name, StoredTensor(CODES[value.dtype], tuple(value.shape), flat.numpy().tobytes()))
    )


def _fits(
    path: str, model: nn.Module, lesson: LayerLesson | None, stored: StoredModel
) -> Checked[None]:
    forms = {name: (tensor.dtype, tensor.shape) for name, tensor in stored.tensors.items()}
    reasons = list(_tensor_problems(STUDENT, model, forms))
    if lesson is not None:
        reasons += _lesson_problems(_record(lesson), stored.manifest.lesson)
        reasons += _tensor_problems(TRAINED, lesson.trained, forms) if not reasons else ()
    return check(*(StateDiffers(path=path, reason=reason) for reason in reasons))


def _tensor_problems(
    prefix: str, module: nn.Module, forms: Mapping[str, tuple[str, tuple[int, ...]]]
) -> Iterator[str]:
    wanted = {prefix + name: value for name, value in module.state_dict().items()}
    found = {name for name in forms if name.startswith(prefix)}
    for name in sorted(found ^ wanted.keys()):
        place = "the model" if name in found else "the file"
        yield f"{place} has no tensor {quoted(name)}"
    for name in sorted(found & wanted.keys()):
        value = wanted[name]
        if not isinstance(value, Tensor) or forms[name] != (
            CODES.get(value.dtype),
            tuple(value.shape),
        ):
            yield f"{quoted(name)} is {_shown(*forms[name])} in the file and not so in the model"


def _shown(code: str, shape: tuple[int, ...]) -> str:
    return f"{str(DTYPES[code]).removeprefix('torch.')} {list(shape)}"


def _lesson_problems(wanted: LessonRecord, found: LessonRecord | None) -> Iterator[str]:
    if found is None:
        yield "a model was saved that was not converted; export this one first"
        return
    if found.pairs != wanted.pairs:
        yield f"its pairs of layers are {quoted(found.pairs)}, the model has {quoted(wanted.pairs)}"
    if found.balancer != wanted.balancer:
        yield f"its balancer is {quoted(found.balancer)}, the model has {quoted(wanted.balancer)}"
    if found.teacher_sha256 != wanted.teacher_sha256:
        yield "its teacher has other weights, or the same in another dtype"


def _loaded(
    model: nn.Module, inner: nn.Module, lesson: LayerLesson | None, stored: StoredModel
) -> nn.Module:
    inner.load_state_dict(_tensors(STUDENT, stored))
    if lesson is not None and stored.manifest.lesson is not None:
        lesson.trained.load_state_dict(_tensors(TRAINED, stored))
        lesson.resume(stored.manifest.lesson.step)
    return model


def _tensors(prefix: str, stored: StoredModel) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): _tensor(value)
        for name, value in stored.tensors.items()
        if name.startswith(prefix)
    }


def _tensor(stored: StoredTensor) -> Tensor:
    flat = torch.empty(len(stored.data), dtype=torch.uint8)
    flat.numpy()[:] = np.frombuffer(stored.data, dtype=np.uint8)
    return flat.view(DTYPES[stored.dtype]).reshape(stored.shape)
