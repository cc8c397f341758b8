"""The loop runs here on plain numbers: it knows no torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdtab.errors.training import LossNotFinite
from kdtab.shell import loop
from kdtab.shell.loop import LoopParts, LoopPlan, run_loop
from kdtab.shell.progress import SILENT, EpochRecord

losses_by_epoch = st.lists(st.floats(0.0, 9.0), min_size=1, max_size=12)


@dataclass
class Heard:
    """A progress that writes down what it is told."""

    words: list[str] = field(default_factory=list)

    def start(self, epochs: int, steps_per_epoch: int) -> None:
        self.words.append(f"start {epochs} {steps_per_epoch}")

    def step(self) -> None:
        self.words.append("step")

    def epoch(self, record: EpochRecord) -> None:
        self.words.append(f"epoch {record.epoch}")

    def finish(self) -> None:
        self.words.append("finish")


def parts_of(
    batches: Callable[[], Sequence[float]], validate: Callable[[int], float] | None = None
) -> LoopParts[int, float, tuple[int, float]]:
    """State: how many steps were made. Terms: how many steps, and the sum of their batches."""
    return LoopParts(
        batches=batches,
        step=lambda state, batch: (state + 1, (1, batch)),
        join=lambda terms: (sum(n for n, _ in terms), sum(total for _, total in terms)),
        read=lambda term: {"loss": term[1] / term[0]},
        validate=validate,
        keep=lambda state: lambda: state,
    )


def stepwise(values: Sequence[float]) -> Callable[[int], float]:
    """One step in an epoch: the validation loss after epoch n is the n-th value."""
    return lambda state: values[state - 1]


@pytest.mark.requirement("REQ-T11", "AC-T11")
@given(epochs=st.integers(1, 9), steps=st.integers(1, 9))
def test_every_epoch_makes_every_step(epochs: int, steps: int) -> None:
    parts = parts_of(lambda: [1.0] * steps)
    end = run_loop(0, LoopPlan(epochs, steps, None), parts, SILENT).unwrap()
    assert end.state == epochs * steps
    assert [record.epoch for record in end.history] == list(range(1, epochs + 1))
    assert end.best_epoch == epochs


@given(batches=st.lists(st.floats(-9, 9), min_size=1, max_size=40))
def test_an_epoch_is_told_by_the_mean_of_its_terms(batches: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "TERMS_HELD", 4)
        parts = parts_of(lambda: batches)
        end = run_loop(0, LoopPlan(1, len(batches), None), parts, SILENT).unwrap()
    assert end.history[0].loss == pytest.approx(sum(batches) / len(batches), abs=1e-9)


@given(values=losses_by_epoch)
def test_with_validation_the_state_of_the_best_epoch_comes_back(values: list[float]) -> None:
    parts = parts_of(lambda: [1.0], stepwise(values))
    end = run_loop(0, LoopPlan(len(values), 1, None), parts, SILENT).unwrap()
    assert len(end.history) == len(values)
    assert end.best_epoch == end.state == values.index(min(values)) + 1


@given(values=losses_by_epoch, patience=st.integers(1, 5))
def test_with_patience_it_stops_after_so_many_epochs_without_a_better_one(
    values: list[float], patience: int
) -> None:
    parts = parts_of(lambda: [1.0], stepwise(values))
    end = run_loop(0, LoopPlan(len(values), 1, patience), parts, SILENT).unwrap()
    run = values[: len(end.history)]
    assert end.best_epoch == end.state == run.index(min(run)) + 1
    waited = len(run) - end.best_epoch
    assert waited <= patience
    assert waited == patience or len(run) == len(values)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite_stops_the_run(bad: float) -> None:
    epochs: Iterator[list[float]] = iter([[1.0, 1.0], [1.0, bad], [1.0, 1.0]])
    parts = parts_of(lambda: next(epochs))
    issues = run_loop(0, LoopPlan(3, 2, None), parts, SILENT).failure()
    assert tuple(issues) == (LossNotFinite(epoch=2, what="the loss"),)


def test_a_validation_loss_that_is_not_finite_stops_the_run() -> None:
    parts = parts_of(lambda: [1.0], stepwise([1.0, float("nan")]))
    issues = run_loop(0, LoopPlan(2, 1, None), parts, SILENT).failure()
    assert tuple(issues) == (LossNotFinite(epoch=2, what="the validation loss"),)


def test_progress_hears_start_steps_epochs_and_finish() -> None:
    heard = Heard()
    run_loop(0, LoopPlan(2, 2, None), parts_of(lambda: [1.0, 2.0]), heard).unwrap()
    assert heard.words == [
        "start 2 2",
        "step",
        "step",
        "epoch 1",
        "step",
        "step",
        "epoch 2",
        "finish",
    ]


def test_progress_hears_the_end_when_the_run_fails() -> None:
    heard = Heard()
    run_loop(0, LoopPlan(2, 1, None), parts_of(lambda: [float("nan")]), heard).failure()
    assert heard.words == ["start 2 1", "step", "finish"]


def test_an_interrupt_passes_through_and_progress_hears_the_end() -> None:
    def interrupted() -> Sequence[float]:
        raise KeyboardInterrupt

    heard = Heard()
    with pytest.raises(KeyboardInterrupt):
        run_loop(0, LoopPlan(2, 1, None), parts_of(interrupted), heard)
    assert heard.words == ["start 2 1", "finish"]


def test_the_loop_knows_no_backend() -> None:
    script = "import sys, kdtab.shell.loop; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("validate", [None, stepwise([3.0, 2.0, 1.0, 0.5])])
def test_a_state_that_is_done_ends_the_run(validate: Callable[[int], float] | None) -> None:
    parts = replace(parts_of(lambda: [1.0], validate), is_done=lambda state: state == 2)
    heard = Heard()
    end = run_loop(0, LoopPlan(4, 1, None), parts, heard).unwrap()
    assert (end.state, len(end.history), end.best_epoch) == (2, 2, 2)
    assert heard.words[-1] == "finish"
