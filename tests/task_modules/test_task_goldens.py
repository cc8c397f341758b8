"""Numbers that any right task gives, computed with numpy alone in float64."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from kdtab.task_modules import DistillationTeacher, FeatureDistillationTask, LogitDistillationTask
from task_modules.networks import LABELS, ROWS, STUDENT, TEACHER, Parted, Says, WithConstants

TOLERANCE = 1e-8
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.mark.parametrize(
    ("distill", "task_weight", "temperature", "expected"),
    [
        (None, None, 1.0, 1.1828526949),
        (None, None, 2.0, 1.2234152073),
        (None, None, 4.0, 1.2267893618),
        (5.0, None, 1.0, 2.2592548937),
        (5.0, 0.3, 1.0, 1.6196283920),
        (None, 0.3, 1.0, 0.4624960284),
        (None, 0.3, 4.0, 0.4932516952),
    ],
)
def test_the_logit_task_of_the_golden_logits(
    distill: float | None, task_weight: float | None, temperature: float, expected: float
) -> None:
    task = LogitDistillationTask(
        Says(STUDENT),
        Says(TEACHER),
        distill_loss_weight=distill,
        task_loss_weight=task_weight,
        temperature=temperature,
    )
    assert task(ROWS, LABELS)["loss"].item() == pytest.approx(expected, abs=TOLERANCE)


def test_the_terms_of_the_logit_task_are_reported_by_name() -> None:
    terms = LogitDistillationTask(Says(STUDENT), Says(TEACHER))(ROWS, LABELS)
    assert set(terms) == {"loss", "output", "task_loss", "kd_loss"}
    assert terms["task_loss"].item() == pytest.approx(0.9137521452, abs=TOLERANCE)
    assert terms["kd_loss"].item() == pytest.approx(0.2691005497, abs=TOLERANCE)
    assert torch.equal(terms["output"], STUDENT)


def feature_task() -> FeatureDistillationTask:
    """The golden features; the student's head gives the golden logits."""
    features = torch.tensor([[1, 2], [3, 4]], dtype=torch.float64)
    head = nn.Linear(2, 3, bias=False, dtype=torch.float64)
    with torch.no_grad():  # [1, 2] to [1, 2, 1] and [3, 4] to [3, 4, 3]
        head.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    taught = torch.tensor([[1, 0, 2], [0, 1, 1]], dtype=torch.float64)
    task = FeatureDistillationTask(
        Parted(features, head), Parted(taught), task_loss_weight=1.0, distill_loss_weight=5.0
    )
    projection = task.trainable_module.projection
    assert projection is not None
    with torch.no_grad():
        projection.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
        projection.bias.copy_(torch.tensor([0.0, -1.0, 0.5]))
    return task


def test_the_feature_task_of_the_golden_features() -> None:
    task = feature_task()
    terms = task(ROWS, LABELS)
    assert terms["kd_loss"].item() == pytest.approx(9.75, abs=TOLERANCE)
    assert terms["output"].tolist() == [[1, 2, 1], [3, 4, 3]]
    assert terms["loss"].item() == pytest.approx(50.3014447139, abs=TOLERANCE)


@pytest.mark.parametrize("says_constants", [True, False])
def test_the_teacher_sees_the_golden_normalisation(says_constants: bool) -> None:
    """Without constants of its own a teacher of images has ImageNet's, as the seed says."""
    student = WithConstants((0.5,) * 3, (0.25,) * 3, STUDENT[:1])
    teacher = WithConstants(*IMAGENET, TEACHER[:1]) if says_constants else Says(TEACHER[:1])
    task = LogitDistillationTask(student, teacher)
    image = torch.ones(1, 3, 1, 1, dtype=torch.float64)
    task(image, LABELS[:1])
    inner = task.teacher.model.inner if says_constants else task.teacher.model
    assert isinstance(inner, Says)
    assert inner.seen[0].flatten().tolist() == pytest.approx(
        [1.1572052402, 1.3125, 1.5288888889], abs=1e-9
    )
    assert torch.equal(student.inner.seen[0], image)


def test_normalize_input_gives_the_golden_normalisation() -> None:
    teacher = DistillationTeacher(WithConstants(*IMAGENET, TEACHER))
    image = torch.ones(1, 3, 1, 1, dtype=torch.float64)
    mean, std = torch.full((1, 3, 1, 1), 0.5), torch.full((1, 3, 1, 1), 0.25)
    found = teacher.normalize_input(image, mean, std)
    assert found.shape == (1, 3, 1, 1)
    assert found.flatten().tolist() == pytest.approx([1.1572052402, 1.3125, 1.5288888889], abs=1e-9)
    assert teacher.normalize_input(image) is image
    assert teacher.normalize_input(image, teacher.mean_kd, teacher.std_kd) is image


def test_constants_have_the_names_and_shapes_of_the_specification() -> None:
    student = WithConstants((0.5,) * 3, (0.25,) * 3, STUDENT)
    task = LogitDistillationTask(student, Says(TEACHER))
    assert torch.equal(task.teacher.mean_kd, torch.tensor(IMAGENET[0]).view(1, -1, 1, 1))
    assert torch.equal(task.teacher.std_kd, torch.tensor(IMAGENET[1]).view(1, -1, 1, 1))
    assert task.student_mean is not None
    assert torch.equal(task.student_mean, torch.full((1, 3, 1, 1), 0.5))
    assert not [name for name in task.state_dict() if "mean" in name]
