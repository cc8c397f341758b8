"""Any `torch.nn.Module` learns layer by layer from another, in a loop of one's own.

`import modelopt.torch.distill as mtd` becomes `import kdtab.metamodel as mtd`. Everything here
raises: `KdtabError` (a `ValueError`), or one of its subclasses that is also the builtin exception
that callers expect; `error.issues` holds every problem that was found.

Example:
    >>> import torch
    >>> student, teacher = nn.Linear(4, 3), nn.Linear(4, 3)
    >>> config = {"teacher_model": teacher, "criterion": LogitsDistillationLoss(temperature=2.0)}
    >>> model = convert(student, mode=[("kd_loss", config)])
    >>> _ = model(torch.zeros(8, 4))
    >>> model.compute_kd_loss().backward()
    >>> student is export(model), type(student)
    (True, <class 'torch.nn.modules.linear.Linear'>)
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from torch import nn

from kdtab.config.layers import KDLossConfig
from kdtab.distillation_model import DistillationModel
from kdtab.errors.raised import raise_issues
from kdtab.loss_modules import (
    STUDENT_LOSS_KEY,
    DistillationLossBalancer,
    LogitsDistillationLoss,
    MFTLoss,
    StaticLossBalancer,
)
from kdtab.recipes.convert import (
    installed_conversion,
    prepared_conversion,
    removed_conversion,
)
from kdtab.recipes.distillstate import restored_state, saved_state
from kdtab.results import either
from kdtab.tasks.layerplan import LayerPlan

__all__ = [
    "STUDENT_LOSS_KEY",
    "DistillationLossBalancer",
    "DistillationModel",
    "KDLossConfig",
    "LayerPlan",
    "LogitsDistillationLoss",
    "MFTLoss",
    "StaticLossBalancer",
    "convert",
    "export",
    "plan",
    "restore",
    "save",
]

Config: TypeAlias = KDLossConfig | Mapping[str, object]
Mode: TypeAlias = Sequence[tuple[str, Config]] | Mapping[str, Config]
Path: TypeAlias = str | os.PathLike[str]


RESERVED = tuple(name for name in vars(DistillationModel) if name not in dir(nn.Module))


def convert(model: nn.Module, mode: Mode, example: object = None) -> DistillationModel:
    """Let a model learn from a teacher; the very object is changed, and `export` changes it back.

    Args:
        model: The student.
        mode: `[("kd_loss", config)]`, config a `KDLossConfig` or its fields by name.
        example: One batch (a tuple is several inputs, a mapping named ones): shapes are checked
            with it, and projections join widths that differ.

    Returns:
        The same object, an instance of its own class and of `DistillationModel`.

    Raises:
        KdtabError: All that is wrong with config, layers, losses and shapes; nothing has changed.

    Example:
        >>> import torch
        >>> student, teacher = nn.Linear(4, 8), nn.Linear(4, 16)
        >>> config = {"teacher_model": teacher, "criterion": nn.MSELoss()}
        >>> model = convert(student, [("kd_loss", config)], example=torch.zeros(2, 4))
        >>> sum(parameter.numel() for parameter in model.parameters())
        184
    """
    converted = prepared_conversion(model, mode, example, RESERVED).bind(
        lambda conversion: installed_conversion(conversion, DistillationModel)
    )
    return either(converted, lambda made: cast(DistillationModel, made), raise_issues)


def plan(model: nn.Module, mode: Mode, example: object = None) -> LayerPlan:
    """What `convert` would do with the same arguments; `print` shows it as a table.

    Args:
        model: The student; it and the teacher are the same afterwards.
        mode: As for `convert`.
        example: As for `convert`; without one there are no shapes.

    Returns:
        One row for each pair of layers.

    Raises:
        KdtabError: What `convert` would raise.

    Example:
        >>> import torch
        >>> config = {"teacher_model": nn.Linear(4, 16), "criterion": nn.MSELoss()}
        >>> print(plan(nn.Linear(4, 8), [("kd_loss", config)], example=torch.zeros(2, 4)))
        student  teacher  loss       student gives  teacher gives  projection
        (model)  (model)  MSELoss_0  [2, 8]         [2, 16]        8 -> 16
        balancer: none, one loss
    """
    prepared = prepared_conversion(model, mode, example, RESERVED)
    return either(prepared, lambda conversion: conversion.plan, raise_issues)


def export(model: nn.Module) -> nn.Module:
    """The plain student: no hook, no attribute, no tensor is left on it or on the teacher.

    Args:
        model: What `convert` returned, perhaps wrapped for data parallelism or compiled since.

    Returns:
        The very object that was converted, of its own class, with what it has learnt.

    Raises:
        KdtabError: A model that is not converted.

    Example:
        >>> config = {"teacher_model": nn.ReLU, "criterion": nn.MSELoss()}
        >>> type(export(convert(nn.Tanh(), [("kd_loss", config)])))
        <class 'torch.nn.modules.activation.Tanh'>
    """
    return either(removed_conversion(model), lambda student: student, raise_issues)


def save(model: nn.Module, path: Path) -> None:
    """Write a model as one safetensors file, whole or not at all.

    Of a converted model the state of its distillation too: projections, losses, balancer, step, and
    the fingerprint of the teacher, whose weights are not in it.

    Args:
        model: Any module of tensors, converted or not.
        path: Where; what is there already is replaced.

    Raises:
        KdtabError: A state that is no tensor; an `OSError` for what the disk refuses.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(nn.Linear(2, 2), f"{folder}/student.safetensors")
        ...     restore(nn.Linear(2, 2), f"{folder}/student.safetensors")
        Linear(in_features=2, out_features=2, bias=True)
    """
    either(saved_state(model, path), lambda _: None, raise_issues)


def restore(model: nn.Module, path: Path) -> nn.Module:
    """Load what `save` wrote: a plain student stays plain, a converted one goes on where it was.

    Args:
        model: A module like the one that was saved. A converted one must have the same pairs,
            losses, balancer and teacher.
        path: The file; nothing in it is executed.

    Returns:
        The very model, its numbers equal to the bit.

    Raises:
        KdtabError: A `FileNotFoundError` for a missing file, a file that is not whole, a state of
            another model, teacher or set of losses; nothing has changed.

    Example:
        >>> restore(nn.ReLU(), "no such file.safetensors")
        Traceback (most recent call last):
        kdtab.errors.raised.MissingFileError: no file at 'no such file.safetensors': check the path and its spelling
    """
    return either(restored_state(model, path), lambda restored: restored, raise_issues)
