"""The training loop against the literal loop of seed 000, side by side in one run.

The literal loop indexes every batch, asks the teacher again for every batch, uses two criteria
and plain Adam. Both fit the same student to the same rows in the same order, without dropout, and
their losses and weights must agree. Run: `pytest benchmarks/test_step.py -s`.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from kdtab.config.networks import MlpSpec
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.models.build import build_model
from kdtab.models.network import TabularNetwork
from kdtab.shell.batches import ShuffledBatches
from kdtab.shell.fit import FitRows, FitSettings, fit_network
from kdtab.shell.infer import network_outputs
from kdtab.shell.seed import seeded
from kdtab.shell.threads import limited_threads
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import Batch

ROWS, FEATURES, CLASSES, BATCH_SIZE, EPOCHS, SEED = 12_800, 100, 2, 256, 4, 7
TEMPERATURE, ALPHA = 2.5, 0.4
CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Workload:
    """Rows, labels, a teacher, and which student to fit."""

    inputs: Float32Array
    labels: IntArray
    teacher: TabularNetwork
    student: MlpSpec


def mlp(*, hidden_dim: int, num_hidden_layers: int, dropout: float) -> MlpSpec:
    return MlpSpec(
        input_dim=FEATURES,
        output_dim=CLASSES,
        hidden_dim=hidden_dim,
        num_hidden_layers=num_hidden_layers,
        dropout=dropout,
    )


def workload(dropout: float) -> Workload:
    random = np.random.default_rng(SEED)
    inputs = random.standard_normal((ROWS, FEATURES)).astype(np.float32)
    labels = (inputs[:, :5].sum(axis=1) + random.standard_normal(ROWS) > 0).astype(np.int64)
    with seeded(SEED + 1):
        teacher = build_model(mlp(hidden_dim=256, num_hidden_layers=3, dropout=0.1)).eval()
    student = mlp(hidden_dim=128, num_hidden_layers=2, dropout=dropout)
    return Workload(inputs, labels, teacher, student)


def literal_loop(work: Workload) -> TabularNetwork:
    """Seed 000, REQ-KD16 to REQ-KD21, word by word."""
    inputs, labels = torch.from_numpy(work.inputs), torch.from_numpy(work.labels)
    hard_criterion = nn.CrossEntropyLoss()
    soft_criterion = nn.KLDivLoss(reduction="batchmean")
    with seeded(SEED):
        student = build_model(work.student)
        student.train()
        optimizer = torch.optim.Adam(student.parameters(), lr=1e-3, weight_decay=1e-4)
        for index in _orders(inputs, labels):
            batch_inputs, batch_labels = inputs[index], labels[index]
            with torch.no_grad():
                teacher_logits = work.teacher(batch_inputs)
            optimizer.zero_grad()
            logits = student(batch_inputs)
            hard = hard_criterion(logits, batch_labels)
            soft = (
                soft_criterion(
                    torch.log_softmax(logits / TEMPERATURE, dim=1),
                    torch.softmax(teacher_logits / TEMPERATURE, dim=1),
                )
                * TEMPERATURE**2
            )
            loss = ALPHA * hard + (1 - ALPHA) * soft
            torch.autograd.backward(loss)
            optimizer.step()
            loss.item()
    return student.eval()


def _orders(inputs: Tensor, labels: Tensor) -> list[Tensor]:
    positions = Batch(torch.arange(len(inputs))[:, None], labels, None)
    batches = ShuffledBatches(positions, batch_size=BATCH_SIZE, seed=SEED)
    return [batch.inputs[:, 0].clone() for _ in range(EPOCHS) for batch in batches()]


def our_loop(work: Workload) -> TabularNetwork:
    rows = FitRows(work.inputs, work.labels, network_outputs(work.teacher, work.inputs))
    settings = FitSettings(EPOCHS, BATCH_SIZE, learning_rate=1e-3, random_seed=SEED)
    task = SoftTargetTask("classification", alpha=ALPHA, temperature=TEMPERATURE)
    return fit_network(work.student, task, rows, None, settings, device=CPU).unwrap().network


def seconds(run: Callable[[Workload], TabularNetwork], work: Workload) -> float:
    begin = time.perf_counter()
    run(work)
    return time.perf_counter() - begin


def test_both_loops_give_the_same_student() -> None:
    work = workload(dropout=0.0)
    with limited_threads(1):
        ours, literal = our_loop(work).state_dict(), literal_loop(work).state_dict()
    for name, tensor in literal.items():
        torch.testing.assert_close(ours[name], tensor, rtol=2e-2, atol=2e-3, msg=name)


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_a_step_takes_less_time_than_the_literal_one(dropout: float) -> None:
    work = workload(dropout)
    steps = EPOCHS * ROWS // BATCH_SIZE
    with limited_threads(1):
        pairs = [(seconds(literal_loop, work), seconds(our_loop, work)) for _ in range(5)]
    literal, ours = (1000 * float(np.median(times)) / steps for times in zip(*pairs, strict=True))
    ratio = float(np.median([old / new for old, new in pairs]))
    print(
        f"\n{platform.machine()}, torch {torch.__version__}, 1 thread, dropout {dropout}: "
        f"literal {literal:.2f} ms, ours {ours:.2f} ms a step, {ratio:.2f} times as fast"
    )
    assert ratio > 1.0


def test_our_loop(benchmark: BenchmarkFixture) -> None:
    work = workload(dropout=0.1)
    benchmark.pedantic(our_loop, args=(work,), rounds=3, warmup_rounds=1)


def test_literal_loop(benchmark: BenchmarkFixture) -> None:
    work = workload(dropout=0.1)
    benchmark.pedantic(literal_loop, args=(work,), rounds=3, warmup_rounds=1)
