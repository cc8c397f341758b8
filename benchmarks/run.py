"""Every benchmark, one after the other, and its ratios beside those of the repository.

    python -m benchmarks.run [--quick] [--only step,tables] [--data FOLDER] [--record]

A benchmark is a process of its own, once with one thread and once with two. On a line of its output
it says each ratio: `figure`, a name and a number, between tabs. The recorded ratios, the targets and
which way is better are in `figures.json`. What moved by more than 15 % is named and fails nothing;
only a benchmark that broke ends this with an error. `--record` writes what was measured.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

HERE = Path(__file__).resolve().parent
ROOT, RECORDED, WRITTEN = HERE.parent, HERE / "figures.json", HERE.parent / ".benchmarks"
FIGURE = re.compile(r"figure\t(?P<name>[^\t\n]+)\t(?P<ratio>[-+.e\d]+)")
MOVED = 0.15
PACKAGES = (
    "torch",
    "numpy",
    "polars",
    "scikit-learn",
    "pandas",
    "onnxruntime",
    "lightning",
    "skorch",
    "timm",
    "nvidia-modelopt",
)
THREAD_VARIABLES = (
    "BENCH_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
Direction: TypeAlias = Literal["at least", "at most"]


@dataclass(frozen=True)
class Benchmark:
    """A command, what must be installed for it, and with how many threads it is worth running."""

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    threads: tuple[int, ...] = (1, 2)

    @property
    def missing(self) -> tuple[str, ...]:
        """Peers that are not installed here."""
        return tuple(name for name in self.needs if find_spec(name) is None)


@dataclass(frozen=True)
class Figure:
    """A recorded ratio; a target of None is a figure that nobody promised."""

    ratio: float
    target: float | None = None
    direction: Direction = "at least"
    machine: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the ratio is where the target wants it."""
        if self.target is None:
            return True
        ahead = self.ratio - self.target
        return ahead >= 0 if self.direction == "at least" else ahead <= 0


Figures: TypeAlias = dict[str, Figure]

SCRIPTS = (
    Benchmark("trainers", ("-m", "benchmarks.peers.trainers"), ("lightning", "skorch")),
    Benchmark("loops", ("-m", "benchmarks.peers.loops"), ("timm", "modelopt")),
    Benchmark("timm", ("-m", "benchmarks.peers.timm_task"), ("timm",), (1,)),
    Benchmark("modelopt", ("-m", "benchmarks.peers.modelopt_convert"), ("modelopt",), (1,)),
    Benchmark("memory", ("-m", "benchmarks.memory"), (), (1,)),
    Benchmark(
        "labels", ("-m", "benchmarks.labels", "--megabytes", "50,200", "--formats", "csv"), (), (1,)
    ),
)


def benchmarks(folder: Path = HERE) -> tuple[Benchmark, ...]:
    """Every `test_….py` of the folder, and the scripts."""
    tests = sorted(path for path in folder.glob("test_*.py"))
    pytest = ("-m", "pytest", "-q", "-s", "-x")
    found = [Benchmark(path.stem.removeprefix("test_"), (*pytest, str(path))) for path in tests]
    return (*found, *SCRIPTS)


def chosen(found: Sequence[Benchmark], only: str) -> tuple[Benchmark, ...]:
    """Those that are named, in the order of the folder; all where none is named."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = sorted(set(names) - {one.name for one in found})
    if unknown:
        known = ", ".join(one.name for one in found)
        raise SystemExit(f"no benchmark is named {', '.join(unknown)}: there are {known}")
    return tuple(one for one in found if not names or one.name in names)


def versions() -> str:
    """Of Python and of all sides that are installed."""
    found = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def processor() -> str:
    """The model that the system names, or the kind of processor."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.machine()
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return model[1] if model else platform.machine()


def machine() -> str:
    """Processor, cores and how busy they are, which is asked before a benchmark begins."""
    return f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before"


def figures_of(output: str, benchmark: str, threads: int, facts: str) -> Figures:
    """The ratios that a benchmark said, by their full names."""
    return {
        full_name(benchmark, line["name"], threads): Figure(
            float(f"{float(line['ratio']):.4g}"), machine=facts
        )
        for line in FIGURE.finditer(output)
    }


def full_name(benchmark: str, name: str, threads: int) -> str:
    """A name as figures.json has it."""
    return f"{benchmark}: {name} ({threads} thread{'s' if threads > 1 else ''})"


def environment(threads: int, *, quick: bool) -> Mapping[str, str]:
    """So many threads for every library, and how many rounds."""
    found = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads))
    return found | {"BENCH_ROUNDS": "1" if quick else "5", "PYTHONPATH": str(ROOT)}


def measured(one: Benchmark, threads: int, *, quick: bool) -> Figures | None:
    """The ratios of one run; None where it broke, whose end is then shown."""
    facts = machine()
    tell(f"bench: {one.name}, {threads} thread(s), {facts}")
    run = subprocess.run(
        [sys.executable, *one.command],
        env=environment(threads, quick=quick),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    WRITTEN.mkdir(exist_ok=True)
    (WRITTEN / f"{one.name}-{threads}.log").write_text(run.stdout, encoding="utf-8")
    if run.returncode == 0:
        return figures_of(run.stdout, one.name, threads, facts)
    tell("\n".join(run.stdout.splitlines()[-15:]))
    return None


def with_targets(found: Figures, recorded: Figures) -> Figures:
    """What was measured, with the targets of the repository."""
    return {
        name: replace(one, target=recorded[name].target, direction=recorded[name].direction)
        if name in recorded
        else one
        for name, one in found.items()
    }


def change(now: Figure, before: Figure | None) -> float:
    """By which share of the recorded ratio it moved."""
    return 0.0 if before is None else now.ratio / before.ratio - 1.0


def rows(found: Figures, recorded: Figures) -> Iterator[str]:
    """The table of ratios, then what moved."""
    width = max(len(name) for name in found)
    yield f"{'':{width}} {'ratio':>9} {'target':>15} {'':6} {'recorded':>9}"
    for name, one in found.items():
        target = "" if one.target is None else f"{one.direction} {one.target:g}"
        verdict = "" if one.target is None else "met" if one.is_met else "missed"
        before = f"{recorded[name].ratio:9.3g}" if name in recorded else "new"
        yield f"{name:{width}} {one.ratio:9.3g} {target:>15} {verdict:6} {before:>9}"
    moved = {name: change(one, recorded.get(name)) for name, one in found.items()}
    far = {name: share for name, share in moved.items() if abs(share) > MOVED}
    yield f"\n{len(far)} of {len(found)} moved by more than {MOVED:.0%}"
    for name, share in far.items():
        yield f"  {name}: {share:+.0%}"


def read_figures(path: Path) -> Figures:
    """The figures of a file, none where it is not there."""
    if not path.exists():
        return {}
    return {name: Figure(**one) for name, one in json.loads(path.read_text("utf-8")).items()}


def write_figures(path: Path, figures: Figures) -> None:
    """By name, so that a change is a few lines."""
    path.parent.mkdir(exist_ok=True)
    lines = {name: asdict(figures[name]) for name in sorted(figures)}
    path.write_text(json.dumps(lines, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def tell(line: str) -> None:
    """What is going on; the table alone is for standard output."""
    print(line, file=sys.stderr, flush=True)


def compile_package() -> None:
    """As an installed package is; else each process of ours compiles what the peers have compiled."""
    compileall.compile_dir(ROOT / "src" / "kdtab", quiet=1)


def run_all(wanted: Sequence[Benchmark], *, quick: bool) -> tuple[Figures, list[str], list[str]]:
    """What was measured, what broke, and what was skipped for want of a peer."""
    found: Figures = {}
    broken, skipped = [], []
    for one in wanted:
        if one.missing:
            skipped.append(f"{one.name} (needs {', '.join(one.missing)})")
            continue
        for threads in one.threads[:1] if quick else one.threads:
            figures = measured(one, threads, quick=quick)
            found |= figures or {}
            broken += [f"{one.name} with {threads} thread(s)"] if figures is None else []
    return found, broken, skipped


def main() -> None:
    """Run, compare, write; end with an error where a benchmark broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, one thread")
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--data", help="folder with index.json, for the tables of results.py")
    parser.add_argument("--record", action="store_true", help="write benchmarks/figures.json")
    given = parser.parse_args()
    compile_package()
    wanted, recorded = chosen(benchmarks(), given.only), read_figures(RECORDED)
    measured_now, broken, skipped = run_all(wanted, quick=given.quick)
    found = with_targets(measured_now, recorded)
    print(f"{machine()}\n{versions()}\n", *rows(found, recorded), sep="\n") if found else None
    write_figures(WRITTEN / "figures.json", found)
    if given.record:
        write_figures(RECORDED, recorded | found)
    if given.data:
        seeds = ("--seeds", "0") if given.quick else ()
        command = [sys.executable, "benchmarks/results.py", "--data", given.data, *seeds]
        broken += ["results"] if subprocess.run(command, cwd=ROOT, check=False).returncode else []
    for name in skipped:
        tell(f"bench: skipped {name}")
    for name in broken:
        tell(f"bench: broken: {name}")
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    main()
