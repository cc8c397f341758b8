"""`kdtab predict`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from cli.conftest import Trained, kdtab

SPECIES = {"setosa", "versicolor", "virginica"}


@pytest.mark.requirement("REQ-T20", "AC-T20")
def test_without_an_output_csv_goes_to_stdout_one_line_for_each_row(trained: Trained) -> None:
    run = kdtab("predict", "iris.csv", "--model", "student.kdtab", folder=trained.folder)
    predicted = pl.read_csv(io.StringIO(run.out))
    assert (run.code, run.err) == (0, "")
    assert predicted.columns == ["prediction"]
    assert predicted.height == 150
    assert set(predicted["prediction"]) <= SPECIES


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("out.csv", pl.read_csv),
        ("out.parquet", pl.read_parquet),
        ("out.jsonl", pl.read_ndjson),
    ],
)
def test_with_an_output_its_suffix_names_the_format(
    name: str, read: object, trained: Trained, tmp_path: Path
) -> None:
    assert callable(read)
    run = kdtab(
        "predict", trained.folder / "iris.csv", "-m", trained.folder / "teacher.kdtab",
        "-o", name, "--probabilities", folder=tmp_path,
    )  # fmt: skip
    predicted = read(tmp_path / name)
    assert (run.code, run.out, run.err) == (0, "", "")
    assert predicted.columns == ["prediction", *(f"probability_{one}" for one in sorted(SPECIES))]
    sums = predicted.select(pl.sum_horizontal(pl.exclude("prediction"))).to_series()
    assert sums.to_list() == pytest.approx([1.0] * 150)


def test_json_is_one_document(trained: Trained) -> None:
    run = kdtab("predict", "iris.csv", "-m", "student.kdtab", "--json", folder=trained.folder)
    told = json.loads(run.out)
    assert told["rows"] == len(told["predictions"]) == 150
    assert told["predictions"][0]["prediction"] in SPECIES


def test_absent_columns_and_unreadable_cells_are_told(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("petal_length,petal_width\n1.4,0.2\nlong,0.2\n", "utf-8")
    run = kdtab("predict", "odd.csv", "-m", trained.folder / "student.kdtab", folder=tmp_path)
    assert (run.code, run.out.count("\n")) == (0, 3)
    assert run.err == (
        "note: the table lacks 2 of the model's 4 columns, which count as missing: "
        "'sepal_length', 'sepal_width'\n"
        "note: 1 cell of column 'petal_length' is unreadable and counts as missing, first in row "
        "2: 'long'\n"
    )


def test_a_table_of_something_else_is_refused(trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", "utf-8")
    run = kdtab("predict", "other.csv", "-m", trained.folder / "student.kdtab", folder=tmp_path)
    assert run.code == 3
    assert run.err == (
        "error: the table has no feature column of the model: it knows 'petal_length', "
        "'petal_width', 'sepal_length', 'sepal_width', the table has 'a', 'b'\n"
    )


def test_an_unknown_suffix_and_a_missing_model_are_refused_together(tmp_path: Path) -> None:
    run = kdtab("predict", "iris.csv", "-m", "no.kdtab", "-o", "out.xls", folder=tmp_path)
    assert run.code == 2
    assert run.err == (
        "error: cannot tell the format of 'out.xls': its name must end in one of '.csv', '.tsv', "
        "'.parquet', '.jsonl', '.ndjson'\n"
        "error: no bundle at 'no.kdtab': check the path and its spelling\n"
    )


def test_a_reader_that_leaves_early_is_no_failure(trained: Trained) -> None:
    many = "\n".join(["petal_length"] + ["1.4"] * 60_000) + "\n"
    (trained.folder / "many.csv").write_text(many, "utf-8")
    run = subprocess.run(
        [
            "bash", "-c", 'set -o pipefail; "$0" -m kdtab predict many.csv -m student.kdtab '
            "--quiet | head -2", sys.executable,
        ],
        cwd=trained.folder, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("prediction\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a device of Linux")
def test_a_full_disk_behind_stdout_ends_with_6(trained: Trained) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "kdtab", "inspect", "student.kdtab", "-q"],
            cwd=trained.folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            env=os.environ, timeout=300,
        )  # fmt: skip
    assert run.returncode == 6
    assert run.stderr == "error: cannot write to stdout: no space left on device\n"
