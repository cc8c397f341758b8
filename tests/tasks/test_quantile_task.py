"""Pinball loss of values and distance to a teacher's quantiles, mixed row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdtab.config.networks import LinearSpec
from kdtab.losses.quantiles import ordered_quantiles
from kdtab.metrics.quantiles import pinball_losses, quantiles_from_outputs
from kdtab.models.build import build_model
from kdtab.models.network import TabularNetwork
from kdtab.tasks.quantiles import QuantileTask
from kdtab.tasks.trainingtask import Batch

LEVELS = (0.1, 0.5, 0.75, 0.9)
NAN = float("nan")


def student() -> TabularNetwork:
    torch.manual_seed(0)
    return build_model(LinearSpec(input_dim=2, output_dim=4))


def batch(soft: torch.Tensor | None) -> Batch:
    random = np.random.default_rng(1)
    inputs, targets = random.normal(size=(6, 2)), random.normal(size=(6, 1))
    return Batch(
        torch.tensor(inputs, dtype=torch.float32), torch.tensor(targets, dtype=torch.float32), soft
    )


def soft_targets() -> torch.Tensor:
    return torch.from_numpy(np.sort(np.random.default_rng(2).normal(size=(6, 4)), axis=1)).float()


@given(st.floats(0, 1))
def test_the_loss_is_that_of_its_definition_row_by_row(alpha: float) -> None:
    network, soft = student(), soft_targets()
    soft[2] = NAN
    rows = batch(soft)
    terms = QuantileTask(LEVELS, alpha).terms(network, rows)
    told = quantiles_from_outputs(network(rows.inputs).detach().numpy(), LEVELS)
    hard = pinball_losses(told, rows.targets.numpy()[:, 0].astype(np.float64), LEVELS)
    distance = ((told - soft.numpy()) ** 2).mean(axis=1)
    each = np.where(np.isnan(distance), hard, alpha * hard + (1 - alpha) * distance)
    assert terms["loss"].item() == pytest.approx(each.mean(), rel=1e-5)
    assert terms["hard"].item() == pytest.approx(hard.mean(), rel=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_rows_without_a_teacher_spoil_no_gradient(alpha: float) -> None:
    network, soft = student(), soft_targets()
    soft[::2] = NAN
    QuantileTask(LEVELS, alpha).terms(network, batch(soft))["loss"].backward()
    assert all(
        parameter.grad is not None and parameter.grad.isfinite().all()
        for parameter in network.parameters()
    )


def test_at_alpha_one_nothing_of_the_teacher_is_looked_at() -> None:
    task, network = QuantileTask(LEVELS, 1.0), student()
    assert task.prepare(soft_targets()) is None
    terms = task.terms(network, batch(None))
    assert set(terms) == {"hard", "loss"}
    assert terms["loss"] == terms["hard"]


def test_a_student_that_tells_what_the_teacher_tells_has_no_soft_loss() -> None:
    network = student()
    rows = batch(None)
    said = ordered_quantiles(network(rows.inputs), median=1).detach()
    terms = QuantileTask(LEVELS, 0.0).terms(network, rows._replace(soft_targets=said))
    terms["loss"].backward()
    assert terms["soft"].item() == 0
    assert not any(
        parameter.grad.any() for parameter in network.parameters() if parameter.grad is not None
    )


def test_validation_is_the_pinball_loss_of_the_truth() -> None:
    network, rows = student(), batch(None)
    outputs = network(rows.inputs).detach()
    told = quantiles_from_outputs(outputs.numpy(), LEVELS)
    truth = rows.targets.numpy()[:, 0].astype(np.float64)
    expected = pinball_losses(told, truth, LEVELS).mean()
    assert QuantileTask(LEVELS).hard_loss(outputs, rows.targets).item() == pytest.approx(expected)
