"""Killed at any moment, a run goes on and ends in the same bytes; a half file never has the name."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from returns.result import Success

import trajectory_cases
from kdtab.config.base import revise
from kdtab.disk.trajectories import read_trajectories
from kdtab.errors.tables import DiskFull
from kdtab.teachers.trajectories import generate_trajectories
from trajectory_cases import REQUEST, LeakyTeacher, random_series, write_source

BATCHES = 14


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path / "s.h5", train=random_series(53), val=random_series(13, seed=1))


def whole(source: Path) -> bytes:
    """The file of a run that nothing disturbed."""
    target = source.with_name("whole.hdf5")
    generate_trajectories(source, LeakyTeacher(), target, REQUEST).unwrap()
    return target.read_bytes()


def started(source: Path, target: Path, seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, trajectory_cases.__file__, str(source), str(target), str(seconds)],
        env={**os.environ, "PYTHONPATH": str(Path(trajectory_cases.__file__).parent)},
    )


def kill_at_random(source: Path, target: Path, times: int, draw: random.Random) -> None:
    """Let each process write some part more, and kill it there."""
    for _ in range(times):
        folder = target.with_name(f"{target.name}.parts")
        seen = len(list(folder.glob("*.safetensors")))
        process = started(source, target, 0.05)
        while process.poll() is None and len(list(folder.glob("*.safetensors"))) <= seen:
            time.sleep(0.002)
        time.sleep(draw.uniform(0, 0.05))
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
        assert not target.exists() or isinstance(read_trajectories(target), Success)


def test_killed_three_times_it_ends_in_the_same_bytes(source: Path) -> None:
    target = source.with_name("killed.hdf5")
    kill_at_random(source, target, 3, random.Random(0))
    assert not target.exists()
    teacher = LeakyTeacher()
    generate_trajectories(source, teacher, target, REQUEST).unwrap()
    assert len(teacher.asked) <= BATCHES - 3
    assert target.read_bytes() == whole(source)
    assert not target.with_name("killed.hdf5.parts").exists()


class CrashError(Exception):
    """A crash of the teacher."""


class Crashing(LeakyTeacher):
    """Answers so many batches, and no more."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def states(self, x):  # type: ignore[no-untyped-def]  # as in its base
        if not self.left:
            raise CrashError
        self.left -= 1
        return super().states(x)


def interrupted(source: Path, target: Path, batches: int) -> Path:
    with pytest.raises(CrashError):
        generate_trajectories(source, Crashing(batches), target, REQUEST)
    assert not target.exists()
    return target.with_name(f"{target.name}.parts")


@pytest.mark.parametrize("batches", [0, 1, 10, 13])
def test_only_what_is_missing_is_asked_for_again(source: Path, batches: int) -> None:
    target, teacher = source.with_name("t.hdf5"), LeakyTeacher()
    parts = interrupted(source, target, batches)
    assert len(list(parts.iterdir())) == batches
    generate_trajectories(source, teacher, target, REQUEST).unwrap()
    assert len(teacher.asked) == BATCHES - batches
    assert target.read_bytes() == whole(source)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "swap"])
def test_a_damaged_part_is_made_again(source: Path, damage: str) -> None:
    target, teacher = source.with_name("t.hdf5"), LeakyTeacher()
    parts = interrupted(source, target, 5)
    hurt = parts / "train-000003.safetensors"
    content = bytearray(hurt.read_bytes())
    content[-1] ^= 1
    wrong: dict[str, bytes] = {
        "cut": bytes(content[:-9]),
        "flip": bytes(content),
        "empty": b"",
        "swap": b"\x08" + bytes(7) + b'{"a":1} ',
    }
    hurt.write_bytes(wrong[damage])
    generate_trajectories(source, teacher, target, REQUEST).unwrap()
    assert len(teacher.asked) == BATCHES - 4
    assert target.read_bytes() == whole(source)


def test_parts_of_another_run_are_made_again(source: Path) -> None:
    target, teacher = source.with_name("t.hdf5"), LeakyTeacher(fingerprint="leaky-2")
    interrupted(source, target, 5)
    generate_trajectories(source, teacher, target, REQUEST).unwrap()
    assert len(teacher.asked) == BATCHES
    other = revise(REQUEST, seed=1).unwrap()
    seeded = source.with_name("seeded.hdf5")
    interrupted(source, seeded, 5)
    teacher.asked.clear()
    generate_trajectories(source, teacher, seeded, other).unwrap()
    assert len(teacher.asked) == BATCHES


def test_what_is_not_ours_stays_in_the_folder_of_parts(source: Path) -> None:
    target = source.with_name("t.hdf5")
    parts = interrupted(source, target, 2)
    (parts / "mine.txt").write_text("kept")
    generate_trajectories(source, LeakyTeacher(), target, REQUEST).unwrap()
    assert [item.name for item in parts.iterdir()] == ["mine.txt"]


def test_a_full_disk_leaves_the_parts_and_no_file(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import h5py

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    target = source.with_name("t.hdf5")
    with monkeypatch.context() as patched:
        patched.setattr(h5py.File, "create_group", full)
        found = generate_trajectories(source, LeakyTeacher(), target, REQUEST).failure().first
    assert isinstance(found, DiskFull)
    assert found.size == 4 * 66 * (6 * 2 + 7 * 3)
    assert not target.exists()
    parts = sorted(item.name for item in target.with_name("t.hdf5.parts").iterdir())
    assert len(parts) == BATCHES
    teacher = LeakyTeacher()
    generate_trajectories(source, teacher, target, REQUEST).unwrap()
    assert not teacher.asked
