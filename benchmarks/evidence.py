"""What a student keeps of its teacher, from the table to the page, with one command for each case.

    python -m benchmarks.evidence --data DIR --out FOLDER [--tables adult,letter] [--teachers forest]
                                  [--labels auto,in_sample] [--seeds 42]

DIR holds tables and an `index.json` as in `results.py`. For each table, teacher, way of labelling and
seed, `kdtab distill TABLE --target … --teacher … --report PAGE` runs in a process of its own with
default settings. FOLDER keeps each page and its numbers; a case that is there already is not run
again. At the end the gains are printed side by side as the table of docs/results.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.results import TableEntry, table_entries

from kdtab.config.columns import DEFAULT_MISSING_MARKERS

TABLES = (
    "telco_churn,mammography,letter,dry_bean,california_housing,seoul_bike,air_quality,movies,adult"
)


@dataclass(frozen=True)
class Case:
    """One command: a table, a teacher, how the rows are labelled, a seed."""

    entry: TableEntry
    teacher: str
    labels: str
    seed: int

    @property
    def stem(self) -> str:
        """The name of its files."""
        return f"{self.entry.name}-{self.teacher}-{self.labels}-{self.seed}"

    def command(self, folder: Path) -> list[str]:
        """The shortest road, with what the index says of the table's columns."""
        columns = self.entry.columns
        markers = [text for text in columns.missing_markers if text not in DEFAULT_MISSING_MARKERS]
        return [
            *(sys.executable, "-m", "kdtab", "distill", str(self.entry.path), "--json"),
            *("--target", self.entry.target, "--teacher", self.teacher, "--labels", self.labels),
            *("--random-seed", str(self.seed)),
            *("--report", str(folder / f"{self.stem}.html")),
            *("-o", str(folder / f"{self.stem}.kdtab")),
            *(part for name in columns.exclude_columns for part in ("--exclude", name)),
            *(part for name in columns.date_columns for part in ("--date-column", name)),
            *(f"--missing-marker={text}" for text in markers),
        ]


def cases(options: argparse.Namespace) -> Iterator[Case]:
    entries = table_entries(options.data, options.tables.split(","))
    teachers, labels = options.teachers.split(","), options.labels.split(",")
    seeds = [int(seed) for seed in options.seeds.split(",")]
    for entry, seed, teacher, way in product(entries, seeds, teachers, labels):
        yield Case(entry, teacher, way, seed)


def measured(case: Case, folder: Path) -> dict[str, Any] | None:
    """The numbers of a case, from its file or from a run."""
    found = folder / f"{case.stem}.json"
    if not found.exists():
        begin = perf_counter()
        ended = subprocess.run(case.command(folder), capture_output=True, text=True, check=False)
        if ended.returncode:
            print(f"{case.stem}: exit {ended.returncode}\n{ended.stderr}", file=sys.stderr)
            return None
        numbers = {**json.loads(ended.stdout), "wall_seconds": perf_counter() - begin}
        found.write_text(json.dumps(numbers), encoding="utf-8")
    numbers = json.loads(found.read_text(encoding="utf-8"))
    print(f"{case.stem}: {gain_text(numbers)} in {numbers['wall_seconds']:.0f} s", file=sys.stderr)
    return dict(numbers)


def gain_text(numbers: dict[str, Any]) -> str:
    """The gain retained with its interval, or why there is none."""
    gain = numbers["report"]["gain"]
    if gain is None or gain["kind"] != "retained":
        lead = gain["lead_interval"] if gain else None
        return "no lead" if lead is None else f"no lead [{lead['low']:.4f}, {lead['high']:.4f}]"
    interval = gain["interval"]
    return f"{gain['value']:.2f} [{interval['low']:.2f}, {interval['high']:.2f}]"


def losses_text(numbers: dict[str, Any]) -> str:
    """Teacher, student and scratch student: log loss, or MSE of the scaled target."""
    models = {model["role"]: model["quality"] for model in numbers["report"]["models"]}
    return ", ".join(
        f"{role} {_loss(models[role]):.4f}" for role in ("teacher", "student", "scratch")
    )


def _loss(quality: dict[str, Any]) -> float:
    measure = quality.get("log_loss") or quality["rmse"]
    return float(measure["value"])


def print_table(found: dict[Case, dict[str, Any]]) -> None:
    """One line for each table, teacher and seed, the ways of labelling side by side."""
    ways = list(dict.fromkeys(case.labels for case in found))
    print(
        "| table | teacher | seed | " + " | ".join(f"{way}: gain retained" for way in ways) + " |"
    )
    print("|---|---|---|" + "---|" * len(ways))
    keys = dict.fromkeys((case.entry.name, case.teacher, case.seed) for case in found)
    by_key = {(c.entry.name, c.teacher, c.seed, c.labels): numbers for c, numbers in found.items()}
    for key in keys:
        cells = [by_key.get((*key, way)) for way in ways]
        texts = [
            "failed" if cell is None else f"{gain_text(cell)}; {losses_text(cell)}"
            for cell in cells
        ]
        print("| " + " | ".join([*map(str, key), *texts]) + " |")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tables", default=TABLES)
    parser.add_argument("--teachers", default="forest,boosted,ensemble")
    parser.add_argument("--labels", default="auto,in_sample")
    parser.add_argument("--seeds", default="42")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    results = {case: measured(case, options.out) for case in cases(options)}
    print_table({case: numbers for case, numbers in results.items() if numbers is not None})
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
