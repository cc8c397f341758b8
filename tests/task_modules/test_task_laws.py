"""What holds for every task: gradients, weights, and a teacher that is not there."""

from __future__ import annotations

import copy
import io
import math
import pickle
from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from kdtab.errors.raised import KdtabError
from kdtab.task_modules import DistillationTeacher, FeatureDistillationTask, LogitDistillationTask
from oracles import cross_entropy_twin, kl_divergence_twin, kl_gradient_twin
from task_modules.networks import LABELS, ROWS, STUDENT, TEACHER, Image, Says, Tokens, tabular
from tensor_strategies import LogitPair, logit_pairs, temperatures

INPUTS = torch.linspace(-2, 2, 40).reshape(8, 5)
CODES = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
Task: TypeAlias = FeatureDistillationTask | LogitDistillationTask


class Make(Protocol):
    """A task of either kind, by default with small tabular networks."""

    def __call__(
        self, student: nn.Module | None = None, teacher: nn.Module | None = None
    ) -> Task: ...


weights = st.one_of(st.floats(0, 20), st.sampled_from([0.0, 0.3, 1.0, 5.0]))


def logit_task(student: nn.Module | None = None, teacher: nn.Module | None = None) -> Task:
    return LogitDistillationTask(student or tabular(4), teacher or tabular(8), temperature=2.0)


def feature_task(student: nn.Module | None = None, teacher: nn.Module | None = None) -> Task:
    return FeatureDistillationTask(student or tabular(4), teacher or tabular(8))


both = pytest.mark.parametrize("make", [logit_task, feature_task])


@given(pair=logit_pairs().filter(lambda pair: pair.student.shape[1] > 1), temperature=temperatures)
def test_the_gradient_of_the_logit_task_is_the_one_on_paper(
    pair: LogitPair, temperature: float
) -> None:
    student = Says(pair.student)
    task = LogitDistillationTask(
        student, Says(pair.teacher), distill_loss_weight=3.0, task_loss_weight=0.0,
        temperature=temperature,
    )  # fmt: skip
    task(ROWS, pair.labels)["loss"].backward()
    assert student.outputs.grad is not None
    expected = kl_gradient_twin(pair.student.numpy(), pair.teacher.numpy(), temperature)
    np.testing.assert_allclose(
        student.outputs.grad.numpy(), 3 * expected / len(pair.labels), rtol=1e-9, atol=1e-9
    )


@settings(max_examples=40)
@given(
    pair=logit_pairs().filter(lambda pair: pair.student.shape[1] > 1),
    distill=st.none() | weights,
    task_weight=st.none() | weights,
)
def test_the_three_modes_of_weights(
    pair: LogitPair, distill: float | None, task_weight: float | None
) -> None:
    if distill is None:
        task_weight = None if task_weight is None else task_weight / 20
    if distill == 0 and task_weight == 0:
        distill = 1.0
    task = LogitDistillationTask(
        Says(pair.student), Says(pair.teacher), distill_loss_weight=distill,
        task_loss_weight=task_weight,
    )  # fmt: skip
    hard = cross_entropy_twin(pair.student.numpy(), pair.labels.numpy()).mean()
    soft = kl_divergence_twin(pair.student.numpy(), pair.teacher.numpy(), 1.0).mean()
    if distill is not None:
        expected = (1.0 if task_weight is None else task_weight) * hard + distill * soft
    elif task_weight is not None:
        expected = task_weight * hard + (1 - task_weight) * soft
    else:
        expected = hard + soft
    found = task(ROWS, pair.labels)["loss"].item()
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


@both
def test_only_the_student_and_its_projection_are_trained(make: Make) -> None:
    student, teacher = tabular(4), tabular(8)
    task = make(student, teacher)
    task(INPUTS, CODES)["loss"].backward()
    names = {name for name, one in task.named_parameters() if one.grad is not None}
    assert names == {name for name, _ in task.named_parameters()}
    assert all(one.grad is not None for one in student.parameters())
    assert all(one.grad is None for one in teacher.parameters())
    of_teacher = {id(one) for one in (*teacher.parameters(), *task.teacher.parameters())}
    assert not of_teacher & {id(one) for one in task.parameters()}
    assert not any(one.requires_grad for one in task.teacher.parameters())


@both
def test_the_given_teacher_stays_as_it_was(make: Make) -> None:
    teacher = tabular(8, dropout=0.5)
    before = copy.deepcopy(teacher.state_dict())
    task = make(teacher=teacher).train()
    task(INPUTS, CODES)["loss"].backward()
    assert all(module.training for module in teacher.modules())
    assert all(one.requires_grad and one.grad is None for one in teacher.parameters())
    assert all(torch.equal(one, before[name]) for name, one in teacher.state_dict().items())
    assert not any(module._forward_pre_hooks for module in teacher.modules())


@both
def test_train_and_eval_leave_the_teacher_in_eval_mode(make: Make) -> None:
    task = make(teacher=tabular(8, dropout=0.5))
    for mode in (True, False, True):
        assert task.train(mode) is task
        assert task.training is mode
        assert not any(module.training for module in task.teacher.modules())
    task.teacher.train()
    assert not any(module.training for module in task.teacher.modules())


@both
def test_what_is_said_to_the_task_does_not_reach_the_teachers_flags(make: Make) -> None:
    task = make().requires_grad_(True)
    task.teacher.requires_grad_(True)
    assert not any(one.requires_grad for one in task.teacher.parameters())


@both
def test_a_checkpoint_holds_what_is_trained_and_loads_again(make: Make) -> None:
    task, other = make(), make()
    state = task.state_dict()
    teachers = {one.data_ptr() for one in task.teacher.state_dict().values()}
    assert not [name for name in state if "teacher" in name]
    assert not teachers & {one.data_ptr() for one in state.values()}
    other.load_state_dict(state)
    again = other.state_dict()
    assert all(torch.equal(one, again[name]) for name, one in state.items())


def test_the_students_own_checkpoint_has_no_projection() -> None:
    student = tabular(4)
    names = set(student.state_dict())
    task = FeatureDistillationTask(student, tabular(8))
    assert task.trainable_module.projection is not None
    assert set(student.state_dict()) == names
    torch.save(student.state_dict(), io.BytesIO())


@both
def test_the_teacher_goes_where_the_task_goes_and_the_given_one_stays(make: Make) -> None:
    teacher = tabular(8)
    task = make(teacher=teacher).double()
    assert {one.dtype for one in task.teacher.parameters()} == {torch.float64}
    assert {one.dtype for one in teacher.parameters()} == {torch.float32}
    assert task(INPUTS.double(), CODES)["loss"].dtype is torch.float64


def test_a_view_costs_no_memory_and_follows_the_weights_of_the_model() -> None:
    model = tabular(8)
    teacher = DistillationTeacher(model)
    pairs = zip(model.parameters(), teacher.model.parameters(), strict=True)
    assert all(one.data_ptr() == other.data_ptr() for one, other in pairs)
    model.load_state_dict(tabular(8).state_dict())
    torch.testing.assert_close(teacher(INPUTS), copy.deepcopy(model).eval()(INPUTS))


@both
def test_a_teacher_that_is_kept_cannot_be_replaced(make: Make) -> None:
    with pytest.raises(AttributeError, match="new task"):
        make().teacher = DistillationTeacher(tabular(8))


def test_one_teacher_serves_several_tasks() -> None:
    teacher = DistillationTeacher(tabular(8))
    tasks = [logit_task(teacher=teacher), feature_task(teacher=teacher)]
    assert all(task.teacher is teacher for task in tasks)


@both
def test_a_copied_and_a_pickled_task_compute_the_same(make: Make) -> None:
    task = make().eval()
    expected = task(INPUTS, CODES)["loss"]
    for twin in (copy.deepcopy(task), pickle.loads(pickle.dumps(task))):
        assert torch.equal(twin(INPUTS, CODES)["loss"], expected)
        assert not twin.train().teacher.training
        assert sorted(twin.state_dict()) == sorted(task.state_dict())


@both
def test_autocast_gives_losses_in_float32(make: Make) -> None:
    task = make(tabular(4), tabular(8))
    exact = task.eval()(INPUTS, CODES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        terms = task(INPUTS, CODES)
    terms["loss"].backward()
    assert terms["output"].dtype is torch.bfloat16
    assert all(terms[name].dtype is torch.float32 for name in ("loss", "task_loss", "kd_loss"))
    assert terms["loss"].item() == pytest.approx(exact["loss"].item(), rel=0.1)
    assert all(one.grad is not None and one.grad.isfinite().all() for one in task.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_opposite_logits_of_sixty_are_exact(dtype: torch.dtype) -> None:
    student = Says(torch.tensor([[60.0, 0.0, -60.0]], dtype=dtype))
    teacher = Says(torch.tensor([[-60.0, 0.0, 60.0]], dtype=dtype))
    task = LogitDistillationTask(student, teacher, task_loss_weight=0.0)
    terms = task(ROWS[:1], LABELS[:1])
    terms["loss"].backward()
    assert student.outputs.grad is not None
    assert (terms["loss"].item(), student.outputs.grad.tolist()) == (120.0, [[1.0, 0.0, -1.0]])


# torch looks at `.grad` of what it compiles and hides the warning, which here is an error first
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@both
def test_a_compiled_task_has_the_same_loss_and_gradient(make: Make) -> None:
    torch.manual_seed(3)
    task = make().eval()
    compiled = torch.compile(task, backend="aot_eager")
    for rows in (INPUTS, INPUTS + 1, INPUTS.flip(0)):
        expected = task(rows, CODES)
        expected["loss"].backward()
        gradients = [one.grad.clone() for one in task.parameters() if one.grad is not None]
        task.zero_grad()
        terms = compiled(rows, CODES)
        terms["loss"].backward()
        torch.testing.assert_close(terms["loss"], expected["loss"])
        torch.testing.assert_close([one.grad for one in task.parameters()], gradients)
        task.zero_grad()


def test_a_term_without_weight_does_not_enter_at_all() -> None:
    nowhere = Says(torch.full((2, 3), math.nan, dtype=torch.float64))
    student = Says(STUDENT)
    task = LogitDistillationTask(student, nowhere, task_loss_weight=1.0)
    loss = task(ROWS, LABELS)["loss"]
    loss.backward()
    assert loss.item() == pytest.approx(0.9137521452, abs=1e-8)
    assert student.outputs.grad is not None
    assert student.outputs.grad.isfinite().all()


def test_a_teacher_in_another_float_type_gets_the_inputs_in_its_own() -> None:
    teacher = tabular(8).double()
    task = logit_task(teacher=teacher)
    expected = DistillationTeacher(teacher)(INPUTS.double())
    said = task.teacher(INPUTS)
    torch.testing.assert_close(said, expected)
    assert task(INPUTS, CODES)["loss"].isfinite()


@both
@pytest.mark.parametrize(
    ("student", "teacher", "shape"),
    [
        (lambda: Image(4), lambda: Image(6), (8, 3, 8, 8)),
        (lambda: Tokens(4), lambda: Tokens(8), (8, 5)),
        (lambda: tabular(4), lambda: Tokens(8), (8, 5)),
        (lambda: nn.Linear(5, 3), lambda: tabular(8), (8, 5)),
    ],
    ids=["convolutions", "transformers", "table to transformer", "linear"],
)
def test_any_module_can_teach_and_learn(
    make: Make,
    student: Callable[[], nn.Module],
    teacher: Callable[[], nn.Module],
    shape: tuple[int, ...],
) -> None:
    torch.manual_seed(0)
    task = make(student(), teacher()).eval()
    rows = torch.randn(shape)
    optimizer = torch.optim.SGD(task.parameters(), lr=0.02)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        terms = task(rows, CODES)
        terms["loss"].backward()
        optimizer.step()
        losses.append(terms["loss"].item())
    assert losses[-1] < losses[0]


def test_a_wrapped_teacher_is_the_teacher_inside() -> None:
    teacher = tabular(8)
    task = logit_task(teacher=nn.DataParallel(teacher)).eval()
    assert type(task.teacher.model) is type(teacher)
    torch.testing.assert_close(task.teacher(INPUTS), teacher.eval()(INPUTS))


def test_an_unknown_word_in_place_of_a_student_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="student_model must be a torch module"):
        LogitDistillationTask("resnet18", Says(TEACHER))  # type: ignore[arg-type]  # the mistake


def test_a_criterion_that_does_not_reduce_is_refused() -> None:
    criterion = nn.CrossEntropyLoss(reduction="none")
    task = LogitDistillationTask(Says(STUDENT), Says(TEACHER), criterion)
    with pytest.raises(KdtabError, match="one number"):
        task(ROWS, LABELS)
