"""Dropout whose coin is thrown with 16 random bits."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

STEPS = 65_536
LOWEST_DRAW = -32_768
DRAWS_PER_WORD = 4
FAST_TYPES = (torch.float32, torch.float64)


def dropped_steps(rate: float) -> int:
    """How many of 65,536 equally likely draws drop a unit: the rate, rounded to 1/65,536.

    Args:
        rate: Dropout rate in [0, 1).

    Returns:
        An integer in [0, 65,535]; rates below 1/131,072 drop nothing.

    Example:
        >>> dropped_steps(0.5), dropped_steps(0.15), dropped_steps(0.0)
        (32768, 9830, 0)
    """
    return min(round(rate * STEPS), STEPS - 1)


def kept_scale(rate: float) -> float:
    """1 / the share that is kept, for the rounded rate: the mean of a unit stays what it was.

    Args:
        rate: Dropout rate in [0, 1).

    Returns:
        At least 1.

    Example:
        >>> kept_scale(0.5), kept_scale(0.0)
        (2.0, 1.0)
    """
    return STEPS / (STEPS - dropped_steps(rate))


@final
class UnitDraws:
    """16 random bits for each unit, in memory that is used again.

    Four draws come of one random word of 64 bits: eight times cheaper than `bernoulli_`, which
    takes nearly half of a small step.

    Example:
        >>> draws, limit = UnitDraws().drawn(torch.zeros(2, 3), 0.5)
        >>> draws.shape, limit
        (torch.Size([2, 3]), -1)
    """

    def __init__(self) -> None:
        self._memory: dict[tuple[torch.Size, torch.dtype], tuple[Tensor, Tensor, Tensor]] = {}

    def drawn(self, like: Tensor, rate: float) -> tuple[Tensor, int]:
        """A fresh draw for each unit from torch's global generator (REQ-KD09).

        Args:
            like: [...] units on the CPU, float32 or float64.
            rate: Dropout rate in [0, 1).

        Returns:
            Integers in [−32,768, 32,767] of the same shape and type, all equally likely and
            independent, valid until the next call; and the limit above which a unit is kept.

        Example:
            >>> draws, limit = UnitDraws().drawn(torch.zeros(1000), 0.1)
            >>> bool((draws > limit).float().mean() > 0.8)
            True
        """
        key = like.shape, like.dtype
        if key not in self._memory:
            self._memory[key] = _memory_for(like)
        words, bits, draws = self._memory[key]
        words.random_(-(2**63), None)  # all 64 bits: the default leaves the highest at 0
        return draws.copy_(bits), LOWEST_DRAW + dropped_steps(rate) - 1


def _memory_for(like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    count = like.numel()
    words = torch.empty(-(-count // DRAWS_PER_WORD), dtype=torch.int64)
    return words, words.view(torch.int16)[:count].view(like.shape), torch.empty_like(like)


@final
class Dropout(nn.Dropout):
    """torch's dropout; on the CPU with 16 random bits for each unit.

    There the rate is rounded to 1/65,536, and what is kept is divided by the rounded share, so that
    the mean of a unit is exactly what it was. On other devices, and in narrower types, it is torch's
    own.

    Example:
        >>> Dropout(0.5)(torch.ones(1000)).unique()
        tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """The units, each at 0 with the rate, else scaled; in eval mode as they are.

        Args:
            input: [...] units; torch gives the argument its name.

        Returns:
            The same shape and type.

        Example:
            >>> Dropout(0.5).eval()(torch.ones(2))
            tensor([1., 1.])
        """
        fast = input.device.type == "cpu" and input.dtype in FAST_TYPES and 0 < self.p < 1
        if not (self.training and fast):
            return super().forward(input)
        draws, limit = UnitDraws().drawn(input, self.p)
        outputs: Tensor = torch.ops.aten.threshold_backward(input, draws, limit)
        return outputs * kept_scale(self.p)
