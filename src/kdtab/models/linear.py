"""One Linear: logistic regression, or linear regression."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from kdtab.config.networks import LinearSpec
from kdtab.models.encoding import start_from_columns
from kdtab.models.handlayers import LinearLayer
from kdtab.models.handwritten import Layer
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
        self.head = nn.Linear(spec.encoded_dim, spec.output_dim)
        start_from_columns(spec.encoding, self.head.weight)

    def outputs_of_modules(self, inputs: Tensor) -> Tensor:
        """One matrix product.

        Args:
            inputs: [B, D] float32 encoded rows.

        Returns:
            [B, C] float32 logits, or [B, 1] values in the unit of training.

        Example:
            >>> import torch
            >>> network = LinearNetwork(LinearSpec(input_dim=3, output_dim=2))
            >>> network.outputs_of_modules(torch.zeros(4, 3)).shape
            torch.Size([4, 2])
        """
        outputs: Tensor = self.head(self.encoded(inputs))
        return outputs

    def layers(self) -> tuple[Layer, ...]:
        """The only one, after the encoding, if there is one.

        Returns:
            One layer, or two.

        Example:
            >>> len(LinearNetwork(LinearSpec(input_dim=3, output_dim=2)).layers())
            1
        """
        return (*self.encoding_layers(), LinearLayer(self.head, is_first=True))
