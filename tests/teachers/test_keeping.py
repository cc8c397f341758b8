"""The student that is handed out: laws of the choice."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kdtab.metrics.choice import paired_lead
from kdtab.shell.trained import GateVerdict
from kdtab.teachers.keeping import kept_place

LOSSES = arrays(np.float64, 9, elements=st.floats(0, 5))


@given(LOSSES, LOSSES)
def test_a_student_of_a_worse_teacher_must_lead_beyond_its_error(
    taught: np.ndarray, alone: np.ndarray
) -> None:
    lead, error = paired_lead(alone, taught)
    kept = kept_place([taught, alone], 0, alone=1, verdict="worse")
    assert (kept == 0) == (lead > error)
    assert kept_place([taught], 0, verdict="worse") == 0


@given(LOSSES, LOSSES)
def test_where_the_teacher_is_in_doubt_the_rows_decide(
    taught: np.ndarray, alone: np.ndarray
) -> None:
    kept = kept_place([taught, alone], 0, alone=1, verdict="not_clearly_better")
    assert (kept == 1) == (alone.mean() < taught.mean())


@given(LOSSES, st.sampled_from((*get_args(GateVerdict), None)))
def test_a_student_alone_that_was_not_fitted_is_never_kept(
    taught: np.ndarray, verdict: GateVerdict | None
) -> None:
    assert kept_place([taught, np.full(9, np.nan)], 0, alone=1, verdict=verdict) == 0


@pytest.mark.parametrize("verdict", ["better", None])
def test_a_better_teacher_is_believed_within_the_noise(verdict: GateVerdict | None) -> None:
    taught = np.array([1.0, 2.0, 3.0, 4.0])
    lucky = taught + np.array([-0.9, 0.8, -0.9, 0.8])
    assert kept_place([taught, lucky], 0, alone=1, verdict=verdict) == 0
    assert kept_place([taught, taught - 0.5], 0, alone=1, verdict=verdict) == 1
