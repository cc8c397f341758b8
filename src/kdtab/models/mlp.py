"""Blocks of Linear, BatchNorm, ReLU and Dropout, then one Linear."""

from __future__ import annotations

from itertools import pairwise
from typing import final

from torch import Tensor, nn

from kdtab.config.networks import MlpSpec
from kdtab.models.dropout import Dropout, kept_scale
from kdtab.models.encoding import start_from_columns
from kdtab.models.handlayers import LinearLayer, NormLayer, ReluDropoutLayer
from kdtab.models.handwritten import Layer
from kdtab.models.network import TabularNetwork


@final
class MlpBlock(nn.Module):
    """Dropout(ReLU(BatchNorm(Linear(x)))): [B, in_dim] to [B, out_dim].

    Args:
        in_dim: Columns that come in.
        out_dim: Units, which is columns that go out.
        dropout: Share of units set to zero in a training step.

    Example:
        >>> sum(p.numel() for p in MlpBlock(3, 4, dropout=0.0).parameters())
        24
    """

    def __init__(self, in_dim: int, out_dim: int, *, dropout: float) -> None:
        super().__init__()
        self.linear = nn.Linear(in_dim, out_dim)
        self.norm = nn.BatchNorm1d(out_dim)
        self.activation = nn.ReLU()
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """The block's units for each row.

        Args:
            inputs: [B, in_dim] float32; B of at least 2 in train mode.

        Returns:
            [B, out_dim] float32, none below zero.

        Example:
            >>> import torch
            >>> MlpBlock(3, 4, dropout=0.0)(torch.zeros(2, 3)).shape
            torch.Size([2, 4])
        """
        outputs: Tensor = self.dropout(self.activation(self.norm(self.linear(inputs))))
        return outputs


@final
class MlpNetwork(TabularNetwork):
    """L blocks of h units, then one Linear: D·h + h + (L − 1)(h² + h) + 2·L·h + h·C + C parameters.

    D is the width of the encoding where the spec has one.

    Args:
        spec: Sizes and dropout.

    Example:
        >>> spec = MlpSpec(input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.1)
        >>> sum(p.numel() for p in MlpNetwork(spec).parameters())
        34
    """

    def __init__(self, spec: MlpSpec) -> None:
        super().__init__(spec)
        widths = [spec.encoded_dim, *([spec.hidden_dim] * spec.num_hidden_layers)]
        blocks = [
            MlpBlock(in_dim, out_dim, dropout=spec.dropout) for in_dim, out_dim in pairwise(widths)
        ]
        start_from_columns(spec.encoding, blocks[0].linear.weight)
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(spec.hidden_dim, spec.output_dim)

    def outputs_of_modules(self, inputs: Tensor) -> Tensor:
        """Block after block, then the head.

        Args:
            inputs: [B, D] float32 encoded rows; B of at least 2 in train mode.

        Returns:
            [B, C] float32 logits, or [B, 1] values in the unit of training.

        Example:
            >>> import torch
            >>> spec = MlpSpec(
            ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.1
            ... )
            >>> MlpNetwork(spec).outputs_of_modules(torch.zeros(5, 3)).shape
            torch.Size([5, 2])
        """
        outputs: Tensor = self.head(self.blocks(self.encoded(inputs)))
        return outputs

    def layers(self) -> tuple[Layer, ...]:
        """Three for each block, and the head.

        Returns:
            The encoding, if there is one; linear, norm, and ReLU with dropout of every block; the
            head.

        Example:
            >>> spec = MlpSpec(
            ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.1
            ... )
            >>> len(MlpNetwork(spec).layers())
            7
        """
        found: list[Layer] = []  # without the encoding, which nobody needs a gradient for
        scale = 1.0
        for block in self.blocks:
            assert isinstance(block, MlpBlock), "the blocks of a spec are of one kind"
            normed = isinstance(block.norm, nn.BatchNorm1d)
            found.append(LinearLayer(block.linear, scale, not found, is_centred=normed))
            if normed:
                found.append(NormLayer(block.norm))
            found.append(ReluDropoutLayer(block.dropout.p))
            scale = kept_scale(block.dropout.p)
        return (*self.encoding_layers(), *found, LinearLayer(self.head, scale))
