"""The networks of a teacher: what they are fitted on, and that they differ."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch
from returns.result import Result

from kdtab.config.columns import ColumnOptions
from kdtab.config.networks import MlpSpec, NetworkSpec
from kdtab.config.training import TrainingConfig
from kdtab.data.prepare import PreparedTable, prepare_table
from kdtab.errors.issue import Issues
from kdtab.shell.fit import FitRows, FitSettings, FittedNetwork, fit_network
from kdtab.tasks.supervised import TrainingTask
from kdtab.teachers import networkfit
from kdtab.teachers.networkfit import MANNERS, supervised_network_fit

CPU = torch.device("cpu")


def prepared(task: str, rows: int = 240) -> PreparedTable:
    """Each row twice, so that a twin could stand on both sides."""
    generator = np.random.default_rng(0)
    x = np.repeat(generator.normal(size=(rows // 2, 2)), 2, axis=0)
    y = x[:, 0] + 0.1 * generator.normal(size=rows)
    target = y if task == "regression" else np.where(y > 0, "yes", "no")
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": target})
    return prepare_table(frame, TrainingConfig(target_column="y"), ColumnOptions()).unwrap()


class Seen:
    """What the networks were fitted on, in their order; each fit is cut short."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.specs: list[MlpSpec] = []
        self.training: list[FitRows] = []
        self.choosing: list[FitRows | None] = []
        self.settings: list[FitSettings] = []
        monkeypatch.setattr(networkfit, "fit_network", self.fit)

    def fit(
        self,
        spec: NetworkSpec,
        task: TrainingTask,
        training: FitRows,
        validation: FitRows | None,
        settings: FitSettings,
        *,
        device: torch.device,
    ) -> Result[FittedNetwork, Issues]:
        assert isinstance(spec, MlpSpec)
        self.specs.append(spec)
        self.training.append(training)
        self.choosing.append(validation)
        self.settings.append(settings)
        short = FitSettings(1, settings.batch_size, 1e-3, settings.random_seed)
        return fit_network(spec, task, training, validation, short, device=device)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_rows_that_choose_the_epoch_have_no_twin_among_the_others(
    task: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, seen = prepared(task), Seen(monkeypatch)
    rows, targets = table.training.inputs, table.training.targets
    fit = supervised_network_fit(table, CPU)
    for number in range(len(MANNERS)):
        fit(rows, targets, 3, number).unwrap()
    for manner, training, choosing in zip(MANNERS, seen.training, seen.choosing, strict=True):
        assert choosing is not None
        assert len(training.inputs) + len(choosing.inputs) == len(rows)
        share = 0.0 if task in manner.learns_all else 1 / 8
        assert len(choosing.inputs) / len(rows) == pytest.approx(share, abs=0.02)
        learnt = {row.tobytes() for row in training.inputs}
        assert not learnt & {row.tobytes() for row in choosing.inputs}


def test_the_networks_of_a_teacher_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    table, seen = prepared("regression"), Seen(monkeypatch)
    fit = supervised_network_fit(table, CPU)
    answers = [
        fit(table.training.inputs, table.training.targets, 3, number).unwrap()(table.test.inputs)
        for number in range(len(MANNERS))
    ]
    sizes = {(spec.hidden_dim, spec.dropout) for spec in seen.specs}
    assert len(sizes) == len(MANNERS)
    assert all(spec.encoding is not None for spec in seen.specs)
    assert {settings.learning_rate_schedule for settings in seen.settings} == {"cosine"}
    assert not np.array_equal(answers[1].unwrap(), answers[2].unwrap())


def test_of_very_few_rows_none_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    table, seen = prepared("classification", rows=10), Seen(monkeypatch)
    rows, targets = table.training.inputs, table.training.targets
    supervised_network_fit(table, CPU)(rows, targets, 3, 0).unwrap()
    assert len(seen.training[0].inputs) == len(rows)


def test_edges_are_those_of_the_rows_that_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest value is held back or not; the last edge says which."""
    table, seen = prepared("regression"), Seen(monkeypatch)
    supervised_network_fit(table, CPU)(table.training.inputs, table.training.targets, 3, 0).unwrap()
    encoding = seen.specs[0].encoding
    assert encoding is not None
    learnt = seen.training[0].inputs
    for column, edges in enumerate(encoding.edges):
        assert edges[0] == learnt[:, column].min()
        assert edges[-1] == learnt[:, column].max()
