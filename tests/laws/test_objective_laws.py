"""Laws that hold for every loss of rows, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from kdtab import losses
from kdtab.losses.reduce import replaced_rows, weighted_mean, weighted_sum
from loss_cases import CASES, LossCase, drawn_pair, graded_pairs
from tensor_strategies import LogitPair

EVERY = pytest.mark.parametrize("case", CASES, ids=str)
TEMPERATURES = st.sampled_from([0.5, 1.0, 2.0, 4.0])
FEW = settings(max_examples=15)

BATCH_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "intra_class": lambda s, t: losses.intra_class_correlation_over_batch(s, t, temperature=2.0),
    "dist": lambda s, t: losses.dist_over_batch(s, t, temperature=2.0),
    "distance": losses.relational_distance_over_batch,
    "angle": losses.relational_angle_over_batch,
    "similarity": losses.similarity_preserving_over_batch,
    "probabilities": losses.probabilistic_transfer_over_batch,
}


@EVERY
@FEW
@given(pair=graded_pairs(), temperature=TEMPERATURES)
def test_a_loss_is_what_its_formula_says(
    case: LossCase, pair: LogitPair, temperature: float
) -> None:
    found = case.loss(pair.student, pair.teacher, pair.labels, temperature)
    expected = case.twin(
        pair.student.numpy(), pair.teacher.numpy(), pair.labels.numpy(), temperature
    )
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-7, atol=1e-9)


@EVERY
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_the_gradient_is_that_of_finite_differences(case: LossCase, temperature: float) -> None:
    pair = drawn_pair()
    student = pair.student.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda logits: case.loss(logits, pair.teacher, pair.labels, temperature), student
    )


@EVERY
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_logits_of_sixty_are_as_good_in_every_float_type(
    case: LossCase, dtype: torch.dtype, temperature: float
) -> None:
    values = torch.tensor([[60.0, 0.0, -60.0], [60.0, 55.0, -60.0], [-60.0, 60.0, 0.0]])
    said, labels = values.roll(1, dims=1), torch.tensor([0, 1, 2])
    student = values.clone().to(dtype).requires_grad_()
    found = case.loss(student, said.to(dtype), labels, temperature)
    found.sum().backward()
    wide = values.double().requires_grad_()
    expected = case.loss(wide, said.double(), labels, temperature)
    expected.sum().backward()
    assert found.dtype is torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=2e-5, atol=1e-5)
    assert student.grad is not None
    assert wide.grad is not None
    tolerance = 1e-4 if dtype is torch.float32 else 1e-2
    torch.testing.assert_close(student.grad.double(), wide.grad, rtol=tolerance, atol=tolerance)


@EVERY
@FEW
@given(pair=graded_pairs(), temperature=TEMPERATURES, random=st.randoms(use_true_random=False))
def test_classes_in_another_order_change_nothing(
    case: LossCase, pair: LogitPair, temperature: float, random: Random
) -> None:
    """But for the first of several that a teacher finds likeliest: it has to choose one."""
    teacher = pair.teacher + torch.arange(pair.teacher.shape[1]) / 1024
    order = list(range(pair.student.shape[1]))
    random.shuffle(order)
    labels = torch.tensor([order.index(label) for label in pair.labels.tolist()])
    before = case.loss(pair.student, teacher, pair.labels, temperature)
    after = case.loss(pair.student[:, order], teacher[:, order], labels, temperature)
    torch.testing.assert_close(after, before, rtol=1e-7, atol=1e-9)


@EVERY
@FEW
@given(pair=graded_pairs(), shift=st.integers(-40, 40))
def test_a_constant_added_to_a_row_changes_nothing(
    case: LossCase, pair: LogitPair, shift: int
) -> None:
    before = case.loss(pair.student, pair.teacher, pair.labels, 2.0)
    after = case.loss(pair.student + shift, pair.teacher, pair.labels, 2.0)
    same = torch.allclose(after, before, rtol=1e-7, atol=1e-9)
    assert same == (case.shifts or shift == 0 or bool((after == before).all()))


@EVERY
@FEW
@given(pair=graded_pairs(), temperature=TEMPERATURES)
def test_a_student_that_is_its_teacher_loses_nothing(
    case: LossCase, pair: LogitPair, temperature: float
) -> None:
    if not case.proper:
        return
    varied = pair.teacher + torch.arange(pair.teacher.shape[1]) / 3
    student = varied.clone().requires_grad_()
    found = case.loss(student, varied, pair.labels, temperature)
    found.sum().backward()
    assert student.grad is not None
    torch.testing.assert_close(found, torch.zeros_like(found), rtol=0, atol=1e-12)
    torch.testing.assert_close(student.grad, torch.zeros_like(student), rtol=0, atol=1e-9)


@EVERY
@FEW
@given(pair=graded_pairs(), temperature=TEMPERATURES)
def test_no_loss_is_negative(case: LossCase, pair: LogitPair, temperature: float) -> None:
    found = case.loss(pair.student, pair.teacher, pair.labels, temperature)
    assert bool((found >= -1e-9).all())


@EVERY
def test_a_row_does_not_see_its_neighbours(case: LossCase) -> None:
    pair = drawn_pair(rows=5)
    together = case.loss(pair.student, pair.teacher, pair.labels, 2.0)
    alone = [
        case.loss(pair.student[[at]], pair.teacher[[at]], pair.labels[[at]], 2.0) for at in range(5)
    ]
    torch.testing.assert_close(torch.cat(alone), together, rtol=1e-12, atol=1e-12)


@EVERY
def test_leading_dimensions_are_rows(case: LossCase) -> None:
    pair = drawn_pair(rows=6)
    flat = case.loss(pair.student, pair.teacher, pair.labels, 2.0)
    shaped = case.loss(
        pair.student.reshape(2, 3, -1),
        pair.teacher.reshape(2, 3, -1),
        pair.labels.reshape(2, 3),
        2.0,
    )
    torch.testing.assert_close(shaped.flatten(), flat, rtol=1e-12, atol=1e-12)


@EVERY
@FEW
@given(
    known=st.lists(st.booleans(), min_size=6, max_size=6).filter(any),
    weights=st.lists(st.floats(0.1, 5.0), min_size=6, max_size=6),
)
def test_rows_without_a_teacher_or_a_label_have_no_gradient(
    case: LossCase, known: list[bool], weights: list[float]
) -> None:
    pair, mask = drawn_pair(rows=6), torch.tensor(known)
    said = torch.where(mask[:, None], pair.teacher, torch.nan)
    labels = torch.where(mask, pair.labels, -1)
    weighed = torch.where(mask, torch.tensor(weights, dtype=torch.float64), 0.0)
    student = pair.student.clone().requires_grad_()
    every = case.loss(student, replaced_rows(said, mask), replaced_rows(labels, mask), 2.0)
    weighted_mean(every, weighed).backward()
    assert student.grad is not None
    assert bool((student.grad[~mask] == 0).all())

    rest = pair.student[mask].clone().requires_grad_()
    own = case.loss(rest, pair.teacher[mask], pair.labels[mask], 2.0)
    weighted_mean(own, weighed[mask]).backward()
    torch.testing.assert_close(student.grad[mask], rest.grad, rtol=1e-9, atol=1e-12)


@EVERY
@FEW
@given(
    cuts=st.lists(st.integers(0, 8), max_size=3).map(sorted),
    weights=st.none() | st.lists(st.floats(0.0, 5.0), min_size=8, max_size=8).filter(any),
)
def test_any_split_of_a_batch_accumulates_the_same_gradient(
    case: LossCase, cuts: list[int], weights: list[float] | None
) -> None:
    pair, inputs = drawn_pair(rows=8), torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(8, 3)
    weighed = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    whole = torch.linspace(-2, 1, 12, dtype=torch.float64).reshape(3, 4).requires_grad_()
    parts = whole.detach().clone().requires_grad_()

    weighted_mean(case.loss(inputs @ whole, pair.teacher, pair.labels, 2.0), weighed).backward()
    everything = float(len(inputs)) if weighed is None else float(weighed.sum())
    for start, end in zip([0, *cuts], [*cuts, 8], strict=True):
        rows = slice(start, end)
        every = case.loss(inputs[rows] @ parts, pair.teacher[rows], pair.labels[rows], 2.0)
        own = weighted_sum(every, None if weighed is None else weighed[rows])
        (own.total / everything).backward()
    torch.testing.assert_close(parts.grad, whole.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", BATCH_LOSSES)
def test_parts_of_a_batch_do_not_add_up_where_the_name_says_so(name: str) -> None:
    pair, loss = drawn_pair(rows=8), BATCH_LOSSES[name]
    halves = [loss(pair.student[rows], pair.teacher[rows]) for rows in (slice(4), slice(4, 8))]
    whole = loss(pair.student, pair.teacher)
    assert whole.dim() == 0
    assert not torch.allclose(torch.stack(halves).mean(), whole, rtol=1e-3)


@EVERY
def test_the_size_of_a_gradient_barely_depends_on_the_temperature(case: LossCase) -> None:
    """Between 20 and 40 it may not fall or grow by half: the factor in T is the right one."""
    pair, sizes = drawn_pair(rows=8), []
    for temperature in (20.0, 40.0):
        student = pair.student.clone().requires_grad_()
        case.loss(student, pair.teacher, pair.labels, temperature).sum().backward()
        assert student.grad is not None
        sizes.append(float(student.grad.norm()))
    # correlation does not fade with the temperature, so the factor T² of its paper makes it grow
    growth = 4.0 if case.name == "inter_class_correlation" else 1.0
    # what the label has put right stays wrong at any temperature: T of it remains
    growth = 2.0 if case.name == "label_corrected_kl" else growth
    assert sizes[1] / sizes[0] == pytest.approx(growth, rel=0.15)
