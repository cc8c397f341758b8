"""`kdtab distill` with teachers that are no bundles."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from cli.conftest import Trained, kdtab


def test_the_shortest_road_is_a_table_a_target_and_the_name_of_a_teacher(
    trained: Trained, tmp_path: Path
) -> None:
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--target", "species", "--teacher", "forest",
        "--exclude", "row", "--epochs", "3", "-o", "s.kdtab", "--folds", "4", "--json",
        folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    told = json.loads(run.out)
    assert (tmp_path / "s.kdtab").exists()
    assert told["teacher"]["name"] == "forest"
    assert told["teacher"]["labels"] in ("out_of_bag", "out_of_fold")
    assert told["teacher"]["saw_training_rows"] == "no"
    assert told["teacher"]["bytes"] > 10_000
    record = told["provenance"]
    assert record["teacher_kind"] == "forest"
    assert record["label_config"]["folds"] == 4
    assert record["label_method"] == told["teacher"]["labels"]


def test_people_read_how_the_rows_were_labelled_and_a_warning_of_in_sample_labels(
    trained: Trained, tmp_path: Path
) -> None:
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--target", "species", "-t", "boosted",
        "--epochs", "2", "--labels", "in_sample", "-o", "s.kdtab", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    assert "labels in sample" in run.out
    assert "warning: in-sample labels" in run.err


def test_a_table_of_scores_is_a_teacher(trained: Trained, tmp_path: Path) -> None:
    lines = (trained.folder / "iris.csv").read_text(encoding="utf-8").splitlines()[1:]
    names = ("setosa", "versicolor", "virginica")
    shares = [",".join(str(float(line.endswith(name))) for name in names) for line in lines]
    header = "row," + ",".join(f"probability_{name}" for name in names)
    rows = [f"{at},{share}" for at, share in enumerate(shares)]
    (tmp_path / "scores.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--target", "species", "-t", "scores.csv",
        "--exclude", "row", "--epochs", "2", "-o", "s.kdtab", "--json", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    assert json.loads(run.out)["teacher"]["labels"] == "as_given"


def test_what_a_file_of_scores_does_not_say_can_be_said(trained: Trained, tmp_path: Path) -> None:
    table = pl.read_csv(trained.folder / "iris.csv")
    every = sorted(table["species"].unique())
    scores = {name: (table["species"] == name).cast(pl.Float64) * 0.7 + 0.1 for name in every}
    known = table.select("row", pl.lit("v1").alias("model")).with_columns(**scores)
    known.write_parquet(tmp_path / "scores.parquet")
    said = ["--teacher-key", "row", *(f"--teacher-classes={name}" for name in every)]
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--target", "species", "--exclude", "row",
        "-t", "scores.parquet", *said, "--epochs", "1", "--no-gate", "-q", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    assert "teacher     scores.parquet, loss 0.2231 held out" in run.out
    labels = kdtab(
        "label", trained.folder / "iris.csv", "-t", "scores.parquet", *said, "-o", "labels",
        folder=tmp_path,
    )  # fmt: skip
    assert labels.code == 0, labels.err


def test_a_folder_of_labels_is_a_teacher(trained: Trained, tmp_path: Path) -> None:
    table = trained.folder / "iris.csv"
    made = kdtab(
        "label", table, "--teacher", trained.folder / "teacher.kdtab", "-o", "labels",
        "--id-column", "row", folder=tmp_path,
    )  # fmt: skip
    assert made.code == 0, made.err
    run = kdtab(
        "distill", table, "--target", "species", "--labels", "labels", "--exclude", "row",
        "--epochs", "2", "-o", "s.kdtab", "--json", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    assert json.loads(run.out)["teacher"]["labels"] == "as_given"


def test_the_fits_of_a_teacher_are_told_in_plain_lines(trained: Trained, tmp_path: Path) -> None:
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--target", "species", "-t", "boosted",
        "--folds", "2", "--epochs", "2", "-o", "s.kdtab", "--validation-size", "0",
        folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    assert run.err.splitlines()[:3] == [
        "teacher: boosted, fold 1 of 2",
        "teacher: boosted, fold 2 of 2",
        "teacher: boosted, all training rows",
    ]
    assert "student without a teacher, on the other folds: epoch 1/2" in run.err
    assert "distilling: epoch 1/2" in run.err


def test_a_worse_teacher_is_named_once_and_before_the_training(
    trained: Trained, tmp_path: Path
) -> None:
    names = ("setosa", "versicolor", "virginica")
    shares = {
        f"probability_{name}": [0.98 if at == 2 else 0.01] * 150 for at, name in enumerate(names)
    }
    pl.DataFrame({"row": list(range(150)), **shares}).write_parquet(tmp_path / "scores.parquet")
    run = kdtab(
        "distill", trained.folder / "iris.csv", "--target", "species", "-t", "scores.parquet",
        "--exclude", "row", "--epochs", "20", "-o", "s.kdtab", "--json", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    warning = "warning: the teacher is worse than the same student without it"
    assert run.err.count(warning) == 1
    assert run.err.index("student without a teacher: epoch 1/20") < run.err.index(warning)
    assert run.err.index(warning) < run.err.index("distilling: epoch 1/20")
    told = json.loads(run.out)
    assert told["teacher"]["gate"]["verdict"] == "worse"
    assert any(note.startswith(warning) for note in told["notes"])


def test_groups_decide_which_rows_are_held_out(trained: Trained, tmp_path: Path) -> None:
    lines = (trained.folder / "iris.csv").read_text(encoding="utf-8").splitlines()
    grouped = [lines[0] + ",plot", *(f"{line},p{at % 10}" for at, line in enumerate(lines[1:]))]
    (tmp_path / "iris.csv").write_text("\n".join(grouped) + "\n", encoding="utf-8")
    run = kdtab(
        "distill", "iris.csv", "--target", "species", "-t", "forest", "--group-column", "plot",
        "--exclude", "plot", "--exclude", "row", "--epochs", "2", "-o", "s.kdtab", "--json",
        folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    record = json.loads(run.out)["provenance"]
    sizes = [record[f"{part}_rows"] for part in ("training", "validation", "test")]
    assert sizes == [90, 30, 30]
    assert record["label_config"]["group_column"] == "plot"


def test_ctrl_c_while_a_teacher_is_fitted_ends_with_130_and_leaves_nothing(
    trained: Trained, tmp_path: Path
) -> None:
    command = ["distill", str(trained.folder / "iris.csv"), "--target", "species", "-t", "boosted"]
    process = subprocess.Popen(
        [sys.executable, "-m", "kdtab", *command, "-o", "s.kdtab", "--folds", "50"],
        cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line == "teacher: boosted, fold 2 of 50\n":
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out, err.splitlines()[-1]) == ("", "error: interrupted")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("-t", "forest"), "no target column: name the column to predict with --target"),
        (("-t", "forrest", "--target", "species"), "Did you mean 'forest'?"),
        (
            ("-t", "forest", "--target", "species", "--labels", "in_smaple"),
            "Did you mean 'in_sample'?",
        ),
        (("-t", "forest", "--target", "species", "--folds", "1"), "folds must be"),
        (
            ("-t", "forest", "--target", "species", "--group-column", "plot"),
            "group_column 'plot' is not in the table",
        ),
        (("-t", "forest", "--target", "species", "--labels", "as_given"), "labels must be auto"),
        (("--target", "species", "--labels", "labls"), "no labels in 'labls': make them with"),
        (("-t", "forest", "--target", "species", "--labels", "."), "a --teacher, not both"),
    ],
)
def test_a_mistake_is_answered_in_a_sentence(
    trained: Trained, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    run = kdtab("distill", trained.folder / "iris.csv", *arguments, folder=tmp_path)
    assert run.code in (2, 3)
    assert sentence in run.err
    assert not (tmp_path / "student.kdtab").exists()
