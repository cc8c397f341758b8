"""`kdtab inspect`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.conftest import Trained, kdtab


def test_it_shows_task_columns_reasons_sizes_and_origin(trained: Trained) -> None:
    run = kdtab("inspect", "teacher.kdtab", folder=trained.folder)
    assert run.code == 0
    assert "classes     3: 'setosa', 'versicolor', 'virginica'" in run.out
    assert "network     mlp, 2 x 16 hidden units, dropout 0.1, 4 inputs, 3 outputs" in run.out
    assert "petal_length" in run.out
    assert "numeric" in run.out
    assert "update_steps" in run.out
    assert all(line == line.rstrip() for line in run.out.splitlines())


def test_json_holds_the_whole_manifest(trained: Trained) -> None:
    run = kdtab("inspect", "teacher.kdtab", "--json", folder=trained.folder)
    told = json.loads(run.out)
    assert told["bytes"] == (trained.folder / "teacher.kdtab").stat().st_size
    assert told["parameters"] == 4 * 16 + 16 + 16 * 16 + 16 + 4 * 16 + 16 * 3 + 3
    assert told["network"]["hidden_dim"] == 16
    assert [column["name"] for column in told["table_schema"]["features"]] == [
        "petal_length", "petal_width", "sepal_length", "sepal_width",
    ]  # fmt: skip


def test_an_ensemble_says_how_many_it_is(trained: Trained) -> None:
    flags = ("--training-mode", "batch_ensemble", "--ensemble-size", "3", "--hidden-dim", "8")
    rest = ("--exclude", "row", "--epochs", "1", "--quiet", "-o", "many.kdtab")
    made = kdtab("train", "iris.csv", "--target", "species", *flags, *rest, folder=trained.folder)
    assert made.code == 0, made.err
    run = kdtab("inspect", "many.kdtab", folder=trained.folder)
    assert "network     batch_ensemble, 3 members of 2 x 8 hidden units, dropout 0.1" in run.out
    learnt = 4 * 8 + 8 * 8 + 3 * (4 + 8 + 8) + 3 * (8 + 8 + 8) + 3 * (8 * 3 + 3)
    assert f"parameters  {learnt:,}" in run.out


def test_it_needs_no_torch(trained: Trained) -> None:
    code = (
        "import sys\nfrom kdtab.cli.main import main\n"
        "assert main(['inspect', 'teacher.kdtab']) == 0\n"
        "assert not {'torch', 'sklearn'} & set(sys.modules)\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=trained.folder, check=True, capture_output=True
    )


@pytest.mark.parametrize("content", [b"", b"name,age\nAda,36\n", b"\x00" * 64, b"PK\x03\x04"])
def test_a_file_that_is_no_bundle_ends_with_4(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "odd.kdtab").write_bytes(content)
    run = kdtab("inspect", "odd.kdtab", folder=tmp_path)
    assert (run.code, run.out) == (4, "")
    assert run.err.startswith("error: 'odd.kdtab' ")
    assert run.err.count("\n") == 1
