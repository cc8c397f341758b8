"""Which series of a group are used: a seeded choice that grows when its share grows."""

from __future__ import annotations

import hashlib
from decimal import ROUND_FLOOR, Decimal

import numpy as np
from returns.result import Success

from kdtab.data.arrays import IntArray
from kdtab.errors.sequences import NoSeriesLeft
from kdtab.results import Checked, fail


def sample_count(available: int, fraction: float, most: int | None = None) -> int:
    """How many of N: floor of N × fraction, then the cap.

    The product is a decimal one, of the fraction as it is written: 100 × 0.29 is 29, where binary
    floats give 28.999999999999996.

    Args:
        available: N.
        fraction: In (0, 1].
        most: The cap; None: none.

    Returns:
        From 0 to N.

    Example:
        >>> sample_count(100, 0.29), sample_count(10_000, 0.5, 1_000), sample_count(10, 0.25)
        (29, 1000, 2)
    """
    share = Decimal(available) * Decimal(repr(float(fraction)))
    count = int(share.to_integral_value(ROUND_FLOOR))
    return count if most is None else min(count, most)


def sampled_places(
    group: str, available: int, fraction: float, most: int | None, seed: int
) -> Checked[IntArray]:
    """The places of the chosen series: the first k of one permutation of the group, sorted.

    Random without replacement, and nested: a larger fraction or cap keeps what a smaller one
    chose. The permutation sorts 64-bit numbers that the bit generator PCG64 draws, a stream that
    numpy keeps the same in every version (that of its `permutation` may change).

    Args:
        group: The group's name, part of the seed: each has a permutation of its own.
        available: N.
        fraction: In (0, 1].
        most: The cap; None: none.
        seed: Of the choice.

    Returns:
        [k] places from 0, ascending, or `NoSeriesLeft` where k is 0.

    Example:
        >>> few = sampled_places("train", 10, 0.3, None, seed=0).unwrap()
        >>> more = sampled_places("train", 10, 0.6, None, seed=0).unwrap()
        >>> len(few), len(more), set(few.tolist()) <= set(more.tolist())
        (3, 6, True)
    """
    count = sample_count(available, fraction, most)
    if count == 0:
        return fail(NoSeriesLeft(group=group, available=available, fraction=fraction))
    if count == available:
        return Success(np.arange(available, dtype=np.int64))
    name = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "little")
    drawn = np.random.PCG64(np.random.SeedSequence([seed, name])).random_raw(available)
    permutation = np.argsort(drawn, kind="stable")
    return Success(np.sort(permutation[:count]).astype(np.int64))
