"""What a process costs before and beside its work: `kdtab` against `import torch` alone.

Every run is a fresh interpreter; sides take turns, so that a busy machine burdens all alike,
and the processor's time is what counts. Run: `python -m pytest benchmarks/test_startup.py -s`.
"""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import kdtab

ROUNDS, ROWS, SEED = int(os.environ.get("BENCH_ROUNDS", "7")), 1_000, 3
KDTAB = (sys.executable, "-m", "kdtab")
Commands = Mapping[str, Sequence[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand rows of 14 mixed columns, and a student of 2×64 that knows them."""
    place, random = tmp_path_factory.mktemp("startup"), np.random.default_rng(SEED)
    frame = pl.DataFrame(
        {f"number_{at}": random.normal(size=ROWS).round(3) for at in range(6)}
        | {f"kind_{at}": [f"v{code}" for code in random.integers(0, 9, ROWS)] for at in range(8)}
        | {"y": np.where(random.random(ROWS) < 0.5, "yes", "no")}
    )
    frame.write_csv(place / "rows.csv")
    config = kdtab.TrainingConfig(target_column="y", hidden_dim=64, epochs=1, batch_size=100)
    model = kdtab.train_model(frame, config, device="cpu").unwrap().bundle
    kdtab.save_bundle(model, place / "student.kdtab")
    return place


def seconds(command: Sequence[str], folder: Path) -> float:
    begin = seconds_of_children()
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return seconds_of_children() - begin


def seconds_of_children() -> float:
    """Of the processor, for all processes that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def medians(commands: Commands, folder: Path) -> dict[str, float]:
    """Median seconds of each command, all of them once in every round, after one to warm up."""
    times = [
        {name: seconds(command, folder) for name, command in commands.items()}
        for _ in range(ROUNDS + 1)
    ]
    return {name: float(np.median([found[name] for found in times[1:]])) for name in commands}


def test_a_process_that_predicts_ends_before_torch_is_imported(folder: Path) -> None:
    commands: Commands = {
        "python": (sys.executable, "-c", ""),
        "import torch": (sys.executable, "-c", "import torch"),
        "import kdtab": (sys.executable, "-c", "import kdtab"),
        "kdtab --help": (*KDTAB, "--help"),
        "kdtab predict": (*KDTAB, "predict", "rows.csv", "-m", "student.kdtab", "-o", "out.csv"),
    }
    found = medians(commands, folder)
    print(f"\n{platform.machine()}, {os.cpu_count()} processors, {ROUNDS} rounds")
    for name, spent in found.items():
        print(f"  {name:14} {1e3 * spent:8.1f} ms, {spent / found['import torch']:6.3f} of torch")
    predicted = pl.read_csv(folder / "out.csv")["prediction"].to_list()
    rows = pl.read_csv(folder / "rows.csv").to_dicts()
    assert predicted == kdtab.Predictor.load(folder / "student.kdtab").predict_rows(rows)
    bare, torch = found["python"], found["import torch"]
    print(f"figure\timport kdtab / import torch\t{(found['import kdtab'] - bare) / (torch - bare)}")
    print(f"figure\tkdtab --help, seconds\t{found['kdtab --help']}")
    print(f"figure\tkdtab predict of 1,000 rows / import torch\t{found['kdtab predict'] / torch}")
