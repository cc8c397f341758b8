"""`kdtab compare`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Trained, kdtab


def test_teacher_and_student_stand_side_by_side(trained: Trained) -> None:
    run = kdtab(
        "compare", "iris.csv", "--teacher", "teacher.kdtab", "--student", "student.kdtab",
        folder=trained.folder,
    )  # fmt: skip
    lines = run.out.splitlines()
    assert (run.code, run.err) == (0, "")
    assert lines[0].split() == ["teacher", "student"]
    names = [line.split("  ")[0] for line in lines[1:8]]
    assert names == [
        "accuracy", "log loss", "agreement", "parameters", "saved", "bytes", "rows per second",
    ]  # fmt: skip
    assert lines[-1] == "30 rows: held out when both models were trained"
    sizes = [(trained.folder / f"{name}.kdtab").stat().st_size for name in ("teacher", "student")]
    assert lines[6].split() == ["bytes", *(f"{size:,}" for size in sizes)]


@pytest.mark.requirement("EC-KD03")
def test_a_model_beside_itself_saves_nothing_and_agrees(trained: Trained) -> None:
    run = kdtab(
        "compare", "iris.csv", "-t", "teacher.kdtab", "-s", "teacher.kdtab", "--json",
        folder=trained.folder,
    )  # fmt: skip
    told = json.loads(run.out)
    assert (told["parameters_saved"], told["agreement"]) == (0, 1.0)
    assert told["teacher"]["metrics"] == told["student"]["metrics"]
    assert told["teacher"]["metrics"]["train_loss"] is None


def test_every_missing_file_is_named_at_once(tmp_path: Path) -> None:
    run = kdtab("compare", "a.csv", "-t", "t.kdtab", "-s", "s.kdtab", folder=tmp_path)
    assert run.code == 4
    assert run.err == (
        "error: no bundle at 't.kdtab': check the path and its spelling\n"
        "error: no bundle at 's.kdtab': check the path and its spelling\n"
    )
