"""Names beside points never lie on each other, and stay near what they name."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.report.labels import spread

names = st.lists(st.tuples(st.floats(-100, 100), st.floats(1, 20)), min_size=1, max_size=9)


@given(names)
def test_names_stand_apart_in_the_order_of_their_points(wanted: list[tuple[float, float]]) -> None:
    centres, heights = (list(each) for each in zip(*wanted, strict=True))
    found = spread(centres, heights)
    order = sorted(range(len(found)), key=lambda at: centres[at])
    for low, high in pairwise(order):
        assert found[high] - found[low] >= (heights[low] + heights[high]) / 2 - 1e-9
    assert np.sum(found) == pytest.approx(
        np.sum(centres), abs=1e-6
    )  # nobody pulls more than others


@given(names)
def test_who_has_room_is_not_moved(wanted: list[tuple[float, float]]) -> None:
    heights = [height for _, height in wanted]
    centres = [40.0 * place + centre / 100 for place, (centre, _) in enumerate(wanted)]
    assert spread(centres, heights) == pytest.approx(centres)


def test_three_at_one_point_are_moved_as_little_as_can_be() -> None:
    for heights in permutations((10.0, 10.0, 20.0)):
        found = spread([0.0, 0.0, 0.0], list(heights))
        assert np.mean(found) == pytest.approx(0.0)
        assert found == sorted(found)
