"""Many networks in one: members share their matrices, and each has scales and a head of its own."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import final

import torch
from torch import Tensor, nn

from kdtab.config.networks import BatchEnsembleSpec
from kdtab.models.dropout import Dropout, kept_scale
from kdtab.models.encoding import start_from_columns
from kdtab.models.handlayers import ReluDropoutLayer
from kdtab.models.handwritten import Layer, outputs_in_one_node
from kdtab.models.memberlayers import (
    MemberHeads,
    MemberHeadsLayer,
    SharedLinear,
    SharedLinearLayer,
)
from kdtab.models.network import TabularNetwork


def mean_of_members(outputs: Tensor) -> Tensor:
    """What an ensemble says: log mean_m softmax(z_m), or the mean value.

    Args:
        outputs: [K, B, C] logits of the members, or [K, B, 1] values.

    Returns:
        [B, C] log-probabilities, which are logits of the mean probability; or [B, 1] values.

    Example:
        >>> certain = torch.tensor([[[90.0, 0.0]], [[0.0, 90.0]]])
        >>> mean_of_members(certain).exp()
        tensor([[0.5000, 0.5000]])
    """
    if outputs.shape[2] == 1:
        return outputs.mean(0)
    return torch.logsumexp(torch.log_softmax(outputs, 2), 0) - math.log(len(outputs))


@final
class MemberBlock(nn.Module):
    """Dropout(ReLU(SharedLinear(x))) of every member.

    Args:
        in_dim: Columns that come in.
        out_dim: Units that go out.
        members: K.
        signs: Whether it is the first one, which tells the members apart.
        dropout: Share of units set to zero in a training step, others for each member.

    Example:
        >>> MemberBlock(3, 4, members=2, signs=True, dropout=0.0)(torch.zeros(5, 3)).shape
        torch.Size([2, 5, 4])
    """

    def __init__(
        self, in_dim: int, out_dim: int, *, members: int, signs: bool, dropout: float
    ) -> None:
        super().__init__()
        self.linear = SharedLinear(in_dim, out_dim, members=members, signs=signs)
        self.activation = nn.ReLU()
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        """The block's units for each row and member.

        Args:
            inputs: [K, B, in_dim], or [B, in_dim] for the first block.

        Returns:
            [K, B, out_dim], none below zero.

        Example:
            >>> block = MemberBlock(3, 4, members=2, signs=False, dropout=0.0)
            >>> block(torch.zeros(2, 5, 3)).shape
            torch.Size([2, 5, 4])
        """
        outputs: Tensor = self.dropout(self.activation(self.linear(inputs)))
        return outputs


@final
class BatchEnsembleNetwork(TabularNetwork):
    """L blocks of h units without norms, then a head for each of K members.

    It has D·h + (L − 1)h² + K(D + h + h) + (L − 1)·3·K·h + K(h·C + C) parameters; D is the width of
    the encoding where the spec has one. A training task follows the mean of the members' losses,
    not the loss of their mean (`kdtab.tasks.members`): that keeps the members apart.

    Args:
        spec: Sizes, dropout and members.

    Source: Gorishniy et al., 2025 (TabM, arXiv:2410.24210).

    Example:
        >>> spec = BatchEnsembleSpec(
        ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.1, members=2
        ... )
        >>> sum(p.numel() for p in BatchEnsembleNetwork(spec).parameters())
        54
    """

    def __init__(self, spec: BatchEnsembleSpec) -> None:
        super().__init__(spec)
        widths = [spec.encoded_dim, *([spec.hidden_dim] * spec.num_hidden_layers)]
        blocks = [
            MemberBlock(
                in_dim, out_dim, members=spec.members, signs=place == 0, dropout=spec.dropout
            )
            for place, (in_dim, out_dim) in enumerate(pairwise(widths))
        ]
        start_from_columns(spec.encoding, blocks[0].linear.weight)
        self.blocks = nn.Sequential(*blocks)
        self.heads = MemberHeads(spec.hidden_dim, spec.output_dim, members=spec.members)

    def forward(self, inputs: Tensor) -> Tensor:
        """What the ensemble says, in train mode too.

        Args:
            inputs: [B, D] float32 encoded rows.

        Returns:
            [B, C] log-probabilities, or [B, 1] values in the unit of training.

        Example:
            >>> spec = BatchEnsembleSpec(
            ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.1, members=2
            ... )
            >>> BatchEnsembleNetwork(spec)(torch.zeros(5, 3)).exp().sum().round().item()
            5.0
        """
        return mean_of_members(self.member_outputs(inputs))

    def member_outputs(self, inputs: Tensor) -> Tensor:
        """What every member says.

        Args:
            inputs: [B, D] float32 encoded rows.

        Returns:
            [K, B, C] logits, or [K, B, 1] values in the unit of training.

        Example:
            >>> spec = BatchEnsembleSpec(
            ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=1, dropout=0.1, members=2
            ... )
            >>> BatchEnsembleNetwork(spec).member_outputs(torch.zeros(5, 3)).shape
            torch.Size([2, 5, 2])
        """
        if self._layers and self._follows_layers(inputs):
            return outputs_in_one_node(self._layers, inputs)
        outputs: Tensor = self.heads(self.blocks(self.encoded(inputs)))
        return outputs

    def outputs_of_modules(self, inputs: Tensor) -> Tensor:
        """Block after block, then the heads, then their mean.

        Args:
            inputs: [B, D] float32 encoded rows.

        Returns:
            [B, C] log-probabilities, or [B, 1] values in the unit of training.

        Example:
            >>> spec = BatchEnsembleSpec(
            ...     input_dim=3, output_dim=1, hidden_dim=4, num_hidden_layers=1, dropout=0.1, members=2
            ... )
            >>> BatchEnsembleNetwork(spec).outputs_of_modules(torch.zeros(5, 3)).shape
            torch.Size([5, 1])
        """
        return mean_of_members(self.heads(self.blocks(self.encoded(inputs))))

    def layers(self) -> tuple[Layer, ...]:
        """Two for each block, and the heads: what every member says, not their mean.

        Returns:
            The encoding, if there is one; shared linear, and ReLU with dropout of every block; the
            heads.

        Example:
            >>> spec = BatchEnsembleSpec(
            ...     input_dim=3, output_dim=2, hidden_dim=4, num_hidden_layers=2, dropout=0.1, members=2
            ... )
            >>> len(BatchEnsembleNetwork(spec).layers())
            5
        """
        found: list[Layer] = []
        scale = 1.0
        for block in self.blocks:
            assert isinstance(block, MemberBlock), "the blocks of a spec are of one kind"
            found.append(SharedLinearLayer(block.linear, scale, not found))
            found.append(ReluDropoutLayer(block.dropout.p))
            scale = kept_scale(block.dropout.p)
        return (*self.encoding_layers(), *found, MemberHeadsLayer(self.heads, scale))
