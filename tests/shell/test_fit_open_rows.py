"""Fits on rows of which some have no label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from kdtab.config.networks import MlpSpec
from kdtab.config.training import Task
from kdtab.shell.extrarows import MOST_SYNTHETIC, ExtraRows
from kdtab.shell.fit import FitRows, FitSettings, FittedNetwork, fit_network
from kdtab.shell.fitrows import heard_rows
from kdtab.shell.search import Candidate, fit_many
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import SupervisedTask
from kdtab.tasks.trainingtask import TrainingTask
from spies import weights

CPU = torch.device("cpu")
CLASSES, REAL, MORE = 3, 40, 60
RUN = FitSettings(epochs=3, batch_size=16, learning_rate=1e-2, random_seed=5)
TASKS = pytest.mark.parametrize("task", ["classification", "regression"])


def spec_for(task: Task) -> MlpSpec:
    outputs = 1 if task == "regression" else CLASSES
    return MlpSpec(input_dim=4, output_dim=outputs, hidden_dim=8, num_hidden_layers=1, dropout=0.2)


def rows_for(task: Task, seed: int = 0) -> tuple[FitRows, ExtraRows]:
    drawn = np.random.default_rng(seed)
    inputs = drawn.standard_normal((REAL + MORE, 4)).astype(np.float32)
    if task == "regression":
        soft = drawn.standard_normal((REAL + MORE, 1)).astype(np.float32)
        values = drawn.standard_normal((REAL, 1)).astype(np.float32)
        return FitRows(inputs[:REAL], values, soft[:REAL]), ExtraRows(inputs[REAL:], soft[REAL:])
    soft = drawn.normal(0, 3, (REAL + MORE, CLASSES)).astype(np.float32)
    labels = drawn.integers(0, CLASSES, REAL)
    return FitRows(inputs[:REAL], labels, soft[:REAL]), ExtraRows(inputs[REAL:], soft[REAL:])


def fitted(task: Task, learning: TrainingTask, rows: FitRows) -> FittedNetwork:
    return fit_network(spec_for(task), learning, rows, None, RUN, device=CPU).unwrap()


@TASKS
@pytest.mark.parametrize("alone", ["labels", "alpha one"])
def test_who_does_not_listen_is_the_student_without_these_rows_to_the_bit(
    task: Task, alone: str
) -> None:
    rows, extra = rows_for(task)
    deaf = SupervisedTask(task) if alone == "labels" else SoftTargetTask(task, alpha=1.0)
    beside, without = (fitted(task, deaf, each) for each in (extra.beside(rows), rows))
    assert weights(beside.network) == weights(without.network)
    assert beside.update_steps == without.update_steps


@TASKS
def test_who_listens_learns_from_them(task: Task) -> None:
    rows, extra = rows_for(task)
    taught = SoftTargetTask(task, alpha=0.5)
    beside, without = (fitted(task, taught, each) for each in (extra.beside(rows), rows))
    assert beside.update_steps == RUN.epochs * 7  # 100 rows in batches of 16
    assert without.update_steps == RUN.epochs * 3
    assert weights(beside.network) != weights(without.network)


@TASKS
def test_at_alpha_zero_a_label_is_of_no_use(task: Task) -> None:
    """A row without a label is one of which the teacher alone speaks: so are all at alpha 0."""
    rows, extra = rows_for(task)
    beside = extra.beside(rows)
    told = replace(beside, targets=np.zeros_like(beside.targets))
    taught = SoftTargetTask(task, alpha=0.0, temperature=1.0)
    left = fitted(task, taught, beside).network.state_dict()
    right = fitted(task, taught, told).network.state_dict()
    for name, tensor in left.items():
        torch.testing.assert_close(tensor, right[name], rtol=1e-4, atol=1e-5)


@TASKS
def test_students_that_are_fitted_together_are_those_fitted_alone(task: Task) -> None:
    rows, extra = rows_for(task)
    beside = extra.beside(rows)
    assert beside.soft_targets is not None
    beside.soft_targets[:3] = np.nan  # the teacher did not speak of these
    tasks: list[TrainingTask] = [
        PartialTargetTask(SoftTargetTask(task, alpha=0.3)),
        SupervisedTask(task),
        PartialTargetTask(SoftTargetTask(task, alpha=0.7, temperature=1.0)),
        SoftTargetTask(task, alpha=1.0),
    ]
    candidates = [Candidate(one, RUN) for one in tasks]
    together = fit_many(spec_for(task), candidates, beside, None, device=CPU)
    for one, student in zip(tasks, together, strict=True):
        alone, found = fitted(task, one, beside), student.unwrap()
        assert found.update_steps == alone.update_steps
        for name, tensor in alone.network.state_dict().items():
            torch.testing.assert_close(
                found.network.state_dict()[name], tensor, rtol=1e-3, atol=1e-4
            )
        assert found.train_loss == pytest.approx(alone.train_loss, rel=1e-4)


def test_students_that_do_not_listen_are_enough_to_be_fitted() -> None:
    rows, extra = rows_for("regression")
    deaf = [Candidate(SupervisedTask("regression"), RUN)] * 2
    beside = fit_many(spec_for("regression"), deaf, extra.beside(rows), None, device=CPU)
    without = fit_many(spec_for("regression"), deaf, rows, None, device=CPU)
    for mine, theirs in zip(beside, without, strict=True):
        assert weights(mine.unwrap().network) == weights(theirs.unwrap().network)


def test_where_every_row_has_a_label_task_and_rows_are_as_they_were() -> None:
    rows, _ = rows_for("classification")
    task = SoftTargetTask("classification")
    found = heard_rows(task, rows)
    assert found.task is task
    assert found.rows is rows


def test_synthetic_rows_do_not_drown_the_labelled_ones() -> None:
    rows, extra = rows_for("classification")
    for synthetic in (1, REAL * MOST_SYNTHETIC, REAL * MOST_SYNTHETIC + 1, REAL * 100):
        inputs = np.zeros((synthetic, 4), np.float32)
        spoken = np.zeros((synthetic, CLASSES), np.float32)
        every = ExtraRows(inputs, spoken, synthetic=synthetic).beside(rows)
        labelled = int(every.labelled.sum())
        assert labelled % REAL == 0
        assert synthetic <= MOST_SYNTHETIC * labelled
        if labelled > REAL:  # no more copies than needed
            assert synthetic > MOST_SYNTHETIC * (labelled - REAL)
    assert len(extra.beside(rows).inputs) == REAL + MORE
