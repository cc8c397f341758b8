"""HDF5 files that would do harm: each refused, by name, before a number of it is read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from returns.result import Success

import mutation_driver
from kdtab.config.sequences import TrajectoryRequest
from kdtab.disk import hdf5process
from kdtab.disk.hdf5 import held_hdf5, opened_hdf5
from kdtab.disk.trajectoryreport import trajectory_report
from kdtab.errors.extras import ExtraMissing
from kdtab.errors.issue import explain
from kdtab.errors.tables import FileMissing, PathIsFolder, PathNotRegular
from kdtab.errors.trajectories import (
    TrajectoryFileBroken,
    TrajectoryFileForeign,
    TrajectoryFileRefused,
)
from kdtab.teachers.trajectories import generate_trajectories
from trajectory_cases import ATTACKS, LeakyTeacher, mutated, random_series, write_trajectories

TYPED = (TrajectoryFileForeign, TrajectoryFileRefused, TrajectoryFileBroken)
MUTATIONS = 200
BY_THE_WHOLE_WAY = 5


@pytest.mark.parametrize("found", ATTACKS, ids=str.strip)
def test_an_attack_is_refused_by_name(tmp_path: Path, found: str) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        ATTACKS[found](file)
    with opened_hdf5(path) as opened:
        issue = opened.failure().first
    assert isinstance(issue, TrajectoryFileRefused)
    assert issue.found.startswith(found.strip())
    assert "fixed-length strings" in explain(issue)


def test_an_attack_ends_generation_and_report_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        ATTACKS["is an external link"](file)
    target = tmp_path / "d.hdf5"
    generated = generate_trajectories(path, LeakyTeacher(), target, TrajectoryRequest())
    assert isinstance(generated.failure().first, TrajectoryFileRefused)
    assert isinstance(trajectory_report(path).failure().first, TrajectoryFileRefused)
    assert not target.exists()


def test_fixed_length_strings_are_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["train/data"] = random_series(3)
        file["train"].attrs["unit"] = np.bytes_(b"volt")
        file["names"] = np.array([b"one", b"two"])
    with opened_hdf5(path) as opened:
        assert list(opened.unwrap().arrays) == ["/train/data"]


def test_two_names_of_one_array_are_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["train/data"] = random_series(3)
        file["train/again"] = file["train/data"]
        file["train/around"] = file["train"]
    with opened_hdf5(path) as opened:
        assert len(opened.unwrap().arrays) == 1


def test_what_is_no_hdf5_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(b"age,income\n")
    with opened_hdf5(path) as opened:
        issue = opened.failure().first
    assert issue == TrajectoryFileForeign(
        path=str(path), found="a text file (a table, JSON or a script)"
    )


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.h5"
    os.mkfifo(pipe)
    kinds = {tmp_path / "no.h5": FileMissing, tmp_path: PathIsFolder, pipe: PathNotRegular}
    for path, kind in kinds.items():
        with opened_hdf5(path) as opened:
            assert isinstance(opened.failure().first, kind)


def test_without_the_library_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_trajectories(tmp_path / "a.h5")
    monkeypatch.setattr("kdtab.disk.hdf5.find_spec", lambda _: None)
    with opened_hdf5(path) as opened:
        issue = opened.failure().first
    assert issue == ExtraMissing(extra="sequences", package="h5py")
    assert "pip install 'kdtab[sequences]'" in explain(issue)


def test_two_hundred_damaged_files_end_in_answers(tmp_path: Path) -> None:
    path = write_trajectories(tmp_path / "a.h5")
    run = subprocess.run(
        [sys.executable, mutation_driver.__file__, str(path), "0", str(MUTATIONS)],
        env={**os.environ, "PYTHONPATH": str(Path(mutation_driver.__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    ends = [json.loads(line) for line in run.stdout.splitlines()]
    assert [end["number"] for end in ends] == list(range(MUTATIONS))
    # A death by a signal is an answer too (see below); an error of our own is none.
    assert {end["code"] for end in ends if end["code"] > 0} == set()
    said = [json.loads(end["said"]) for end in ends if end["code"] == 0]
    assert {"arrays", "broken"} <= {key for answer in said for key in answer}
    assert {key for answer in said for key in answer} <= {
        "arrays",
        "record",
        "refused",
        "place",
        "broken",
    }


def test_damaged_files_are_typed_errors_by_the_whole_way(tmp_path: Path) -> None:
    whole = write_trajectories(tmp_path / "a.h5").read_bytes()
    damaged = tmp_path / "damaged.h5"
    for number in range(1_000, 1_000 + BY_THE_WHOLE_WAY):
        damaged.write_bytes(mutated(whole, number))
        report = trajectory_report(damaged)
        if not isinstance(report, Success):
            assert isinstance(report.failure().first, TYPED)


def test_a_worker_that_dies_is_a_typed_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_trajectories(tmp_path / "a.h5")
    monkeypatch.setattr(hdf5process, "WORKER", "no_such_worker")
    with opened_hdf5(path) as opened:
        issue = opened.failure().first
    reason = "the HDF5 library broke down over it"
    assert issue == TrajectoryFileBroken(path=str(path), reason=reason)


def test_a_worker_that_says_nothing_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_trajectories(tmp_path / "a.h5")
    monkeypatch.setattr(hdf5process, "WORKER", "unanswering_worker")
    monkeypatch.setattr(hdf5process, "WALL_SECONDS", 0.05)
    with opened_hdf5(path) as opened:
        issue = opened.failure().first
    reason = "the HDF5 library did not come back from it"
    assert issue == TrajectoryFileBroken(path=str(path), reason=reason)


def test_a_worker_that_computes_for_ever_is_ended_by_the_system() -> None:
    script = (
        "from kdtab.disk.hdf5worker import bound_resources\n"
        "bound_resources(cpu_seconds=1)\nwhile True: pass"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGXCPU


def test_a_worker_that_wants_all_memory_gets_an_error() -> None:
    script = (
        "from kdtab.disk.hdf5worker import bound_resources\nimport numpy as np\n"
        "bound_resources(memory_bytes=2**30)\nnp.ones(2**29)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert b"Unable to allocate" in run.stderr


def test_a_held_file_answers_until_it_is_let_go(tmp_path: Path) -> None:
    path = write_trajectories(tmp_path / "a.h5")
    file = held_hdf5(path).unwrap()
    places = np.array([4, 0, 1, 1])
    read = file.rows("/train/data", places, "<f8").unwrap()
    assert np.array_equal(read, random_series(6).astype(np.float32)[places])
    process = file._process
    assert process is not None
    del file, read
    assert process._process.poll() is not None
