"""One Linear: logistic regression, or linear regression."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from kdtab.config.networks import LinearSpec
from kdtab.models.network import TabularNetwork


@final
class LinearNetwork(TabularNetwork):
    """z = x Wᵀ + b, with D·C + C parameters.

    Args:
        spec: Input and output sizes.

    Example:
        >>> sum(p.numel() for p in LinearNetwork(LinearSpec(input_dim=3, output_dim=2)).parameters())
        8
    """

    def __init__(self, spec: LinearSpec) -> None:
        super().__init__(spec)
        self.head = nn.Linear(spec.input_dim, spec.output_dim)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs of encoded rows.

        Args:
            inputs: [B, D] float32 encoded rows.

        Returns:
            [B, C] float32 logits, or [B, 1] values in the unit of training.

        Example:
            >>> import torch
            >>> LinearNetwork(LinearSpec(input_dim=3, output_dim=2))(torch.zeros(4, 3)).shape
            torch.Size([4, 2])
        """
        outputs: Tensor = self.head(inputs)
        return outputs
