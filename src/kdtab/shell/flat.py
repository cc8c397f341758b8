"""All weights of a network in one vector, and Adam on it in one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

ALIGNED_NUMBERS = 16


@final
@dataclass(frozen=True, eq=False)
class FlatWeights:
    """The weights of a network as one vector, and their gradients as another.

    Attributes:
        vector: Every number of every parameter; `vector.grad` has the gradients.
        gradients: The parts of `vector.grad`, one for each parameter and of its shape.

    Example:
        >>> with flat_weights(list(nn.Linear(3, 2).parameters())) as flat:
        ...     [tuple(part.shape) for part in flat.gradients]
        [(2, 3), (2,)]
    """

    vector: nn.Parameter
    gradients: tuple[Tensor, ...]


@contextmanager
def flat_weights(parameters: Sequence[Tensor]) -> Iterator[FlatWeights]:
    """Let the parameters be parts of one vector; afterwards each has memory of its own again.

    Parts begin at multiples of 64 bytes, as matrix products like them; what lies between stays 0.

    Args:
        parameters: Of one network, all of one type, on one device.

    Yields:
        The vector. Changing it changes the parameters.

    Example:
        >>> linear = nn.Linear(1, 1)
        >>> with flat_weights([linear.weight]) as flat:
        ...     _ = flat.vector.data.fill_(7.0)
        >>> linear.weight.item()
        7.0
    """
    starts = [0]
    for parameter in parameters:
        starts.append(starts[-1] + -(-parameter.numel() // ALIGNED_NUMBERS) * ALIGNED_NUMBERS)
    vector = nn.Parameter(parameters[0].detach().new_zeros(starts[-1]))
    vector.grad = torch.zeros_like(vector)
    for parameter, part in zip(parameters, _parts(vector.data, starts, parameters), strict=True):
        part.copy_(parameter.data)
        parameter.data = part
    try:
        yield FlatWeights(vector, tuple(_parts(vector.grad, starts, parameters)))
    finally:
        for parameter in parameters:
            parameter.data = parameter.data.clone()


def _parts(vector: Tensor, starts: Sequence[int], like: Sequence[Tensor]) -> Iterator[Tensor]:
    for start, parameter in zip(starts, like, strict=False):
        yield vector[start : start + parameter.numel()].view(parameter.shape)


@final
class FlatAdam:
    """`torch.optim.Adam` on one vector or pieces of it, without what its `step` spends on bookkeeping.

    A step of the optimizer takes longer to find its tensors than to change these few. Where torch
    has its kernel under the name that is looked for, it is called with the optimizer's own state;
    otherwise, and at the first step, the optimizer does it all.

    Args:
        optimizer: Adam of one group of parameters, whose memory stays where it is.

    Example:
        >>> weights = nn.Parameter(torch.zeros(3))
        >>> weights.grad = torch.ones(3)
        >>> FlatAdam(torch.optim.Adam([weights], lr=0.5)).step()
        >>> weights.data
        tensor([-0.5000, -0.5000, -0.5000])
    """

    def __init__(self, optimizer: torch.optim.Adam) -> None:
        self._optimizer = optimizer
        (self._group,) = optimizer.param_groups
        self._weights = list[Tensor](self._group["params"])
        self._kernel = getattr(torch, "_fused_adam_", None)

    @cached_property
    def _moments(self) -> _Moments:
        """The optimizer's own, there from its first step on."""
        states = [self._optimizer.state[weight] for weight in self._weights]
        return _Moments(
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            states[0]["step"],
        )

    def step(self) -> None:
        """One update from `grad`, which stays as it is.

        Example:
            >>> weights = nn.Parameter(torch.zeros(1))
            >>> weights.grad = torch.ones(1)
            >>> adam = FlatAdam(torch.optim.Adam([weights], lr=0.5, fused=True))
            >>> for _ in range(2):
            ...     adam.step()
            >>> weights.data
            tensor([-1.0000])
        """
        if not self._optimizer.state or self._kernel is None or not self._group["fused"]:
            self._optimizer.step()
            return
        group, moments = self._group, self._moments
        moments.updates.add_(1)
        self._kernel(
            self._weights,
            [weight.grad for weight in self._weights],
            moments.means,
            moments.squares,
            [],
            [moments.updates] * len(self._weights),
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )


class _Moments(NamedTuple):
    means: list[Tensor]
    squares: list[Tensor]
    updates: Tensor
