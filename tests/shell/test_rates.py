from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.shell.fit import FitSettings
from kdtab.shell.rates import learning_rate_at, rate_share_at, warmup_notes

RUN = FitSettings(epochs=1, batch_size=8, learning_rate=0.02, random_seed=0)
courses = st.builds(
    replace,
    st.just(RUN),
    learning_rate_schedule=st.sampled_from(["constant", "cosine"]),
    warmup_steps=st.integers(0, 300),
)
lengths = st.integers(1, 400)


@given(steps=lengths)
def test_by_default_every_step_has_the_very_rate_of_the_settings(steps: int) -> None:
    assert {learning_rate_at(step, RUN, steps=steps) for step in range(steps)} == {0.02}


@given(run=courses, steps=lengths)
def test_every_step_of_every_course_moves_and_none_goes_beyond_the_full_rate(
    run: FitSettings, steps: int
) -> None:
    shares = [rate_share_at(step, run, steps=steps) for step in range(steps)]
    assert all(0 < share <= 1 for share in shares)
    assert max(shares) == 1


@given(run=courses, steps=lengths)
def test_the_rate_rises_first_and_never_rises_again(run: FitSettings, steps: int) -> None:
    shares = [rate_share_at(step, run, steps=steps) for step in range(steps)]
    peak = shares.index(1.0)
    assert peak < max(1, min(run.warmup_steps, steps // 2))
    assert shares[: peak + 1] == sorted(shares[: peak + 1])
    assert shares[peak:] == sorted(shares[peak:], reverse=True)


def test_the_cosine_is_half_way_at_half_the_time_and_0_at_the_end() -> None:
    run = replace(RUN, learning_rate_schedule="cosine", warmup_steps=100)
    assert rate_share_at(2_100, run, steps=4_100) == pytest.approx(0.5)
    assert rate_share_at(1_100, run, steps=4_100) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert rate_share_at(4_099, run, steps=4_100) < 1e-6
    assert rate_share_at(4_100, run, steps=4_100) == 0


def test_the_warm_up_is_a_line_from_0() -> None:
    run = replace(RUN, warmup_steps=4)
    found = [learning_rate_at(step, run, steps=100) for step in range(5)]
    assert found == pytest.approx([0.005, 0.01, 0.015, 0.02, 0.02])


@given(warmup=st.integers(0, 300), steps=lengths)
def test_a_warm_up_that_was_cut_is_told_with_what_it_became(warmup: int, steps: int) -> None:
    run = replace(RUN, warmup_steps=warmup)
    notes = warmup_notes(run, steps=steps)
    assert bool(notes) == (warmup > steps // 2)
    shares = [rate_share_at(step, run, steps=steps) for step in range(steps)]
    if notes:
        assert notes[0].startswith(f"the learning rate warmed up over {steps // 2} steps")
        assert shares[max(0, steps // 2 - 1)] == 1.0
