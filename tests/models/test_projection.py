from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from kdtab.models.projection import FeatureProjection, feature_axis, feature_width, without_width

shapes = st.lists(st.integers(1, 6), min_size=2, max_size=5)


def test_channels_are_projected_as_a_convolution_of_one_pixel_would() -> None:
    projection = FeatureProjection(4, 6, axis="channels")
    maps = torch.randn(2, 4, 5, 7)
    expected = functional.conv2d(maps, projection.weight[:, :, None, None], projection.bias)
    torch.testing.assert_close(projection(maps), expected)


def test_tokens_are_projected_one_by_one() -> None:
    projection = FeatureProjection(4, 6)
    tokens = torch.randn(2, 5, 4)
    torch.testing.assert_close(projection(tokens)[:, 3], projection(tokens[:, 3]))


@given(shape=shapes, wide=st.integers(1, 6))
def test_a_projection_changes_the_width_and_nothing_else(shape: list[int], wide: int) -> None:
    axis = feature_axis(shape)
    projected = FeatureProjection(feature_width(shape, axis), wide, axis=axis)(torch.zeros(shape))
    assert feature_width(projected.shape, axis) == wide
    assert without_width(projected.shape, axis) == without_width(shape, axis)
