"""The page that sets a student beside its ensemble: what is promised, what is met, what is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchmarks.quality import serving
from benchmarks.quality.servingpage import (
    BYTE_TARGETS,
    LARGE_TEACHER,
    LOSS_TARGET,
    RATE_TARGETS,
    ROW_TARGET,
    Answering,
    Compared,
    promises,
    serving_page,
)

TEACHER = Answering((8_000.0,), 40e-3, 45e-3, 2 * LARGE_TEACHER)


def compared(width: int) -> Compared:
    """A student that meets every promise and is on the line of each but the last."""
    rate = 8_000 * RATE_TARGETS[width]
    size = int(2 * LARGE_TEACHER * BYTE_TARGETS[width])
    student = Answering((rate, 3 * rate), ROW_TARGET, 50e-6, size)
    return Compared("adult", 14, width, TEACHER, student, 2 * size, 0.3, 0.3)


def verdicts(one: Compared) -> list[bool | None]:
    return [promise.met for promise in promises(one)]


@pytest.mark.parametrize("width", sorted(RATE_TARGETS))
def test_on_the_line_a_promise_is_met_and_beyond_it_missed(width: int) -> None:
    one = compared(width)
    assert verdicts(one) == [True] * 4
    student = one.student
    for at, worse in enumerate(
        (
            replace(one, student=replace(student, rates=(1.0, 1e9))),
            replace(one, student=replace(student, row=1.01 * ROW_TARGET)),
            replace(one, student=replace(student, bytes=student.bytes + 1_000)),
            replace(one, float16_loss=one.float32_loss + 1.01 * LOSS_TARGET),
        )
    ):
        assert verdicts(worse) == [place != at for place in range(4)]


def test_the_slower_batch_of_the_student_counts() -> None:
    one = compared(64)
    assert one.rate_ratio == RATE_TARGETS[64]
    turned = replace(one.student, rates=one.student.rates[::-1])
    assert replace(one, student=turned).rate_ratio == one.rate_ratio


def test_a_loss_that_rounding_lowers_is_no_miss() -> None:
    assert verdicts(replace(compared(64), float16_loss=0.1))[3]


def test_of_a_small_teacher_no_share_of_bytes_is_promised() -> None:
    one = compared(256)
    small = replace(one, teacher=replace(TEACHER, bytes=LARGE_TEACHER))
    assert verdicts(small) == [True, True, None, True]
    assert "| none: the teacher is small | 1/150 |  |" in serving_page([small], "a machine")


def test_the_page_tells_each_teacher_once_and_each_student_twice() -> None:
    page = serving_page([compared(64), compared(256)], "a machine")
    lines = page.splitlines()
    assert sum("the ensemble" in line for line in lines) == 1
    assert sum(", float16 |" in line for line in lines) == 2
    assert sum(", float32 |" in line for line in lines) == 2
    assert "| adult | 2×64 | rows per second, student / teacher | ≥ 100 | 100 | met |" in lines
    assert "| adult | 2×64 | one row, median | ≤ 20 µs | 20.0 µs | met |" in lines
    assert "| adult | 2×256 | bytes, student / teacher | ≤ 1/300 | 1/300 | met |" in lines
    tables = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in tables[:10]} == {7}
    assert {line.count("|") for line in tables[10:]} == {9}


def test_without_a_folder_there_is_a_table_of_numbers_and_one_of_both_kinds() -> None:
    numbers, mixed = serving.served_sources(None, ())
    assert (numbers.name, mixed.name) == ("digits", "invented")
    assert {dtype.is_numeric() for dtype in mixed.read().drop(mixed.target).dtypes} == {True, False}
    [chosen] = serving.served_sources(None, ["invented"])
    assert chosen.name == "invented"


def test_seconds_are_the_least_of_the_rounds_and_the_first_call_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticks = iter([0.0, 5.0, 10.0, 13.0, 20.0, 24.0])
    monkeypatch.setattr(serving, "process_time", lambda: next(ticks))
    calls: list[int] = []
    assert serving.least_seconds(lambda: calls.append(1), 3) == 3.0
    assert len(calls) == 4
    walls = iter([0.0, 2.0, 2.0, 3.0, 0.0, 5.0, 5.0, 9.0])
    monkeypatch.setattr(serving, "perf_counter", lambda: next(walls))
    median, late = serving.single_seconds(["a", "b"], lambda row: row, 2)
    assert median == 1.5
    assert late == pytest.approx(1.99)
