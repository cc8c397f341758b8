"""The hand-written layers of S networks of one shape, side by side: units are [S, B, h]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor, nn

from kdtab.models.dropout import kept_scale
from kdtab.models.encodinglayer import EncodingLayer
from kdtab.models.handlayers import LinearLayer, NormLayer, ReluDropoutLayer, ResidualLayer
from kdtab.models.handwritten import Layer, Pullback, forward_through, parameters_of
from kdtab.models.stackedlayers import StackedLinear, StackedNorm, Statistics, UnitMemory
from kdtab.models.streams import DropoutStreams


def stacked_layers(
    networks: Sequence[Sequence[Layer]], streams: DropoutStreams
) -> tuple[Layer, ...]:
    """The layers of networks of one shape as layers of all of them.

    Args:
        networks: The hand-written layers of each of S networks.
        streams: Of their dropout.

    Returns:
        As many layers as one network has. Parameters are copies, [S, …]; the running statistics of
        the networks' norms become parts of one tensor, which follows the batches of all.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> pair = [build_model(LinearSpec(input_dim=3, output_dim=2)).layers() for _ in range(2)]
        >>> streams = DropoutStreams([torch.Generator()], seed_of=(0, 0))
        >>> stacked_layers(pair, streams)[0].forward(torch.zeros(2, 5, 3))[0].shape
        torch.Size([2, 5, 2])
    """
    return tuple(_stacked(each, streams) for each in zip(*networks, strict=True))


def statistics_of(layers: Sequence[Layer]) -> tuple[Tensor, ...]:
    """The running means and variances of stacked layers, those of all networks in each tensor.

    Args:
        layers: As `stacked_layers` gave them.

    Returns:
        Two tensors for each norm.

    Example:
        >>> from kdtab.config.networks import TabResNetSpec
        >>> from kdtab.models.build import build_model
        >>> spec = TabResNetSpec(
        ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.0
        ... )
        >>> stack = stacked_layers([build_model(spec).layers()], DropoutStreams([], ()))
        >>> [tuple(each.shape) for each in statistics_of(stack)]
        [(1, 1, 4), (1, 1, 4), (1, 1, 4), (1, 1, 4)]
    """
    found: list[Tensor] = []
    for layer in layers:
        if isinstance(layer, StackedNorm):
            found += layer.statistics.means, layer.statistics.variances
        elif isinstance(layer, StackedResidual):
            found += statistics_of(layer.branch)
    return tuple(found)


def _stacked(layers: tuple[Layer, ...], streams: DropoutStreams) -> Layer:
    first = layers[0]
    match first:
        case LinearLayer():
            weight, bias = _copies(layers)
            return StackedLinear(weight, bias, first.scale, first.is_first, first.is_centred)
        case NormLayer():
            norms = [layer.module for layer in layers if isinstance(layer, NormLayer)]
            weight, bias = _copies(layers)
            return StackedNorm(weight, bias, _joined(norms), first.module.eps)
        case ReluDropoutLayer(rate=rate):
            return StackedReluDropout(rate, streams)
        case ResidualLayer(rate=rate):
            branches = [layer.branch for layer in layers if isinstance(layer, ResidualLayer)]
            return StackedResidual(stacked_layers(branches, streams), rate, streams)
        case EncodingLayer():
            return first  # its edges are the spec's, and so the same for all
        case _:
            raise AssertionError(f"no stacked layer for {type(first).__name__}")


def _copies(layers: Sequence[Layer]) -> list[Tensor]:
    own = zip(*(layer.parameters() for layer in layers), strict=True)
    return [_side_by_side([parameter.detach() for parameter in each]) for each in own]


def _side_by_side(tensors: Sequence[Tensor]) -> Tensor:
    """Vectors are [S, 1, h], so that they meet units of [S, B, h] as they are."""
    return torch.stack([each[None] if each.ndim == 1 else each for each in tensors])


def _joined(norms: Sequence[nn.BatchNorm1d]) -> Statistics:
    found: list[Tensor] = []
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        tensors = [each for norm in norms if (each := norm._buffers[name]) is not None]
        joined = _side_by_side(tensors)
        for tensor, part in zip(tensors, joined, strict=True):
            tensor.data = part.view(tensor.shape)
        found.append(joined)
    momentum = norms[0].momentum
    assert momentum is not None, "a norm of a spec has a moving average"
    means, variances, batches = found
    return Statistics(means, variances, batches, momentum)


@final
@dataclass(frozen=True, eq=False)
class StackedReluDropout:
    """ReLU, then zero for what is dropped, as in `ReluDropoutLayer`.

    It overwrites its inputs, and on the way back the gradient: they come from a linear layer or a
    norm, whose pullbacks do not need them.

    Attributes:
        rate: Dropout rate in [0, 1).
        streams: Where the draws come from.

    Example:
        >>> streams = DropoutStreams([torch.Generator()], seed_of=(0,))
        >>> StackedReluDropout(0.0, streams).forward(torch.tensor([[[-1.0, 2.0]]]))[0]
        tensor([[[0., 2.]]])
    """

    rate: float
    streams: DropoutStreams

    def parameters(self) -> tuple[Tensor, ...]:
        """None.

        Returns:
            Nothing: no number is learnt here.

        Example:
            >>> StackedReluDropout(0.0, DropoutStreams([torch.Generator()], (0,))).parameters()
            ()
        """
        return ()

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """Zero where the unit is negative or dropped.

        Args:
            inputs: [S, B, h] units, which are overwritten.

        Returns:
            [S, B, h] units, and the pullback, which overwrites the gradient that it is given.

        Example:
            >>> layer = StackedReluDropout(0.5, DropoutStreams([torch.Generator()], (0,)))
            >>> outputs, pull = layer.forward(torch.ones(1, 1, 4))
            >>> bool((pull(torch.ones(1, 1, 4), ()) == outputs).all())
            True
        """
        outputs = torch.relu_(inputs)
        if self.rate > 0:
            draws, limit = self.streams.drawn(inputs, self.rate)
            torch.ops.aten.threshold_backward.grad_input(outputs, draws, limit, grad_input=outputs)

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            before: Tensor = torch.ops.aten.threshold_backward.grad_input(
                gradient, outputs, 0, grad_input=gradient
            )
            return before

        return outputs, pull


@final
@dataclass(frozen=True, eq=False)
class StackedResidual:
    """x + Dropout(what the layers of a branch make of x), as in `ResidualLayer`.

    Attributes:
        branch: At least one layer, the first of which keeps its inputs.
        rate: Dropout rate in [0, 1).
        streams: Where the draws come from.

    Example:
        >>> from kdtab.models.stackedlayers import StackedLinear
        >>> branch = (StackedLinear(torch.ones(1, 1, 1), torch.zeros(1, 1, 1)),)
        >>> streams = DropoutStreams([torch.Generator()], (0,))
        >>> StackedResidual(branch, 0.0, streams).forward(torch.ones(1, 1, 1))[0]
        tensor([[[2.]]])
    """

    branch: tuple[Layer, ...]
    rate: float
    streams: DropoutStreams
    _memory: UnitMemory = field(default_factory=UnitMemory, repr=False)

    def parameters(self) -> tuple[Tensor, ...]:
        """Those of the branch.

        Returns:
            Those of its layers, in order.

        Example:
            >>> from kdtab.models.stackedlayers import StackedLinear
            >>> branch = (StackedLinear(torch.ones(1, 1, 1), torch.zeros(1, 1, 1)),)
            >>> streams = DropoutStreams([torch.Generator()], (0,))
            >>> len(StackedResidual(branch, 0.0, streams).parameters())
            2
        """
        return parameters_of(self.branch)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """The branch, what is dropped of it, and the sum.

        Args:
            inputs: [S, B, h] units.

        Returns:
            [S, B, h] units, and the pullback.

        Example:
            >>> from kdtab.models.stackedlayers import StackedLinear
            >>> branch = (StackedLinear(torch.ones(1, 1, 1), torch.zeros(1, 1, 1)),)
            >>> streams = DropoutStreams([torch.Generator()], (0,))
            >>> _, pull = StackedResidual(branch, 0.0, streams).forward(torch.ones(1, 1, 1))
            >>> pull(torch.ones(1, 1, 1), (torch.empty(1, 1, 1), torch.empty(1, 1, 1)))
            tensor([[[2.]]])
        """
        added, pull_branch = forward_through(self.branch, inputs)
        shape, memory = tuple(inputs.shape), self._memory
        outputs = memory.of("outputs", shape, inputs)
        if self.rate > 0:
            # The draws are good until the next layer's: the way back needs a mask of its own.
            draws, limit = self.streams.drawn(added, self.rate)
            mask = memory.of("mask", tuple(draws.shape), inputs)
            torch.gt(draws, limit, out=mask)
            mask.mul_(kept_scale(self.rate))
            torch.addcmul(inputs, added, mask, out=outputs)
        else:
            torch.add(inputs, added, out=outputs)

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            through = gradient
            if self.rate > 0:
                through = torch.mul(gradient, mask, out=memory.of("through", shape, inputs))
            before = pull_branch(through, into)
            assert before is not None, "a branch hands its gradient on"
            return before.add_(gradient)

        return outputs, pull
