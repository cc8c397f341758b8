"""Quantiles that cannot cross, in torch and in numpy alike, and their distance and scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.quantiles import USUAL_LEVELS, levels_problem, median_place
from kdtab.losses.quantiles import ordered_quantiles, quantile_distance
from kdtab.losses.regression import pinball_error
from kdtab.metrics.quantiles import (
    continuous_ranked_probability_score,
    interval_coverage,
    pinball_losses,
    quantiles_from_outputs,
)

seeds = st.integers(0, 2**32 - 1)
level_sets = st.lists(
    st.integers(1, 99).filter(lambda number: number != 50), min_size=2, max_size=18, unique=True
).map(lambda numbers: tuple(number / 100 for number in sorted({*numbers, 50})))


def drawn_outputs(seed: int, levels: tuple[float, ...], spread: float = 5.0) -> torch.Tensor:
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.normal(size=(7, len(levels))) * spread).to(torch.float32)


@given(seeds, level_sets, st.sampled_from([0.0, 1.0, 30.0]))
def test_quantiles_never_cross_whatever_the_network_says(
    seed: int, levels: tuple[float, ...], spread: float
) -> None:
    outputs, median = drawn_outputs(seed, levels, spread), median_place(levels)
    quantiles = ordered_quantiles(outputs, median=median)
    assert (quantiles.diff(dim=1) >= 0).all()
    assert torch.equal(quantiles[:, median], outputs[:, median])


@given(seeds, level_sets)
def test_numpy_tells_the_quantiles_that_torch_learnt(seed: int, levels: tuple[float, ...]) -> None:
    outputs = drawn_outputs(seed, levels)
    learnt = ordered_quantiles(outputs.double(), median=median_place(levels)).numpy()
    np.testing.assert_allclose(quantiles_from_outputs(outputs.numpy(), levels), learnt, atol=1e-9)


def test_the_gaps_are_those_of_the_definition() -> None:
    """Q_3 = z_3, Q_4 = Q_3 + g·s(z_4), Q_2 = Q_3 − g·s(z_2), Q_1 = Q_2 − g·s(z_1), g = 4 / K."""
    z = [0.3, -1.2, 2.0, 0.7]
    gap = [4 / 4 * np.log1p(np.exp(number)) for number in z]
    expected = [z[2] - gap[1] - gap[0], z[2] - gap[1], z[2], z[2] + gap[3]]
    found = quantiles_from_outputs(np.array([z]), (0.1, 0.2, 0.5, 0.9))
    np.testing.assert_allclose(found[0], expected)


@given(seeds, level_sets)
def test_the_distance_of_quantiles_is_zero_for_the_same_and_symmetric(
    seed: int, levels: tuple[float, ...]
) -> None:
    first, second = drawn_outputs(seed, levels), drawn_outputs(seed + 1, levels)
    assert not quantile_distance(first, first).any()
    torch.testing.assert_close(quantile_distance(first, second), quantile_distance(second, first))


def test_the_distance_of_two_normals_is_that_of_their_closed_form() -> None:
    """W₂² of N(a, s²) and N(b, t²) is (a − b)² + (s − t)²; many levels come near to it."""
    random = np.random.default_rng(0)
    levels = (np.arange(2_000) + 0.5) / 2_000
    normal = np.quantile(random.normal(size=2_000_00), levels)
    first, second = (torch.from_numpy(m + s * normal)[None] for m, s in ((1.0, 2.0), (3.0, 0.5)))
    assert quantile_distance(first, second).item() == pytest.approx(4 + 2.25, rel=0.02)


@given(seeds, level_sets)
def test_numpy_and_torch_agree_on_the_pinball_loss(seed: int, levels: tuple[float, ...]) -> None:
    quantiles = drawn_outputs(seed, levels).double()
    truth = np.random.default_rng(seed).normal(size=7)
    wanted = pinball_error(quantiles, torch.from_numpy(truth)[:, None], quantiles=levels)
    np.testing.assert_allclose(pinball_losses(quantiles.numpy(), truth, levels), wanted.numpy())


@given(seeds)
def test_twice_the_pinball_loss_is_the_score_of_the_empirical_distribution(seed: int) -> None:
    """CRPS = E|X − y| − ½ E|X − X'| (Gneiting and Raftery 2007, eq. 21), with X each of 99 quantiles."""
    random = np.random.default_rng(seed)
    levels = tuple((np.arange(99) + 0.5) / 99)
    quantiles = np.sort(random.normal(size=99))
    truth = float(random.normal())
    energy = np.abs(quantiles - truth).mean()
    energy -= np.abs(quantiles[:, None] - quantiles).mean() / 2
    found = continuous_ranked_probability_score(quantiles[None], np.array([truth]), levels)
    assert found == pytest.approx(energy, abs=1e-9)


def test_the_true_quantiles_have_the_best_score() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(size=4_000)
    honest = np.quantile(random.normal(size=400_000), USUAL_LEVELS)
    scores = [
        continuous_ranked_probability_score(
            np.repeat((shift + spread * honest)[None], 4_000, axis=0), truth, USUAL_LEVELS
        )
        for shift, spread in ((0.0, 1.0), (0.5, 1.0), (0.0, 0.5), (0.0, 2.0))
    ]
    assert min(scores) == scores[0]


def test_coverage_counts_both_ends_and_no_rows_have_none() -> None:
    quantiles = np.array([[0.0, 1.0]] * 4)
    assert interval_coverage(quantiles, np.array([0.0, 1.0, 1.1, -0.1])) == 0.5
    assert np.isnan(interval_coverage(quantiles[:0], np.array([])))
    assert np.isnan(continuous_ranked_probability_score(quantiles[:0], np.array([]), (0.1, 0.5)))


@pytest.mark.parametrize(
    ("levels", "rule"),
    [
        ((), "3 to 99"),
        ((0.1, 0.5), "3 to 99"),
        (tuple(np.linspace(0.001, 0.999, 101)), "3 to 99"),
        ((0.0, 0.5, 0.9), "between 0 and 1"),
        ((0.1, 0.5, 1.0), "between 0 and 1"),
        ((0.1, 0.5, float("nan")), "between 0 and 1"),
        ((0.5, 0.1, 0.9), "rise"),
        ((0.1, 0.5, 0.5), "rise"),
        ((0.1, 0.4, 0.9), "the median"),
    ],
)
def test_levels_that_are_none_are_refused(levels: tuple[float, ...], rule: str) -> None:
    problem = levels_problem(levels)
    assert problem is not None
    assert rule in problem


def test_the_usual_levels_are_nineteen_around_the_median() -> None:
    assert levels_problem(USUAL_LEVELS) is None
    assert (len(USUAL_LEVELS), USUAL_LEVELS[9]) == (19, 0.5)
