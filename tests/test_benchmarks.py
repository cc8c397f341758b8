"""The harness of the benchmarks: what is read, compared, written, and what ends it with an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import run
from benchmarks.processes import spent
from benchmarks.run import Benchmark, Figure

SAYS = "print('warming up\\n.figure\\tpeer / kdtab, cpu\\t{ratio}')"


def says(ratio: object, *, code: int = 0) -> Benchmark:
    """A benchmark that says a ratio and ends with a code."""
    program = SAYS.format(ratio=ratio) + f"; raise SystemExit({code})"
    return Benchmark("made", ("-c", program), (), (1, 2))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the harness writes, instead of the repository."""
    monkeypatch.setattr(run, "WRITTEN", tmp_path / "written")
    monkeypatch.setattr(run, "RECORDED", tmp_path / "figures.json")
    monkeypatch.setattr(run, "SCRIPTS", ())
    monkeypatch.setattr(run, "HERE", tmp_path)
    return tmp_path


def answer(
    monkeypatch: pytest.MonkeyPatch, benchmarks: tuple[Benchmark, ...], *options: str
) -> int:
    """The exit status of the command with these benchmarks."""
    monkeypatch.setattr(run, "benchmarks", lambda: benchmarks)
    monkeypatch.setattr(sys, "argv", ["run", *options])
    with pytest.raises(SystemExit) as end:
        run.main()
    return int(end.value.code or 0)


def test_a_ratio_is_read_wherever_a_line_says_it() -> None:
    said = "noise\n..figure\ta / b, cpu\t2.5e-01\nfigure\tc\t-3\nfigure of speech\t1\n"
    found = run.figures_of(said, "step", 2, "a machine")
    assert found == {
        "step: a / b, cpu (2 threads)": Figure(0.25, machine="a machine"),
        "step: c (2 threads)": Figure(-3.0, machine="a machine"),
    }


@pytest.mark.parametrize(
    ("ratio", "direction", "is_met"),
    [(3.0, "at least", True), (2.9, "at least", False), (3.0, "at most", True), (3.1, "at most", False)],
)  # fmt: skip
def test_a_target_says_which_way_is_better(
    ratio: float, direction: run.Direction, is_met: bool
) -> None:
    assert Figure(ratio, 3.0, direction).is_met is is_met
    assert Figure(ratio, None, direction).is_met


def test_what_moved_far_is_named_whichever_way_and_fails_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {
        "made: peer / kdtab, cpu (1 thread)": Figure(2.0, 3.0, "at least", "then"),
        "made: peer / kdtab, cpu (2 threads)": Figure(3.6, 3.0, "at least", "then"),
    }
    run.write_figures(folder / "figures.json", before)
    assert answer(monkeypatch, (says(3.2),)) == 0
    told = capsys.readouterr().out
    assert "1 of 2 moved by more than 15%" in told
    assert "  made: peer / kdtab, cpu (1 thread): +60%" in told
    assert "(2 threads): -" not in told
    assert "at least 3 met" in told
    assert run.read_figures(folder / "figures.json") == before


def test_recording_keeps_targets_and_what_was_not_measured(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, other = "made: peer / kdtab, cpu (1 thread)", "other: figure (1 thread)"
    before = {name: Figure(9.0, 3.0, "at most", "then"), other: Figure(1.0, 1.0, "at most", "then")}
    run.write_figures(folder / "figures.json", before)
    assert answer(monkeypatch, (says(3.2),), "--quick", "--record") == 0
    after = run.read_figures(folder / "figures.json")
    assert after[other] == before[other]
    assert (after[name].ratio, after[name].target, after[name].direction) == (3.2, 3.0, "at most")
    assert "load" in after[name].machine
    assert (
        json.loads((folder / "written" / "figures.json").read_text("utf-8"))[name]["ratio"] == 3.2
    )


def test_only_a_benchmark_that_broke_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = (says(3.2, code=1), Benchmark("lonely", ("-c", ""), ("no_such_peer",)))
    assert answer(monkeypatch, wanted, "--quick", "--record") == 1
    told = capsys.readouterr()
    assert "bench: broken: made with 1 thread(s)" in told.err
    assert "bench: skipped lonely (needs no_such_peer)" in told.err
    assert run.read_figures(folder / "figures.json") == {}


def test_a_name_that_no_benchmark_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(SystemExit, match=r"^no benchmark is named stepp: there are .*step"):
        run.chosen(run.benchmarks(), "step,stepp")
    assert [one.name for one in run.chosen(run.benchmarks(), "memory, step")] == ["step", "memory"]


def test_every_test_of_the_folder_is_a_benchmark() -> None:
    names = {one.name for one in run.benchmarks()}
    assert {path.stem for path in run.HERE.glob("test_*.py")} == {
        f"test_{name}" for name in names if (run.HERE / f"test_{name}.py").exists()
    }
    assert len(names) == len(run.benchmarks())


def test_recorded_figures_are_of_benchmarks_that_exist() -> None:
    names = {one.name for one in run.benchmarks()}
    recorded = run.read_figures(run.RECORDED)
    assert {name.partition(":")[0] for name in recorded} <= names
    assert all(figure.machine for figure in recorded.values())


def test_a_benchmark_hears_of_threads_and_rounds() -> None:
    told = run.environment(2, quick=True)
    assert {told[name] for name in run.THREAD_VARIABLES} == {"2"}
    assert (told["BENCH_ROUNDS"], run.environment(1, quick=False)["BENCH_ROUNDS"]) == ("1", "5")


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="a peak of memory is told by Unix alone")
def test_the_peak_of_a_process_is_its_own_and_not_that_of_its_parent() -> None:
    block = bytearray(400_000_000)
    block[::4_096] = b"x" * len(block[::4_096])
    assert spent([sys.executable, "-S", "-c", ""]).mebibytes < 100
    assert spent([sys.executable, "-S", "-c", "b'x' * 150_000_000"]).mebibytes > 140
    del block


def test_a_process_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(AssertionError, match="no such luck"):
        spent([sys.executable, "-S", "-c", "raise SystemExit('no such luck')"])


def test_the_command_needs_nothing_but_python() -> None:
    asked = subprocess.run(
        [sys.executable, "-S", "-m", "benchmarks.run", "--help"],
        cwd=run.ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    assert "--record" in asked.stdout
