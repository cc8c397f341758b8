from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kdtab.data.arrays import FloatArray
from kdtab.data.shares import log_softmax, softmax

SCORES = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4),
    elements=st.floats(-1e6, 1e6) | st.sampled_from([-np.inf, 0.0, -745.0, 709.0]),
)


@given(SCORES, st.sampled_from([np.float32, np.float64]))
def test_a_softmax_is_that_of_scipy_to_the_bit(
    scores: FloatArray, dtype: type[np.floating]
) -> None:
    given_scores: npt.NDArray[Any] = np.asarray(scores, dtype=dtype)
    with np.errstate(invalid="ignore"):
        expected = scipy.special.log_softmax(given_scores, axis=-1)
    found = log_softmax(given_scores)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(softmax(given_scores), np.exp(expected))


@given(SCORES)
def test_shares_sum_to_one(scores: FloatArray) -> None:
    possible = scores[np.isfinite(scores).any(axis=-1)]
    np.testing.assert_allclose(softmax(possible).sum(axis=-1), 1.0)


def test_nothing_possible_is_not_a_number() -> None:
    assert np.isnan(log_softmax(np.full((1, 2), -np.inf))).all()
    assert log_softmax(np.empty((0, 3))).shape == (0, 3)
