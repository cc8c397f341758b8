"""The random bits of dropout for many students, each from the stream that it would have alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

import torch
from torch import Tensor

from kdtab.models.dropout import DRAWS_PER_WORD, LOWEST_DRAW, dropped_steps


class _Memory(NamedTuple):
    words: Tensor
    bits: Tensor
    draws: Tensor


@final
class DropoutStreams:
    """16 random bits for each unit of S students; students of one seed share their draws.

    A stream goes on where torch's global generator was after the student's network had been built,
    and draws what `UnitDraws` would draw from it.

    Args:
        generators: One for each seed, on the CPU.
        seed_of: Which of them each student draws from.

    Example:
        >>> streams = DropoutStreams([torch.Generator().manual_seed(1)], seed_of=(0, 0))
        >>> draws, limit = streams.drawn(torch.zeros(2, 4, 3), 0.5)
        >>> draws.shape, limit
        (torch.Size([1, 4, 3]), -1)
    """

    def __init__(self, generators: Sequence[torch.Generator], seed_of: Sequence[int]) -> None:
        self._generators = tuple(generators)
        self._seed_of = torch.tensor(list(seed_of), dtype=torch.int64)
        self._is_own = tuple(seed_of) == tuple(range(len(generators)))
        self._memory: dict[torch.Size, _Memory] = {}

    def drawn(self, like: Tensor, rate: float) -> tuple[Tensor, int]:
        """A fresh draw for each unit.

        Args:
            like: [S, B, h] units on the CPU, float32 or float64.
            rate: Dropout rate in [0, 1).

        Returns:
            [S, B, h], or [1, B, h] where all students have one seed: integers in [−32,768, 32,767]
            of the same type, valid until the next call; and the limit above which a unit is kept.

        Example:
            >>> pair = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
            >>> draws, _ = DropoutStreams(pair, seed_of=(0, 1, 0)).drawn(torch.zeros(3, 4, 5), 0.5)
            >>> torch.equal(draws[0], draws[2]), torch.equal(draws[0], draws[1])
            (True, False)
        """
        if like.shape not in self._memory:
            self._memory[like.shape] = self._memory_for(like)
        words, bits, draws = self._memory[like.shape]
        for own, generator in zip(words, self._generators, strict=True):
            own.random_(-(2**63), None, generator=generator)
        draws.copy_(bits)
        limit = LOWEST_DRAW + dropped_steps(rate) - 1
        if len(self._generators) == 1 or self._is_own:
            return draws, limit
        return draws.index_select(0, self._seed_of), limit

    def _memory_for(self, like: Tensor) -> _Memory:
        seeds, (rows, width) = len(self._generators), like.shape[1:]
        count = rows * width
        words = torch.empty(seeds, -(-count // DRAWS_PER_WORD), dtype=torch.int64)
        bits = words.view(torch.int16)[:, :count].unflatten(1, (rows, width))
        return _Memory(words, bits, like.new_empty(seeds, rows, width))
