from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from kdtab.data.arrays import BoolArray, FloatArray
from kdtab.metrics.ranking import average_precision, roc_area

SCORES = st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 0.25, 0.5, 1.0])


@st.composite
def ranked(draw: st.DrawFn) -> tuple[FloatArray, BoolArray]:
    """Scores with many ties; rows of both sorts, the first of each known."""
    rows = draw(st.lists(st.tuples(SCORES, st.booleans()), max_size=30))
    rows += [(draw(SCORES), True), (draw(SCORES), False)]
    return np.array([score for score, _ in rows]), np.array([sort for _, sort in rows])


@given(ranked())
def test_areas_are_those_of_scikit_learn(rows: tuple[FloatArray, BoolArray]) -> None:
    scores, positive = rows
    assert roc_area(scores, positive) == pytest.approx(roc_auc_score(positive, scores), abs=1e-12)
    expected = average_precision_score(positive, scores)
    assert average_precision(scores, positive) == pytest.approx(expected, abs=1e-12)


@given(ranked())
def test_the_roc_area_is_the_share_of_pairs_in_order(rows: tuple[FloatArray, BoolArray]) -> None:
    scores, positive = rows
    gaps = scores[positive][:, None] - scores[~positive][None, :]
    assert roc_area(scores, positive) == pytest.approx(((gaps > 0) + (gaps == 0) / 2).mean())


@given(ranked())
def test_the_other_side_has_the_rest_of_the_roc_area(rows: tuple[FloatArray, BoolArray]) -> None:
    scores, positive = rows
    both = roc_area(scores, positive) + roc_area(scores, ~positive)
    assert both == pytest.approx(1.0)


@given(ranked())
def test_only_the_order_of_the_scores_counts(rows: tuple[FloatArray, BoolArray]) -> None:
    scores, positive = rows
    ranks = np.unique(scores, return_inverse=True)[1].astype(np.float64)
    assert roc_area(ranks, positive) == roc_area(scores, positive)
    assert average_precision(ranks, positive) == average_precision(scores, positive)


def test_certainty_is_in_order_too() -> None:
    scores = np.array([-np.inf, np.inf, 0.0, np.inf])
    assert roc_area(scores, np.array([False, True, False, False])) == pytest.approx(2.5 / 3)
    assert average_precision(scores, np.array([False, True, False, False])) == 0.5


def test_rows_of_one_sort_have_no_area() -> None:
    scores, every = np.arange(3.0), np.ones(3, dtype=np.bool_)
    assert np.isnan(roc_area(scores, every))
    assert np.isnan(roc_area(scores, ~every))
    assert np.isnan(average_precision(scores, ~every))
    assert average_precision(scores, every) == 1.0
