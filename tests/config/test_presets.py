"""A preset is valid settings, and each of them does something."""

from typing import get_args

import pytest

from kdtab.config.base import revise
from kdtab.config.distillation import DistillConfig
from kdtab.config.presets import PRESET_NAMES, PresetName, preset
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_a_preset_names_known_fields_with_valid_values(name: PresetName) -> None:
    found = preset(name)
    config = revise(TrainingConfig(target_column="y"), **found.training).unwrap()
    assert {field: getattr(config, field) for field in found.training} == found.training
    assert revise(DistillConfig(), **found.distill).unwrap().alpha == found.distill["alpha"]
    revise(LabelConfig(), **found.labels).unwrap()
    assert all(0 <= alpha <= 1 for alpha in found.alphas)


def test_the_seed_preset_is_the_recipe_of_the_seeds() -> None:
    found = preset("seed")
    assert revise(DistillConfig(), **found.distill).unwrap() == DistillConfig()
    assert found.training == {}
    assert found.labels["labels"] == "in_sample"


def test_what_needs_validation_rows_has_them() -> None:
    for name in ("quick", "standard"):
        found = preset(name)
        assert found.distill["calibrate"] is not True or found.training["validation_size"] != 0.0


def test_the_quick_preset_takes_fewer_steps_with_a_smaller_student() -> None:
    quick, standard = preset("quick"), preset("standard")
    assert int(str(quick.training["steps"])) < int(str(standard.training["steps"]))
    width = "student_hidden_dim"
    assert int(str(quick.distill[width])) < int(str(standard.distill[width]))
    assert {name: value for name, value in quick.training.items() if name != "steps"} == {
        name: value for name, value in standard.training.items() if name != "steps"
    }


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_nobody_can_change_a_preset(name: PresetName) -> None:
    with pytest.raises(TypeError):
        preset(name).training["steps"] = 1  # type: ignore[index]  # that is what is refused


def test_every_name_has_a_preset() -> None:
    assert get_args(PresetName) == PRESET_NAMES
