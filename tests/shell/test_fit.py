from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from kdtab.config.networks import LinearSpec, MlpSpec, NetworkSpec, TabResNetSpec
from kdtab.errors.training import LossNotFinite, NoValidBatch
from kdtab.models.build import build_model
from kdtab.models.network import TabularNetwork
from kdtab.shell import fit as fit_module
from kdtab.shell.fit import FitRows, FitSettings, FittedNetwork, fit_network
from kdtab.shell.flat import FlatAdam
from kdtab.shell.infer import network_outputs
from kdtab.shell.progress import EpochRecord
from kdtab.shell.seed import seeded
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import SupervisedTask, TrainingTask

CPU = torch.device("cpu")
SPEC = MlpSpec(input_dim=3, output_dim=2, hidden_dim=8, num_hidden_layers=1, dropout=0.2)
PLAIN = SupervisedTask("classification")
SETTINGS = FitSettings(epochs=3, batch_size=8, learning_rate=0.01, random_seed=42)


def example_rows(rows: int = 40, seed: int = 0) -> FitRows:
    drawn = np.random.default_rng(seed)
    inputs = drawn.standard_normal((rows, 3)).astype(np.float32)
    labels = (inputs[:, 0] + 0.3 * inputs[:, 1] > 0).astype(np.int64)
    soft = np.stack([-2 * inputs[:, 0], 2 * inputs[:, 0]], axis=1)
    return FitRows(inputs, labels, soft)


def fitted(
    rows: FitRows,
    *,
    spec: NetworkSpec = SPEC,
    task: TrainingTask = PLAIN,
    validation: FitRows | None = None,
    settings: FitSettings = SETTINGS,
) -> FittedNetwork:
    return fit_network(spec, task, rows, validation, settings, device=CPU).unwrap()


def same_weights(one: TabularNetwork, other: TabularNetwork) -> bool:
    here, there = one.state_dict(), other.state_dict()
    return all(torch.equal(here[name], there[name]) for name in here)


@pytest.mark.requirement("REQ-T11", "AC-T11")
def test_five_epochs_are_five_epochs() -> None:
    settings = FitSettings(epochs=5, batch_size=8, learning_rate=0.01, random_seed=42)
    found = fitted(example_rows(40), settings=settings)
    assert len(found.history) == found.best_epoch == 5
    assert found.update_steps == 5 * 5
    assert found.train_loss == found.history[-1].loss


@pytest.mark.requirement("REQ-T14", "AC-T14", "INV-T02", "INV-KD02", "REQ-T08", "AC-T08")
@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        TabResNetSpec(input_dim=3, output_dim=2, hidden_dim=8, num_hidden_layers=1, dropout=0.2),
        LinearSpec(input_dim=3, output_dim=2),
    ],
    ids=lambda spec: str(spec.kind),
)
def test_the_network_is_in_eval_mode_on_its_device(spec: NetworkSpec) -> None:
    network = fitted(example_rows(), spec=spec).network
    assert not any(module.training for module in network.modules())
    assert {parameter.device for parameter in network.parameters()} == {CPU}
    assert network.spec == spec


def test_a_run_learns_what_there_is_to_learn() -> None:
    rows = example_rows(400)
    settings = FitSettings(epochs=30, batch_size=32, learning_rate=0.02, random_seed=42)
    found = fitted(rows, settings=settings)
    answers = found.network(torch.from_numpy(rows.inputs)).argmax(dim=1).numpy()
    assert float(np.mean(answers == rows.targets)) > 0.95
    assert found.history[-1].loss < 0.5 * found.history[0].loss


def test_a_regression_learns_from_labels_and_from_a_teacher() -> None:
    inputs = example_rows(400).inputs
    values = inputs[:, :1] * 2
    spec = LinearSpec(input_dim=3, output_dim=1)
    settings = FitSettings(epochs=40, batch_size=32, learning_rate=0.05, random_seed=42)
    found = fitted(
        FitRows(inputs, values, values),
        spec=spec,
        task=SoftTargetTask("regression"),
        settings=settings,
    )
    assert found.train_loss < 1e-3


@pytest.mark.requirement("REQ-KD20", "REQ-T10", "AC-T10")
def test_every_run_makes_one_adam_with_its_weight_decay(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FlatAdam] = []

    begin = FlatAdam.__init__

    def spy(optimizer: FlatAdam, *args: Any, **kwargs: Any) -> None:
        begin(optimizer, *args, **kwargs)
        made.append(optimizer)

    monkeypatch.setattr(FlatAdam, "__init__", spy)
    fitted(example_rows())
    (optimizer,) = made
    assert (optimizer.weight_decay, optimizer.decoupled) == (1e-4, False)
    assert optimizer.learning_rate == SETTINGS.learning_rate


@pytest.mark.requirement("REQ-KD21", "AC-KD21", "REQ-T12", "AC-T12")
def test_a_tail_of_one_row_makes_no_step() -> None:
    rows = example_rows(9)
    found = fitted(rows, settings=FitSettings(1, 8, learning_rate=0.01, random_seed=1))
    assert found.update_steps == 1

    order = torch.randperm(9, generator=torch.Generator().manual_seed(1)).numpy()
    changed = rows.inputs.copy()
    changed[order[8]] = 1e6
    other = fitted(
        FitRows(changed, rows.targets),
        settings=FitSettings(1, 8, learning_rate=0.01, random_seed=1),
    )
    assert same_weights(found.network, other.network)


@pytest.mark.requirement("EC-T01")
def test_a_batch_size_beyond_the_rows_is_one_batch() -> None:
    found = fitted(example_rows(5), settings=FitSettings(2, 64, 0.01, random_seed=1))
    assert found.update_steps == 2


@pytest.mark.requirement("REQ-KD22", "AC-KD22", "REQ-T13", "AC-T13", "EC-T01")
@pytest.mark.parametrize(("rows", "batch_size"), [(40, 1), (1, 8), (0, 8), (1, 1)])
def test_without_a_valid_batch_nothing_is_trained(
    rows: int, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(fit_module, "build_model")
    settings = FitSettings(3, batch_size, learning_rate=0.01, random_seed=1)
    result = fit_network(SPEC, PLAIN, example_rows(rows), None, settings, device=CPU)
    assert tuple(result.failure()) == (NoValidBatch(rows=rows, batch_size=batch_size),)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_one_bad_cell_stops_training_with_an_issue(bad: float) -> None:
    rows = example_rows()
    inputs = rows.inputs.copy()
    inputs[3, 1] = bad
    result = fit_network(SPEC, PLAIN, FitRows(inputs, rows.targets), None, SETTINGS, device=CPU)
    assert tuple(result.failure()) == (LossNotFinite(epoch=1, what="the loss"),)


def test_a_weight_that_is_not_finite_is_an_issue_though_every_loss_was() -> None:
    settings = FitSettings(1, 40, learning_rate=3e38, random_seed=1, weight_decay=0.0)
    spec = LinearSpec(input_dim=3, output_dim=1)
    rows = FitRows(example_rows(40).inputs, np.full((40, 1), 1e18, dtype=np.float32))
    result = fit_network(spec, SupervisedTask("regression"), rows, None, settings, device=CPU)
    issue = result.failure().first
    assert isinstance(issue, LossNotFinite)


def test_a_loss_of_infinity_from_the_teacher_is_an_issue() -> None:
    rows = example_rows()
    soft = np.full((40, 2), np.nan, dtype=np.float32)
    result = fit_network(
        SPEC,
        SoftTargetTask("classification"),
        FitRows(rows.inputs, rows.targets, soft),
        None,
        SETTINGS,
        device=CPU,
    )
    assert isinstance(result.failure().first, LossNotFinite)


def test_patience_stops_and_gives_the_best_epoch_back() -> None:
    settings = FitSettings(60, 8, learning_rate=0.3, random_seed=42, patience=3)
    validation = example_rows(30, seed=1)
    flipped = FitRows(validation.inputs, (1 - validation.targets).astype(np.int64))
    found = fitted(example_rows(40), validation=flipped, settings=settings)
    losses = [record.validation_loss for record in found.history]
    assert all(loss is not None for loss in losses)
    best = min(loss for loss in losses if loss is not None)
    assert found.best_epoch == losses.index(best) + 1
    assert len(found.history) == found.best_epoch + 3 < 60
    assert found.train_loss == found.history[found.best_epoch - 1].loss
    outputs = torch.from_numpy(network_outputs(found.network, flipped.inputs))
    again = PLAIN.hard_loss(outputs, torch.from_numpy(flipped.targets))
    assert float(again) == pytest.approx(best, rel=1e-5)


def test_watching_validation_rows_changes_no_step() -> None:
    rows, validation = example_rows(40), example_rows(30, seed=1)
    watched = fitted(rows, validation=validation)
    shorter = FitSettings(watched.best_epoch, 8, learning_rate=0.01, random_seed=42)
    assert same_weights(watched.network, fitted(rows, settings=shorter).network)


def test_no_validation_row_is_no_validation() -> None:
    found = fitted(example_rows(), validation=example_rows(0))
    assert found.history[0].validation_loss is None


class Interrupts:
    """Ctrl-C after the first epoch."""

    def start(self, epochs: int, steps_per_epoch: int) -> None: ...

    def step(self) -> None: ...

    def epoch(self, record: EpochRecord) -> None:
        raise KeyboardInterrupt

    def finish(self) -> None: ...


@pytest.mark.parametrize("interrupted", [False, True])
def test_the_process_is_as_before(interrupted: bool) -> None:
    before = random.getstate(), repr(np.random.get_state()), torch.get_rng_state()
    threads, mode = torch.get_num_threads(), torch.is_grad_enabled()
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            fit_network(
                SPEC,
                PLAIN,
                example_rows(),
                None,
                SETTINGS,
                device=CPU,
                progress=Interrupts(),
            )
    else:
        fitted(example_rows())
    assert random.getstate() == before[0]
    assert repr(np.random.get_state()) == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == (threads, mode)


def test_the_rows_are_as_before() -> None:
    rows, fresh = example_rows(), example_rows()
    arrays = (rows.inputs, rows.targets, rows.soft_targets)
    fitted(rows, task=SoftTargetTask("classification"))
    for array, expected in zip(
        arrays, (fresh.inputs, fresh.targets, fresh.soft_targets), strict=True
    ):
        np.testing.assert_array_equal(array, expected)


@pytest.mark.requirement("REQ-KD15", "REQ-T08", "INV-T01")
def test_the_network_starts_from_the_weights_of_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[dict[str, torch.Tensor]] = []

    def spy(spec: NetworkSpec) -> TabularNetwork:
        network = build_model(spec)
        starts.append({name: tensor.clone() for name, tensor in network.state_dict().items()})
        return network

    monkeypatch.setattr(fit_module, "build_model", spy)
    torch.rand(3)
    fitted(example_rows())
    with seeded(SETTINGS.random_seed):
        expected = build_model(SPEC).state_dict()
    assert all(torch.equal(starts[0][name], expected[name]) for name in expected)


def test_the_threads_that_were_used_are_said() -> None:
    found = fitted(example_rows())
    assert found.threads == 1


@pytest.mark.requirement("EC-KD03")
def test_a_student_may_have_the_size_of_its_teacher() -> None:
    rows = example_rows()
    teacher = fitted(rows).network
    with torch.no_grad():
        spoken = teacher(torch.from_numpy(rows.inputs)).numpy()
    found = fitted(
        FitRows(rows.inputs, rows.targets, spoken), task=SoftTargetTask("classification")
    )
    assert found.network.spec == teacher.spec


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
@pytest.mark.requirement("EC-KD01", "EC-KD02")
def test_history_tells_the_terms_that_were_computed(alpha: float) -> None:
    found = fitted(example_rows(), task=SoftTargetTask("classification", alpha=alpha))
    expected: Sequence[str] = {0.0: ["loss", "soft"], 1.0: ["hard", "loss"]}.get(
        alpha, ["hard", "loss", "soft"]
    )
    terms = found.history[-1].terms
    assert sorted(terms) == expected
    if alpha == 0.4:
        assert terms["loss"] == pytest.approx(0.4 * terms["hard"] + 0.6 * terms["soft"])
