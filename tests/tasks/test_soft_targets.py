from __future__ import annotations

import pytest
import torch
from hypothesis import given
from torch import Tensor, nn
from torch.nn import functional

from kdtab.config.networks import LinearSpec
from kdtab.models.build import build_model
from kdtab.models.network import TabularNetwork
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import Batch, Terms
from tensor_strategies import LogitPair, alphas, logit_pairs, temperatures

INPUTS = torch.linspace(-2, 2, 12).reshape(4, 3)
LABELS = torch.tensor([0, 1, 1, 0])
VALUES = torch.tensor([[0.5], [-1.0], [2.0], [0.0]])
TEACHER_LOGITS = torch.tensor([[3.0, -1.0], [0.2, 0.1], [-4.0, 4.0], [1.0, 1.0]])
TEACHER_VALUES = torch.tensor([[0.4], [-0.8], [1.5], [0.1]])


class Says(TabularNetwork):
    """A student that says what the test wants, and counts how often it was asked."""

    def __init__(self, outputs: Tensor) -> None:
        super().__init__(LinearSpec(input_dim=1, output_dim=1))
        self.outputs = nn.Parameter(outputs)
        self.calls = 0

    def forward(self, inputs: Tensor) -> Tensor:
        self.calls += 1
        return self.outputs


def terms_of(task: SoftTargetTask, student: TabularNetwork, targets: Tensor, soft: Tensor) -> Terms:
    return task.terms(student, Batch(INPUTS, targets, task.prepare(soft)))


@pytest.mark.requirement("REQ-KD19", "AC-KD19", "REQ-KD17")
@given(pair=logit_pairs(), alpha=alphas, temperature=temperatures)
def test_the_loss_is_the_weighted_sum_of_both(
    pair: LogitPair, alpha: float, temperature: float
) -> None:
    task = SoftTargetTask("classification", alpha=alpha, temperature=temperature)
    terms = terms_of(task, Says(pair.student), pair.labels, pair.teacher)
    hard = functional.cross_entropy(pair.student, pair.labels)
    soft = temperature**2 * functional.kl_div(
        torch.log_softmax(pair.student / temperature, 1),
        torch.log_softmax(pair.teacher / temperature, 1),
        reduction="batchmean",
        log_target=True,
    )
    expected = alpha * hard + (1 - alpha) * soft
    torch.testing.assert_close(terms["loss"], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.requirement("REQ-KD17", "AC-KD17")
def test_the_soft_loss_at_temperature_two_is_four_times_the_divergence() -> None:
    student = build_model(LinearSpec(input_dim=3, output_dim=2))
    terms = terms_of(SoftTargetTask("classification"), student, LABELS, TEACHER_LOGITS)
    criterion = nn.KLDivLoss(reduction="batchmean")
    divergence = criterion(
        torch.log_softmax(student(INPUTS) / 2, dim=1), torch.softmax(TEACHER_LOGITS / 2, dim=1)
    )
    torch.testing.assert_close(terms["soft"], divergence * 4)
    torch.testing.assert_close(terms["hard"], nn.CrossEntropyLoss()(student(INPUTS), LABELS))


@pytest.mark.requirement("REQ-KD19", "AC-KD19")
def test_at_alpha_three_tenths_the_loss_is_exactly_three_to_seven() -> None:
    task = SoftTargetTask("classification", alpha=0.3)
    student = build_model(LinearSpec(input_dim=3, output_dim=2))
    terms = terms_of(task, student, LABELS, TEACHER_LOGITS)
    assert terms["loss"].item() == (0.3 * terms["hard"] + 0.7 * terms["soft"]).item()


@pytest.mark.requirement("REQ-T09", "AC-T09")
def test_the_tree_teacher_loss_is_half_hard_and_half_divergence() -> None:
    votes = torch.tensor([[1.0, 0.0], [0.25, 0.75], [0.0, 1.0], [0.5, 0.5]])
    student = build_model(LinearSpec(input_dim=3, output_dim=2))
    task = SoftTargetTask("classification", alpha=0.5, temperature=2.0)
    terms = terms_of(task, student, LABELS, votes.log())

    powered = votes.sqrt() / votes.sqrt().sum(dim=1, keepdim=True)
    hard = functional.cross_entropy(student(INPUTS), LABELS)
    divergence = functional.kl_div(
        torch.log_softmax(student(INPUTS) / 2, dim=1), powered, reduction="batchmean"
    )
    torch.testing.assert_close(terms["loss"], 0.5 * hard + 0.5 * 4 * divergence)


@pytest.mark.requirement("REQ-KD18", "REQ-T09")
def test_regression_has_two_squared_errors() -> None:
    student = build_model(LinearSpec(input_dim=3, output_dim=1))
    task = SoftTargetTask("regression", alpha=0.3)
    terms = terms_of(task, student, VALUES, TEACHER_VALUES)
    hard = functional.mse_loss(student(INPUTS), VALUES)
    soft = functional.mse_loss(student(INPUTS), TEACHER_VALUES)
    torch.testing.assert_close(terms["loss"], 0.3 * hard + 0.7 * soft)


@pytest.mark.requirement("REQ-KD17")
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_a_step_asks_the_student_once(alpha: float) -> None:
    student = Says(torch.zeros(4, 2))
    terms_of(SoftTargetTask("classification", alpha=alpha), student, LABELS, TEACHER_LOGITS)
    assert student.calls == 1


@pytest.mark.requirement("EC-KD02")
def test_at_alpha_one_the_teacher_is_not_looked_at() -> None:
    task = SoftTargetTask("classification", alpha=1.0)
    student = Says(torch.zeros(4, 2))
    terms = terms_of(task, student, LABELS, torch.full((4, 2), torch.inf))
    assert task.prepare(None) is None
    assert set(terms) == {"hard", "loss"}
    torch.testing.assert_close(terms["loss"].item(), torch.tensor(2.0).log().item())


@pytest.mark.requirement("EC-KD01")
def test_at_alpha_zero_the_labels_are_not_looked_at() -> None:
    task = SoftTargetTask("classification", alpha=0.0)
    student = Says(torch.zeros(4, 2))
    terms = terms_of(task, student, torch.full((4,), -1), TEACHER_LOGITS)
    assert set(terms) == {"soft", "loss"}
    assert bool(torch.isfinite(terms["loss"]))


@given(pair=logit_pairs(), temperature=temperatures)
def test_a_student_that_is_its_teacher_has_no_soft_loss_and_no_gradient(
    pair: LogitPair, temperature: float
) -> None:
    student = Says(pair.teacher)
    task = SoftTargetTask("classification", alpha=0.0, temperature=temperature)
    terms = terms_of(task, student, pair.labels, pair.teacher)
    terms["loss"].backward()
    assert terms["loss"].item() == 0.0
    assert student.outputs.grad is not None
    torch.testing.assert_close(
        student.outputs.grad, torch.zeros_like(pair.teacher), rtol=0, atol=1e-12
    )


def test_the_teacher_is_tempered_once_beforehand() -> None:
    task = SoftTargetTask("classification", temperature=4.0)
    prepared = task.prepare(TEACHER_LOGITS)
    assert prepared is not None
    torch.testing.assert_close(prepared, torch.log_softmax(TEACHER_LOGITS / 4, dim=1))


def test_below_alpha_one_a_teacher_must_have_spoken() -> None:
    with pytest.raises(AssertionError, match="teacher"):
        SoftTargetTask("regression", alpha=0.5).prepare(None)
