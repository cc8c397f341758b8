"""A trained map from the width of one feature to the width of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, assert_never, final

import torch
from torch import Tensor, nn
from torch.nn import functional

FeatureAxis: TypeAlias = Literal["last", "channels"]
"""Where a feature has its width: rows and tokens at the end, feature maps right after the batch."""

CHANNELS_AT = 1
LEAST_MAP_AXES = 3


@final
class FeatureProjection(nn.Module):
    """y = x Wᵀ + b along the width of a feature, at every position alike.

    With `axis="channels"` it is the 1×1 convolution that FitNets trains between feature maps
    (Romero et al., arXiv:1412.6550). It is trained with the student and thrown away after it.

    Args:
        in_width: The student's width.
        out_width: The teacher's width.
        axis: Where the width is.
        device: Of the weights; None: torch's default.
        dtype: Of the weights; None: torch's default.

    Attributes:
        weight: [out_width, in_width] W, as `nn.Linear` starts it, from torch's global generator.
        bias: [out_width] b.

    Example:
        >>> projection = FeatureProjection(2, 3)
        >>> projection(torch.zeros(5, 2)).shape, projection(torch.zeros(5, 7, 2)).shape
        (torch.Size([5, 3]), torch.Size([5, 7, 3]))
        >>> FeatureProjection(2, 3, axis="channels")(torch.zeros(5, 2, 4, 4)).shape
        torch.Size([5, 3, 4, 4])
    """

    def __init__(
        self,
        in_width: int,
        out_width: int,
        *,
        axis: FeatureAxis = "last",
        device: torch.device | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        made = nn.Linear(in_width, out_width, device=device, dtype=dtype)
        self.axis: FeatureAxis = axis
        self.weight, self.bias = made.weight, made.bias

    def forward(self, features: Tensor) -> Tensor:
        """The features in the other width.

        Args:
            features: [B, …, in_width], or [B, in_width, …] with `axis="channels"`.

        Returns:
            [B, …, out_width] or [B, out_width, …].

        Example:
            >>> FeatureProjection(2, 3).forward(torch.ones(4, 2)).requires_grad
            True
        """
        match self.axis:
            case "last":
                return functional.linear(features, self.weight, self.bias)
            case "channels":
                moved = functional.linear(features.movedim(1, -1), self.weight, self.bias)
                return moved.movedim(-1, 1)
            case _:
                assert_never(self.axis)

    def extra_repr(self) -> str:
        """Its widths, for `print`.

        Returns:
            `2 -> 3, axis=last`.

        Example:
            >>> FeatureProjection(2, 3)
            FeatureProjection(2 -> 3, axis=last)
        """
        outs, ins = self.weight.shape
        return f"{ins} -> {outs}, axis={self.axis}"


def feature_axis(shape: Sequence[int]) -> FeatureAxis:
    """Where a feature of this shape has its width, as far as a shape can tell.

    Args:
        shape: Of one output, the batch in front: [B, D], [B, T, D] or [B, C, H, W].

    Returns:
        "channels" for four axes or more, else "last".

    Example:
        >>> feature_axis((8, 16)), feature_axis((8, 5, 16)), feature_axis((8, 16, 4, 4))
        ('last', 'last', 'channels')
    """
    return "channels" if len(shape) > LEAST_MAP_AXES else "last"


def feature_width(shape: Sequence[int], axis: FeatureAxis) -> int:
    """The width of a feature of this shape.

    Args:
        shape: Of one output, the batch in front.
        axis: Where the width is.

    Returns:
        The length of that axis.

    Example:
        >>> feature_width((8, 16, 4, 4), "channels"), feature_width((8, 5, 16), "last")
        (16, 16)
    """
    return shape[CHANNELS_AT] if axis == "channels" else shape[-1]


def without_width(shape: Sequence[int], axis: FeatureAxis) -> tuple[int, ...]:
    """The shape of a feature without its width: what no projection can change.

    Args:
        shape: Of one output, the batch in front.
        axis: Where the width is.

    Returns:
        The other lengths. Two features fit each other where these are equal.

    Example:
        >>> without_width((8, 16, 4, 4), "channels")
        (8, 4, 4)
    """
    at = CHANNELS_AT if axis == "channels" else len(shape) - 1
    return (*shape[:at], *shape[at + 1 :])
