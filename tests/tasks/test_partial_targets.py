"""Some rows have a teacher's word, the others their own label alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.networks import LinearSpec
from kdtab.config.training import Task
from kdtab.models.build import build_model
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import Batch, SupervisedTask

ROWS = 6


def rows_of(task: Task, seed: int = 0) -> Batch:
    drawn = torch.Generator().manual_seed(seed)
    inputs = torch.randn(ROWS, 3, generator=drawn)
    if task == "regression":
        values = torch.randn(ROWS, 1, generator=drawn)
        return Batch(inputs, values, torch.randn(ROWS, 1, generator=drawn))
    labels = torch.randint(0, 4, (ROWS,), generator=drawn)
    return Batch(inputs, labels, torch.randn(ROWS, 4, generator=drawn))


def student_of(task: Task) -> torch.nn.Module:
    torch.manual_seed(1)
    return build_model(LinearSpec(input_dim=3, output_dim=1 if task == "regression" else 4))


TASKS = pytest.mark.parametrize("task", ["classification", "regression"])


@TASKS
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_with_a_word_for_each_row_it_is_the_usual_loss(task: Task, alpha: float) -> None:
    usual = SoftTargetTask(task=task, alpha=alpha, temperature=3.0)
    rows, student = rows_of(task), student_of(task)
    ready = rows._replace(soft_targets=usual.prepare(rows.soft_targets))
    expected = usual.terms(student, ready)["loss"]  # type: ignore[arg-type]  # a network of kdtab
    found = PartialTargetTask(usual).terms(student, ready)["loss"]  # type: ignore[arg-type]  # same
    torch.testing.assert_close(found, expected)


@TASKS
@given(spoken=st.lists(st.booleans(), min_size=ROWS, max_size=ROWS), alpha=st.floats(0, 0.9))
def test_the_loss_is_the_mean_of_what_each_row_alone_would_cost(
    task: Task, spoken: list[bool], alpha: float
) -> None:
    taught = SoftTargetTask(task=task, alpha=alpha, temperature=2.0)
    rows, student = rows_of(task), student_of(task)
    assert rows.soft_targets is not None
    soft = torch.where(torch.tensor(spoken)[:, None], rows.soft_targets, float("nan"))
    partial = PartialTargetTask(taught)
    batch = rows._replace(soft_targets=partial.prepare(soft))
    found = partial.terms(student, batch)["loss"]  # type: ignore[arg-type]  # a network of kdtab
    alone = []
    for at, has_word in enumerate(spoken):
        one = Batch(rows.inputs[[at]], rows.targets[[at]], taught.prepare(rows.soft_targets[[at]]))
        own = taught if has_word else SupervisedTask(task)
        alone.append(own.terms(student, one)["loss"])  # type: ignore[arg-type]  # same
    torch.testing.assert_close(found, torch.stack(alone).mean())


@TASKS
def test_no_gradient_is_lost_to_rows_without_a_word(task: Task) -> None:
    rows, student = rows_of(task), student_of(task)
    assert rows.soft_targets is not None
    soft = rows.soft_targets.clone()
    soft[::2] = float("nan")
    partial = PartialTargetTask(SoftTargetTask(task=task, alpha=0.0))
    batch = rows._replace(soft_targets=partial.prepare(soft))
    partial.terms(student, batch)["loss"].backward()  # type: ignore[arg-type]  # as above
    gradients = [parameter.grad for parameter in student.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
