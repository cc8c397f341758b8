"""Flags from config fields."""

from __future__ import annotations

import click
import pytest

from kdtab.cli.distill import distill
from kdtab.cli.options import field_texts
from kdtab.cli.train import train
from kdtab.config.base import FrozenConfig
from kdtab.config.columns import ColumnOptions
from kdtab.config.distillation import DistillConfig
from kdtab.config.places import has_fields_inside
from kdtab.config.run import DeviceOptions
from kdtab.config.tables import ReadOptions
from kdtab.config.training import TrainingConfig


@pytest.mark.parametrize(
    ("command", "kinds", "without"),
    [
        (train, (TrainingConfig, ColumnOptions, ReadOptions, DeviceOptions), set()),
        (
            distill,
            (TrainingConfig, DistillConfig, ColumnOptions, ReadOptions, DeviceOptions),
            {"hidden_dim", "num_hidden_layers", "dropout"},
        ),
    ],
)
def test_every_config_field_has_a_flag_with_a_text_and_no_default(
    command: click.Command, kinds: tuple[type[FrozenConfig], ...], without: set[str]
) -> None:
    every = {name: field for kind in kinds for name, field in kind.model_fields.items()}
    nested = {name for name, field in every.items() if has_fields_inside(field.annotation)}
    fields = set(every) - without - nested
    flags = {one.name: one for one in command.params if isinstance(one, click.Option)}
    assert fields <= set(flags)
    assert not (without | nested) & set(flags)
    assert nested <= {"objective", "layers"}
    for name in fields:
        assert flags[name].help, name
        assert "None" not in (flags[name].help or ""), name
        assert flags[name].default is None, name


@pytest.mark.parametrize(
    "kind", [TrainingConfig, DistillConfig, ColumnOptions, ReadOptions, DeviceOptions]
)
def test_every_field_is_explained_in_its_configs_docstring(kind: type[FrozenConfig]) -> None:
    texts = field_texts(kind)
    assert list(texts) == list(kind.model_fields)
    assert all(texts.values())
