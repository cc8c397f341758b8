from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import loss_oracles as twins
from kdtab.losses.relational import (
    probabilistic_transfer_over_batch,
    relational_angle_over_batch,
    relational_distance_over_batch,
    similarity_preserving_over_batch,
)
from oracles import Numbers

Relation = Callable[[Tensor, Tensor], Tensor]
PAIRS: list[tuple[Relation, Callable[[Numbers, Numbers], float]]] = [
    (relational_distance_over_batch, twins.relational_distance_twin),
    (relational_angle_over_batch, twins.relational_angle_twin),
    (similarity_preserving_over_batch, twins.similarity_preserving_twin),
    (probabilistic_transfer_over_batch, twins.probabilistic_transfer_twin),
]
LOSSES = [loss for loss, _ in PAIRS]


@st.composite
def point_sets(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Two to four points in spaces of their own, some in one place."""
    rows = draw(st.integers(2, 4))
    whole = st.integers(-3, 3).map(float)
    sets = []
    for width in (draw(st.integers(1, 3)), draw(st.integers(1, 3))):
        drawn = draw(st.lists(whole, min_size=rows * width, max_size=rows * width))
        sets.append(torch.tensor(drawn, dtype=torch.float64).reshape(rows, width))
    return sets[0], sets[1]


def distinct(seed: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(5, width, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("loss", "twin"), PAIRS)
@settings(max_examples=40)
@given(points=point_sets())
def test_a_relation_is_what_its_formula_says(
    loss: Relation, twin: Callable[[Numbers, Numbers], float], points: tuple[Tensor, Tensor]
) -> None:
    expected = twin(points[0].numpy(), points[1].numpy())
    assert loss(*points).item() == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_that_of_finite_differences(loss: Relation) -> None:
    student = distinct(0, 2).requires_grad_()
    teacher = distinct(1, 3)
    assert torch.autograd.gradcheck(lambda points: loss(points, teacher), student)


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=40)
@given(points=point_sets())
def test_points_in_one_place_or_at_the_origin_give_a_finite_gradient(
    loss: Relation, points: tuple[Tensor, Tensor]
) -> None:
    student = torch.cat([points[0], points[0][:1], torch.zeros_like(points[0][:1])])
    teacher = torch.cat([points[1], points[1][:1], torch.zeros_like(points[1][:1])])
    student.requires_grad_()
    found = loss(student, teacher)
    found.backward()
    assert student.grad is not None
    assert bool(found.isfinite())
    assert bool(student.grad.isfinite().all())


@pytest.mark.parametrize("loss", LOSSES)
def test_all_points_at_the_origin_give_no_gradient(loss: Relation) -> None:
    student = torch.zeros(4, 2, requires_grad=True)
    loss(student, distinct(0, 3)[:4].float()).backward()
    assert student.grad is not None
    assert bool((student.grad == 0).all())


@pytest.mark.parametrize("loss", LOSSES)
def test_rotated_features_are_the_same_relations(loss: Relation) -> None:
    points = distinct(2, 3)
    rotation = torch.linalg.qr(distinct(3, 3)[:3]).Q
    torch.testing.assert_close(
        loss(points @ rotation, points), torch.zeros((), dtype=torch.float64), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_the_scale_of_either_space_does_not_count(loss: Relation) -> None:
    student, teacher = distinct(4, 2), distinct(5, 3)
    torch.testing.assert_close(
        loss(student * 7, teacher / 3), loss(student, teacher), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("loss", [relational_distance_over_batch, relational_angle_over_batch])
def test_distances_and_angles_do_not_see_where_the_origin_is(loss: Relation) -> None:
    student, teacher = distinct(6, 2), distinct(7, 3)
    torch.testing.assert_close(loss(student + 5, teacher - 2), loss(student, teacher))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_features_of_half_precision_are_computed_in_float32(
    loss: Relation, dtype: torch.dtype
) -> None:
    student = torch.tensor([[60.0, -60.0], [60.0, 0.0], [0.0, 60.0]], dtype=dtype)
    teacher = torch.tensor([[1.0], [2.0], [4.0]], dtype=dtype)
    found = loss(student, teacher)
    assert found.dtype is torch.float32
    wide = loss(student.double(), teacher.double())
    torch.testing.assert_close(found.double(), wide, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_another_number_of_rows_is_refused(loss: Relation) -> None:
    with pytest.raises(AssertionError, match="same rows"):
        loss(torch.zeros(3, 2), torch.zeros(4, 2))
