"""What balancers make of losses, and what they refuse."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kdtab.errors.issue import explain
from kdtab.errors.objectives import (
    StudentLossMissing,
    WeightCountDiffers,
    WeightInvalid,
    WeightNameMissing,
    WeightNameUnknown,
    WeightRepeated,
    WeightsOverOne,
)
from kdtab.losses.balance import (
    Balancer,
    ComplementaryWeight,
    MagnitudeWeights,
    NamedWeights,
    StaticWeights,
    exact_sum,
)
from kdtab.losses.uncertainty import UncertaintyWeights
from kdtab.losses.weights import (
    KnownBalancer,
    complementary_weight,
    fitted_balancer,
    magnitude_weights,
    named_weights,
    static_weights,
    uncertainty_weights,
)

TERMS = {"soft": torch.tensor(2.0), "hint": torch.tensor(4.0)}
NOT_NUMBERS = pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, -0.1])
BROKEN = torch.tensor(math.inf)
shares = st.floats(0, 1)


def sentence(balancer: KnownBalancer, terms: tuple[str, ...], *, student_loss: bool) -> list[str]:
    issues = fitted_balancer(balancer, terms, student_loss=student_loss).failure()
    return [explain(issue) for issue in issues]


@given(weight=shares)
def test_the_complement_is_the_weight_of_the_rest(weight: float) -> None:
    found = ComplementaryWeight(weight).combine(TERMS, torch.tensor(10.0))
    assert found.item() == pytest.approx(weight * 10 + (1 - weight) * 6, rel=1e-5)


@pytest.mark.parametrize(
    ("balancer", "terms", "student", "total"),
    [
        (ComplementaryWeight(1.0), {"soft": BROKEN}, torch.tensor(3.0), 3.0),
        (ComplementaryWeight(0.0), {"soft": torch.tensor(2.0)}, BROKEN, 2.0),
        (StaticWeights((0.0,)), {"soft": BROKEN}, torch.tensor(3.0), 3.0),
        (StaticWeights((1.0,)), {"soft": torch.tensor(2.0)}, BROKEN, 2.0),
        (NamedWeights((("soft", 0.0),)), {"soft": BROKEN}, torch.tensor(3.0), 3.0),
        (
            NamedWeights((("soft", 5.0),), student_weight=0.0),
            {"soft": torch.tensor(2.0)},
            BROKEN,
            10.0,
        ),
    ],
)
def test_a_term_without_weight_does_not_enter_at_all(
    balancer: Balancer, terms: dict[str, Tensor], student: Tensor, total: float
) -> None:
    assert balancer.combine(terms, student).item() == total


@pytest.mark.parametrize("weights", list(itertools.permutations((0.7, 0.2, 0.1))))
def test_the_order_of_weights_does_not_decide_whether_they_sum_to_one(
    weights: tuple[float, ...],
) -> None:
    balancer = static_weights(weights).unwrap()
    assert balancer.student_share == 0
    names = ("one", "two", "three")
    assert fitted_balancer(balancer, names, student_loss=False).unwrap() is balancer


@given(count=st.integers(1, 200))
def test_equal_parts_of_one_sum_to_one(count: int) -> None:
    assert exact_sum([1 / count] * count) == 1


@given(weights=st.lists(shares, min_size=1, max_size=6))
def test_static_weights_are_taken_exactly_where_they_leave_a_share_that_is_not_negative(
    weights: list[float],
) -> None:
    result = static_weights(weights)
    if exact_sum(weights) > 1:
        assert result.failure().first == WeightsOverOne(weights=tuple(weights))
    else:
        assert result.unwrap().student_share >= 0


@given(weights=st.lists(st.floats(0.0, 0.2), min_size=2, max_size=2))
def test_a_static_total_lies_between_the_smallest_and_the_largest_loss(
    weights: list[float],
) -> None:
    total = static_weights(weights).unwrap().combine(TERMS, torch.tensor(10.0)).item()
    assert 2.0 <= total <= 10.0 + 1e-5


@NOT_NUMBERS
def test_what_is_no_weight_is_refused_by_every_balancer(wrong: float) -> None:
    refused = [
        named_weights({"soft": wrong}),
        named_weights({"soft": 1.0}, student_weight=wrong),
        complementary_weight(wrong),
        static_weights(wrong),
        static_weights([0.5, wrong]),
        magnitude_weights(logits="soft", distillation_scale=wrong),
    ]
    for result in refused:
        issue = result.failure().first
        assert isinstance(issue, WeightInvalid)
        assert issue.found == str(wrong)


def test_a_weight_of_two_is_no_share_but_a_weight_by_name() -> None:
    assert isinstance(complementary_weight(2.0).failure().first, WeightInvalid)
    assert isinstance(static_weights([2.0]).failure().first, WeightInvalid)
    assert named_weights({"soft": 2.0}).unwrap().weights == (("soft", 2.0),)


def test_every_wrong_weight_is_named_at_once() -> None:
    issues = static_weights([0.5, -1.0, math.nan]).failure()
    assert [explain(issue) for issue in issues] == [
        "weights[1] must be a number between 0 and 1, got '-1.0'",
        "weights[2] must be a number between 0 and 1, got 'nan'",
    ]


def test_weights_that_are_all_nothing_are_refused() -> None:
    assert named_weights({"soft": 0.0}, student_weight=0.0).failure().first.name == "weights"  # type: ignore[union-attr]  # a WeightInvalid
    assert explain(static_weights([]).failure().first) == "weights must not be empty, got '()'"


def test_another_number_of_weights_than_of_losses_is_refused() -> None:
    balancer = static_weights([0.25, 0.5]).unwrap()
    found = fitted_balancer(balancer, ("soft",), student_loss=True).failure().first
    assert found == WeightCountDiffers(weights=2, terms=("soft",))


@pytest.mark.parametrize(
    "balancer", [StaticWeights((0.25,)), ComplementaryWeight(0.75), ComplementaryWeight(1.0)]
)
def test_a_share_for_the_student_needs_its_loss(balancer: KnownBalancer) -> None:
    found = fitted_balancer(balancer, ("soft",), student_loss=False).failure().first
    assert isinstance(found, StudentLossMissing)
    with pytest.raises(AssertionError, match="own loss"):
        balancer.combine({"soft": torch.tensor(1.0)})


def test_names_that_do_not_fit_are_all_listed() -> None:
    balancer = NamedWeights((("sofd", 1.0), ("hint", 1.0)))
    assert sentence(balancer, ("soft", "hint"), student_loss=True) == [
        "no distillation loss is named 'sofd'. Did you mean 'soft'? The losses: 'soft', 'hint'",
        "the loss 'soft' has no weight; there are weights for 'sofd', 'hint'",
    ]
    twice = NamedWeights((("soft", 1.0), ("soft", 2.0)))
    found = fitted_balancer(twice, ("soft",), student_loss=True).failure().first
    assert found == WeightRepeated(name="soft")


def test_magnitudes_need_the_loss_of_the_logits_by_name() -> None:
    found = fitted_balancer(MagnitudeWeights("sofd"), ("soft",), student_loss=True).failure().first
    assert found == WeightNameUnknown(name="sofd", known=("soft",))


def test_the_ratios_of_magnitudes_carry_no_gradient() -> None:
    logits, hint, own = (torch.tensor(value, requires_grad=True) for value in (2.0, 8.0, 5.0))
    MagnitudeWeights("logits", distillation_scale=0.5).combine(
        {"logits": logits, "hint": hint}, own
    ).backward()
    # both distillation losses become 2, their sum 4 becomes 5, and half of it counts
    assert [term.grad for term in (logits, hint, own)] == [
        torch.tensor(0.5 * 5 / 4),
        torch.tensor(0.5 * 5 / 4 * 2 / 8),
        torch.tensor(1.0),
    ]


def test_magnitudes_of_nothing_are_left_as_they_are() -> None:
    zero = torch.tensor(0.0, requires_grad=True)
    total = MagnitudeWeights("logits").combine({"logits": zero, "hint": zero}, torch.tensor(5.0))
    total.backward()
    assert total.item() == 5.0
    assert zero.grad is not None
    assert bool(zero.grad.isfinite())


def test_uncertainty_is_at_rest_where_it_is_the_logarithm_of_each_loss() -> None:
    balancer = uncertainty_weights(("hard", "soft")).unwrap()
    for guess, still in (([3.0, 0.2], True), ([3.0, 0.3], False)):
        with torch.no_grad():
            balancer.log_variances.copy_(torch.tensor(guess).log())
        balancer.zero_grad()
        balancer.combine({"soft": torch.tensor(0.2)}, torch.tensor(3.0)).backward()
        gradient = balancer.log_variances.grad
        assert gradient is not None
        assert bool((gradient.abs() < 1e-6).all()) == still


def test_uncertainty_starts_as_half_of_the_sum_and_knows_its_names() -> None:
    balancer = UncertaintyWeights(("soft", "hint"))
    assert balancer.combine(TERMS).item() == 3.0
    assert torch.equal(balancer(TERMS), balancer.combine(TERMS))
    found = fitted_balancer(balancer, ("soft", "hint"), student_loss=True).failure().first
    assert found == WeightNameMissing(name="hard", known=("soft", "hint"))
    assert uncertainty_weights(("soft", "soft")).failure().first == WeightRepeated(name="soft")
    with pytest.raises(AssertionError, match="by name"):
        balancer.combine({"soft": torch.tensor(1.0)})


@pytest.mark.parametrize(
    "balancer",
    [
        NamedWeights((("soft", 2.0), ("hint", 1.0))),
        ComplementaryWeight(0.3),
        StaticWeights((0.25, 0.5)),
        MagnitudeWeights("soft"),
        UncertaintyWeights(("hard", "soft", "hint")),
    ],
)
def test_every_balancer_passes_a_gradient_to_every_term(balancer: Balancer) -> None:
    terms = {name: term.clone().requires_grad_() for name, term in TERMS.items()}
    own = torch.tensor(3.0, requires_grad=True)
    balancer.combine(terms, own).backward()
    gradients = [term.grad for term in (*terms.values(), own)]
    assert all(gradient is not None and gradient > 0 for gradient in gradients)
