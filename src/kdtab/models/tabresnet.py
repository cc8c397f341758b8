"""Residual blocks for tables (ResNet of Gorishniy et al., arXiv:2106.11959)."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from kdtab.config.networks import TabResNetSpec
from kdtab.models.dropout import Dropout, kept_scale
from kdtab.models.encoding import start_from_columns
from kdtab.models.handlayers import (
    LinearLayer,
    NormLayer,
    ReluDropoutLayer,
    ResidualLayer,
)
from kdtab.models.handwritten import Layer
from kdtab.models.network import TabularNetwork


@final
class ResidualBlock(nn.Module):
    """x + Dropout(Linear(Dropout(ReLU(Linear(BatchNorm(x)))))): [B, h] to [B, h].

    NOTE[DIFF]: the paper widens the inner layer by a factor of its own and has two dropout rates;
    here the inner layer has h units and both rates are one.

    Args:
        width: h, the units.
        dropout: Share of units set to zero in a training step.

    Example:
        >>> sum(p.numel() for p in ResidualBlock(4, dropout=0.0).parameters())
        48
    """

    def __init__(self, width: int, *, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.inner = nn.Linear(width, width)
        self.activation = nn.ReLU()
        self.inner_dropout = Dropout(dropout)
        self.outer = nn.Linear(width, width)
        self.outer_dropout = Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """The rows, changed by what the block adds.

        Args:
            inputs: [B, h] float32; B of at least 2 in train mode.

        Returns:
            [B, h] float32.

        Example:
            >>> import torch
            >>> ResidualBlock(4, dropout=0.0)(torch.zeros(2, 4)).shape
            torch.Size([2, 4])
        """
        inner = self.inner_dropout(self.activation(self.inner(self.norm(inputs))))
        outputs: Tensor = inputs + self.outer_dropout(self.outer(inner))
        return outputs

    def layer(self) -> ResidualLayer:
        """The block as a hand-written layer, for train mode.

        Returns:
            One layer that holds the layers of its branch.

        Example:
            >>> len(ResidualBlock(4, dropout=0.0).layer().branch)
            4
        """
        rate = self.inner_dropout.p
        branch = (
            NormLayer(self.norm),
            LinearLayer(self.inner),
            ReluDropoutLayer(rate),
            LinearLayer(self.outer, kept_scale(rate)),
        )
        return ResidualLayer(branch, self.outer_dropout.p)


@final
class TabResNetNetwork(TabularNetwork):
    """One Linear, L residual blocks, BatchNorm, ReLU, one Linear.

    It has D·h + h + L(2h² + 4h) + 2h + h·C + C parameters; D is the width of the encoding where
    the spec has one.

    Args:
        spec: Sizes and dropout.

    Example:
        >>> spec = TabResNetSpec(
        ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.1
        ... )
        >>> sum(p.numel() for p in TabResNetNetwork(spec).parameters())
        82
    """

    def __init__(self, spec: TabResNetSpec) -> None:
        super().__init__(spec)
        self.stem = nn.Linear(spec.encoded_dim, spec.hidden_dim)
        start_from_columns(spec.encoding, self.stem.weight)
        self.blocks = nn.Sequential(
            *(
                ResidualBlock(spec.hidden_dim, dropout=spec.dropout)
                for _ in range(spec.num_hidden_layers)
            )
        )
        self.norm = nn.BatchNorm1d(spec.hidden_dim)
        self.activation = nn.ReLU()
        self.head = nn.Linear(spec.hidden_dim, spec.output_dim)

    def outputs_of_modules(self, inputs: Tensor) -> Tensor:
        """Stem, block after block, norm and head.

        Args:
            inputs: [B, D] float32 encoded rows; B of at least 2 in train mode.

        Returns:
            [B, C] float32 logits, or [B, 1] values in the unit of training.

        Example:
            >>> import torch
            >>> spec = TabResNetSpec(
            ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.1
            ... )
            >>> TabResNetNetwork(spec).outputs_of_modules(torch.zeros(5, 3)).shape
            torch.Size([5, 2])
        """
        residual = self.blocks(self.stem(self.encoded(inputs)))
        outputs: Tensor = self.head(self.activation(self.norm(residual)))
        return outputs

    def layers(self) -> tuple[Layer, ...]:
        """The encoding, if there is one; the stem, one for each block, norm, ReLU and head.

        Returns:
            Layers in the order of the modules.

        Example:
            >>> spec = TabResNetSpec(
            ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.1
            ... )
            >>> len(TabResNetNetwork(spec).layers())
            6
        """
        blocks = [block for block in self.blocks if isinstance(block, ResidualBlock)]
        return (
            *self.encoding_layers(),
            LinearLayer(self.stem, is_first=True),
            *(block.layer() for block in blocks),
            NormLayer(self.norm),
            ReluDropoutLayer(0.0),
            LinearLayer(self.head),
        )
