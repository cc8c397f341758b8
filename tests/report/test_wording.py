"""Numbers as a person reads them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.report.wording import duration_text, number_text, percent_text, shown_text, size_text


@given(st.floats(-1e300, 1e300))
def test_a_number_can_be_read_back_within_half_a_percent(value: float) -> None:
    text = number_text(value)
    assert float(text.replace(",", "").replace("−", "-")) == pytest.approx(value, rel=6e-3)
    assert len(text) <= 10


@given(st.floats(0, 1e15))
def test_sizes_and_times_are_short_and_have_a_unit(value: float) -> None:
    assert size_text(value).split()[1] in {"B", "kB", "MB", "GB"}
    assert duration_text(value).split()[1] in {"µs", "ms", "s"}
    assert "e+" not in size_text(value) + duration_text(value)


@given(st.floats(999.4, 999.999))
def test_a_number_that_rounds_to_a_thousand_has_no_power_of_ten(count: float) -> None:
    assert number_text(count) in {"999", "1,000"}
    assert size_text(1e3 * count).split() in (["999", "kB"], ["1,000", "kB"])
    assert duration_text(1e-6 * count).split() in (["999", "µs"], ["1,000", "µs"])


@given(st.text(), st.integers(1, 80))
def test_a_shown_text_is_printable_and_is_what_it_was_where_that_is_possible(
    text: str, most: int
) -> None:
    shown = shown_text(text, most)
    assert shown.isprintable()
    if text.isprintable() and len(text) <= most:
        assert shown == text


def test_what_is_absent_is_a_dash() -> None:
    assert {form(None) for form in (number_text, percent_text, size_text, duration_text)} == {"–"}


def test_words_for_a_terminal_load_nothing_heavy() -> None:
    """The command line says sizes with them before it needs a library."""
    script = "import sys, kdtab.report.wording; print('numpy' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout == "False\n"
