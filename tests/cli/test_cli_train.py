"""`kdtab train`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.conftest import QUICK, Trained, kdtab


@pytest.mark.requirement("REQ-T16")
def test_it_saves_a_model_and_prints_what_it_is_worth(trained: Trained) -> None:
    assert trained.teacher.code == 0
    words = trained.teacher.out.split()
    assert {"task", "classification", "accuracy", "parameters", "saved"} <= set(words)
    assert (trained.folder / "teacher.kdtab").stat().st_size > 1_000


def test_results_stand_on_stdout_and_progress_on_stderr(trained: Trained) -> None:
    assert "epoch" not in trained.teacher.out.replace("epochs", "")
    lines = trained.teacher.err.splitlines()
    assert lines[0].startswith("training: epoch 1/3, loss ")
    assert lines[0].endswith(" steps/s")
    assert all(line.startswith(("training: ", "note: ")) for line in lines)


@pytest.mark.requirement("REQ-T01", "AC-T01", "INV-T01")
def test_the_same_command_gives_the_same_file(trained: Trained, tmp_path: Path) -> None:
    again = kdtab(
        "train", trained.folder / "iris.csv", "--target", "species", "--exclude", "row",
        "--seed", "7", "-o", "again.kdtab", *QUICK, "--quiet", folder=tmp_path,
    )  # fmt: skip
    assert (again.code, again.err) == (0, "")
    first = (trained.folder / "teacher.kdtab").read_bytes()
    assert (tmp_path / "again.kdtab").read_bytes() == first


def test_a_config_file_is_read_flags_win_and_json_holds_all(
    trained: Trained, tmp_path: Path
) -> None:
    (tmp_path / "run.yaml").write_text(
        "target_column: petal_width\nepochs: 9\nlearning_rate: 1e-3\nexclude_columns: [row]\n"
        "hidden_dim: 8\n",
        encoding="utf-8",
    )
    run = kdtab(
        "train", trained.folder / "iris.csv", "--config", "run.yaml", "--epochs", "2", "--json",
        folder=tmp_path,
    )  # fmt: skip
    told = json.loads(run.out)
    assert run.code == 0, run.err
    assert told["metrics"]["test_metric_name"] == "rmse"
    assert [epoch["epoch"] for epoch in told["history"]] == [1, 2]
    assert told["provenance"]["training_config"]["learning_rate"] == 0.001
    assert told["bytes"] == (tmp_path / "model.kdtab").stat().st_size


def test_without_a_target_it_names_the_flag_and_the_columns(
    trained: Trained, tmp_path: Path
) -> None:
    run = kdtab("train", trained.folder / "iris.csv", folder=tmp_path)
    assert run.code == 2
    assert run.err == (
        "error: no target column: name the column to predict with --target, or target_column in a "
        f"config file. The columns of '{trained.folder}/iris.csv': 'row', 'sepal_length', "
        "'sepal_width', 'petal_length', 'petal_width', 'species'\n"
    )


def test_without_a_target_and_without_a_table_it_says_both(tmp_path: Path) -> None:
    run = kdtab("train", "adult.csv", folder=tmp_path)
    assert run.code == 2
    assert run.err == (
        "error: no target column: name the column to predict with --target, or target_column in a "
        "config file\n"
        "error: no file at 'adult.csv': check the path and its spelling\n"
    )


def test_a_misspelt_target_is_met_with_the_column_that_was_meant(
    trained: Trained, tmp_path: Path
) -> None:
    run = kdtab("train", trained.folder / "iris.csv", "--target", "specis", folder=tmp_path)
    assert run.code == 3
    assert run.err == (
        "error: target_column 'specis' is not in the table. Did you mean 'species'?\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_all_mistakes_of_the_flags_are_named_at_once(tmp_path: Path) -> None:
    run = kdtab(
        "train", "iris.csv", "--target", "y", "--epochs", "0", "--task", "clasification",
        "--dropout", "much", "--json", "-o", "nowhere/m.kdtab", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 2
    assert run.err == (
        "error: task must be 'auto', 'classification' or 'regression', got 'clasification'. "
        "Did you mean 'classification'?\n"
        "error: epochs must be greater than or equal to 1, got '0'\n"
        "error: dropout must be a valid number, got 'much'\n"
        "error: cannot write 'nowhere/m.kdtab': there is no folder 'nowhere'; create it first\n"
    )
    kinds = [issue["kind"] for issue in json.loads(run.out)["error"]]
    assert kinds == ["FieldInvalid", "FieldInvalid", "FieldInvalid", "FolderMissing"]


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("/dev/null", "it is a pipe, a device or a socket"),
        (".", "it is a folder"),
        ("/proc/model.kdtab", "no such file or directory"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_the_table_is_read(
    output: str, reason: str, tmp_path: Path
) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("the paths of this test are those of Linux")
    run = kdtab("train", "no-such.csv", "--target", "y", "-o", output, folder=tmp_path)
    assert (run.code, run.err) == (6, f"error: cannot write '{output}': {reason}\n")


def test_the_table_is_never_overwritten_with_the_model(trained: Trained) -> None:
    before = (trained.folder / "iris.csv").read_bytes()
    run = kdtab(
        "train", "iris.csv", "--target", "species", "-o", "./iris.csv", folder=trained.folder
    )
    assert run.code == 2
    assert run.err == (
        "error: the output './iris.csv' is also the table, which would be overwritten: choose "
        "another name\n"
    )
    assert (trained.folder / "iris.csv").read_bytes() == before


@pytest.mark.requirement("REQ-T13", "AC-T13")
def test_batches_of_one_row_are_refused_as_a_failed_training(
    trained: Trained, tmp_path: Path
) -> None:
    run = kdtab(
        "train", trained.folder / "iris.csv", "--target", "species", "--batch-size", "1",
        folder=tmp_path,
    )  # fmt: skip
    assert run.code == 5
    assert "update_steps == 0" in run.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_130_and_leaves_nothing(
    number: signal.Signals, trained: Trained, tmp_path: Path
) -> None:
    (tmp_path / "model.kdtab").write_bytes(b"what was there before")
    command = [
        sys.executable, "-m", "kdtab", "train", str(trained.folder / "iris.csv"),
        "--target", "species", "--epochs", "1000000",
    ]  # fmt: skip
    # A process group of its own: Ctrl-C reaches the group, and must not reach the tests.
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stderr is not None
        assert running.stderr.readline().startswith("training: epoch 1/1000000")
        time.sleep(0.2)
        os.kill(running.pid, number)
        rest = running.stderr.read()
    assert running.returncode == 130
    assert rest.splitlines()[-1] == "error: interrupted"
    assert "Traceback" not in rest
    assert [path.name for path in tmp_path.iterdir()] == ["model.kdtab"]
    assert (tmp_path / "model.kdtab").read_bytes() == b"what was there before"


def test_on_a_terminal_a_bar_shows_loss_and_rate(trained: Trained, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    outer, inner = pty.openpty()
    command = [
        sys.executable, "-m", "kdtab", "train", str(trained.folder / "iris.csv"),
        "--target", "species", "--epochs", "400", "--hidden-dim", "16",
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=inner, start_new_session=True
    ) as running:
        os.close(inner)
        seen = read_terminal(outer)
        running.wait(timeout=300)
    assert running.returncode == 0
    assert "\r" in seen
    assert "training: epoch " in seen
    assert "loss " in seen
    assert " steps/s" in seen


def read_terminal(descriptor: int) -> str:
    """All that is written to a terminal until its last writer leaves."""
    seen = b""
    while True:
        try:
            piece = os.read(descriptor, 65_536)
        except OSError:  # Linux says so when nobody holds the other end any more
            piece = b""
        if not piece:
            os.close(descriptor)
            return seen.decode("utf-8", errors="replace")
        seen += piece
