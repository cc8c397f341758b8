"""From inputs as the student gets them to inputs as its teacher knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import final

import numpy as np
import torch
from returns.result import Success
from torch import Tensor, nn

from kdtab.data.arrays import FloatArray
from kdtab.data.scale import Scaler
from kdtab.errors.taskmodules import ScalersUnlike, ScalerUnusable, Side
from kdtab.models.projection import FeatureAxis
from kdtab.results import Checked, fail

LIKE = (
    "it must be a kdtab or scikit-learn scaler, a pair (mean, scale) of columns, or a mapping with "
    "the 'mean' and 'std' of channels"
)


@final
@dataclass(frozen=True)
class InputScaling:
    """x ↦ clip((x − mean) / scale, −clip, clip): what was done to raw inputs.

    Attributes:
        mean: One number for each column or channel.
        scale: The same, none of them 0.
        axis: "last" for the columns of a table, "channels" for images.
        clip: Bound of the result; infinite without one.

    Example:
        >>> InputScaling(mean=(0.5,), scale=(0.25,), axis="channels").shape
        (1, -1, 1, 1)
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    axis: FeatureAxis = "last"
    clip: float = inf

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape under which its constants broadcast against a batch.

        Example:
            >>> InputScaling(mean=(0.5,), scale=(0.25,)).shape
            (1, -1)
        """
        return (1, -1, 1, 1) if self.axis == "channels" else (1, -1)

    @property
    def text(self) -> str:
        """What it is, for messages.

        Example:
            >>> InputScaling(mean=(0.5,), scale=(0.25,)).text
            '1 columns'
        """
        return f"{len(self.mean)} {'channels' if self.axis == 'channels' else 'columns'}"


IMAGENET = InputScaling((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "channels")
"""What the teacher of an image student is taken to expect where it does not say (seed's default)."""


@final
class InputMap(nn.Module):
    """x · a + b, then a clip: two scalings that follow each other, as one step.

    a = s / s' and b = (m − m') / s' for inputs scaled by (m, s) and wanted as by (m', s'),
    computed in float64, so that columns near 1.7e9 keep their differences.

    Args:
        student: How the inputs are scaled.
        teacher: How the teacher wants them.
        device: Where the constants live.

    Example:
        >>> student = InputScaling((0.5,), (0.25,))
        >>> InputMap(student, InputScaling((0.0,), (0.5,)))(torch.ones(2, 1))
        tensor([[1.5000],
                [1.5000]])
    """

    factor: Tensor
    shift: Tensor

    def __init__(
        self, student: InputScaling, teacher: InputScaling, device: torch.device | None = None
    ) -> None:
        super().__init__()
        wanted = np.array(teacher.scale)
        self.factors = (np.array(student.scale) / wanted).tolist()
        self.shifts = ((np.array(student.mean) - np.array(teacher.mean)) / wanted).tolist()
        self.shape = student.shape
        self.clip = teacher.clip
        for name, numbers in (("factor", self.factors), ("shift", self.shifts)):
            constant = torch.tensor(numbers, dtype=torch.float32, device=device)
            self.register_buffer(name, constant.view(self.shape), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """The inputs as the teacher knows them.

        Args:
            inputs: [B, D] rows or [B, C, H, W] images, as the student gets them.

        Returns:
            The same shape and float type; a new tensor.

        Example:
            >>> scaling = InputScaling((0.0,), (1.0,))
            >>> InputMap(scaling, InputScaling((1.0,), (1.0,), clip=2.0)).forward(torch.tensor([[9.0]]))
            tensor([[2.]])
        """
        values = inputs if inputs.dtype is torch.float64 else inputs.float()
        if values.dtype is torch.float64:
            factor, shift = values.new_tensor(self.factors), values.new_tensor(self.shifts)
            mapped = torch.addcmul(shift.view(self.shape), values, factor.view(self.shape))
        else:
            mapped = torch.addcmul(self.shift.float(), values, self.factor.float())
        clipped = mapped if self.clip == inf else mapped.clamp(-self.clip, self.clip)
        return clipped.to(inputs.dtype) if inputs.is_floating_point() else clipped


def input_map(
    student: InputScaling | None,
    teacher: InputScaling | None,
    device: torch.device | None = None,
) -> Checked[InputMap | None]:
    """The way from the student's inputs to the teacher's.

    Args:
        student: How the inputs are scaled; None: not known.
        teacher: How the teacher wants them; None: not known.
        device: Where the constants shall live.

    Returns:
        The map; None where both are scaled alike or one of them is not known; or `ScalersUnlike`,
        or `ScalerUnusable` for constants so small that their quotient has no number.

    Example:
        >>> same = InputScaling((0.5,), (0.25,))
        >>> input_map(same, same).unwrap() is None
        True
    """
    if student is None or teacher is None or student == teacher:
        return Success(None)
    if len(student.mean) != len(teacher.mean) or student.axis != teacher.axis:
        return fail(ScalersUnlike(student=student.text, teacher=teacher.text))
    with np.errstate(over="ignore"):
        made = InputMap(student, teacher, device)
    if not np.isfinite([made.factors, made.shifts]).all():
        reason = "the student's constants divided by its own leave the range of numbers"
        return fail(ScalerUnusable(side="teacher", reason=reason))
    return Success(made)


def input_scaling(scaler: object, side: Side) -> Checked[InputScaling]:
    """The affine scaling that a scaler stands for.

    Args:
        scaler: A kdtab `Scaler`; a fitted scaler of scikit-learn (`StandardScaler`, `RobustScaler`,
            `MinMaxScaler`, `MaxAbsScaler`); a pair (mean, scale) of numbers for each column; a
            mapping with `mean` and `std` for each channel, as timm's `pretrained_cfg`.
        side: Whose it is, for messages.

    Returns:
        The scaling, or `ScalerUnusable`: a scale of 0, a number that is not finite, other lengths.

    Example:
        >>> input_scaling(([0.0, 1.0], [1.0, 0.0]), "student").failure().first.reason
        'its scale is 0 at 1'
    """
    if isinstance(scaler, InputScaling):
        return Success(scaler)
    if isinstance(scaler, Scaler):
        return _checked(scaler.mean, scaler.scale, "last", side, clip=scaler.clip)
    if isinstance(scaler, Mapping):
        return _checked(scaler.get("mean"), scaler.get("std"), "channels", side)
    if isinstance(scaler, Sequence) and not isinstance(scaler, str) and len(scaler) == 2:
        return _checked(scaler[0], scaler[1], "last", side)
    return _fitted(scaler, side)


def image_constants(module: nn.Module, side: Side) -> Checked[InputScaling | None]:
    """What a module says of its inputs in a `pretrained_cfg`, as timm's models do.

    Args:
        module: Any module.
        side: Whose it is, for messages.

    Returns:
        The scaling of its channels; None where it says nothing; or `ScalerUnusable`.

    Example:
        >>> image_constants(nn.Identity(), "student").unwrap() is None
        True
    """
    found = getattr(module, "pretrained_cfg", None)
    if not isinstance(found, Mapping) or found.get("mean") is None or found.get("std") is None:
        return Success(None)
    return input_scaling(found, side).map(lambda scaling: scaling)


def _fitted(scaler: object, side: Side) -> Checked[InputScaling]:
    scale = getattr(scaler, "scale_", None)
    if not hasattr(scaler, "scale_"):
        return fail(ScalerUnusable(side=side, reason=f"{LIKE}, not {type(scaler).__name__}"))
    lowest = getattr(scaler, "min_", None)
    if lowest is not None and scale is not None:  # x · scale_ + min_
        numbers = np.asarray(scale, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return _checked(-np.asarray(lowest) / numbers, 1 / numbers, "last", side)
    mean = getattr(scaler, "mean_", getattr(scaler, "center_", None))
    width = next((len(found) for found in (mean, scale) if found is not None), 0)
    if not getattr(scaler, "with_mean", True):  # it knows the mean and leaves it in
        mean = None
    return _checked(
        np.zeros(width) if mean is None else mean,
        np.ones(width) if scale is None else scale,
        "last",
        side,
    )


def _checked(
    mean: object, scale: object, axis: FeatureAxis, side: Side, *, clip: float = inf
) -> Checked[InputScaling]:
    means, scales = _numbers(mean), _numbers(scale)
    reason = _problem(means, scales)
    if reason is not None or means is None or scales is None:
        return fail(ScalerUnusable(side=side, reason=reason or LIKE))
    return Success(InputScaling(tuple(means.tolist()), tuple(scales.tolist()), axis, clip))


def _numbers(found: object) -> FloatArray | None:
    values = found.detach().cpu() if isinstance(found, Tensor) else found
    try:
        return np.asarray(values, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        return None


def _problem(means: FloatArray | None, scales: FloatArray | None) -> str | None:
    if means is None or scales is None:
        return LIKE
    if len(means) != len(scales) or not len(means):
        return f"it has {len(means)} means and {len(scales)} scales"
    for name, numbers in (("mean", means), ("scale", scales)):
        for at, number in enumerate(numbers.tolist()):
            if not isfinite(number) or (name == "scale" and number == 0):
                return f"its {name} is {number:g} at {at}"
    return None
