"""`kdtab.losses` is public: every loss, under one manner of calling."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from kdtab import losses
from source import package_files

NOT_LOSSES = {"at_least_float32", "exact_sum", "unit_rows"}
# gradients, rowgradients: nodes that the loop takes, not losses; jaxsequences: in JAX, which stays optional.
INSIDE = {"__init__.py", "gradients.py", "rowgradients.py", "jaxsequences.py"}
FUNCTIONS = [name for name in losses.__all__ if inspect.isfunction(getattr(losses, name))]


def test_every_public_name_exists_once_and_in_order() -> None:
    assert losses.__all__ == sorted(set(losses.__all__))
    assert all(hasattr(losses, name) for name in losses.__all__)


def test_every_loss_of_the_folder_is_public() -> None:
    own = {
        name
        for file in package_files()
        if file.name.startswith("losses/") and Path(file.name).name not in INSIDE
        for name in (node.name for node in file.tree.body if hasattr(node, "name"))
        if not name.startswith("_") and name[0].islower()
    }
    assert own - NOT_LOSSES == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numbers_are_given_by_name_only(name: str) -> None:
    rules = inspect.signature(getattr(losses, name)).parameters.values()
    by_name = inspect.Parameter.KEYWORD_ONLY
    numbers = [rule for rule in rules if rule.annotation in {"float", "int"}]
    exempt = {"class_weights", "complementary_weight", "scheduled_value"}
    assert name in exempt or all(rule.kind is by_name for rule in numbers)
    temperature = [rule for rule in rules if rule.name == "temperature"]
    assert all(rule.default is inspect.Parameter.empty for rule in temperature)
