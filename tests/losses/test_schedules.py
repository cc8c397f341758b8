from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.schedules import (
    ConstantSchedule,
    RampSchedule,
    Schedule,
    StairSchedule,
    schedule_ends,
)
from kdtab.losses.schedules import scheduled_value

positive = st.floats(0.01, 100)
steps = st.integers(1, 500)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    start, end, length = draw(positive), draw(positive), draw(steps)
    jumps, after = draw(st.integers(1, 7)), draw(st.integers(0, 20))
    every: list[Schedule] = [
        ConstantSchedule(value=start),
        StairSchedule(start=start, end=end, steps=length, jumps=jumps),
        RampSchedule(kind="linear", start=start, end=end, steps=length, after=after),
        RampSchedule(kind="cosine", start=start, end=end, steps=length, after=after),
        RampSchedule(kind="exponential", start=start, end=end, steps=length, after=after),
    ]
    return draw(st.sampled_from(every))


@given(schedule=schedules(), step=st.integers(0, 600))
def test_a_schedule_never_leaves_the_space_between_its_ends(schedule: Schedule, step: int) -> None:
    start, end = schedule_ends(schedule)
    value = scheduled_value(schedule, step)
    assert min(start, end) * (1 - 1e-12) <= value <= max(start, end) * (1 + 1e-12)


@given(schedule=schedules())
def test_a_schedule_starts_and_ends_exactly_where_it_says(schedule: Schedule) -> None:
    start, end = schedule_ends(schedule)
    assert scheduled_value(schedule, 0) == start
    assert scheduled_value(schedule, 10_000) == end


@given(schedule=schedules(), step=st.integers(0, 600))
def test_a_schedule_goes_one_way(schedule: Schedule, step: int) -> None:
    start, end = schedule_ends(schedule)
    change = scheduled_value(schedule, step + 1) - scheduled_value(schedule, step)
    assert change * (end - start) >= -1e-9


@pytest.mark.parametrize(
    ("kind", "middle"),
    [("linear", 2.5), ("cosine", 2.5), ("exponential", 2.0)],
)
def test_the_middle_of_the_way_is_the_mean_of_its_kind(kind: str, middle: float) -> None:
    ramp = RampSchedule.model_validate(
        {"kind": kind, "start": 4.0, "end": 1.0, "steps": 100, "after": 10}
    )
    assert scheduled_value(ramp, 60) == pytest.approx(middle)
    assert scheduled_value(ramp, 10) == 4.0


def test_a_cosine_leaves_its_start_slowly() -> None:
    ramp = RampSchedule(kind="cosine", start=0.0, end=1.0, steps=4)
    assert scheduled_value(ramp, 1) == pytest.approx((1 - math.cos(math.pi / 4)) / 2)


def test_stairs_hold_every_value_for_as_long() -> None:
    stairs = StairSchedule(start=4.0, end=1.0, steps=9, jumps=3)
    found = [scheduled_value(stairs, step) for step in range(11)]
    assert found == [4.0] * 3 + [3.0] * 3 + [2.0] * 3 + [1.0] * 2
