"""Rows that depend on each other: they have cells in common, or belong to one patient or machine."""

from __future__ import annotations

import numpy as np

from kdtab.data.arrays import IntArray


def linked_rows(first: IntArray, second: IntArray) -> IntArray:
    """Numbers that two rows share when a chain of either grouping links them.

    Args:
        first: [N] the same number for rows of one group.
        second: [N] the same for another grouping.

    Returns:
        [N] the lowest row number of each row's component.

    Example:
        >>> linked_rows(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7])).tolist()
        [0, 0, 0, 3]
    """
    _, one = np.unique(first, return_inverse=True)
    _, two = np.unique(second, return_inverse=True)
    labels: IntArray = np.arange(len(one))
    while True:
        before = labels
        for numbers in (one, two):
            lowest = np.full(int(numbers.max()) + 1, len(labels))
            np.minimum.at(lowest, numbers, labels)
            labels = lowest[numbers]
        if np.array_equal(labels, before):
            return labels


def bound_groups(groups: IntArray, twins: IntArray, part_size: float) -> IntArray:
    """Groups joined where they have identical rows, unless that joins more than a part may hold.

    Args:
        groups: [N] the same number for rows that belong together.
        twins: [N] the same number for identical rows.
        part_size: Rows of a part; what is joined may exceed it only where a group itself does.

    Returns:
        [N] numbers; `groups` itself where joining would put nearly all rows into one part.

    Example:
        >>> bound_groups(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7]), part_size=3).tolist()
        [0, 0, 0, 3]
        >>> bound_groups(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7]), part_size=2).tolist()
        [0, 0, 1, 2]
    """
    joined = linked_rows(groups, twins)
    _, sizes = np.unique(groups, return_counts=True)
    too_large = np.bincount(joined).max() > max(part_size, int(sizes.max()))
    return groups if too_large else joined
