"""Schedules, AdamW and running means against numpy, and by every road the same."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdtab.config.networks import LinearSpec, MlpSpec, NetworkSpec
from kdtab.config.training import Optimizer, RateSchedule
from kdtab.models.network import TabularNetwork
from kdtab.shell import course
from kdtab.shell.fit import FitRows, FitSettings, FittedNetwork, fit_network
from kdtab.shell.progress import EpochRecord
from kdtab.shell.seed import seeded
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import SupervisedTask, TrainingTask

CPU = torch.device("cpu")
LINEAR = LinearSpec(input_dim=3, output_dim=1)
MLP = MlpSpec(input_dim=3, output_dim=1, hidden_dim=6, num_hidden_layers=2, dropout=0.2)
ROWS, BATCH = 40, 8
PLAIN = FitSettings(epochs=10, batch_size=BATCH, learning_rate=0.03, random_seed=4)
FULL = replace(
    PLAIN,
    optimizer="adamw",
    weight_decay=0.05,
    learning_rate_schedule="cosine",
    warmup_steps=12,
    ema_decay=0.9,
)
Numbers = npt.NDArray[np.float64]


def example_rows(rows: int = ROWS, seed: int = 0) -> FitRows:
    drawn = np.random.default_rng(seed)
    inputs = drawn.standard_normal((rows, 3)).astype(np.float32)
    values = inputs @ np.array([[1.0], [-2.0], [0.5]], np.float32)
    return FitRows(inputs, values + 0.1, values - 0.1)


def fitted(
    run: FitSettings,
    *,
    spec: NetworkSpec = LINEAR,
    task: TrainingTask | None = None,
    validation: FitRows | None = None,
) -> FittedNetwork:
    chosen = task or SupervisedTask("regression")
    return fit_network(spec, chosen, example_rows(), validation, run, device=CPU).unwrap()


def orders(run: FitSettings) -> list[npt.NDArray[np.int64]]:
    """The rows of each step, as `ShuffledBatches` draws them."""
    generator = torch.Generator().manual_seed(run.random_seed)
    found = []
    for _ in range(run.epochs):
        order = torch.randperm(ROWS, generator=generator).numpy()
        found += [order[start : start + BATCH] for start in range(0, ROWS, BATCH)]
    return found


def start() -> Numbers:
    """The weights and the bias with which a linear network of the seed begins."""
    with seeded(PLAIN.random_seed):
        linear = torch.nn.Linear(3, 1)
    return np.append(linear.weight.detach().numpy(), linear.bias.detach().numpy()).astype(float)


def course_twin(run: FitSettings) -> list[Numbers]:
    """Every step of a linear regression in float64: weights and bias after each of them."""
    rows = example_rows()
    x = np.hstack([rows.inputs, np.ones((ROWS, 1))]).astype(np.float64)
    y = np.asarray(rows.targets, dtype=np.float64)[:, 0]
    weights, mean, square = start(), np.zeros(4), np.zeros(4)
    taken, found = orders(run), []
    for step, batch in enumerate(taken):
        rate, warmup = run.learning_rate, run.warmup_steps
        if step < warmup:
            rate *= (step + 1) / warmup
        elif run.learning_rate_schedule == "cosine":
            passed = (step - warmup) / (len(taken) - warmup)
            rate *= (1 + math.cos(math.pi * passed)) / 2
        gradient = 2 * x[batch].T @ (x[batch] @ weights - y[batch]) / len(batch)
        if run.optimizer == "adamw":
            weights = weights * (1 - rate * run.weight_decay)
        else:
            gradient = gradient + run.weight_decay * weights
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        unbiased = mean / (1 - 0.9 ** (step + 1)), square / (1 - 0.999 ** (step + 1))
        weights = weights - rate * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)
        found.append(weights)
    return found


def weights_of(network: TabularNetwork) -> Numbers:
    return np.concatenate(
        [each.detach().numpy().reshape(-1).astype(np.float64) for each in network.parameters()]
    )


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("warmup_steps", [0, 12])
def test_fifty_steps_are_those_of_numpy(
    optimizer: Optimizer, schedule: RateSchedule, warmup_steps: int
) -> None:
    run = replace(
        FULL,
        optimizer=optimizer,
        learning_rate_schedule=schedule,
        warmup_steps=warmup_steps,
        ema_decay=None,
    )
    found = fitted(run)
    assert found.update_steps == 50
    np.testing.assert_allclose(
        weights_of(found.network), course_twin(run)[-1], rtol=2e-5, atol=1e-6
    )


@pytest.mark.parametrize("decay", [0.5, 0.98])
def test_the_kept_weights_are_the_running_mean_of_numpys_steps(decay: float) -> None:
    run = replace(FULL, ema_decay=decay)
    taken = course_twin(run)
    shares = decay ** np.arange(len(taken) - 1, -1, -1.0)
    expected = shares @ np.stack(taken) / shares.sum()
    np.testing.assert_allclose(weights_of(fitted(run).network), expected, rtol=2e-5, atol=1e-6)


def test_with_validation_the_mean_of_the_best_epoch_is_kept() -> None:
    run, validation = replace(FULL, ema_decay=0.9), example_rows(30, seed=5)
    found = fitted(run, validation=validation)
    taken = course_twin(run)[: found.best_epoch * (ROWS // BATCH)]
    shares = 0.9 ** np.arange(len(taken) - 1, -1, -1.0)
    expected = shares @ np.stack(taken) / shares.sum()
    np.testing.assert_allclose(weights_of(found.network), expected, rtol=2e-5, atol=1e-6)
    outputs = validation.inputs @ expected[:3] + expected[3]
    loss = float(np.mean((outputs - np.asarray(validation.targets)[:, 0]) ** 2))
    assert found.history[found.best_epoch - 1].validation_loss == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "adamw"},
        {"weight_decay": 0.0},
        {"learning_rate_schedule": "cosine"},
        {"warmup_steps": 5},
        {"ema_decay": 0.9},
    ],
    ids=str,
)
@pytest.mark.parametrize("spec", [LINEAR, MLP], ids=lambda spec: str(spec.kind))
def test_each_option_changes_the_network(spec: NetworkSpec, change: dict[str, object]) -> None:
    usual = replace(PLAIN, weight_decay=0.1)
    one, other = (
        weights_of(fitted(run, spec=spec).network)
        for run in (usual, replace(usual, **change))  # type: ignore[arg-type]  # a field each
    )
    assert np.abs(one - other).max() > 1e-4


def test_the_options_at_their_defaults_are_no_options_to_the_bit() -> None:
    said = replace(
        PLAIN,
        optimizer="adam",
        learning_rate_schedule="constant",
        warmup_steps=0,
        ema_decay=None,
    )
    one, other = (fitted(run, spec=MLP).network.state_dict() for run in (PLAIN, said))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


runs = st.builds(
    replace,
    st.just(replace(PLAIN, epochs=3)),
    optimizer=st.sampled_from(["adam", "adamw"]),
    learning_rate_schedule=st.sampled_from(["constant", "cosine"]),
    warmup_steps=st.sampled_from([0, 6]),
    ema_decay=st.sampled_from([None, 0.8]),
)


@settings(max_examples=20)
@given(run=runs, validated=st.booleans())
def test_the_step_with_a_graph_takes_the_same_course(run: FitSettings, validated: bool) -> None:
    task = SoftTargetTask("regression", alpha=0.4)
    validation = example_rows(30, seed=5) if validated else None
    direct = fitted(run, spec=MLP, task=task, validation=validation)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "goes_directly", lambda task, network: False)
        graph = fitted(run, spec=MLP, task=task, validation=validation)
    assert direct.best_epoch == graph.best_epoch
    expected = graph.network.state_dict()
    for name, tensor in direct.network.state_dict().items():
        if not name.endswith("linear.bias"):  # a norm takes it away: its gradient is rounding
            torch.testing.assert_close(tensor, expected[name], rtol=2e-3, atol=2e-4)


def test_the_mean_of_the_statistics_is_kept_too() -> None:
    raw = fitted(PLAIN, spec=MLP).network.state_dict()
    mean = fitted(replace(PLAIN, ema_decay=0.97), spec=MLP).network.state_dict()
    assert not torch.equal(raw["blocks.0.norm.running_var"], mean["blocks.0.norm.running_var"])
    name = "blocks.0.norm.num_batches_tracked"
    assert raw[name] == mean[name] == 50


class Watches:
    """What the network of a run is when an epoch ends."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def start(self, epochs: int, steps_per_epoch: int) -> None: ...

    def step(self) -> None: ...

    def epoch(self, record: EpochRecord) -> None:
        self.losses.append(record.loss)

    def finish(self) -> None: ...


def test_watching_the_mean_changes_no_step() -> None:
    plain, watched = Watches(), Watches()
    for run, seen in ((PLAIN, plain), (replace(PLAIN, ema_decay=0.9), watched)):
        validation = example_rows(30, seed=5)
        task = SupervisedTask("regression")
        fit_network(MLP, task, example_rows(), validation, run, device=CPU, progress=seen).unwrap()
    assert plain.losses == watched.losses


def test_what_is_trained_beside_follows_the_same_rates() -> None:
    scale = torch.nn.Parameter(torch.zeros(1))
    holder = torch.nn.Module()
    holder.scale = scale
    seen: list[float] = []

    class Scaled:
        modules = (holder,)

        def prepare(self, soft_targets: torch.Tensor | None) -> None: ...

        def terms(self, student: TabularNetwork, batch: object) -> dict[str, torch.Tensor]:
            seen.append(scale.item())
            loss = (scale - 100.0).square().sum() + 0 * student(batch.inputs).sum()  # type: ignore[attr-defined]  # a Batch
            return {"loss": loss}

        def hard_loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            return outputs.sum()

    fitted(replace(FULL, epochs=4, warmup_steps=5), task=Scaled())
    moved = np.diff([*seen, scale.item()])
    # The slope hardly changes, so that Adam moves by the learning rate, and nothing is taken off.
    assert moved[:6] == pytest.approx(0.03 * np.array([0.2, 0.4, 0.6, 0.8, 1.0, 1.0]), rel=1e-2)
    assert moved[-1] < 0.002
