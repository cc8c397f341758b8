from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from kdtab.config.networks import LinearSpec
from kdtab.models.build import build_model
from kdtab.models.network import TabularNetwork
from kdtab.tasks.supervised import Batch, SupervisedTask, TrainingTask

INPUTS = torch.linspace(-2, 2, 12).reshape(4, 3)
LABELS = torch.tensor([0, 1, 1, 0])
VALUES = torch.tensor([[0.5], [-1.0], [2.0], [0.0]])


def student(outputs: int) -> TabularNetwork:
    return build_model(LinearSpec(input_dim=3, output_dim=outputs))


def test_plain_classification_is_mean_cross_entropy() -> None:
    network = student(2)
    terms = SupervisedTask("classification").terms(network, Batch(INPUTS, LABELS, None))
    assert terms["loss"] is terms["hard"]
    torch.testing.assert_close(terms["loss"], functional.cross_entropy(network(INPUTS), LABELS))


def test_imbalance_aware_classification_is_weighted_as_torch_weights() -> None:
    network = student(2)
    task = SupervisedTask("classification", class_weights=(0.5, 2.0))
    expected = functional.cross_entropy(network(INPUTS), LABELS, weight=torch.tensor([0.5, 2.0]))
    terms = task.terms(network, Batch(INPUTS, LABELS, None))
    torch.testing.assert_close(terms["loss"], expected)


def test_calibrated_classification_is_smoothed_as_torch_smooths() -> None:
    network = student(2)
    task = SupervisedTask("classification", label_smoothing=0.05)
    expected = functional.cross_entropy(network(INPUTS), LABELS, label_smoothing=0.05)
    terms = task.terms(network, Batch(INPUTS, LABELS, None))
    torch.testing.assert_close(terms["loss"], expected)


def test_regression_is_mean_squared_error() -> None:
    network = student(1)
    terms = SupervisedTask("regression").terms(network, Batch(INPUTS, VALUES, None))
    torch.testing.assert_close(terms["loss"], functional.mse_loss(network(INPUTS), VALUES))


def test_a_teacher_has_no_say() -> None:
    task: TrainingTask = SupervisedTask("classification")
    assert task.prepare(torch.full((4, 2), torch.nan)) is None


def test_a_task_is_a_value() -> None:
    task = SupervisedTask("classification", class_weights=(1.0, 2.0))
    assert task == SupervisedTask("classification", class_weights=(1.0, 2.0))
    assert hash(task) == hash(SupervisedTask("classification", class_weights=(1.0, 2.0)))
    with pytest.raises(AttributeError):
        task.label_smoothing = 0.5  # type: ignore[misc]  # what the test is about
