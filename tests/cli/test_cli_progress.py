"""The bar and the plain lines."""

from __future__ import annotations

import io

import pytest

from kdtab.cli import progress as module
from kdtab.cli.progress import BarProgress, LineProgress, shown_progress
from kdtab.shell.progress import SILENT, EpochRecord, Progress


def run(progress: Progress, epochs: int, steps: int = 2) -> None:
    progress.start(epochs=epochs, steps_per_epoch=steps)
    for epoch in range(1, epochs + 1):
        for _ in range(steps):
            progress.step()
        progress.epoch(EpochRecord(epoch, {"loss": 1 / epoch}, 0.5 if epoch == epochs else None))
    progress.finish()


def test_lines_come_for_the_first_epoch_and_each_tenth() -> None:
    stream = io.StringIO()
    run(LineProgress("training", stream), epochs=100)
    epochs = [line.split("/")[0] for line in stream.getvalue().splitlines()]
    assert epochs == [f"training: epoch {epoch}" for epoch in (1, *range(11, 100, 10), 100)]
    assert "validation 0.5000" in stream.getvalue().splitlines()[-1]


def test_a_long_epoch_is_told_by_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000))
    monkeypatch.setattr(module, "perf_counter", lambda: float(next(clock)))
    stream = io.StringIO()
    lines = LineProgress("training", stream)
    lines.start(epochs=3, steps_per_epoch=1_000)
    for _ in range(1_400):
        lines.step()
    said = stream.getvalue().splitlines()
    assert said[0].startswith("training: epoch 1/3, step ")
    assert said[-1].startswith("training: epoch 2/3, step ")
    assert all(line.endswith(" steps/s") for line in said)


def test_the_bar_shows_epoch_and_loss_and_vanishes() -> None:
    stream = io.StringIO()
    bar = BarProgress("training", stream)
    bar.start(epochs=2, steps_per_epoch=1)
    bar.epoch(EpochRecord(1, {"loss": 0.25}, None))
    assert bar._bar is not None
    bar._bar.refresh()
    assert "training: epoch 2/2, loss 0.2500 |" in stream.getvalue()
    bar.finish()
    assert stream.getvalue().split("\r")[-2].strip() == ""


def test_quiet_is_silent() -> None:
    assert shown_progress("training", quiet=True) is SILENT
