"""The numbers that any right implementation gives, through the door."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import kdtab.metamodel as mtd
from layer_models import GOLDEN_INPUTS, GOLDEN_LABELS, golden_student, golden_teacher

STUDENT = torch.tensor([[1, 2, 0.5], [0.2, -0.3, 1.5]], dtype=torch.float64)
TEACHER = torch.tensor([[2, 1, 0.1], [0, 0.5, 3]], dtype=torch.float64)
LABELS = torch.tensor([0, 2])

PAIRS = {
    ("o", "o"): mtd.LogitsDistillationLoss(temperature=2.0),
    ("h", "h"): nn.MSELoss(),
}


def close(value: Tensor, expected: float) -> bool:
    return bool(abs(value.item() - expected) < 1e-8)


def test_two_layer_pairs_and_the_student_loss_give_the_known_total() -> None:
    config = {
        "teacher_model": golden_teacher(),
        "criterion": PAIRS,
        "loss_balancer": mtd.StaticLossBalancer([0.25, 0.5]),
    }
    model = mtd.convert(golden_student(), mode=[("kd_loss", config)])
    outputs = model(GOLDEN_INPUTS)
    own = functional.cross_entropy(outputs, GOLDEN_LABELS)
    total = model.compute_kd_loss(own)
    terms = model.last_losses
    assert list(terms) == ["student_loss", "LogitsDistillationLoss_0", "MSELoss_1", "loss"]
    assert close(terms["student_loss"], 1.9116006496)
    assert close(terms["LogitsDistillationLoss_0"], 2.2809976609)
    assert close(terms["MSELoss_1"], 2.5)
    assert close(total, 2.2981495776)


@pytest.mark.parametrize(
    ("labels", "threshold", "expected"),
    [
        ([0, 2], 0.0, 0.2691005497),
        ([0, 2], 0.2, 0.6280420118),
        ([0, 2], 0.9, 0.9137521452),
        ([1, 2], 0.0, 0.1250997197),
        ([1, 2], 0.2, 0.2175388143),
        ([1, 2], 0.9, 0.3275766977),
    ],
)
def test_the_label_corrected_loss_gives_the_known_numbers(
    labels: list[int], threshold: float, expected: float
) -> None:
    loss = mtd.MFTLoss(threshold=threshold)
    assert close(loss(STUDENT, TEACHER, torch.tensor(labels)), expected)


@pytest.mark.parametrize(
    ("temperature", "mean", "total"),
    [
        (1, 0.2691005497, 0.5382010994),
        (2, 0.3096630621, 0.6193261242),
        (4, 0.3130372166, 0.6260744332),
    ],
)
def test_the_loss_of_logits_gives_the_known_numbers(
    temperature: float, mean: float, total: float
) -> None:
    assert close(mtd.LogitsDistillationLoss(temperature)(STUDENT, TEACHER), mean)
    assert close(mtd.LogitsDistillationLoss(temperature, "sum")(STUDENT, TEACHER), total)
    assert close(
        mtd.LogitsDistillationLoss(temperature, "elementmean")(STUDENT, TEACHER), total / 6
    )


def test_the_mean_is_over_every_leading_dimension() -> None:
    student, teacher = STUDENT.expand(4, 2, 3), TEACHER.expand(4, 2, 3)
    assert close(mtd.LogitsDistillationLoss()(student, teacher), 0.2691005497)
    assert close(mtd.LogitsDistillationLoss(reduction="batchmean")(student, teacher), 0.5382010994)
    flat = mtd.MFTLoss()(student, teacher, torch.tensor([1, 2] * 4))
    assert close(flat, 0.2175388143)
    assert mtd.LogitsDistillationLoss(reduction="none")(student, teacher).shape == (4, 2)


@pytest.mark.parametrize(
    ("weights", "losses", "student", "expected"),
    [
        ([0.25, 0.5], (2.0, 4.0), 10.0, 5.0),
        ([0.5, 0.5], (2.0, 4.0), None, 3.0),
        (0.5, (2.0, 4.0), 10.0, 8.0),
        (1, (2.0,), None, 2.0),
    ],
)
def test_static_weights_give_the_known_totals(
    weights: float | list[float],
    losses: tuple[float, ...],
    student: float | None,
    expected: float,
) -> None:
    named = {f"MSELoss_{number}": torch.tensor(loss) for number, loss in enumerate(losses)}
    own = {} if student is None else {mtd.STUDENT_LOSS_KEY: torch.tensor(student)}
    assert close(mtd.StaticLossBalancer(weights)({**own, **named}), expected)


def test_a_quarter_of_the_distillation_loss_gives_the_known_total() -> None:
    losses = {
        mtd.STUDENT_LOSS_KEY: functional.cross_entropy(STUDENT, LABELS),
        "LogitsDistillationLoss_0": mtd.LogitsDistillationLoss()(STUDENT, TEACHER),
    }
    assert close(mtd.StaticLossBalancer(0.25)(losses), 0.7525892464)


@pytest.mark.parametrize("weights", [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])
def test_weights_that_sum_to_one_need_no_student_loss_in_any_order(weights: list[float]) -> None:
    losses = {str(number): torch.tensor(1.0) for number in range(3)}
    assert mtd.StaticLossBalancer(weights)(losses).item() == pytest.approx(1.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_large_logits_of_any_type_give_a_finite_loss(dtype: torch.dtype) -> None:
    student = torch.tensor([[60.0, 0.0, -60.0]], dtype=dtype, requires_grad=True)
    loss = mtd.LogitsDistillationLoss()(student, -student.detach())
    loss.backward()
    assert loss.item() == pytest.approx(120.0, abs=1e-4)
    assert student.grad is not None
    assert student.grad.tolist() == [[1.0, 0.0, -1.0]]
