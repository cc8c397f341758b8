"""A network's forward and backward written by hand, as one node of the graph or without a graph.

A graph of small operations spends longer on its nodes than on their numbers. Here each layer gives
its outputs together with its pullback, the function that takes the gradient of the outputs back to
the gradients of the inputs and of the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import torch
from torch import Tensor
from torch.autograd.function import Function, FunctionCtx, once_differentiable

Pullback: TypeAlias = Callable[[Tensor, Sequence[Tensor]], Tensor | None]
"""The gradient of the outputs, and where to write those of the parameters: that of the inputs."""


class Layer(Protocol):
    """One layer, as it computes in train mode.

    Example:
        >>> from kdtab.models.handlayers import ReluDropoutLayer
        >>> layer: Layer = ReluDropoutLayer(0.0)
        >>> layer.parameters()
        ()
    """

    def parameters(self) -> tuple[Tensor, ...]:
        """What its pullback has gradients for, in this order.

        Returns:
            Parameters of the module that it computes for.

        Example:
            >>> from torch import nn
            >>> from kdtab.models.handlayers import LinearLayer
            >>> len(LinearLayer(nn.Linear(3, 2)).parameters())
            2
        """
        ...

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """Outputs, and the way back.

        Args:
            inputs: [B, in] units, which stay as they are.

        Returns:
            [B, out] units, and the pullback of this very forward: it overwrites what it is given
            for the gradients of the parameters.

        Example:
            >>> from torch import nn
            >>> from kdtab.models.handlayers import LinearLayer
            >>> layer = LinearLayer(nn.Linear(3, 2))
            >>> with torch.no_grad():
            ...     outputs, pull = layer.forward(torch.zeros(4, 3))
            >>> pull(outputs, [torch.empty(2, 3), torch.empty(2)]).shape
            torch.Size([4, 3])
        """
        ...


def parameters_of(layers: Sequence[Layer]) -> tuple[Tensor, ...]:
    """The parameters of all layers, in order.

    Args:
        layers: Of a network, the first one first.

    Returns:
        Parameters in the order in which the pullback of `forward_through` takes their gradients.

    Example:
        >>> from torch import nn
        >>> from kdtab.models.handlayers import LinearLayer, ReluDropoutLayer
        >>> len(parameters_of([LinearLayer(nn.Linear(3, 2)), ReluDropoutLayer(0.1)]))
        2
    """
    return tuple(parameter for layer in layers for parameter in layer.parameters())


def forward_through(layers: Sequence[Layer], inputs: Tensor) -> tuple[Tensor, Pullback]:
    """One layer after the other.

    Args:
        layers: At least one, the first one first.
        inputs: [B, in] units.

    Returns:
        The outputs of the last layer, and the pullback of all.

    Example:
        >>> from torch import nn
        >>> from kdtab.models.handlayers import LinearLayer
        >>> forward_through([LinearLayer(nn.Linear(3, 2))], torch.zeros(4, 3))[0].shape
        torch.Size([4, 2])
    """
    units, pullbacks = inputs, list[Pullback]()
    for layer in layers:
        units, pull_layer = layer.forward(units)
        pullbacks.append(pull_layer)

    def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
        flowing: Tensor | None = gradient
        end = len(into)
        for layer, pull_layer in zip(reversed(layers), reversed(pullbacks), strict=True):
            if flowing is None:
                break
            start = end - len(layer.parameters())
            flowing = pull_layer(flowing, into[start:end])
            end = start
        assert end == 0, "a layer keeps its gradient only where nothing before it learns"
        return flowing

    return units, pull


def outputs_in_one_node(layers: Sequence[Layer], inputs: Tensor) -> Tensor:
    """The network's outputs; gradients flow to its parameters, and not to the inputs.

    The gradient is that of the graph which the modules would build; a second derivative is refused.

    Args:
        layers: At least one, the first one first.
        inputs: [B, D] rows that need no gradient, on the CPU.

    Returns:
        [B, C] outputs.

    Example:
        >>> from torch import nn
        >>> from kdtab.models.handlayers import LinearLayer
        >>> linear = nn.Linear(3, 2)
        >>> layers = [LinearLayer(linear, is_first=True)]
        >>> outputs_in_one_node(layers, torch.ones(4, 3)).sum().backward()
        >>> linear.bias.grad
        tensor([4., 4.])
    """
    outputs: Tensor = _OneNode.apply(  # type: ignore[no-untyped-call]  # torch gives it no types
        layers, inputs, *parameters_of(layers)
    )
    return outputs


class _OneNodeContext(FunctionCtx):
    pull: Pullback
    parameters: tuple[Tensor, ...]


class _OneNode(Function):
    @staticmethod
    def forward(
        ctx: _OneNodeContext, layers: Sequence[Layer], inputs: Tensor, *parameters: Tensor
    ) -> Tensor:
        outputs, ctx.pull = forward_through(layers, inputs)
        ctx.parameters = parameters
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: _OneNodeContext, gradient: Tensor) -> tuple[Tensor | None, ...]:
        gradients = [torch.empty_like(parameter) for parameter in ctx.parameters]
        ctx.pull(gradient, gradients)
        return (None, None, *gradients)
