"""The parts of a batch ensemble, as modules and written by hand: units are [K, B, h]."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from kdtab.models.handwritten import Pullback


@final
class SharedLinear(nn.Module):
    """h_m = ((x ∘ r_m) Wᵀ) ∘ s_m + b_m for each member m of K: one matrix for all of them.

    Args:
        in_dim: Columns that come in.
        out_dim: Units that go out.
        members: K.
        signs: Whether r begins with random signs, which tells the members apart; else with ones.

    Source: Wen et al., 2020 (arXiv:2002.06715); the start is that of Gorishniy et al., 2025
    (arXiv:2410.24210): s of ones, and one bias for all members.

    Example:
        >>> sum(p.numel() for p in SharedLinear(3, 4, members=2, signs=True).parameters())
        34
    """

    def __init__(self, in_dim: int, out_dim: int, *, members: int, signs: bool) -> None:
        super().__init__()
        bound = 1 / math.sqrt(in_dim)
        self.weight = nn.Parameter(torch.empty(out_dim, in_dim).uniform_(-bound, bound))
        bias = torch.empty(out_dim).uniform_(-bound, bound)
        entering = torch.ones(members, in_dim)
        if signs:
            entering = 2.0 * torch.randint(0, 2, (members, in_dim)) - 1.0
        self.entering = nn.Parameter(entering)
        self.leaving = nn.Parameter(torch.ones(members, out_dim))
        self.bias = nn.Parameter(bias.repeat(members, 1))

    def forward(self, inputs: Tensor) -> Tensor:
        """The units of every member.

        Args:
            inputs: [K, B, in], or [B, in] where all members see the same.

        Returns:
            [K, B, out].

        Example:
            >>> SharedLinear(3, 4, members=2, signs=True)(torch.zeros(5, 3)).shape
            torch.Size([2, 5, 4])
        """
        shared = (inputs * self.entering[:, None]) @ self.weight.t()
        return torch.addcmul(self.bias[:, None], shared, self.leaving[:, None])

    def extra_repr(self) -> str:
        """Sizes, for torch's own text of a module.

        Returns:
            Members, columns and units.

        Example:
            >>> SharedLinear(3, 4, members=2, signs=False)
            SharedLinear(members=2, in_features=3, out_features=4)
        """
        members, in_dim = self.entering.shape
        return f"members={members}, in_features={in_dim}, out_features={len(self.weight)}"


@final
class MemberHeads(nn.Module):
    """y_m = h_m W_mᵀ + b_m for each member m of K: a matrix for each of them.

    Args:
        in_dim: Units that come in.
        out_dim: Classes, or 1.
        members: K.

    Example:
        >>> sum(p.numel() for p in MemberHeads(3, 4, members=2).parameters())
        32
    """

    def __init__(self, in_dim: int, out_dim: int, *, members: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(in_dim)
        self.weight = nn.Parameter(torch.empty(members, out_dim, in_dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, out_dim).uniform_(-bound, bound))

    def forward(self, inputs: Tensor) -> Tensor:
        """What every member says.

        Args:
            inputs: [K, B, in].

        Returns:
            [K, B, out].

        Example:
            >>> MemberHeads(3, 4, members=2)(torch.zeros(2, 5, 3)).shape
            torch.Size([2, 5, 4])
        """
        return torch.baddbmm(self.bias[:, None], inputs, self.weight.mT)

    def extra_repr(self) -> str:
        """Sizes, for torch's own text of a module.

        Returns:
            Members, units and outputs.

        Example:
            >>> MemberHeads(3, 4, members=2)
            MemberHeads(members=2, in_features=3, out_features=4)
        """
        members, out_dim, in_dim = self.weight.shape
        return f"members={members}, in_features={in_dim}, out_features={out_dim}"


@final
@dataclass(frozen=True, eq=False)
class SharedLinearLayer:
    """`SharedLinear` with its pullback.

    Attributes:
        module: Whose parameters are read at each call.
        scale: What a dropout before it leaves to the matrix product.
        is_first: Whether all members see the same inputs, and nobody asks for their gradient.

    Example:
        >>> module = SharedLinear(3, 4, members=2, signs=True)
        >>> SharedLinearLayer(module, is_first=True).forward(torch.zeros(5, 3))[0].shape
        torch.Size([2, 5, 4])
    """

    module: SharedLinear
    scale: float = 1.0
    is_first: bool = False

    def parameters(self) -> tuple[Tensor, ...]:
        """W, r, s and b.

        Returns:
            [out, in], [K, in], [K, out] and [K, out].

        Example:
            >>> len(SharedLinearLayer(SharedLinear(3, 4, members=2, signs=True)).parameters())
            4
        """
        module = self.module
        return module.weight, module.entering, module.leaving, module.bias

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """One matrix product for all members; two on the way back.

        Args:
            inputs: [K, B, in], or [B, in] for the first layer.

        Returns:
            [K, B, out] units, and the pullback.

        Example:
            >>> layer = SharedLinearLayer(SharedLinear(3, 4, members=2, signs=True))
            >>> layer.forward(torch.zeros(2, 5, 3))[0].shape
            torch.Size([2, 5, 4])
        """
        weight, entering, leaving, bias = self.parameters()
        entered = inputs * entering[:, None]
        shared = (entered @ weight.t()).mul_(self.scale)
        outputs = torch.addcmul(bias[:, None], shared, leaving[:, None])

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            of_weight, of_entering, of_leaving, of_bias = into
            torch.sum(gradient, 1, out=of_bias)
            torch.sum(gradient * shared, 1, out=of_leaving)
            of_shared = gradient * (leaving[:, None] * self.scale)
            torch.mm(of_shared.flatten(0, 1).t(), entered.flatten(0, 1), out=of_weight)
            of_entered = of_shared @ weight
            torch.sum(of_entered * inputs, 1, out=of_entering)
            return None if self.is_first else of_entered.mul_(entering[:, None])

        return outputs, pull


@final
@dataclass(frozen=True, eq=False)
class MemberHeadsLayer:
    """`MemberHeads` with its pullback.

    Attributes:
        module: Whose parameters are read at each call.
        scale: What a dropout before it leaves to the matrix product.

    Example:
        >>> layer = MemberHeadsLayer(MemberHeads(3, 4, members=2))
        >>> layer.forward(torch.zeros(2, 5, 3))[0].shape
        torch.Size([2, 5, 4])
    """

    module: MemberHeads
    scale: float = 1.0

    def parameters(self) -> tuple[Tensor, ...]:
        """Weights and biases of all members.

        Returns:
            [K, out, in] and [K, out].

        Example:
            >>> len(MemberHeadsLayer(MemberHeads(3, 4, members=2)).parameters())
            2
        """
        return self.module.weight, self.module.bias

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """A matrix product for each member; two on the way back.

        Args:
            inputs: [K, B, in].

        Returns:
            [K, B, out], and the pullback.

        Example:
            >>> layer = MemberHeadsLayer(MemberHeads(3, 4, members=2))
            >>> layer.forward(torch.zeros(2, 5, 3))[0].shape
            torch.Size([2, 5, 4])
        """
        weight, bias = self.parameters()
        scale = self.scale

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            of_weight, of_bias = into
            torch.sum(gradient, 1, out=of_bias)
            torch.bmm(gradient.mT, inputs, out=of_weight)
            of_weight.mul_(scale)
            return torch.bmm(gradient, weight).mul_(scale)

        return torch.baddbmm(bias[:, None], inputs, weight.mT, alpha=scale), pull
