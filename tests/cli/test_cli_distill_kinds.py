"""`kdtab distill` with teachers that are no bundles."""

from __future__ import annotations

import json
from pathlib import Path

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
    ],
)
def test_a_mistake_is_answered_in_a_sentence(
    trained: Trained, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    run = kdtab("distill", trained.folder / "iris.csv", *arguments, folder=tmp_path)
    assert run.code in (2, 3)
    assert sentence in run.err
    assert not (tmp_path / "student.kdtab").exists()
