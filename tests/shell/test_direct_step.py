"""The step without a graph against the step with one: the same student."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.modules.module import register_module_forward_hook

from kdtab.config.networks import LinearSpec, MlpSpec, NetworkSpec, TabResNetSpec
from kdtab.models.build import build_model
from kdtab.models.mlp import MlpNetwork
from kdtab.models.network import TabularNetwork
from kdtab.shell import course
from kdtab.shell.direct_step import goes_directly
from kdtab.shell.fit import FitRows, FitSettings, FittedNetwork, fit_network
from kdtab.tasks.partial_targets import PartialTargetTask
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import Batch, SupervisedTask, Terms, TrainingTask

CPU = torch.device("cpu")
CLASSES = 3
SIZES = {"input_dim": 4, "hidden_dim": 6, "num_hidden_layers": 2, "dropout": 0.3}
KINDS: tuple[type[MlpSpec] | type[TabResNetSpec], ...] = (MlpSpec, TabResNetSpec)
RUN = FitSettings(epochs=2, batch_size=8, learning_rate=0.01, random_seed=3)

alphas = st.sampled_from([0.0, 0.3, 1.0])
tasks: st.SearchStrategy[TrainingTask] = st.one_of(
    st.builds(
        SoftTargetTask,
        task=st.just("classification"),
        alpha=alphas,
        temperature=st.sampled_from([1.0, 4.0]),
    ),
    st.builds(SoftTargetTask, task=st.just("regression"), alpha=alphas),
    st.builds(
        SupervisedTask,
        task=st.just("classification"),
        class_weights=st.sampled_from([None, (0.5, 2.0, 1.0)]),
        label_smoothing=st.sampled_from([0.0, 0.1]),
    ),
    st.just(SupervisedTask("regression")),
)


def rows_for(task: TrainingTask, seed: int = 0) -> FitRows:
    drawn = np.random.default_rng(seed)
    inputs = drawn.standard_normal((27, 4)).astype(np.float32)
    if getattr(task, "task", "classification") == "regression":
        values = drawn.standard_normal((27, 2)).astype(np.float32)
        return FitRows(inputs, values[:, :1], values[:, 1:])
    soft = drawn.normal(0, 3, (27, CLASSES)).astype(np.float32)
    return FitRows(inputs, drawn.integers(0, CLASSES, 27), soft)


def spec_for(task: TrainingTask, kind: type[MlpSpec] | type[TabResNetSpec]) -> NetworkSpec:
    outputs = 1 if getattr(task, "task", "classification") == "regression" else CLASSES
    return kind.model_validate({**SIZES, "output_dim": outputs})


def fitted(
    spec: NetworkSpec, task: TrainingTask, rows: FitRows, run: FitSettings = RUN
) -> FittedNetwork:
    return fit_network(spec, task, rows, None, run, device=CPU).unwrap()


@settings(max_examples=40)
@given(task=tasks, kind=st.sampled_from(KINDS), seed=st.integers(0, 9))
def test_a_step_without_a_graph_is_the_step_with_one(
    task: TrainingTask, kind: type[MlpSpec] | type[TabResNetSpec], seed: int
) -> None:
    spec, rows, run = spec_for(task, kind), rows_for(task, seed), replace(RUN, random_seed=seed)
    direct = fitted(spec, task, rows, run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "goes_directly", lambda task, network: False)
        usual = fitted(spec, task, rows, run)
    for one, other in zip(direct.history, usual.history, strict=True):
        assert one.terms == pytest.approx(other.terms, rel=2e-4, abs=1e-6)
    weights, expected = direct.network.state_dict(), usual.network.state_dict()
    for name, tensor in expected.items():
        torch.testing.assert_close(weights[name], tensor, rtol=1e-2, atol=2e-3, msg=name)


@settings(max_examples=25)
@given(task=tasks, seed=st.integers(0, 99))
def test_what_a_task_says_of_its_slope_is_what_its_graph_says(
    task: TrainingTask, seed: int
) -> None:
    assert isinstance(task, SoftTargetTask | SupervisedTask)
    rows = rows_for(task, seed)
    assert rows.soft_targets is not None
    spec = LinearSpec(input_dim=4, output_dim=1 if task.task == "regression" else CLASSES)
    network = build_model(spec).double()
    targets = torch.from_numpy(rows.targets)
    batch = Batch(
        torch.from_numpy(rows.inputs).double(),
        targets if task.task == "classification" else targets.double(),
        task.prepare(torch.from_numpy(rows.soft_targets).double()),
    )
    expected = task.terms(network, batch)
    outputs = network(batch.inputs).detach().requires_grad_()
    terms, gradient = task.gradient(outputs.detach(), batch)
    assert list(terms) == list(expected)
    for name, term in expected.items():
        torch.testing.assert_close(terms[name], term.detach(), rtol=1e-9, atol=1e-9)
    followed = torch.autograd.grad(expected["loss"], list(network.parameters()))
    through = torch.autograd.grad(network(batch.inputs), list(network.parameters()), gradient)
    for one, other in zip(through, followed, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@dataclass(frozen=True)
class Opaque:
    """A task that says nothing of its gradient."""

    inner: SoftTargetTask

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        return self.inner.prepare(soft_targets)

    def terms(self, student: TabularNetwork, batch: Batch) -> Terms:
        return self.inner.terms(student, batch)

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self.inner.hard_loss(outputs, targets)


def test_only_tasks_that_know_their_gradient_go_without_a_graph() -> None:
    taught = SoftTargetTask("classification")
    network = build_model(spec_for(taught, MlpSpec))
    assert goes_directly(taught, network)
    assert goes_directly(SupervisedTask("regression"), network)
    assert not goes_directly(Opaque(taught), network)
    assert goes_directly(PartialTargetTask(taught), network)
    assert not goes_directly(Scheduled(taught), network)


def test_a_network_that_somebody_watches_is_computed_by_its_modules() -> None:
    task = SupervisedTask("classification")
    network = MlpNetwork(MlpSpec.model_validate({**SIZES, "output_dim": CLASSES}))
    watch = register_module_forward_hook(lambda *given: None)
    assert not goes_directly(task, network)
    watch.remove()
    assert goes_directly(task, network)
    network.head.register_forward_hook(lambda *given: None)
    assert not goes_directly(task, network)


def test_any_task_runs_through_the_loop() -> None:
    task = SoftTargetTask("classification", alpha=0.3)
    spec, rows = spec_for(task, MlpSpec), rows_for(task)
    direct, opaque = fitted(spec, task, rows), fitted(spec, Opaque(task), rows)
    assert opaque.history[-1].terms == pytest.approx(direct.history[-1].terms, rel=1e-4)


@dataclass(frozen=True)
class Scheduled:
    """Soft targets whose share falls from step to step."""

    inner: SoftTargetTask
    asked: list[int] = field(default_factory=list)

    def prepare(self, soft_targets: Tensor | None) -> Tensor | None:
        return self.inner.prepare(soft_targets)

    def at_step(self, step: int) -> TrainingTask:
        self.asked.append(step)
        return replace(self.inner, alpha=1.0 if step >= 4 else 0.5)

    def terms(self, student: TabularNetwork, batch: Batch) -> Mapping[str, Tensor]:
        raise AssertionError("the task of the step is asked")

    def hard_loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self.inner.hard_loss(outputs, targets)


def test_a_scheduled_task_hears_of_every_step_over_all_epochs() -> None:
    task = Scheduled(SoftTargetTask("classification"))
    found = fitted(spec_for(task, MlpSpec), task, rows_for(task))
    assert task.asked == list(range(8))
    assert sorted(found.history[0].terms) == ["hard", "loss", "soft"]
    assert sorted(found.history[1].terms) == ["hard", "loss"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_student_owns_its_weights_afterwards(
    kind: type[MlpSpec] | type[TabResNetSpec],
) -> None:
    task = SoftTargetTask("classification")
    network = fitted(spec_for(task, kind), task, rows_for(task)).network
    for parameter in network.parameters():
        assert parameter.requires_grad
        assert parameter.grad is None
        assert parameter.untyped_storage().nbytes() == parameter.numel() * 4
