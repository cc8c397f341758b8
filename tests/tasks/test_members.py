"""The loss of an ensemble is the mean of the losses of its members, for every task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from kdtab.config.distillation import DistillConfig
from kdtab.config.networks import BatchEnsembleSpec
from kdtab.config.objectives import AnyLoss, DivergenceLoss, ObjectiveConfig, RelationalLoss
from kdtab.models.batchensemble import BatchEnsembleNetwork
from kdtab.models.build import build_model
from kdtab.models.network import TabularNetwork
from kdtab.shell import course
from kdtab.shell.fit import FitRows, FitSettings, FittedNetwork, fit_network
from kdtab.shell.search import Candidate, fit_many
from kdtab.shell.seed import seeded
from kdtab.tasks.chosen import objective_task
from kdtab.tasks.members import task_for
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.running import in_run, trained_beside
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import SupervisedTask
from kdtab.tasks.trainingtask import Batch, GradientTask, Terms, TrainingTask, task_at_step

CPU = torch.device("cpu")
CLASSES = 4
SPEC = BatchEnsembleSpec(
    input_dim=3, output_dim=CLASSES, hidden_dim=6, num_hidden_layers=2, dropout=0.0, members=3
)
RUN = FitSettings(epochs=3, batch_size=8, learning_rate=0.01, random_seed=3)


def objective(*losses: AnyLoss) -> TrainingTask:
    return objective_task(
        ObjectiveConfig(losses=losses), DistillConfig(), task="classification", classes=CLASSES
    ).unwrap()


TASKS: Mapping[str, TrainingTask] = {
    "labels": SupervisedTask("classification"),
    "weighted": SupervisedTask(
        "classification", class_weights=(1.0, 2.0, 0.5, 3.0), label_smoothing=0.1
    ),
    "soft": SoftTargetTask("classification", alpha=0.3),
    "partial": PartialTargetTask(SoftTargetTask("classification")),
    "reverse": objective(DivergenceLoss(kind="reverse_kl")),
    "over batch": objective(RelationalLoss(kind="relational_distance_over_batch")),
}


def example_rows(rows: int = 40) -> FitRows:
    drawn = np.random.default_rng(0)
    inputs = drawn.standard_normal((rows, 3)).astype(np.float32)
    soft = drawn.normal(0, 2, (rows, CLASSES)).astype(np.float32)
    return FitRows(inputs, drawn.integers(0, CLASSES, rows), soft)


def example_batch(task: TrainingTask, rows: int = 9) -> Batch:
    found = example_rows(rows)
    assert found.soft_targets is not None
    soft = task.prepare(torch.from_numpy(found.soft_targets))
    return Batch(torch.from_numpy(found.inputs), torch.from_numpy(found.targets), soft)


class Alone(TabularNetwork):
    """One member on its own."""

    def __init__(self, whole: BatchEnsembleNetwork, member: int) -> None:
        super().__init__(whole.spec)
        self.whole, self.member = whole, member

    def forward(self, inputs: Tensor) -> Tensor:
        return self.whole.member_outputs(inputs)[self.member]


def ensemble() -> BatchEnsembleNetwork:
    with seeded(1):
        network = build_model(SPEC)
    assert isinstance(network, BatchEnsembleNetwork)
    return network


@pytest.mark.parametrize("name", TASKS)
def test_every_term_is_the_mean_of_the_members_terms(name: str) -> None:
    task, network = TASKS[name], ensemble()
    batch = example_batch(task)
    with in_run(task, network) as running:
        found = running.terms(network, batch)
    every = [task.terms(Alone(network, member), batch) for member in range(SPEC.members)]
    assert set(found) == set(every[0])
    for term, value in found.items():
        mean = sum(each[term].item() for each in every) / SPEC.members
        assert value.item() == pytest.approx(mean, rel=1e-5)
    # and not the loss of the mean, which is smaller by Jensen's inequality
    if name == "labels":
        assert found["loss"].item() > task.terms(network, batch)["loss"].item() + 1e-4


@settings(max_examples=20)
@given(name=st.sampled_from(["labels", "weighted", "soft"]), rows=st.integers(2, 12))
def test_the_gradient_without_a_graph_is_that_of_the_graph(name: str, rows: int) -> None:
    network, batch = ensemble(), example_batch(TASKS[name], rows)
    task = task_for(network, TASKS[name])
    assert isinstance(task, GradientTask)
    outputs = network.member_outputs(batch.inputs)
    outputs.retain_grad()
    with torch.no_grad():
        slope = task.gradient(outputs.detach(), batch)
    loss = torch.stack(
        [TASKS[name].terms(Alone(network, at), batch)["loss"] for at in range(SPEC.members)]
    ).mean()
    of_graph = torch.autograd.grad(loss, list(network.heads.parameters()))
    assert slope.terms["loss"].item() == pytest.approx(loss.item(), rel=1e-5)
    of_hand = torch.autograd.grad(outputs, list(network.heads.parameters()), slope.gradient)
    torch.testing.assert_close(of_hand, of_graph, rtol=1e-4, atol=1e-6)


def fitted(task: TrainingTask, run: FitSettings = RUN) -> FittedNetwork:
    spec = SPEC.model_copy(update={"dropout": 0.2})
    return fit_network(spec, task, example_rows(), None, run, device=CPU).unwrap()


@pytest.mark.parametrize("name", TASKS)
def test_every_task_trains_an_ensemble(name: str) -> None:
    found = fitted(TASKS[name], replace(RUN, epochs=12))
    assert found.history[-1].loss < found.history[0].loss
    assert not found.network.training


def test_the_step_without_a_graph_is_the_step_with_one() -> None:
    task = SoftTargetTask("classification", alpha=0.3)
    direct = fitted(task)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "goes_directly", lambda task, network: False)
        graph = fitted(task)
    for one, other in zip(direct.history, graph.history, strict=True):
        assert one.terms == pytest.approx(other.terms, rel=1e-4)
    torch.testing.assert_close(
        direct.network.state_dict(), graph.network.state_dict(), rtol=1e-3, atol=1e-4
    )


def test_many_ensembles_are_fitted_one_after_the_other() -> None:
    wanted = [
        Candidate(SoftTargetTask("classification", alpha=alpha), replace(RUN, ema_decay=0.8))
        for alpha in (0.2, 0.7)
    ]
    found = fit_many(SPEC, wanted, example_rows(), None, device=CPU)
    for one, candidate in zip(found, wanted, strict=True):
        alone = fit_network(
            SPEC, candidate.task, example_rows(), None, candidate.settings, device=CPU
        ).unwrap()
        state = one.unwrap().network.state_dict()
        assert all(torch.equal(state[k], v) for k, v in alone.network.state_dict().items())


@dataclass(frozen=True, eq=False)
class Scheduled:
    """Its loss is the number of the step, times a scale that is trained beside."""

    modules: tuple[nn.Module, ...]
    step: int = 0

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        return soft_targets

    def at_step(self, step: int) -> Scheduled:
        return replace(self, step=step)

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        return {"loss": student(batch.inputs).sum() * 0 + self.step}

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.sum()


def test_schedules_and_what_is_trained_beside_are_those_of_the_task() -> None:
    network, task = ensemble(), Scheduled((nn.Linear(1, 1),))
    with in_run(task, network) as running:
        assert len(trained_beside(running)) == 2
        at_last = task_at_step(running, 5).terms(
            network, example_batch(SupervisedTask("regression"))
        )
    assert at_last["loss"].item() == 5
