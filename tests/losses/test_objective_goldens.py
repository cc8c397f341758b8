"""Numbers that any right implementation of the other losses gives, computed with numpy alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from kdtab import losses

TOLERANCE = 1e-8
STUDENT = torch.tensor([[1, 2, 0.5], [0.2, -0.3, 1.5]], dtype=torch.float64)
TEACHER = torch.tensor([[2, 1, 0.1], [0, 0.5, 3]], dtype=torch.float64)
LABELS = torch.tensor([0, 2])
FOUR_STUDENT = torch.tensor(
    [[1, 2, 0.5], [0.2, -0.3, 1.5], [0, 1, -1], [2, 0.5, 0.1]], dtype=torch.float64
)
FOUR_TEACHER = torch.tensor(
    [[2, 1, 0.1], [0, 0.5, 3], [-1, 2, 0], [1, 1, -0.5]], dtype=torch.float64
)
POINTS = torch.tensor([[0, 0], [1, 0], [0, 2], [3, 3]], dtype=torch.float64)
TEACHER_POINTS = torch.tensor([[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 2, 2]], dtype=torch.float64)


def close(found: Tensor, expected: npt.ArrayLike, tolerance: float = TOLERANCE) -> None:
    np.testing.assert_allclose(found.detach().numpy(), np.asarray(expected), rtol=0, atol=tolerance)


def test_the_reverse_divergence() -> None:
    found = losses.reverse_kl_divergence_from_logits(STUDENT, TEACHER, temperature=1.0)
    close(found, [0.4060668070, 0.1634366554])


def test_the_total_variation() -> None:
    found = losses.total_variation_from_logits(STUDENT, TEACHER, temperature=1.0)
    close(found.sum(), 0.6157771318)


@pytest.mark.parametrize(
    ("beta", "mean"),
    [
        (0.0, 0.2691005497),
        (0.25, 0.1145972711),
        (0.5, 0.0660959861),
        (0.75, 0.1148366580),
        (1.0, 0.2847517312),
    ],
)
def test_the_generalised_jensen_shannon_divergence(beta: float, mean: float) -> None:
    found = losses.generalized_jensen_shannon_from_logits(
        STUDENT, TEACHER, temperature=1.0, beta=beta
    )
    close(found.mean(), mean)


@pytest.mark.parametrize(
    ("temperature", "mean"), [(1.0, 0.0531592567), (2.0, 0.0590551697), (4.0, 0.0606894193)]
)
def test_one_logit_for_two_classes(temperature: float, mean: float) -> None:
    student = torch.tensor([0.3, -1.2], dtype=torch.float64)
    teacher = torch.tensor([1.0, -0.5], dtype=torch.float64)
    found = losses.binary_kl_divergence_from_logits(student, teacher, temperature=temperature)
    close(found.mean(), mean)
    pairs = [torch.stack((torch.zeros(2), logits), dim=1) for logits in (student, teacher)]
    close(losses.kl_divergence_from_logits(*pairs, temperature=temperature).mean(), mean)
    questions = losses.multilabel_kl_divergence_from_logits(
        student[None], teacher[None], temperature=temperature
    )
    close(questions, [mean])


def test_decoupled_distillation_and_its_parts() -> None:
    parts = [
        part(STUDENT, TEACHER, LABELS, temperature=4.0).mean()
        for part in (losses.target_class_divergence, losses.non_target_class_divergence)
    ]
    close(torch.stack(parts), [0.2688304693, 0.0844921748])
    whole = losses.decoupled_divergence_from_logits(
        STUDENT, TEACHER, LABELS, temperature=4.0, target_weight=1.0, non_target_weight=8.0
    )
    close(whole.mean(), 0.9447678679)


def test_standardised_logits_beside_a_little_cross_entropy() -> None:
    soft = losses.standardized_kl_divergence_from_logits(STUDENT, TEACHER, temperature=2.0)
    hard = losses.cross_entropy_from_logits(STUDENT, LABELS)
    close(9 * soft.mean() + 0.1 * hard.mean(), 2.7734893050)


def test_the_correlations_of_dist() -> None:
    inter = losses.inter_class_correlation(FOUR_STUDENT, FOUR_TEACHER, temperature=1.0).mean()
    intra = losses.intra_class_correlation_over_batch(FOUR_STUDENT, FOUR_TEACHER, temperature=1.0)
    close(inter, 0.4003046743)
    close(intra, 0.3655986826)
    close(losses.dist_over_batch(FOUR_STUDENT, FOUR_TEACHER, temperature=1.0), 0.7659033569)


def test_the_relations_of_points() -> None:
    close(losses.similarity_preserving_over_batch(POINTS, TEACHER_POINTS), 0.0037147719)
    close(losses.relational_distance_over_batch(POINTS, TEACHER_POINTS), 0.0106864805)
    close(losses.relational_angle_over_batch(POINTS, TEACHER_POINTS), 0.0043306639)


@pytest.mark.parametrize(
    ("labels", "threshold", "mean"),
    [
        ([0, 2], 0.0, 0.2691005497),
        ([0, 2], 0.2, 0.6280420118),
        ([0, 2], 0.9, 0.9137521452),
        ([1, 2], 0.0, 0.1250997197),
        ([1, 2], 0.2, 0.2175388143),
        ([1, 2], 0.9, 0.3275766977),
    ],
)
def test_the_teacher_put_right_by_the_label(
    labels: list[int], threshold: float, mean: float
) -> None:
    found = losses.label_corrected_kl_divergence(
        STUDENT, TEACHER, torch.tensor(labels), temperature=1.0, threshold=threshold
    )
    close(found.mean(), mean)


@pytest.mark.parametrize(
    ("label", "row"),
    [(0, [0.85900114, 0.10024307, 0.04075579]), (1, [0.37216770, 0.57216770, 0.05566461])],
)
def test_the_corrected_distribution(label: int, row: list[float]) -> None:
    found = losses.label_corrected_log_probabilities(
        TEACHER[:1], torch.tensor([label]), temperature=1.0, threshold=0.2
    )
    close(found.exp(), [row])


def test_the_forward_divergence_in_the_limit_of_high_temperatures() -> None:
    centred = [logits - logits.mean(1, keepdim=True) for logits in (STUDENT, TEACHER)]
    close(losses.logit_squared_error(*centred).mean() / 2, 0.2972222222)


def test_static_weights() -> None:
    two = {"one": torch.tensor(2.0), "two": torch.tensor(4.0)}
    assert losses.StaticWeights((0.25, 0.5)).combine(two, torch.tensor(10.0)).item() == 5.0
    assert losses.StaticWeights((0.5, 0.5)).combine(two).item() == 3.0
    soft = losses.kl_divergence_from_logits(STUDENT, TEACHER, temperature=1.0).mean()
    hard = losses.cross_entropy_from_logits(STUDENT, LABELS).mean()
    close(losses.StaticWeights((0.25,)).combine({"soft": soft}, hard), 0.7525892464)


def test_static_weights_of_two_layer_pairs() -> None:
    terms = {"logits": torch.tensor(2.2809976609), "h": torch.tensor(2.5)}
    found = losses.StaticWeights((0.25, 0.5)).combine(terms, torch.tensor(1.9116006496))
    close(found, 2.2981495776, 1e-6)


@pytest.mark.parametrize(
    ("student", "scale", "total"), [(None, 1.0, 4.0), (5.0, 1.0, 10.0), (5.0, 0.5, 7.5)]
)
def test_magnitudes(student: float | None, scale: float, total: float) -> None:
    terms = {
        "first": torch.tensor(1.0),
        "logits": torch.tensor(2.0),
        "second": torch.tensor(4.0),
    }
    own = None if student is None else torch.tensor(student)
    balancer = losses.MagnitudeWeights("logits", distillation_scale=scale)
    assert balancer.combine(terms, own).item() == total


@pytest.mark.parametrize(
    ("distil", "task", "temperature", "total"),
    [
        (1.0, 1.0, 1.0, 1.1828526949),
        (1.0, 1.0, 2.0, 1.2234152073),
        (1.0, 1.0, 4.0, 1.2267893618),
        (5.0, 1.0, 1.0, 2.2592548937),
        (5.0, 0.3, 1.0, 1.6196283920),
    ],
)
def test_weights_by_name(distil: float, task: float, temperature: float, total: float) -> None:
    soft = losses.kl_divergence_from_logits(STUDENT, TEACHER, temperature=temperature).mean()
    hard = losses.cross_entropy_from_logits(STUDENT, LABELS).mean()
    balancer = losses.named_weights({"kd": distil}, student_weight=task).unwrap()
    close(balancer.combine({"kd": soft}, hard), total)


@pytest.mark.parametrize(("temperature", "total"), [(1.0, 0.4624960284), (4.0, 0.4932516952)])
def test_the_complement_of_a_weight(temperature: float, total: float) -> None:
    soft = losses.kl_divergence_from_logits(STUDENT, TEACHER, temperature=temperature).mean()
    hard = losses.cross_entropy_from_logits(STUDENT, LABELS).mean()
    balancer = losses.complementary_weight(0.3).unwrap()
    close(balancer.combine({"kd": soft}, hard), total)


def test_projected_features() -> None:
    features = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    weight = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    projected = features @ weight.T + torch.tensor([0.0, -1.0, 0.5], dtype=torch.float64)
    teacher = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]], dtype=torch.float64)
    found = losses.feature_squared_error(projected, teacher)
    close(found.mean(), 9.75)
    logits = torch.tensor([[1, 2, 1], [3, 4, 3]], dtype=torch.float64)
    hard = losses.cross_entropy_from_logits(logits, LABELS).mean()
    total = losses.named_weights({"kd": 5.0}).unwrap().combine({"kd": found.mean()}, hard)
    close(total, 50.3014447139)
