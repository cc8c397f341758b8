"""Peak memory of `kdtab label` on tables of two sizes: it must not grow with the table.

Run: python -m benchmarks.labels [--megabytes 200,800] [--formats csv,parquet] [--folder DIR]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from benchmarks.processes import spent

import kdtab
from kdtab.disk.labels import read_labels

ROWS_AT_ONCE = 100_000
MOST_GROWTH = 1.25
MOST_BYTES = 1.2e9


@dataclass(frozen=True)
class Labelled:
    """One table labelled in a process of its own."""

    table_bytes: int
    rows: int
    seconds: float
    peak_bytes: int

    def line(self, kind: str) -> str:
        """The figures as one line of a table."""
        return (
            f"{kind:8} {self.table_bytes / 1e6:9,.0f} MB {self.rows:12,} rows "
            f"{self.seconds:8.1f} s {self.rows / self.seconds:10,.0f} rows/s "
            f"{self.peak_bytes / 1e6:8,.0f} MB peak"
        )


def rows_of_customers(first: int, count: int) -> pl.DataFrame:
    """Rows of 16 numbers, a place, a note with quotes and commas, an id and a label."""
    draw = np.random.default_rng(first)
    numbers = {f"x{at}": draw.normal(size=count) for at in range(16)}
    notes = np.array(["plain", "a, b", 'said "no"', ""])[draw.integers(0, 4, count)]
    return pl.DataFrame(
        {"id": np.arange(first, first + count)}
        | numbers
        | {
            "place": np.array(["Ulm", "Bern", "Oslo", "Rome"])[draw.integers(0, 4, count)],
            "note": notes,
            "label": np.where(numbers["x0"] + numbers["x1"] > 0, "yes", "no"),
        }
    )


def write_csv(path: Path, megabytes: int) -> int:
    """Write rows until the file is as large as that; how many there are."""
    rows = 0
    with path.open("wb") as file:
        while file.tell() < megabytes * 1e6:
            rows_of_customers(rows, ROWS_AT_ONCE).write_csv(file, include_header=rows == 0)
            rows += ROWS_AT_ONCE
    return rows


def tables(folder: Path, kind: str, megabytes: list[int]) -> Iterator[Path]:
    """One table of each size; each is deleted when the next is asked for."""
    for size in megabytes:
        path = folder / f"table{size}.{kind}"
        source = folder / f"table{size}.csv"
        write_csv(source, size)
        if kind == "parquet":
            pl.scan_csv(source).sink_parquet(path, compression="uncompressed")
            source.unlink()
        yield path
        path.unlink()


def labelled(table: Path, teacher: Path) -> Labelled:
    """Label a table with the command, and measure its process."""
    folder = table.with_suffix(".labels")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "kdtab",
        "label",
        table,
        "-t",
        teacher,
        "-o",
        folder,
        "--quiet",
    ]
    found = spent(command)
    rows = read_labels(folder).unwrap().ledger.rows or 0
    assert rows == pl.scan_parquet(folder / "part-*.parquet").select(pl.len()).collect().item()
    return Labelled(table.stat().st_size, rows, found.wall, round(found.mebibytes * 2**20))


def saved_teacher(folder: Path) -> Path:
    """A small network of the first rows."""
    frame = rows_of_customers(0, 2_000)
    columns = kdtab.ColumnOptions(exclude_columns=("id",))
    config = kdtab.TrainingConfig(target_column="label", epochs=2)
    model = kdtab.train_model(frame, config, columns=columns, device="cpu").unwrap()
    kdtab.save_bundle(model.bundle, folder / "teacher.kdtab")
    return folder / "teacher.kdtab"


def main() -> None:
    """Print the figures of every table; end with an error where memory grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", default="200,800")
    parser.add_argument("--formats", default="csv,parquet")
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    sizes = sorted(int(size) for size in given.megabytes.split(","))
    for kind in given.formats.split(","):
        with tempfile.TemporaryDirectory(dir=given.folder) as place:
            teacher = saved_teacher(Path(place))
            peaks = []
            for table in tables(Path(place), kind, sizes):
                found = labelled(table, teacher)
                sys.stdout.write(found.line(kind) + "\n")
                sys.stdout.flush()
                peaks.append(found.peak_bytes)
        sys.stdout.write(
            f"figure\tpeak, largest table / smallest, {kind}\t{peaks[-1] / peaks[0]}\n"
        )
        assert peaks[-1] <= MOST_GROWTH * peaks[0], "memory grows with the table"
        assert peaks[-1] <= MOST_BYTES, "more memory than promised"


if __name__ == "__main__":
    main()
