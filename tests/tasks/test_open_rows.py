"""Rows without a label teach by the teacher's word alone, whichever the task."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kdtab.config.distillation import DistillConfig
from kdtab.config.networks import LinearSpec
from kdtab.config.objectives import (
    AnyLoss,
    DecoupledLoss,
    DivergenceLoss,
    LabelCorrectedLoss,
    ObjectiveConfig,
    RelationalLoss,
    SquaredErrorLoss,
)
from kdtab.config.schedules import ConstantSchedule
from kdtab.config.training import Task
from kdtab.losses.balance import StaticWeights
from kdtab.models.build import build_model
from kdtab.models.network import TabularNetwork
from kdtab.tasks.chosen import objective_task
from kdtab.tasks.layertask import LayerTask
from kdtab.tasks.objectives import ObjectiveTask
from kdtab.tasks.openrows import task_of_open_rows
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.stacked_targets import StackedBatch, StackedTargets
from kdtab.tasks.supervised import Batch, SupervisedTask
from kdtab.tasks.trainingtask import GradientTask, TrainingTask
from oracles import cross_entropy_twin, kl_divergence_twin

ROWS, CLASSES = 6, 4
TASKS = pytest.mark.parametrize("task", ["classification", "regression"])
MASKS = st.lists(st.booleans(), min_size=ROWS, max_size=ROWS)


def rows_of(task: Task, seed: int = 0) -> Batch:
    drawn = torch.Generator().manual_seed(seed)
    inputs = torch.randn(ROWS, 3, generator=drawn)
    if task == "regression":
        values = torch.randn(ROWS, 2, generator=drawn)
        return Batch(inputs, values[:, :1].contiguous(), values[:, 1:].contiguous())
    labels = torch.randint(0, CLASSES, (ROWS,), generator=drawn)
    return Batch(inputs, labels, torch.randn(ROWS, CLASSES, generator=drawn))


def student_of(task: Task) -> TabularNetwork:
    torch.manual_seed(1)
    return build_model(LinearSpec(input_dim=3, output_dim=1 if task == "regression" else CLASSES))


def without_labels(targets: Tensor, labelled: list[bool]) -> Tensor:
    mask = torch.tensor(labelled)
    if targets.is_floating_point():
        return torch.where(mask[:, None], targets, float("nan"))
    return torch.where(mask, targets, -1)


def without_words(soft: Tensor, spoken: list[bool]) -> Tensor:
    return torch.where(torch.tensor(spoken)[:, None], soft, float("nan"))


def expected_loss(
    task: Task, outputs: Tensor, rows: Batch, masks: tuple[list[bool], list[bool]], alpha: float
) -> float:
    """Row by row: what a person would write down."""
    assert rows.soft_targets is not None
    found, soft = outputs.detach().double().numpy(), rows.soft_targets.double().numpy()
    if task == "regression":
        targets = rows.targets.double().numpy()
        hards, softs = (found - targets)[:, 0] ** 2, (found - soft)[:, 0] ** 2
    else:
        hards = cross_entropy_twin(found, rows.targets.numpy())
        softs = kl_divergence_twin(found, soft, 2.0)
    total = 0.0
    for has_label, has_word, hard, told in zip(*masks, hards, softs, strict=True):
        if has_label and has_word:
            total += alpha * hard + (1 - alpha) * told
        elif has_label:
            total += hard
        elif has_word:
            total += told
    return total / ROWS


@TASKS
@given(labelled=MASKS, spoken=MASKS, alpha=st.sampled_from([0.0, 0.3, 0.9]))
def test_the_loss_of_a_row_is_what_it_has(
    task: Task, labelled: list[bool], spoken: list[bool], alpha: float
) -> None:
    rows, student = rows_of(task), student_of(task)
    assert rows.soft_targets is not None
    partial = PartialTargetTask(SoftTargetTask(task=task, alpha=alpha, temperature=2.0))
    ready = Batch(
        rows.inputs,
        without_labels(rows.targets, labelled),
        partial.prepare(without_words(rows.soft_targets, spoken)),
    )
    found = partial.terms(student, ready)["loss"]
    expected = expected_loss(task, student(rows.inputs), rows, (labelled, spoken), alpha)
    assert found.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


@TASKS
@given(labelled=MASKS, spoken=MASKS, alpha=st.sampled_from([0.0, 0.3, 1.0]))
def test_the_gradient_without_a_graph_is_that_of_the_graph(
    task: Task, labelled: list[bool], spoken: list[bool], alpha: float
) -> None:
    rows = rows_of(task)
    assert rows.soft_targets is not None
    partial = PartialTargetTask(SoftTargetTask(task=task, alpha=alpha, temperature=2.0))
    if alpha == 1:
        labelled = [True] * ROWS
    ready = Batch(
        rows.inputs,
        without_labels(rows.targets, labelled),
        partial.prepare(without_words(rows.soft_targets, spoken)),
    )
    outputs = (2 * rows.soft_targets.flip(0)).requires_grad_()
    terms = partial.terms(cast(TabularNetwork, lambda _: outputs), ready)
    terms["loss"].backward()
    slope = partial.gradient(outputs.detach(), ready)
    assert outputs.grad is not None
    torch.testing.assert_close(slope.gradient, outputs.grad)
    for name, term in slope.terms.items():
        torch.testing.assert_close(term, terms[name].detach())


@TASKS
@given(labelled=MASKS, spoken=MASKS, seed=st.integers(0, 9))
def test_many_students_at_once_lose_what_each_alone_would(
    task: Task, labelled: list[bool], spoken: list[bool], seed: int
) -> None:
    rows = rows_of(task)
    assert rows.soft_targets is not None
    soft = without_words(rows.soft_targets, spoken)
    targets = without_labels(rows.targets, labelled)
    tasks = [
        SoftTargetTask(task=task, alpha=alpha, temperature=temperature)
        for alpha, temperature in ((0.0, 1.0), (0.4, 3.0), (0.9, 1.0))
    ]
    stacked = StackedTargets(tasks, partial=True)
    prepared = stacked.prepare(soft)
    assert prepared is not None
    outputs = torch.randn(
        (3, *rows.soft_targets.shape), generator=torch.Generator().manual_seed(seed)
    )
    batch = StackedBatch(
        rows.inputs.expand(3, -1, -1),
        targets.expand(3, *targets.shape),
        stacked.at_own_temperatures(prepared),
    )
    together = stacked.gradient(outputs, batch)
    for place, own in enumerate(tasks):
        one = PartialTargetTask(own)
        alone = one.gradient(outputs[place], Batch(rows.inputs, targets, one.prepare(soft)))
        torch.testing.assert_close(together.gradient[place], alone.gradient)
        for name, term in alone.terms.items():
            torch.testing.assert_close(together.terms[name][place], term)


def test_who_does_not_listen_has_no_use_for_such_rows() -> None:
    deaf: list[TrainingTask] = [
        SupervisedTask("regression"),
        SoftTargetTask("regression", alpha=1.0),
        PartialTargetTask(SoftTargetTask("regression", alpha=1.0)),
        ObjectiveTask("regression", (), alpha=ConstantSchedule(value=1.0)),
        LayerTask(
            ObjectiveTask("regression", (), alpha=ConstantSchedule(value=1.0)),
            torch.nn.Linear(1, 1),
            (),
            (),
            (),
        ),
    ]
    assert [task_of_open_rows(task) for task in deaf] == [None] * len(deaf)


def test_the_usual_task_still_takes_its_steps_without_a_graph() -> None:
    opened = task_of_open_rows(SoftTargetTask("classification", alpha=0.5))
    assert isinstance(opened, GradientTask)


LOSSES: tuple[tuple[Task, AnyLoss], ...] = (
    ("classification", DivergenceLoss(kind="forward_kl")),
    ("classification", DivergenceLoss(kind="total_variation")),
    ("classification", LabelCorrectedLoss()),
    ("classification", DecoupledLoss()),
    ("regression", SquaredErrorLoss()),
)


def objective(task: Task, *losses: AnyLoss, alpha: float = 0.3) -> ObjectiveTask:
    found = objective_task(
        ObjectiveConfig(losses=losses),
        DistillConfig(alpha=alpha, temperature=3.0),
        task=task,
        classes=CLASSES,
        partial=False,
    ).unwrap()
    opened = task_of_open_rows(found)
    assert isinstance(opened, ObjectiveTask)
    return opened


@pytest.mark.parametrize(("task", "loss"), LOSSES)
def test_an_objective_gives_an_unlabelled_row_the_whole_weight_of_its_losses(
    task: Task, loss: AnyLoss
) -> None:
    rows, student = rows_of(task), student_of(task)
    assert rows.soft_targets is not None
    opened = objective(task, loss)
    labelled = [True, False, True, False, False, True]
    ready = rows._replace(targets=without_labels(rows.targets, labelled))
    found = opened.terms(student, ready)["loss"]
    best = rows.soft_targets if task == "regression" else rows.soft_targets.argmax(dim=1)
    parts = []
    for at, has_label in enumerate(labelled):
        truth = rows.targets if has_label else best
        one = Batch(rows.inputs[[at]], truth[[at]], rows.soft_targets[[at]])
        alone = opened if has_label else replace(opened, alpha=ConstantSchedule(value=0.0))
        parts.append(replace(alone, open_rows=False).terms(student, one)["loss"])
    torch.testing.assert_close(found, torch.stack(parts).mean())


def test_static_weights_keep_their_proportions_where_there_is_no_label() -> None:
    rows, student = rows_of("classification"), student_of("classification")
    losses = (DivergenceLoss(kind="forward_kl"), DivergenceLoss(kind="total_variation"))
    usual = objective("classification", *losses)
    static = replace(usual, balancer=StaticWeights((0.2, 0.3)))
    nobody = rows._replace(targets=torch.full((ROWS,), -1))
    terms = static.terms(student, nobody)
    first, second = (terms[name] for name in static.names)
    torch.testing.assert_close(terms["loss"], 0.4 * first + 0.6 * second)
    assert terms["hard"].item() == 0.0


def test_a_loss_over_the_batch_sees_rows_without_a_label_as_any_other() -> None:
    rows, student = rows_of("classification"), student_of("classification")
    task = objective("classification", RelationalLoss(kind="similarity_preserving_over_batch"))
    name = task.names[0]
    ready = rows._replace(targets=without_labels(rows.targets, [True] * 3 + [False] * 3))
    opened, usual = task.terms(student, ready), task.terms(student, rows)
    torch.testing.assert_close(opened[name], usual[name])


@pytest.mark.parametrize(("task", "loss"), LOSSES)
def test_rows_with_a_label_lose_the_same_beside_a_task_for_open_rows(
    task: Task, loss: AnyLoss
) -> None:
    rows, student = rows_of(task), student_of(task)
    opened = objective(task, loss)
    expected = replace(opened, open_rows=False).terms(student, rows)["loss"]
    torch.testing.assert_close(opened.terms(student, rows)["loss"], expected)


@pytest.mark.parametrize(("task", "loss"), LOSSES)
def test_no_gradient_is_lost_to_rows_without_a_label(task: Task, loss: AnyLoss) -> None:
    rows, student = rows_of(task), student_of(task)
    ready = rows._replace(targets=without_labels(rows.targets, [False] * ROWS))
    objective(task, loss).terms(student, ready)["loss"].backward()
    gradients = [parameter.grad for parameter in student.parameters()]
    assert all(grad is not None and grad.isfinite().all() for grad in gradients)
    assert any(bool(np.any(grad.numpy())) for grad in gradients if grad is not None)
