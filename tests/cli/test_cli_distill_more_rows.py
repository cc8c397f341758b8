"""`kdtab distill` with rows that have no label."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from cli.conftest import Trained, kdtab


def test_synthetic_and_unlabelled_rows_are_recorded_and_told(
    trained: Trained, tmp_path: Path
) -> None:
    iris = pl.read_csv(trained.folder / "iris.csv")
    iris.filter(pl.int_range(pl.len()) % 3 > 0).write_csv(tmp_path / "table.csv")
    rest = iris.filter(pl.int_range(pl.len()) % 3 == 0).select(pl.exclude("species"))
    rest.write_csv(tmp_path / "more.csv")
    run = kdtab(
        "distill", "table.csv", "--target", "species", "--teacher", "extra_trees", "--exclude",
        "row", "--epochs", "2", "--augment", "2.5", "--unlabelled", "more.csv", "-o", "s.kdtab",
        "--json", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 0, run.err
    record = json.loads(run.out)["provenance"]
    assert record["synthetic_rows"] >= 140  # of 60 training rows
    assert record["unlabelled_rows"] >= 48
    assert record["distill_config"]["augment"] == 2.5
    notes = " ".join(record["notes"])
    assert "unlabelled rows labelled by the teacher" in notes
    assert "median distance to a training row" in notes


def test_rows_of_another_table_are_refused_in_one_sentence(
    trained: Trained, tmp_path: Path
) -> None:
    (tmp_path / "more.csv").write_text("q\n1\n", encoding="utf-8")
    run = kdtab(
        "distill", trained.folder / "iris.csv", "-t", trained.folder / "teacher.kdtab",
        "--unlabelled", "more.csv", "-o", "s.kdtab", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 3, run.err
    assert run.err.count("error:") == 1
    assert "the unlabelled rows have no feature column" in run.err
    assert not (tmp_path / "s.kdtab").exists()


def test_the_unlabelled_rows_are_never_written_over(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text("q\n1\n", encoding="utf-8")
    run = kdtab(
        "distill", trained.folder / "iris.csv", "-t", trained.folder / "teacher.kdtab",
        "--unlabelled", "more.csv", "-o", "more.csv", folder=tmp_path,
    )  # fmt: skip
    assert run.code != 0
    assert "would be overwritten" in run.err
    assert (tmp_path / "more.csv").read_text(encoding="utf-8") == "q\n1\n"


def test_a_file_of_unlabelled_rows_that_is_not_there_is_named(
    trained: Trained, tmp_path: Path
) -> None:
    run = kdtab(
        "distill", trained.folder / "iris.csv", "-t", trained.folder / "teacher.kdtab",
        "--unlabelled", "no.csv", "-o", "s.kdtab", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 3
    assert "no.csv" in run.err


def test_help_names_the_flags(tmp_path: Path) -> None:
    run = kdtab("distill", "--help", folder=tmp_path)
    for flag in ("--augment ", "--augment-swap", "--augment-spread", "--unlabelled"):
        assert flag in run.out
