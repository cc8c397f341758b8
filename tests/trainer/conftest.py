"""What the tests of the trainer's door share."""

from __future__ import annotations

import pytest

from clients import teacher_of


@pytest.fixture(scope="session", autouse=True)
def teachers_are_trained() -> None:
    """Before any test watches what trains, or counts what is called."""
    for task in ("classification", "regression"):
        teacher_of(task)
