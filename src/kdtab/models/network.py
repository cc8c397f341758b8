"""What every network of kdtab is: a module that knows its spec, with a typed call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from kdtab.config.networks import NetworkSpec


class TabularNetwork(nn.Module):
    """Base of the networks that a spec describes: encoded rows in, logits or values out.

    Args:
        spec: The plain data that it was built from.

    Attributes:
        spec: The same; enough to build an equal network and load its weights.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> TabularNetwork(LinearSpec(input_dim=3, output_dim=2)).spec.input_dim
        3
    """

    spec: NetworkSpec

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec

    if TYPE_CHECKING:

        def __call__(self, inputs: Tensor) -> Tensor:
            """`forward`, with the hooks of torch."""
            ...

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs of encoded rows; each network gives its own.

        Args:
            inputs: [B, D] float32 encoded rows.

        Returns:
            [B, C] float32 logits, or [B, 1] values in the unit of training.

        Example:
            >>> import torch
            >>> from kdtab.config.networks import LinearSpec
            >>> from kdtab.models.build import build_model
            >>> build_model(LinearSpec(input_dim=3, output_dim=2)).forward(torch.zeros(4, 3)).shape
            torch.Size([4, 2])
        """
        raise NotImplementedError
