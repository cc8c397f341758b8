"""Students against their teachers on many tables: every case, then the page.

    python -m benchmarks.quality --data FOLDER [--work FOLDER] [--quick] [--tables letter,wine]
                                 [--seeds 0,1,2,3,4] [--processes 2] [--page docs/results.md]

FOLDER holds tables and an `index.json`, as for `benchmarks/results.py`; scikit-learn's own are added.
Each table and seed is a process of its own with one thread. What is measured is kept in the work folder
and is not measured again: a run that was broken off goes on where it was. Tables, losses and targets
are printed as Markdown; with `--page` they are written between the marks of that page, and the figures
beside it.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import torch
from benchmarks.quality.findings import Findings, findings
from benchmarks.quality.page import put_section, section
from benchmarks.quality.pictures import write_pictures
from benchmarks.quality.records import TEACHER, Case, WorkFolder
from benchmarks.quality.sources import sources
from benchmarks.quality.students import ladder
from benchmarks.quality.work import MOST_TRAINING_ROWS
from benchmarks.run import ROOT, WRITTEN, processor, tell

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "POLARS_MAX_THREADS": "1",
    "LOKY_MAX_CPU_COUNT": "1",
}
SEEDS, QUICK_SEEDS = (0, 1, 2, 3, 4), (0, 1)
QUICK_ROWS = 3_000


def cases(names: Sequence[str], seeds: Sequence[int]) -> Iterator[Case]:
    """Seed by seed, so that a run that is broken off has measured every table alike."""
    for seed in seeds:
        for name in names:
            yield Case(name, seed)


def is_done(folder: WorkFolder, case: Case) -> bool:
    """Whether every model of a case is measured."""
    models = {TEACHER, *(name for rung in ladder() for name in rung.measured)}
    return models <= set(folder.done(case))


def run_case(case: Case, given: argparse.Namespace) -> bool:
    """One case in a process of its own; its last words where it fails."""
    return is_done(WorkFolder(given.work), case) or ran_alone("quality", "work", case, given)


def ran_alone(
    what: str, module: str, case: Case, given: argparse.Namespace, *options: str, **settings: str
) -> bool:
    """A module of the protocol on one case, in a process with one thread."""
    began = perf_counter()
    data = [] if given.data is None else ["--data", str(given.data)]
    command = [sys.executable, "-m", f"benchmarks.quality.{module}", str(given.work), case.table]
    ended = subprocess.run(
        [*command, str(case.seed), "--rows", str(given.rows), *options, *data],
        env=os.environ | ONE_THREAD | {"PYTHONPATH": str(ROOT)} | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    tell(f"{what}: {case.stem}, {perf_counter() - began:.0f} s")
    if ended.returncode:
        tell("\n".join(ended.stderr.splitlines()[-15:]))
    return ended.returncode == 0


def page_facts(found: Findings, seconds: float) -> str:
    """Where and how long; the seconds of all models are those of their own processes."""
    spent = sum(one.seconds for one in found.measured)
    return (
        f"Python {platform.python_version()}, torch {torch.__version__}, {processor()}, one thread for "
        f"each model; {spent / 60:,.0f} minutes of one core for all of them, this run "
        f"{seconds / 60:,.0f} minutes."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing, then say what it comes to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with index.json")
    parser.add_argument("--work", type=Path, default=WRITTEN / "quality")
    parser.add_argument(
        "--quick", action="store_true", help=f"two seeds, {QUICK_ROWS:,} training rows at most"
    )
    parser.add_argument("--seeds", default="")
    parser.add_argument("--tables", default="", help="names, separated by commas; all by default")
    parser.add_argument("--rows", type=int, help="training rows of a table, at most")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--page", type=Path, help="Markdown with the marks, such as docs/results.md"
    )
    given = parser.parse_args(arguments)
    given.rows = given.rows or (QUICK_ROWS if given.quick else MOST_TRAINING_ROWS)
    seeds = [int(text) for text in given.seeds.split(",") if text] or list(
        QUICK_SEEDS if given.quick else SEEDS
    )
    names = [name for name in given.tables.split(",") if name]
    wanted = list(cases([one.name for one in sources(given.data, names)], seeds))
    began = perf_counter()
    with ThreadPoolExecutor(given.processes) as workers:
        ended = list(workers.map(lambda case: run_case(case, given), wanted))
    found = findings(WorkFolder(given.work), seeds)
    facts = page_facts(found, perf_counter() - began)
    print(section(found, facts))
    if given.page is not None:
        pictures = given.page.parent / "figures"
        write_pictures(found, pictures)
        put_section(given.page, section(found, facts, pictures.name))
    tell(f"quality: {perf_counter() - began:.0f} s in all, {ended.count(False)} cases failed")
    return 0 if all(ended) else 1


if __name__ == "__main__":
    sys.exit(main())
