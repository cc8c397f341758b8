"""Tasks made from a config: what they compute, report and refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdtab.config.balancers import (
    AnyBalancer,
    ComplementaryBalancer,
    MagnitudeBalancer,
    NamedBalancer,
    StaticBalancer,
    TermWeight,
    UncertaintyBalancer,
)
from kdtab.config.distillation import DistillConfig
from kdtab.config.networks import LinearSpec
from kdtab.config.objectives import (
    AnyLoss,
    DecoupledLoss,
    DistLoss,
    DivergenceLoss,
    HuberLoss,
    ObjectiveConfig,
    RelationalLoss,
)
from kdtab.config.schedules import ConstantSchedule, RampSchedule
from kdtab.config.training import Task
from kdtab.errors.issue import explain
from kdtab.errors.objectives import (
    LossNeedsMoreClasses,
    LossNeedsTask,
    LossOverBatchAccumulated,
    WeightCountDiffers,
    WeightNameUnknown,
    WeightRepeated,
)
from kdtab.models.build import build_model
from kdtab.models.network import TabularNetwork
from kdtab.tasks.chosen import objective_task
from kdtab.tasks.lossfit import fitting_losses, is_over_batch, kinds_of
from kdtab.tasks.objectives import ObjectiveTask
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import Batch

ROWS, CLASSES = 6, 4
TASKS = pytest.mark.parametrize("task", ["classification", "regression"])
KNOBS = DistillConfig(temperature=3.0, alpha=0.3)
LOSSES: tuple[AnyLoss, ...] = tuple(
    family(kind=kind)
    for family in get_args(AnyLoss)
    for kind in get_args(family.model_fields["kind"].annotation)
)


def rows_of(task: Task, seed: int = 0) -> Batch:
    drawn = torch.Generator().manual_seed(seed)
    inputs = torch.randn(ROWS, 3, generator=drawn)
    if task == "regression":
        values = torch.randn(ROWS, 1, generator=drawn)
        return Batch(inputs, values, torch.randn(ROWS, 1, generator=drawn))
    labels = torch.randint(0, CLASSES, (ROWS,), generator=drawn)
    return Batch(inputs, labels, torch.randn(ROWS, CLASSES, generator=drawn))


def student_of(task: Task) -> TabularNetwork:
    torch.manual_seed(1)
    width = 1 if task == "regression" else CLASSES
    return build_model(LinearSpec(input_dim=3, output_dim=width))


def made(objective: ObjectiveConfig, task: Task, *, partial: bool = True) -> ObjectiveTask:
    return objective_task(objective, KNOBS, task=task, classes=CLASSES, partial=partial).unwrap()


def with_gaps(batch: Batch, spoken: list[bool]) -> Batch:
    assert batch.soft_targets is not None
    mask = torch.tensor(spoken)[:, None]
    return batch._replace(soft_targets=torch.where(mask, batch.soft_targets, float("nan")))


def task_of_kind(loss: AnyLoss) -> Task:
    return "classification" if loss.kind in kinds_of("classification") else "regression"


@TASKS
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("partial", [True, False])
def test_the_usual_objective_is_the_usual_task(task: Task, alpha: float, partial: bool) -> None:
    knobs = DistillConfig(temperature=3.0, alpha=alpha)
    found = objective_task(
        ObjectiveConfig(), knobs, task=task, classes=CLASSES, partial=partial
    ).unwrap()
    usual = SoftTargetTask(task=task, temperature=3.0, alpha=alpha)
    batch, student = rows_of(task), student_of(task)
    own = found.terms(student, batch._replace(soft_targets=found.prepare(batch.soft_targets)))
    expected = usual.terms(student, batch._replace(soft_targets=usual.prepare(batch.soft_targets)))
    for name, term in expected.items():
        torch.testing.assert_close(own[name], term)


@TASKS
@settings(max_examples=30)
@given(spoken=st.lists(st.booleans(), min_size=ROWS, max_size=ROWS), alpha=st.floats(0, 0.9))
def test_rows_without_a_word_are_as_in_the_usual_task(
    task: Task, spoken: list[bool], alpha: float
) -> None:
    knobs = DistillConfig(temperature=3.0, alpha=alpha)
    found = objective_task(ObjectiveConfig(), knobs, task=task, classes=CLASSES).unwrap()
    usual = PartialTargetTask(SoftTargetTask(task=task, temperature=3.0, alpha=alpha))
    batch, student = with_gaps(rows_of(task), spoken), student_of(task)
    own = found.terms(student, batch)
    expected = usual.terms(student, batch._replace(soft_targets=usual.prepare(batch.soft_targets)))
    torch.testing.assert_close(own["loss"], expected["loss"], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(own["soft"], expected["soft"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind)
@pytest.mark.parametrize("spoken", [[True] * ROWS, [True, False] * 3, [True] + [False] * 5])
def test_every_loss_trains_a_student_and_no_row_without_a_word_is_seen(
    loss: AnyLoss, spoken: list[bool]
) -> None:
    task = task_of_kind(loss)
    found = made(ObjectiveConfig(losses=(loss,)), task)
    batch, student = with_gaps(rows_of(task), spoken), student_of(task)
    inputs = batch.inputs.clone().requires_grad_()
    terms = found.terms(student, batch._replace(inputs=inputs))
    assert list(terms) == ["hard", "soft", "loss"]
    terms["soft"].backward()
    assert inputs.grad is not None
    assert bool(inputs.grad.isfinite().all())
    assert bool((inputs.grad[~torch.tensor(spoken)] == 0).all())
    assert bool(terms["soft"].isfinite())


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind)
def test_every_loss_teaches_something(loss: AnyLoss) -> None:
    task = task_of_kind(loss)
    found = made(ObjectiveConfig(losses=(loss,)), task)
    batch, student = rows_of(task), student_of(task)
    found.terms(student, batch)["soft"].backward()
    gradients = [parameter.grad for parameter in student.parameters()]
    assert any(gradient is not None and bool((gradient != 0).any()) for gradient in gradients)


def test_several_losses_are_reported_by_name_and_weighed_in_their_order() -> None:
    objective = ObjectiveConfig(
        losses=(DivergenceLoss(kind="forward_kl"), DivergenceLoss(kind="total_variation")),
        balancer=StaticBalancer(weights=(0.5, 0.25)),
    )
    terms = made(objective, "classification").terms(
        student_of("classification"), rows_of("classification")
    )
    assert list(terms) == ["hard", "forward_kl", "total_variation", "loss"]
    expected = 0.5 * terms["forward_kl"] + 0.25 * terms["total_variation"] + 0.25 * terms["hard"]
    torch.testing.assert_close(terms["loss"], expected)


@pytest.mark.parametrize(
    "balancer",
    [
        NamedBalancer(weights=(TermWeight(name="soft", weight=5.0),), student_weight=0.3),
        ComplementaryBalancer(student_weight=0.3),
        StaticBalancer(weights=(0.7,)),
        MagnitudeBalancer(logits="soft"),
        UncertaintyBalancer(),
    ],
    ids=lambda balancer: balancer.kind,
)
def test_every_balancer_combines_what_is_reported(balancer: AnyBalancer) -> None:
    found = made(ObjectiveConfig(balancer=balancer), "classification")
    terms = found.terms(student_of("classification"), rows_of("classification"))
    assert found.balancer is not None
    expected = found.balancer.combine({"soft": terms["soft"]}, terms["hard"])
    torch.testing.assert_close(terms["loss"], expected)


def test_a_row_without_a_word_gives_its_share_back_to_its_label() -> None:
    """Static weights are shares: with no row spoken of, the loss is the hard loss alone."""
    objective = ObjectiveConfig(
        losses=(DivergenceLoss(kind="forward_kl"), DivergenceLoss(kind="reverse_kl")),
        balancer=StaticBalancer(weights=(0.5, 0.25)),
    )
    batch = with_gaps(rows_of("classification"), [False] * ROWS)
    terms = made(objective, "classification").terms(student_of("classification"), batch)
    torch.testing.assert_close(terms["loss"], terms["hard"])


def test_what_uncertainty_learns_is_among_the_modules_and_gets_a_gradient() -> None:
    found = made(ObjectiveConfig(balancer=UncertaintyBalancer()), "regression")
    (module,) = found.modules
    found.terms(student_of("regression"), rows_of("regression"))["loss"].backward()
    gradients = [parameter.grad for parameter in module.parameters()]
    assert len(gradients) == 1
    assert all(gradient is not None and bool((gradient != 0).all()) for gradient in gradients)
    assert made(ObjectiveConfig(), "regression").modules == ()


def test_schedules_are_followed_from_step_to_step() -> None:
    objective = ObjectiveConfig(
        temperature=RampSchedule(kind="linear", start=4.0, end=1.0, steps=10),
        alpha=RampSchedule(kind="linear", start=0.0, end=1.0, steps=10),
    )
    scheduled = made(objective, "classification", partial=False)
    batch, student = rows_of("classification"), student_of("classification")
    for step, temperature, alpha in ((0, 4.0, 0.0), (5, 2.5, 0.5), (10, 1.0, 1.0)):
        knobs = DistillConfig(temperature=temperature, alpha=alpha)
        fixed = objective_task(
            ObjectiveConfig(), knobs, task="classification", classes=CLASSES, partial=False
        ).unwrap()
        own = scheduled.at_step(step).terms(student, batch)["loss"]
        torch.testing.assert_close(own, fixed.terms(student, batch)["loss"])
    assert scheduled.step == 0


def test_alpha_of_one_throughout_needs_no_teacher() -> None:
    knobs = DistillConfig(alpha=1.0)
    found = objective_task(ObjectiveConfig(), knobs, task="regression", classes=1).unwrap()
    assert found.prepare(None) is None
    terms = found.terms(student_of("regression"), rows_of("regression")._replace(soft_targets=None))
    assert list(terms) == ["hard", "loss"]
    ramp = RampSchedule(kind="linear", start=1.0, end=0.5, steps=9)
    assert replace(found, alpha=ramp).has_teacher
    assert not replace(found, alpha=ConstantSchedule(value=1.0)).has_teacher


def test_the_hard_loss_chooses_the_epoch_whatever_is_learnt() -> None:
    found = made(ObjectiveConfig(losses=(HuberLoss(),)), "regression")
    assert found.hard_loss(torch.tensor([[1.0]]), torch.tensor([[3.0]])).item() == 4.0


@pytest.mark.parametrize("loss", [DecoupledLoss(), DivergenceLoss(kind="standardized_kl")])
def test_losses_that_teach_nothing_of_two_classes_are_refused(loss: AnyLoss) -> None:
    objective = ObjectiveConfig(losses=(loss,))
    result = objective_task(objective, KNOBS, task="classification", classes=2)
    assert result.failure().every == (LossNeedsMoreClasses(loss=loss.kind, classes=2, least=3),)
    taken = objective_task(objective, KNOBS, task="classification", classes=3).unwrap()
    assert taken.losses == (("soft", loss),)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind)
def test_a_loss_of_the_other_task_is_refused_with_those_that_fit(loss: AnyLoss) -> None:
    for task in get_args(Task):
        result = fitting_losses((loss,), task=task, classes=CLASSES)
        if loss.kind in kinds_of(task):
            assert result.unwrap() == (loss,)
        else:
            issue = result.failure().first
            assert isinstance(issue, LossNeedsTask)
            assert f"'{kinds_of(task)[-1]}'" in explain(issue)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind)
def test_losses_over_a_batch_are_refused_with_accumulation(loss: AnyLoss) -> None:
    result = fitting_losses((loss,), task=task_of_kind(loss), classes=CLASSES, accumulation=4)
    if is_over_batch(loss):
        assert result.failure().first == LossOverBatchAccumulated(loss=loss.kind, accumulation=4)
    else:
        assert result.unwrap() == (loss,)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    objective = ObjectiveConfig(
        losses=(DecoupledLoss(), DistLoss(), HuberLoss()),
        balancer=StaticBalancer(weights=(0.5, 0.5)),
    )
    issues = objective_task(
        objective, KNOBS, task="classification", classes=2, accumulation=2
    ).failure()
    assert [type(issue) for issue in issues] == [
        LossNeedsMoreClasses,
        LossOverBatchAccumulated,
        LossNeedsTask,
        WeightCountDiffers,
    ]


@pytest.mark.parametrize(
    ("balancer", "issue"),
    [
        (
            NamedBalancer(weights=(TermWeight(name="soft", weight=1.0),) * 2),
            WeightRepeated(name="soft"),
        ),
        (MagnitudeBalancer(logits="sofd"), WeightNameUnknown(name="sofd", known=("soft",))),
    ],
)
def test_weights_that_name_no_loss_are_refused(balancer: AnyBalancer, issue: object) -> None:
    objective = ObjectiveConfig(balancer=balancer)
    assert objective_task(objective, KNOBS, task="regression", classes=1).failure().first == issue


def test_relations_of_rows_are_for_both_tasks() -> None:
    loss = RelationalLoss(kind="relational_distance_over_batch")
    for task in get_args(Task):
        assert fitting_losses((loss,), task=task, classes=CLASSES).unwrap() == (loss,)
