"""The training loop against the literal loop of seed 000 and against bare matrix products.

The literal loop indexes every batch, asks the teacher again for every batch, uses two criteria
and plain Adam. Both fit the same student to the same rows in the same order; without dropout their
losses and weights must agree. The bare products are the matrix products of the student's forward
and backward and nothing else. Sides take turns in one run, on the threads that are asked for; wall
time and CPU time are shown, since other work on the machine stretches the one and less the other.
Run: `python -m pytest benchmarks/test_step.py -s`.
"""

from __future__ import annotations

import io
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kdtab.cli.progress import BarProgress
from kdtab.config.networks import MlpSpec
from kdtab.data.arrays import Float32Array, IntArray
from kdtab.models.build import build_model
from kdtab.models.mlp import MlpBlock
from kdtab.models.network import TabularNetwork
from kdtab.shell import course
from kdtab.shell import fit as fit_module
from kdtab.shell.batches import ShuffledBatches
from kdtab.shell.fit import FitRows, FitSettings, fit_network
from kdtab.shell.infer import network_outputs
from kdtab.shell.seed import seeded
from kdtab.shell.threads import limited_threads
from kdtab.tasks.soft_targets import SoftTargetTask
from kdtab.tasks.supervised import Batch, SupervisedTask, TrainingTask

ROWS, FEATURES, CLASSES, BATCH_SIZE, EPOCHS, SEED = 32_768, 100, 2, 256, 5, 7
TEMPERATURE, ALPHA = 2.5, 0.4
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
THREADS = int(os.environ.get("BENCH_THREADS", "1"))
CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Workload:
    """Rows, labels, a teacher, and which student to fit."""

    inputs: Float32Array
    labels: IntArray
    teacher: TabularNetwork
    student: MlpSpec
    has_norm: bool

    @property
    def steps(self) -> int:
        """Weight updates of one run."""
        return EPOCHS * len(self.inputs) // BATCH_SIZE

    def new_student(self, spec: MlpSpec) -> TabularNetwork:
        """With fresh weights; without norms where the workload has none."""
        network = build_model(spec)
        for block in network.modules() if not self.has_norm else ():
            if isinstance(block, MlpBlock):
                block.norm = nn.Identity()  # type: ignore[assignment]  # a network of another make
        return network


class Spent(NamedTuple):
    """Microseconds of one step."""

    wall: float
    cpu: float


def mlp(*, hidden_dim: int, num_hidden_layers: int, dropout: float) -> MlpSpec:
    return MlpSpec(
        input_dim=FEATURES,
        output_dim=CLASSES,
        hidden_dim=hidden_dim,
        num_hidden_layers=num_hidden_layers,
        dropout=dropout,
    )


def workload(*, dropout: float, has_norm: bool, rows: int = ROWS) -> Workload:
    random = np.random.default_rng(SEED)
    inputs = random.standard_normal((rows, FEATURES)).astype(np.float32)
    labels = (inputs[:, :5].sum(axis=1) + random.standard_normal(rows) > 0).astype(np.int64)
    with seeded(SEED + 1):
        teacher = build_model(mlp(hidden_dim=256, num_hidden_layers=3, dropout=0.1)).eval()
    student = mlp(hidden_dim=128, num_hidden_layers=2, dropout=dropout)
    return Workload(inputs, labels, teacher, student, has_norm)


def literal_loop(work: Workload) -> TabularNetwork:
    """Seed 000, REQ-KD16 to REQ-KD21, word by word."""
    inputs, labels = torch.from_numpy(work.inputs), torch.from_numpy(work.labels)
    hard_criterion = nn.CrossEntropyLoss()
    soft_criterion = nn.KLDivLoss(reduction="batchmean")
    with seeded(SEED):
        student = work.new_student(work.student)
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
    """The teacher is asked once, which is part of the time."""
    rows = FitRows(work.inputs, work.labels, network_outputs(work.teacher, work.inputs))
    task = SoftTargetTask("classification", alpha=ALPHA, temperature=TEMPERATURE)
    return our_fit(work, rows, task)


def our_fit(work: Workload, rows: FitRows, task: TrainingTask) -> TabularNetwork:
    settings = FitSettings(EPOCHS, BATCH_SIZE, learning_rate=1e-3, random_seed=SEED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_module, "build_model", work.new_student)
        return fit_network(work.student, task, rows, None, settings, device=CPU).unwrap().network


def our_supervised_loop(work: Workload) -> TabularNetwork:
    return our_fit(work, FitRows(work.inputs, work.labels), SupervisedTask("classification"))


def our_loop_with_a_graph(work: Workload) -> TabularNetwork:
    """The road of every other task: the loss is a graph, the network one node of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(course, "goes_directly", lambda task, network: False)
        return our_loop(work)


def bare_products(work: Workload) -> None:
    """Three products forward, five backward: nobody asks for the gradient of the rows."""
    rows = torch.from_numpy(work.inputs)
    first, second, head = (torch.randn(shape) for shape in ((128, 100), (128, 128), (2, 128)))
    gradient = torch.randn(BATCH_SIZE, CLASSES)
    for _ in range(EPOCHS):
        for inputs in torch.split(rows, BATCH_SIZE):
            one = torch.mm(inputs, first.t())
            two = torch.mm(one, second.t())
            torch.mm(two, head.t())
            torch.mm(gradient.t(), two)
            of_two = torch.mm(gradient, head)
            torch.mm(of_two.t(), one)
            of_one = torch.mm(of_two, second)
            torch.mm(of_one.t(), inputs)


def spent(run: Callable[[Workload], object], work: Workload) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    run(work)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Spent(1e6 * wall / work.steps, 1e6 * cpu / work.steps)


def in_turns(
    sides: Mapping[str, Callable[[Workload], object]], work: Workload, rounds: int = ROUNDS
) -> dict[str, list[Spent]]:
    """Every side once in every round, after one round to warm up."""
    with limited_threads(THREADS):
        found = [{name: spent(run, work) for name, run in sides.items()} for _ in range(rounds + 1)]
    return {name: [one[name] for one in found[1:]] for name in sides}


def ratio(above: list[Spent], below: list[Spent]) -> Spent:
    """Median over the rounds of above / below."""
    pairs = list(zip(above, below, strict=True))
    return Spent(*(float(np.median([one[at] / two[at] for one, two in pairs])) for at in (0, 1)))


def table(found: Mapping[str, list[Spent]]) -> str:
    medians = {name: np.median(np.array(each), axis=0) for name, each in found.items()}
    return "\n".join(
        f"{name:38s} {wall:8.0f} µs wall {cpu:8.0f} µs CPU a step"
        for name, (wall, cpu) in medians.items()
    )


def machine() -> str:
    return f"{platform.machine()}, torch {torch.__version__}, {THREADS} thread(s)"


def figure(what: str, found: Spent) -> str:
    """A ratio as the harness reads it: by CPU time, which more than one thread would count twice."""
    clock = "cpu" if THREADS == 1 else "wall"
    return f"figure\t{what}, {clock}\t{getattr(found, clock)}"


@pytest.mark.parametrize("has_norm", [True, False])
def test_both_loops_give_the_same_student(has_norm: bool) -> None:
    work = workload(dropout=0.0, has_norm=has_norm, rows=4_096)
    with limited_threads(1):
        ours, literal = our_loop(work).state_dict(), literal_loop(work).state_dict()
        graph = our_loop_with_a_graph(work).state_dict()
    for name, tensor in literal.items():
        torch.testing.assert_close(ours[name], tensor, rtol=2e-2, atol=2e-3, msg=name)
        torch.testing.assert_close(graph[name], tensor, rtol=2e-2, atol=2e-3, msg=name)


@pytest.mark.parametrize("has_norm", [True, False], ids=["norm", "no norm"])
def test_a_step_takes_less_time_than_the_literal_one(has_norm: bool) -> None:
    work = workload(dropout=0.15, has_norm=has_norm)
    sides: dict[str, Callable[[Workload], object]] = {
        "literal": literal_loop,
        "ours": our_loop,
        "ours, a task without its own gradient": our_loop_with_a_graph,
        "bare matrix products": bare_products,
    }
    found = in_turns(sides, work)
    faster = ratio(found["literal"], found["ours"])
    above_bare = ratio(found["ours"], found["bare matrix products"])
    norm = "with BatchNorm" if has_norm else "without BatchNorm"
    print(
        f"\n{machine()}, {norm}, dropout 0.15\n"
        f"{table(found)}\n"
        f"literal / ours: {faster.wall:.2f} wall, {faster.cpu:.2f} CPU; "
        f"ours / bare: {above_bare.wall:.2f} wall, {above_bare.cpu:.2f} CPU"
    )
    print(figure(f"literal loop / kdtab, {norm}", faster))
    print(figure(f"kdtab / bare matrix products, {norm}", above_bare))


def test_progress_costs_less_than_a_hundredth_of_the_loop() -> None:
    work = workload(dropout=0.15, has_norm=True)
    step = in_turns({"ours": our_loop}, work, rounds=1)["ours"][0].cpu
    bar = BarProgress("distilling", io.StringIO())
    bar.start(1, 100_000)
    begin = time.thread_time()
    for _ in range(100_000):
        bar.step()
    called = 10.0 * (time.thread_time() - begin)
    bar.finish()
    print(f"\n{machine()}: a bar hears of a step in {called:.2f} µs, a step takes {step:.0f} µs")
    print(f"figure\ta bar hears of a step / a step, cpu\t{called / step}")
    assert called < step / 10
