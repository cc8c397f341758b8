"""All weights of a network in one vector, and Adam on it in one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress
from typing import final

import torch
from torch import Tensor, nn

ALIGNED_NUMBERS = 16
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
FUSED_ADAM_DEVICES = frozenset({"cpu", "cuda"})


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
    """`torch.optim.Adam` and `AdamW`, without what these spend on bookkeeping and on imports.

    A step of the optimizer takes longer to find its tensors than to change these few, and whoever
    makes one imports torch's compiler first, which takes longer than many a fit. The numbers are
    torch's: where it has its kernel under the name that is looked for, that kernel makes them.

    Args:
        tensors: What to update, on one device; a step leaves those without a `grad` alone.
        learning_rate: Step size; may be set before every step.
        weight_decay: Added to the gradient as weight_decay · weight (L2: REQ-KD20, REQ-T10), or, if
            decoupled, taken off the weight as learning_rate · weight_decay · weight.
        decoupled: AdamW's decay in place of Adam's.
        undecayed: More to update, without any decay.

    Attributes:
        learning_rate: Of the next step.
        weight_decay: Of the tensors that decay.
        decoupled: Whether the decay is AdamW's.
        tensors: All that is updated.
        undecayed: Those of them that never decay.

    Source: Kingma and Ba, 2015 (arXiv:1412.6980); Loshchilov and Hutter, 2019 (arXiv:1711.05101).

    Example:
        >>> weights = nn.Parameter(torch.zeros(3))
        >>> weights.grad = torch.ones(3)
        >>> FlatAdam([weights], learning_rate=0.5).step()
        >>> weights.data
        tensor([-0.5000, -0.5000, -0.5000])
    """

    def __init__(
        self,
        tensors: Iterable[Tensor],
        *,
        learning_rate: float,
        weight_decay: float = 0.0,
        decoupled: bool = False,
        undecayed: Iterable[Tensor] = (),
    ) -> None:
        self._learning_rate = learning_rate
        self._rate: Tensor | None = None
        self.weight_decay = weight_decay
        self.decoupled = decoupled
        self.undecayed = tuple(undecayed)
        self._groups = [
            _Group.begun(group, decay)
            for group, decay in ((list(tensors), weight_decay), (list(self.undecayed), 0.0))
            if group
        ]

    @property
    def learning_rate(self) -> float:
        """Of the next step; may be set.

        Example:
            >>> FlatAdam([torch.zeros(1)], learning_rate=0.5).learning_rate
            0.5
        """
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if self._rate is not None and value != self._learning_rate:
            self._rate.fill_(value)
        self._learning_rate = value

    def hold_rate(self) -> bool:
        """Keep the learning rate where the tensors are, for steps that are recorded once.

        Returns:
            False where torch's kernel is missing: then it is a number in every step.

        Example:
            >>> FlatAdam([torch.zeros(1)], learning_rate=0.5).hold_rate()
            True
        """
        if _kernel(decoupled=self.decoupled) is None:
            return False
        device = self.tensors[0].device
        self._rate = torch.tensor(self._learning_rate, dtype=torch.float32, device=device)
        return True

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All that is updated.

        Example:
            >>> len(FlatAdam([torch.zeros(1)], learning_rate=0.5).tensors)
            1
        """
        return tuple(weight for group in self._groups for weight in group.weights)

    def zero_grad(self) -> None:
        """Take the gradient of every tensor away.

        Example:
            >>> weights = nn.Parameter(torch.zeros(1))
            >>> weights.grad = torch.ones(1)
            >>> FlatAdam([weights], learning_rate=0.5).zero_grad()
            >>> weights.grad is None
            True
        """
        for weight in self.tensors:
            weight.grad = None

    def step(self) -> None:
        """One update from `grad`, which stays as it is.

        Example:
            >>> weights = nn.Parameter(torch.zeros(1))
            >>> weights.grad = torch.ones(1)
            >>> adam = FlatAdam([weights], learning_rate=0.5)
            >>> for adam.learning_rate in (0.5, 0.25):
            ...     adam.step()
            >>> weights.data
            tensor([-0.7500])
        """
        with torch.no_grad():
            self._groups = [part for group in self._groups for part in group.alike()]
            for group in self._groups:
                group.step(self._learning_rate, self._rate, decoupled=self.decoupled)


@final
@dataclass(eq=False)
class _Group:
    """Tensors with as many updates, the moments of their gradients, and the number of updates."""

    weights: list[Tensor]
    means: list[Tensor]
    squares: list[Tensor]
    updates: Tensor
    weight_decay: float
    count: int = 0

    @classmethod
    def begun(cls, weights: list[Tensor], weight_decay: float) -> _Group:
        zeros = [torch.zeros_like(weight, requires_grad=False) for weight in weights]
        updates = torch.zeros((), dtype=torch.float32, device=weights[0].device)
        return cls(weights, zeros, [zero.clone() for zero in zeros], updates, weight_decay)

    def alike(self) -> list[_Group]:
        """Those with a gradient and those without: from here on they count their updates apart."""
        has = [weight.grad is not None for weight in self.weights]
        if all(has) or not any(has):
            return [self]
        return [self._part(has), self._part([not one for one in has])]

    def _part(self, chosen: Sequence[bool]) -> _Group:
        return _Group(
            list(compress(self.weights, chosen)),
            list(compress(self.means, chosen)),
            list(compress(self.squares, chosen)),
            self.updates.clone(),
            self.weight_decay,
            self.count,
        )

    def step(self, learning_rate: float, held: Tensor | None, *, decoupled: bool) -> None:
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        if not gradients:
            return
        self.count += 1
        kernel = _kernel(decoupled=decoupled)
        if kernel is None or self.updates.device.type not in FUSED_ADAM_DEVICES:
            self._step_plainly(gradients, learning_rate, decoupled=decoupled)
            return
        self.updates.add_(1)
        kernel(
            self.weights,
            gradients,
            self.means,
            self.squares,
            [],
            [self.updates] * len(gradients),
            lr=learning_rate if held is None else held,
            beta1=BETA_1,
            beta2=BETA_2,
            weight_decay=self.weight_decay,
            eps=EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def _step_plainly(
        self, gradients: list[Tensor], learning_rate: float, *, decoupled: bool
    ) -> None:
        decay = self.weight_decay
        rate = learning_rate / (1 - BETA_1**self.count)
        root = math.sqrt(1 - BETA_2**self.count)
        for weight, gradient, mean, square in zip(
            self.weights, gradients, self.means, self.squares, strict=True
        ):
            pull = gradient
            if decoupled:
                weight.mul_(1 - learning_rate * decay)
            elif decay:
                pull = gradient.add(weight, alpha=decay)
            mean.lerp_(pull, 1 - BETA_1)
            square.mul_(BETA_2).addcmul_(pull, pull, value=1 - BETA_2)
            weight.addcdiv_(mean, square.sqrt().div_(root).add_(EPSILON), value=-rate)


def _kernel(*, decoupled: bool) -> Callable[..., object] | None:
    """Torch's own, under a name that it does not promise."""
    found: Callable[..., object] | None = getattr(
        torch, "_fused_adamw_" if decoupled else "_fused_adam_", None
    )
    return found
