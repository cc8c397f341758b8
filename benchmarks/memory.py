"""Peak memory of training and distilling: libraries, the table, and so many times the matrix.

Each figure comes of a process of its own. The floor is a process that does the same with a table of
a few rows: what Python, the libraries and their pools take before there is work. Run:
`python -m benchmarks.memory [--rows 300000] [--columns 50]`.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from benchmarks.processes import spent

from kdtab.config.training import TrainingConfig
from kdtab.recipes.distill import distill_student
from kdtab.recipes.train import train_model

SEED, FLOOR_ROWS = 5, 2_000
MEBIBYTE = 2**20


def write_table(path: Path, rows: int, columns: int) -> None:
    """Numeric columns and a label of two classes."""
    random = np.random.default_rng(SEED)
    matrix = random.standard_normal((rows, columns))
    label = np.where(matrix[:, :3].sum(axis=1) + random.standard_normal(rows) > 0, "yes", "no")
    names = [f"x{at}" for at in range(columns)]
    pl.DataFrame(matrix, schema=names).with_columns(y=pl.Series(label)).write_parquet(path)


def job(path: Path) -> None:
    """What is measured: train, then distil."""
    frame = pl.read_parquet(path)
    config = TrainingConfig(target_column="y", epochs=1, batch_size=256)
    trained = train_model(frame, config, device="cpu").unwrap()
    distill_student(frame, trained.bundle, config, device="cpu").unwrap()


def measured(path: Path) -> tuple[float, float]:
    """MiB at the peak of a process that does the job, and of its frame."""
    found = spent([sys.executable, "-m", "benchmarks.memory", "--job", path])
    return found.mebibytes, pl.read_parquet(path).estimated_size() / MEBIBYTE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--job", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.job:
        job(given.job)
        return
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.parquet"), Path(folder, "large.parquet")
        write_table(small, FLOOR_ROWS, given.columns)
        write_table(large, given.rows, given.columns)
        floor, _ = measured(small)
        peak, frame = measured(large)
    matrix = given.rows * given.columns * 4 / MEBIBYTE
    matrices = (peak - floor - frame) / matrix
    print(f"{platform.machine()}, {given.rows:,} rows of {given.columns} columns")
    print(f"floor {floor:.0f} MiB, frame {frame:.0f} MiB, float32 matrix {matrix:.0f} MiB")
    print(f"peak {peak:.0f} MiB = floor + frame + {matrices:.2f} matrices")
    print(f"figure\tpeak above floor and frame / float32 matrix\t{matrices}")


if __name__ == "__main__":
    main()
