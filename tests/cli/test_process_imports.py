"""What a command imports: nothing that only other commands, or other teachers, need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import Trained

SLOW = ("sklearn", "scipy", "pandas", "torch._dynamo", "torch._inductor", "matplotlib", "onnx")
CODE = """
import sys
from kdtab.cli.main import main
code = main(sys.argv[2:])
print("imported:", *(name for name in sys.argv[1].split() if name in sys.modules))
sys.exit(code)
"""


def imported(folder: Path, *arguments: str) -> set[str]:
    """Which of the slow ones a command has imported when it ends."""
    run = subprocess.run(
        [sys.executable, "-c", CODE, " ".join((*SLOW, "torch")), *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return set(run.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "command",
    [
        ["train", "iris.csv", "--target", "species"],
        ["distill", "iris.csv", "-t", "teacher.kdtab"],
        ["distill", "iris.csv", "-t", "teacher.kdtab", "--alpha", ".3,.5", "--temperature", "1,2"],
    ],
)
def test_networks_are_trained_without_scikit_learn_and_torchs_compiler(
    command: list[str], trained: Trained, tmp_path: Path
) -> None:
    saved = ["--epochs", "1", "-o", str(tmp_path / "out.kdtab")]
    assert imported(trained.folder, *command, *saved) == {"torch"}


def test_a_prediction_needs_no_torch_either(trained: Trained, tmp_path: Path) -> None:
    command = ["predict", "iris.csv", "-m", "student.kdtab", "-o", str(tmp_path / "out.csv")]
    assert imported(trained.folder, *command) == set()


def test_a_comparison_of_bundles_needs_no_scikit_learn(trained: Trained) -> None:
    command = ["compare", "iris.csv", "-t", "teacher.kdtab", "-s", "student.kdtab"]
    assert imported(trained.folder, *command) <= {"torch"}


def test_a_forest_brings_scikit_learn(trained: Trained, tmp_path: Path) -> None:
    """Else the tests above would show nothing."""
    command = ["train", "iris.csv", "--target", "species", "--epochs", "1"]
    command += ["--training-mode", "tree_teacher_distillation"]
    found = imported(trained.folder, *command, "-o", str(tmp_path / "out.kdtab"))
    assert "sklearn" in found
