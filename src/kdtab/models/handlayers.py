"""The layers of kdtab's networks, each with its pullback written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor, nn

from kdtab.models.dropout import UnitDraws, kept_scale
from kdtab.models.handwritten import Layer, Pullback, forward_through, parameters_of


@final
@dataclass(frozen=True, eq=False)
class LinearLayer:
    """z = s · x Wᵀ + b.

    Attributes:
        module: Whose weight and bias are read at each call.
        scale: s: what a dropout before it leaves to the matrix product, which scales for nothing.
        is_first: Whether nobody asks for the gradient of the inputs.
        is_centred: Whether a norm follows: it takes the mean away, and any bias with it, so that
            the gradient of the bias is 0.

    Example:
        >>> LinearLayer(nn.Linear(3, 2), is_first=True).forward(torch.zeros(4, 3))[0].shape
        torch.Size([4, 2])
    """

    module: nn.Linear
    scale: float = 1.0
    is_first: bool = False
    is_centred: bool = False

    def parameters(self) -> tuple[Tensor, ...]:
        """Weight and bias.

        Returns:
            [out, in] and [out].

        Example:
            >>> [tuple(each.shape) for each in LinearLayer(nn.Linear(3, 2)).parameters()]
            [(2, 3), (2,)]
        """
        own = self.module._parameters
        weight, bias = own["weight"], own["bias"]
        assert weight is not None, "a Linear has a weight"
        assert bias is not None, "every Linear of a spec has a bias"
        return weight, bias

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """One matrix product; two on the way back.

        Args:
            inputs: [B, in] units.

        Returns:
            [B, out] units, and the pullback.

        Example:
            >>> LinearLayer(nn.Linear(3, 2)).forward(torch.zeros(4, 3))[0].shape
            torch.Size([4, 2])
        """
        weight, bias = self.parameters()
        scale = self.scale

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            of_weight, of_bias = into
            torch.addmm(of_weight, gradient.t(), inputs, beta=0, alpha=scale, out=of_weight)
            if self.is_centred:
                of_bias.zero_()
            else:
                torch.sum(gradient, 0, out=of_bias)
            if self.is_first:
                return None
            return torch.addmm(bias.new_empty(1), gradient, weight, beta=0, alpha=scale)

        return torch.addmm(bias, inputs, weight.t(), alpha=scale), pull


@final
@dataclass(frozen=True, eq=False)
class NormLayer:
    """BatchNorm over the rows of the batch; its running statistics follow.

    Attributes:
        module: Whose parameters and statistics are read, and whose statistics are moved.

    Example:
        >>> NormLayer(nn.BatchNorm1d(1)).forward(torch.tensor([[1.0], [3.0]]))[0].detach().round()
        tensor([[-1.],
                [ 1.]])
    """

    module: nn.BatchNorm1d

    def parameters(self) -> tuple[Tensor, ...]:
        """Weight γ and bias β.

        Returns:
            [h] and [h].

        Example:
            >>> len(NormLayer(nn.BatchNorm1d(4)).parameters())
            2
        """
        own = self.module._parameters
        weight, bias = own["weight"], own["bias"]
        assert weight is not None, "a norm of a spec has a weight"
        assert bias is not None, "a norm of a spec has a bias"
        return weight, bias

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """γ · (x − mean) / √(variance + ε) + β.

        Args:
            inputs: [B, h] units, B of at least 2.

        Returns:
            [B, h] units, and the pullback.

        Example:
            >>> norm = nn.BatchNorm1d(1)
            >>> _ = NormLayer(norm).forward(torch.tensor([[1.0], [3.0]]))
            >>> norm.running_mean, norm.num_batches_tracked
            (tensor([0.2000]), tensor(1))
        """
        norm, (weight, bias) = self.module, self.parameters()
        held = norm._buffers
        means, variances, batches = (
            held[name] for name in ("running_mean", "running_var", "num_batches_tracked")
        )
        assert batches is not None, "a norm of a spec keeps its statistics"
        assert norm.momentum is not None, "as a moving average"
        batches.add_(1)
        outputs, mean, scale = torch.native_batch_norm(
            inputs, weight, bias, means, variances, True, norm.momentum, norm.eps
        )

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            before: Tensor
            before, *own = torch.ops.aten.native_batch_norm_backward(
                gradient, inputs, weight, means, variances, mean, scale, True, norm.eps, [True] * 3
            )
            into[0].copy_(own[0])
            into[1].copy_(own[1])
            return before

        return outputs, pull


@final
@dataclass(frozen=True, eq=False)
class ReluDropoutLayer:
    """ReLU, then zero for what is dropped; what is kept is scaled by the layer that follows.

    A unit that is above zero afterwards was kept, so nothing else is saved for the way back.

    Attributes:
        rate: Dropout rate in [0, 1).

    Example:
        >>> ReluDropoutLayer(0.0).forward(torch.tensor([[-1.0, 2.0]]))[0]
        tensor([[0., 2.]])
    """

    rate: float
    _draws: UnitDraws = field(default_factory=UnitDraws, repr=False)

    def parameters(self) -> tuple[Tensor, ...]:
        """None.

        Returns:
            Nothing: no number is learnt here.

        Example:
            >>> ReluDropoutLayer(0.0).parameters()
            ()
        """
        return ()

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """Zero where the unit is negative or dropped.

        Args:
            inputs: [B, h] units.

        Returns:
            [B, h] units, and the pullback.

        Example:
            >>> outputs, pull = ReluDropoutLayer(0.5).forward(torch.ones(1, 4))
            >>> bool((pull(torch.ones(1, 4), ()) == outputs).all())
            True
        """
        outputs = torch.relu(inputs)
        if self.rate > 0:
            draws, limit = self._draws.drawn(inputs, self.rate)
            torch.ops.aten.threshold_backward.grad_input(outputs, draws, limit, grad_input=outputs)

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            before: Tensor = torch.ops.aten.threshold_backward(gradient, outputs, 0)
            return before

        return outputs, pull


@final
@dataclass(frozen=True, eq=False)
class ResidualLayer:
    """x + Dropout(what the layers of a branch make of x).

    Attributes:
        branch: At least one layer.
        rate: Dropout rate in [0, 1).

    Example:
        >>> ResidualLayer((ReluDropoutLayer(0.0),), 0.0).forward(torch.ones(1, 2))[0]
        tensor([[2., 2.]])
    """

    branch: tuple[Layer, ...]
    rate: float

    def parameters(self) -> tuple[Tensor, ...]:
        """Those of the branch.

        Returns:
            Those of its layers, in order.

        Example:
            >>> len(ResidualLayer((LinearLayer(nn.Linear(2, 2)),), 0.0).parameters())
            2
        """
        return parameters_of(self.branch)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Pullback]:
        """The branch, what is dropped of it, and the sum.

        Args:
            inputs: [B, h] units.

        Returns:
            [B, h] units, and the pullback.

        Example:
            >>> outputs, pull = ResidualLayer((ReluDropoutLayer(0.0),), 0.0).forward(torch.ones(1, 2))
            >>> pull(outputs, ())
            tensor([[4., 4.]])
        """
        added, pull_branch = forward_through(self.branch, inputs)
        scale = kept_scale(self.rate)
        if self.rate > 0:
            # Draws of its own for each forward: the way back needs them.
            draws, limit = UnitDraws().drawn(added, self.rate)
            added = torch.ops.aten.threshold_backward(added, draws, limit)

        def pull(gradient: Tensor, into: Sequence[Tensor]) -> Tensor | None:
            through = gradient
            if self.rate > 0:
                through = torch.ops.aten.threshold_backward(gradient, draws, limit).mul_(scale)
            before = pull_branch(through, into)
            assert before is not None, "a branch hands its gradient on"
            return before + gradient

        return torch.add(inputs, added, alpha=scale), pull
