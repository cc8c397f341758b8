from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from kdtab.losses.features import (
    feature_absolute_error,
    feature_cosine_distance,
    feature_squared_error,
    unit_rows,
)
from loss_oracles import cosine_distance_twin

ROW_LOSSES = [feature_squared_error, feature_absolute_error, feature_cosine_distance]


@st.composite
def feature_pairs(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    rows, width = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    whole = st.integers(-8, 8).map(float)
    drawn = st.lists(whole, min_size=rows * width, max_size=rows * width)
    student, teacher = (torch.tensor(draw(drawn), dtype=torch.float64) for _ in range(2))
    return student.reshape(rows, width), teacher.reshape(rows, width)


@given(pair=feature_pairs())
def test_the_mean_over_rows_is_the_mean_over_all_numbers(pair: tuple[Tensor, Tensor]) -> None:
    torch.testing.assert_close(feature_squared_error(*pair).mean(), functional.mse_loss(*pair))
    torch.testing.assert_close(feature_absolute_error(*pair).mean(), functional.l1_loss(*pair))


@given(pair=feature_pairs())
def test_the_cosine_distance_is_what_its_formula_says(pair: tuple[Tensor, Tensor]) -> None:
    found = feature_cosine_distance(*pair).numpy()
    expected = cosine_distance_twin(pair[0].numpy(), pair[1].numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("loss", ROW_LOSSES)
def test_maps_are_rows_of_all_their_numbers(loss: object) -> None:
    assert callable(loss)
    student, teacher = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    flat = loss(student.reshape(3, 20), teacher.reshape(3, 20))
    assert torch.equal(loss(student, teacher), flat)


@pytest.mark.parametrize("loss", ROW_LOSSES)
def test_equal_features_lose_nothing_and_gradients_are_those_of_differences(loss: object) -> None:
    assert callable(loss)
    generator = torch.Generator().manual_seed(1)
    student, teacher = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)
    assert bool((loss(teacher, teacher) == 0).all())
    student.requires_grad_()
    assert torch.autograd.gradcheck(lambda features: loss(features, teacher), student)


@pytest.mark.parametrize("loss", ROW_LOSSES)
def test_shapes_that_differ_are_refused(loss: object) -> None:
    assert callable(loss)
    with pytest.raises(AssertionError, match="broadcast"):
        loss(torch.zeros(3, 2), torch.zeros(3, 1))


def test_features_of_zeros_have_no_direction_and_no_gradient() -> None:
    student = torch.zeros(2, 3, requires_grad=True)
    found = feature_cosine_distance(student, torch.ones(2, 3))
    found.sum().backward()
    assert found.tolist() == [1.0, 1.0]
    assert student.grad is not None
    assert bool((student.grad == 0).all())


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_tiny_and_huge_features_have_a_direction_in_float32(size: float) -> None:
    rows = torch.tensor([[3.0, 4.0]]) * size
    torch.testing.assert_close(unit_rows(rows), torch.tensor([[0.6, 0.8]]))


@pytest.mark.parametrize("loss", ROW_LOSSES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_features_of_half_precision_are_computed_in_float32(
    loss: object, dtype: torch.dtype
) -> None:
    assert callable(loss)
    student = torch.tensor([[300.0, -300.0]], dtype=dtype)
    found = loss(student, -student)
    assert found.dtype is torch.float32
    assert bool(found.isfinite().all())
