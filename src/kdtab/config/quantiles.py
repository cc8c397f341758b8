"""Which quantiles a network tells: levels that rise, with the median among them."""

from __future__ import annotations

from itertools import pairwise

MEDIAN = 0.5
FEWEST_LEVELS = 3
MOST_LEVELS = 99
USUAL_LEVELS: tuple[float, ...] = tuple(round(number / 20, 2) for number in range(1, 20))
"""0.05, 0.10, …, 0.95."""
USUAL_SPREAD = 4.0
"""Of all gaps of an untrained network together, about: 5 % to 95 % of a normal is 3.3."""


def levels_problem(levels: tuple[float, ...]) -> str | None:
    """What keeps numbers from being levels of quantiles.

    The median must be among them: it is what a model predicts where one number is wanted.

    Args:
        levels: Any numbers.

    Returns:
        A rule that they break, to follow "must"; None for 3 to 99 rising levels around 0.5.

    Example:
        >>> levels_problem((0.1, 0.5, 0.9)) is None
        True
        >>> levels_problem((0.1, 0.9, 0.95))
        'must hold 0.5, the median'
    """
    if not FEWEST_LEVELS <= len(levels) <= MOST_LEVELS:
        return f"must be {FEWEST_LEVELS} to {MOST_LEVELS} levels"
    if not all(0 < level < 1 for level in levels):
        return "must lie between 0 and 1"
    if not all(low < high for low, high in pairwise(levels)):
        return "must rise from each to the next"
    return None if MEDIAN in levels else "must hold 0.5, the median"


def median_place(levels: tuple[float, ...]) -> int:
    """Where the median is among levels, and so in a network's outputs.

    Args:
        levels: Of a network; none: its one output is the value.

    Returns:
        A column.

    Example:
        >>> median_place((0.1, 0.5, 0.9)), median_place(())
        (1, 0)
    """
    return levels.index(MEDIAN) if levels else 0
