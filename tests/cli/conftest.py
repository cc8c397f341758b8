"""The command as people start it, and one small teacher and student for all its tests."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

QUICK = ("--epochs", "3", "--hidden-dim", "16")


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


def kdtab(*arguments: str | Path, folder: Path, stdin: str = "") -> Ended:
    """Run `kdtab` in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "kdtab", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", "PYTHONWARNINGS": "error"},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in run.stderr, run.stderr
    return Ended(run.returncode, run.stdout, run.stderr)


@dataclass(frozen=True)
class Trained:
    """A folder with `iris.csv`, `teacher.kdtab` and `student.kdtab`, and what was printed."""

    folder: Path
    teacher: Ended
    student: Ended


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("cli")
    iris = load_iris()
    lines = ["row,sepal_length,sepal_width,petal_length,petal_width,species"]
    lines += [
        ",".join([str(row), *(f"{cell:g}" for cell in cells), str(iris.target_names[code])])
        for row, (cells, code) in enumerate(zip(iris.data, iris.target, strict=True))
    ]
    (folder / "iris.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    teacher = kdtab(
        "train", "iris.csv", "--target", "species", "--exclude", "row", "--seed", "7",
        "-o", "teacher.kdtab", *QUICK, folder=folder,
    )  # fmt: skip
    student = kdtab(
        "distill", "iris.csv", "--teacher", "teacher.kdtab", "-o", "student.kdtab",
        "--epochs", "3", "--student-hidden-dim", "4", "--json", folder=folder,
    )  # fmt: skip
    return Trained(folder, teacher, student)
