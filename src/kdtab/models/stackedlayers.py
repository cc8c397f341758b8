"""Linear and norm of S networks of one shape, side by side: units are [S, B, h]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

from kdtab.models.handwritten import Pullback


@final
class UnitMemory:
    """Tensors by name and shape that are used again at every step.

    Example:
        >>> memory = UnitMemory()
        >>> memory.of("units", (2, 3), torch.zeros(1)) is memory.of("units", (2, 3), torch.zeros(1))
        True
    """

    def __init__(self) -> None:
        self._held: dict[tuple[str, tuple[int, ...]], Tensor] = {}

    def of(self, name: str, shape: tuple[int, ...], like: Tensor) -> Tensor:
        """The tensor of this name and shape, with whatever it holds.

        Args:
            name: What it is for.
            shape: Of the tensor.
            like: Whose type and device a new one has.

        Returns:
            The same memory for the same name and shape.

        Example:
            >>> UnitMemory().of("units", (2, 3), torch.zeros(1)).shape
            torch.Size([2, 3])
        """
        key = name, shape
        if key not in self._held:
            self._held[key] = like.new_empty(shape)
        return self._held[key]


@final
@dataclass(frozen=True, eq=False)
class Statistics:
    """The running statistics of S norms.

    Attributes:
        means: [S, 1, h].
        variances: [S, 1, h].
        batches: [S] how many batches they have seen.
        momentum: Share of the newest batch.

    Example:
        >>> Statistics.__dataclass_params__.frozen
        True
    """

    means: Tensor
    variances: Tensor
    batches: Tensor
    momentum: float

    def follow(self, means: Tensor, variances: Tensor, rows: int) -> None:
        """Move towards what a batch has.

        Args:
            means: [S, 1, h] of the batch.
            variances: [S, 1, h] around them, divided by the rows.
            rows: B.

        Example:
            >>> held = Statistics(torch.zeros(1, 1, 1), torch.ones(1, 1, 1), torch.zeros(1), 0.5)
            >>> held.follow(torch.ones(1, 1, 1), torch.ones(1, 1, 1), rows=2)
            >>> held.means.item(), held.variances.item(), held.batches
            (0.5, 1.5, tensor([1.]))
        """
        self.batches.add_(1)
        self.means.lerp_(means, self.momentum)
        self.variances.mul_(1 - self.momentum)
        self.variances.add_(variances, alpha=self.momentum * rows / (rows - 1))


@final
@dataclass(frozen=True, eq=False)
class StackedLinear:
    """z = s · x Wᵀ + b for each student.

    Attributes:
        weight: [S, out, in].
        bias: [S, 1, out].
        scale: s, as in `LinearLayer`.
        is_first: Whether nobody asks for the gradient of the inputs.
        is_centred: Whether a norm follows, so that the gradient of the bias is 0.

    Example:
        >>> layer = StackedLinear(torch.zeros(2, 4, 3), torch.ones(2, 1, 4))
        >>> layer.forward(torch.zeros(2, 5, 3))[0].shape
        torch.Size([2, 5, 4])
    """

    weight: Tensor
    bias: Tensor
    scale: float = 1.0
    is_first: bool = False
    is_centred: bool = False
    _memory: UnitMemory = field(default_factory=UnitMemory, repr=False)

    def parameters(self) -> tuple[Tensor, ...]:
        """Weight and bias.

        Returns:
            [S, out, in] and [S, 1, out].

        Example:
            >>> len(StackedLinear(torch.zeros(2, 4, 3), torch.ones(2, 1, 4)).parameters())
            2
        """
        return self.weight, self.bias

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """One batched product; two on the way back.

        Args:
            inputs: [S, B, in] units.

        Returns:
            [S, B, out] units, and the pullback.

        Example:
            >>> layer = StackedLinear(torch.ones(1, 1, 2), torch.ones(1, 1, 1), scale=2.0)
            >>> layer.forward(torch.ones(1, 1, 2))[0]
            tensor([[[5.]]])
        """
        weight, scale = self.weight, self.scale
        shape = (*inputs.shape[:2], weight.shape[1])
        outputs = self._memory.of("outputs", shape, weight)
        torch.baddbmm(self.bias, inputs, weight.mT, alpha=scale, out=outputs)

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            of_weight, of_bias = into
            of_weight.baddbmm_(gradient.mT, inputs, beta=0, alpha=scale)
            if self.is_centred:
                of_bias.zero_()
            else:
                torch.sum(gradient, 1, keepdim=True, out=of_bias)
            if self.is_first:
                return None
            before = self._memory.of("gradient", tuple(inputs.shape), weight)
            return before.baddbmm_(gradient, weight, beta=0, alpha=scale)

        return outputs, pull


@final
@dataclass(frozen=True, eq=False)
class StackedNorm:
    """BatchNorm of each student over the rows of its own batch.

    Torch's norm would take the students one by one, at the price of a call each.

    Attributes:
        weight: [S, 1, h] γ.
        bias: [S, 1, h] β.
        statistics: Moved by each forward.
        eps: ε.

    Example:
        >>> held = Statistics(torch.zeros(1, 1, 1), torch.ones(1, 1, 1), torch.zeros(1), 0.1)
        >>> norm = StackedNorm(torch.ones(1, 1, 1), torch.zeros(1, 1, 1), held, 1e-5)
        >>> norm.forward(torch.tensor([[[1.0], [3.0]]]))[0].round()
        tensor([[[-1.],
                 [ 1.]]])
    """

    weight: Tensor
    bias: Tensor
    statistics: Statistics
    eps: float
    _memory: UnitMemory = field(default_factory=UnitMemory, repr=False)

    def parameters(self) -> tuple[Tensor, ...]:
        """Weight γ and bias β.

        Returns:
            [S, 1, h] twice.

        Example:
            >>> held = Statistics(torch.zeros(1, 1, 1), torch.ones(1, 1, 1), torch.zeros(1), 0.1)
            >>> len(StackedNorm(torch.ones(1, 1, 1), torch.zeros(1, 1, 1), held, 1e-5).parameters())
            2
        """
        return self.weight, self.bias

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """γ · (x − mean) / √(variance + ε) + β.

        Args:
            inputs: [S, B, h] units, B of at least 2.

        Returns:
            [S, B, h] units, and the pullback, which overwrites the gradient that it is given.

        Example:
            >>> held = Statistics(torch.zeros(1, 1, 1), torch.ones(1, 1, 1), torch.zeros(1), 0.1)
            >>> norm = StackedNorm(torch.ones(1, 1, 1), torch.zeros(1, 1, 1), held, 1e-5)
            >>> outputs, pull = norm.forward(torch.tensor([[[1.0], [3.0]]]))
            >>> pull(torch.ones(1, 2, 1), (torch.empty(1, 1, 1), torch.empty(1, 1, 1)))
            tensor([[[0.],
                     [0.]]])
        """
        shape, rows = tuple(inputs.shape), inputs.shape[1]
        centred = self._memory.of("centred", shape, inputs)
        outputs = self._memory.of("outputs", shape, inputs)
        means = inputs.mean(1, keepdim=True)
        torch.sub(inputs, means, out=centred)
        variances = torch.mul(centred, centred, out=outputs).mean(1, keepdim=True)
        self.statistics.follow(means, variances, rows)
        inverse = variances.add_(self.eps).rsqrt_()  # [S, 1, h]
        slope = self.weight * inverse
        torch.addcmul(self.bias, centred, slope, out=outputs)

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            of_weight, of_bias = into
            torch.sum(gradient, 1, keepdim=True, out=of_bias)
            along = torch.mul(centred, gradient, out=outputs).sum(1, keepdim=True)
            torch.mul(along, inverse, out=of_weight)
            gradient.addcmul_(centred, torch.mul(of_weight, inverse, out=along), value=-1 / rows)
            shift = torch.mul(of_bias, slope, out=along).mul_(-1 / rows)
            return torch.addcmul(shift, gradient, slope, out=gradient)

        return outputs, pull
