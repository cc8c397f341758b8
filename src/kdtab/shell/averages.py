"""A running mean of a network's weights and statistics, which may stand in for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import final

import torch
from torch import Tensor, nn


@final
class WeightAverage:
    """The exponential running mean of tensors that a run changes in place.

    After t steps it is Σ_s β^(t−s) θ_s / Σ_s β^(t−s), s = 1 … t: corrected for its start as Adam's
    moments are, so that the weights before the first step have no part in it.

    Args:
        decay: β in (0, 1).
        tensors: What is followed, where it is; tensors may have no memory in common.

    Source: Polyak and Juditsky, 1992 (doi:10.1137/0330046), with the weights of Kingma and Ba,
    2015 (arXiv:1412.6980, section 7.2).

    Example:
        >>> weights = torch.zeros(1)
        >>> average = WeightAverage(0.5, [weights])
        >>> for value in (1.0, 4.0):
        ...     _ = weights.fill_(value)
        ...     average.follow()
        >>> with average.in_place():
        ...     weights
        tensor([3.])
        >>> weights
        tensor([4.])
    """

    def __init__(self, decay: float, tensors: Iterable[Tensor]) -> None:
        self._decay = decay
        self._followed = [tensor.detach() for tensor in tensors]
        self._means = [tensor.clone() for tensor in self._followed]
        self._steps = 0

    def follow(self) -> None:
        """Take in what the tensors are after one more step.

        Example:
            >>> weights = torch.ones(1)
            >>> average = WeightAverage(0.9, [weights.clone()])
            >>> average.follow()
        """
        self._steps += 1
        share = (1.0 - self._decay) / (1.0 - self._decay**self._steps)
        torch._foreach_lerp_(self._means, self._followed, share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The means where the tensors are; afterwards the tensors are as they were.

        Yields:
            Nothing.

        Example:
            >>> WeightAverage.in_place.__name__
            'in_place'
        """
        kept = [tensor.clone() for tensor in self._followed]
        self.settle()
        try:
            yield
        finally:
            torch._foreach_copy_(self._followed, kept)

    def settle(self) -> None:
        """Put the means where the tensors are, for good.

        Example:
            >>> weights = torch.zeros(1)
            >>> average = WeightAverage(0.5, [weights])
            >>> for value in (1.0, 4.0):
            ...     _ = weights.fill_(value)
            ...     average.follow()
            >>> average.settle()
            >>> weights
            tensor([3.])
        """
        torch._foreach_copy_(self._followed, self._means)


def averaged(average: WeightAverage | None) -> AbstractContextManager[None]:
    """The means in place of the weights, where there are means.

    Args:
        average: Of a run; None without one.

    Returns:
        A context.

    Example:
        >>> with averaged(None):
        ...     pass
    """
    return nullcontext() if average is None else average.in_place()


def running_statistics(network: nn.Module) -> tuple[Tensor, ...]:
    """The numbers beside the weights that training moves: means and variances of norms.

    Args:
        network: Any module.

    Returns:
        Its buffers of real numbers that are saved with it.

    Example:
        >>> [tuple(each.shape) for each in running_statistics(nn.BatchNorm1d(4))]
        [(4,), (4,)]
    """
    weights = {name for name, _ in network.named_parameters(remove_duplicate=False)}
    state = network.state_dict()
    return tuple(
        each for name, each in state.items() if name not in weights and each.is_floating_point()
    )
