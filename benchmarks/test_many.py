"""Eight students in one pass against eight fits, and against the bare batched products of all.

Each student of the pass must end where its own fit ends. The sides take turns in one run. With one
thread CPU time is compared, since other work on the machine stretches wall time. The bare
products are the batched matrix products of the forward and backward of all students and nothing
else: no processor multiplies eight students' numbers faster than eight times one student's, so
they are also the floor of the eight fits. Run: `pytest benchmarks/test_many.py -s`.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from kdtab.config.networks import MlpSpec
from kdtab.shell.fit import FitRows, FitSettings, FittedNetwork, fit_network
from kdtab.shell.search import Candidate, fit_many
from kdtab.shell.threads import limited_threads
from kdtab.tasks.soft_targets import SoftTargetTask

STUDENTS, CLASSES = 8, 2
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
THREADS = int(os.environ.get("BENCH_THREADS", "1"))
CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Workload:
    """Rows, and eight students that differ in alpha and temperature, and perhaps in more."""

    spec: MlpSpec
    rows: FitRows
    candidates: tuple[Candidate, ...]
    batch_size: int
    steps: int

    def together(self) -> list[FittedNetwork]:
        """All in one pass."""
        found = fit_many(self.spec, self.candidates, self.rows, None, device=CPU)
        return [each.unwrap() for each in found]

    def one_by_one(self) -> list[FittedNetwork]:
        """Each by itself."""
        return [
            fit_network(self.spec, one.task, self.rows, None, one.settings, device=CPU).unwrap()
            for one in self.candidates
        ]

    def bare_products(self) -> None:
        """Three products forward, five backward: nobody asks for the gradient of the rows."""
        rows, hidden, size = (
            torch.from_numpy(self.rows.inputs),
            self.spec.hidden_dim,
            self.batch_size,
        )
        first = torch.randn(STUDENTS, hidden, self.spec.input_dim)
        second = torch.randn(STUDENTS, hidden, hidden)
        head = torch.randn(STUDENTS, CLASSES, hidden)
        gradient = torch.randn(STUDENTS, size, CLASSES)
        for batch in torch.split(rows, size):
            inputs = batch.expand(STUDENTS, *batch.shape)
            one = torch.bmm(inputs, first.mT)
            two = torch.bmm(one, second.mT)
            torch.bmm(two, head.mT)
            torch.bmm(gradient.mT, two)
            of_two = torch.bmm(gradient, head)
            torch.bmm(of_two.mT, one)
            of_one = torch.bmm(of_two, second)
            torch.bmm(of_one.mT, inputs)


def workload(
    *, features: int, hidden: int, batch_size: int, steps: int, differ: str, dropout: float = 0.15
) -> Workload:
    random = np.random.default_rng(7)
    rows = steps * batch_size
    inputs = random.standard_normal((rows, features)).astype(np.float32)
    labels = (inputs[:, :5].sum(axis=1) + random.standard_normal(rows) > 0).astype(np.int64)
    said = random.normal(0, 2, (rows, CLASSES)).astype(np.float32)
    run = FitSettings(epochs=1, batch_size=batch_size, learning_rate=1e-3, random_seed=7)
    candidates = tuple(
        Candidate(
            SoftTargetTask(
                "classification", alpha=(0.2, 0.5, 0.8)[at % 3], temperature=(1.0, 2.0, 4.0)[at % 3]
            ),
            replace(
                run,
                random_seed=at if differ == "seed" else 7,
                learning_rate=1e-3 * (at + 1) if differ == "learning rate" else 1e-3,
            ),
        )
        for at in range(STUDENTS)
    )
    spec = MlpSpec(
        input_dim=features,
        output_dim=CLASSES,
        hidden_dim=hidden,
        num_hidden_layers=2,
        dropout=dropout,
    )
    return Workload(spec, FitRows(inputs, labels, said), candidates, batch_size, steps)


def spent(run: Callable[[], object]) -> float:
    """CPU time; that of the clock with several threads, which would count twice."""
    clock = time.process_time if THREADS == 1 else time.perf_counter
    begin = clock()
    run()
    return clock() - begin


def measured(work: Workload, name: str) -> float:
    """Of the time of eight fits."""
    sides = (work.together, work.one_by_one, work.bare_products)
    with limited_threads(THREADS):
        found = np.array([[spent(run) for run in sides] for _ in range(ROUNDS + 1)])[1:]
    of_fits = float(np.median(found[:, 0] / found[:, 1]))
    of_bare = float(np.median(found[:, 0] / found[:, 2]))
    many, fits, bare = 1e6 * np.median(found, axis=0) / work.steps
    print(
        f"\n{platform.machine()}, torch {torch.__version__}, {THREADS} thread(s), {STUDENTS} students, "
        f"{name}\n"
        f"one pass {many:,.0f} µs a step of all, eight fits {fits:,.0f}, bare products {bare:,.0f}: "
        f"{of_fits:.2f} of the fits, {of_bare:.2f} times the bare products"
    )
    print(f"figure\tone pass / eight fits, {name}\t{of_fits}")
    print(f"figure\tone pass / bare products of eight, {name}\t{of_bare}")
    return of_fits


@pytest.mark.parametrize("differ", ["alpha", "learning rate", "seed"])
def test_each_student_of_the_pass_ends_where_its_own_fit_ends(differ: str) -> None:
    work = workload(features=20, hidden=32, batch_size=64, steps=20, differ=differ, dropout=0.15)
    for one, other in zip(work.together(), work.one_by_one(), strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-4)
        for name, tensor in other.network.state_dict().items():
            torch.testing.assert_close(
                one.network.state_dict()[name], tensor, rtol=1e-3, atol=1e-3, msg=name
            )


@pytest.mark.parametrize("differ", ["alpha", "learning rate", "seed"])
def test_one_pass_takes_less_time_than_eight_fits(differ: str) -> None:
    work = workload(features=100, hidden=128, batch_size=256, steps=128, differ=differ)
    assert measured(work, f"100-128-128-2, batch 256, another {differ} each") < 1.0


@pytest.mark.parametrize("differ", ["alpha", "seed"])
def test_small_students_gain_more(differ: str) -> None:
    work = workload(features=14, hidden=64, batch_size=64, steps=100, differ=differ)
    assert measured(work, f"14-64-64-2, batch 64, another {differ} each") < 0.8
