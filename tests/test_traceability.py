"""Every requirement of the two specifications is shown by a test, and the page says by which."""

from __future__ import annotations

import pytest

from traceability import PAGE, missing, read_marks, read_requirements, render, unknown

MARKS = read_marks()
REQUIREMENTS = read_requirements()


@pytest.mark.parametrize("title", list(REQUIREMENTS))
def test_every_requirement_is_shown_by_a_test(title: str) -> None:
    absent = missing({title: REQUIREMENTS[title]}, MARKS)
    assert not absent, f"no test is marked with {', '.join(absent)}"


def test_every_mark_names_a_requirement() -> None:
    assert not unknown(REQUIREMENTS, MARKS)


def test_the_list_of_requirements_is_whole() -> None:
    assert {title: len(section) for title, section in REQUIREMENTS.items()} == {
        "PT-DISTILL-001: distil a student from a teacher": 57,
        "PT-TRAINER-001: train, predict, load": 53,
    }


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == render(REQUIREMENTS, MARKS), "run `make docs`"
