"""What every network of kdtab is: a module that knows its spec, with a typed call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from kdtab.config.networks import NetworkSpec
from kdtab.models.encoding import NumericEncoding, build_encoding
from kdtab.models.encodinglayer import EncodingLayer
from kdtab.models.handwritten import Layer, outputs_in_one_node


class TabularNetwork(nn.Module):
    """Base of the networks that a spec describes: encoded rows in, logits or values out.

    Args:
        spec: The plain data that it was built from.

    Attributes:
        spec: The same; enough to build an equal network and load its weights.
        encoding: What comes before the first Linear; None where the spec has no encoding.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> TabularNetwork(LinearSpec(input_dim=3, output_dim=2)).spec.input_dim
        3
    """

    spec: NetworkSpec
    encoding: NumericEncoding | None
    _layers: tuple[Layer, ...] = ()
    _inner: tuple[nn.Module, ...] = ()

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self.encoding = None if spec.encoding is None else build_encoding(spec.encoding)

    if TYPE_CHECKING:

        def __call__(self, inputs: Tensor) -> Tensor:
            """`forward`, with the hooks of torch."""
            ...

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs of encoded rows.

        Args:
            inputs: [B, D] float32 encoded rows; B of at least 2 in train mode.

        Returns:
            [B, C] float32 logits, or [B, 1] values in the unit of training.

        Example:
            >>> import torch
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.models.build import build_model
            >>> build_model(LinearSpec(input_dim=3, output_dim=2)).forward(torch.zeros(4, 3)).shape
            torch.Size([4, 2])
        """
        if self._layers and self._follows_layers(inputs):
            return outputs_in_one_node(self._layers, inputs)
        return self.outputs_of_modules(inputs)

    def outputs_of_modules(self, inputs: Tensor) -> Tensor:
        """What the modules compute; each network gives its own.

        Args:
            inputs: [B, D] float32 encoded rows; B of at least 2 in train mode.

        Returns:
            [B, C] float32 logits, or [B, 1] values in the unit of training.

        Example:
            >>> import torch
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.models.build import build_model
            >>> network = build_model(LinearSpec(input_dim=3, output_dim=2))
            >>> network.outputs_of_modules(torch.zeros(4, 3)).shape
            torch.Size([4, 2])
        """
        raise NotImplementedError

    def layers(self) -> tuple[Layer, ...]:
        """The modules as hand-written layers, for train mode; each network gives its own.

        Returns:
            Layers that compute what the modules do, the first one first.

        Example:
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.models.build import build_model
            >>> len(build_model(LinearSpec(input_dim=3, output_dim=2)).layers())
            1
        """
        raise NotImplementedError

    def encoded(self, inputs: Tensor) -> Tensor:
        """What the first Linear takes.

        Args:
            inputs: [B, D] float32 encoded rows of a table.

        Returns:
            [B, W] as the spec's encoding makes them; the inputs where there is none.

        Example:
            >>> import torch
            >>> from kdtab.config.networks import LinearSpec
            >>> rows = torch.zeros(4, 3)
            >>> TabularNetwork(LinearSpec(input_dim=3, output_dim=2)).encoded(rows) is rows
            True
        """
        return inputs if self.encoding is None else self.encoding(inputs)

    def encoding_layers(self) -> tuple[Layer, ...]:
        """The encoding as a hand-written layer; each network puts it before its own.

        Returns:
            One layer, or none.

        Example:
            >>> from kdtab.config.networks import LinearSpec
            >>> TabularNetwork(LinearSpec(input_dim=3, output_dim=2)).encoding_layers()
            ()
        """
        return () if self.encoding is None else (EncodingLayer(self.encoding),)

    def _follows_layers(self, inputs: Tensor) -> bool:
        """Whether nobody would see the difference: no hook, no gradient of the inputs."""
        return (
            self.training
            and torch.is_grad_enabled()
            and not inputs.requires_grad
            and inputs.device.type == "cpu"
            and not any(map(is_hooked, self._inner))
        )


def is_hooked(module: nn.Module) -> bool:
    """Whether somebody sees what goes through this very module, forward or backward.

    Args:
        module: Its own modules are not looked at.

    Returns:
        True where a hook is registered.

    Example:
        >>> linear = nn.Linear(1, 1)
        >>> _ = linear.register_forward_hook(lambda *_: None)
        >>> is_hooked(linear)
        True
    """
    return bool(
        module._forward_hooks
        or module._forward_pre_hooks
        or module._backward_hooks
        or module._backward_pre_hooks
    )


@contextmanager
def in_one_node(network: TabularNetwork) -> Iterator[None]:
    """Let each forward in train mode be one node of the graph; afterwards as before.

    Where a module inside has a hook, where the inputs need a gradient, without gradients and on
    other devices than the CPU, the modules compute as always.

    Args:
        network: As it was built; its modules may be hooked, but not be replaced meanwhile.

    Yields:
        Nothing.

    Example:
        >>> import torch
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.models.build import build_model
        >>> network = build_model(LinearSpec(input_dim=3, output_dim=2))
        >>> with in_one_node(network):
        ...     network(torch.zeros(4, 3)).grad_fn.name()
        '_OneNodeBackward'
    """
    network._layers = network.layers()
    network._inner = tuple(network.modules())[1:]
    try:
        yield
    finally:
        del network._layers, network._inner
