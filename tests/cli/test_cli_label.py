"""`kdtab label`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from unittest.mock import patch

import numpy as np
import polars as pl
import pytest
import skops.io
from skl2onnx import to_onnx  # type: ignore[import-untyped]  # has no types
from skl2onnx.common.data_types import (  # type: ignore[import-untyped]  # has no types
    FloatTensorType,
)
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from cli.conftest import Trained, kdtab
from kdtab.disk.labels import joined_outputs, read_labels
from kdtab.disk.tables import read_table
from kdtab.teachers.resolve import resolve_teacher


def test_the_labels_of_a_bundle_are_its_outputs_to_the_bit(trained: Trained) -> None:
    run = kdtab(
        "label", "iris.csv", "-t", "teacher.kdtab", "-o", "labels", "--rows-per-part", "40",
        folder=trained.folder,
    )  # fmt: skip
    assert (run.code, run.err) == (0, "")
    assert "4 written, 0 kept" in run.out
    frame = read_table(trained.folder / "iris.csv").unwrap()
    said = joined_outputs(read_labels(trained.folder / "labels").unwrap(), frame[::-1]).unwrap()
    teacher = resolve_teacher(trained.folder / "teacher.kdtab").unwrap()
    expected = teacher.outputs(frame[::-1]).unwrap()
    assert (said.kind, said.classes) == (expected.kind, expected.classes)
    assert np.allclose(said.values, expected.values, rtol=0, atol=1e-5)


def test_json_has_the_ledger_and_a_second_run_keeps_every_part(trained: Trained) -> None:
    for written in (1, 0):
        run = kdtab(
            "label", "iris.csv", "-t", "teacher.kdtab", "-o", "once", "--id-column", "row",
            "--json", folder=trained.folder,
        )  # fmt: skip
        told = json.loads(run.out)
        assert (told["finished"], told["written"], told["kept"]) == (True, written, 1 - written)
        assert told["ledger"]["rows"] == 150
        assert told["ledger"]["id_column"] == "row"


def test_ranks_of_torchrun_share_the_parts(trained: Trained) -> None:
    outcomes = []
    for rank in ("0", "1"):
        with patch.dict(os.environ, {"RANK": rank, "WORLD_SIZE": "2"}):
            run = kdtab(
                "label", "iris.csv", "-t", "teacher.kdtab", "-o", "ranks", "--rows-per-part",
                "50", "--json", folder=trained.folder,
            )  # fmt: skip
            outcomes.append(json.loads(run.out))
    assert [told["written"] for told in outcomes] == [2, 1]
    assert [told["finished"] for told in outcomes] == [False, True]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("no.csv", "-t", "teacher.kdtab", "-o", "out"), 3, "no file at 'no.csv'"),
        (("iris.csv", "-t", "iris.csv", "-o", "out"), 3, "no column 'probability_<class>'"),
        (("iris.csv", "-t", "teacher.kdtab", "-o", "no/out"), 6, "there is no folder 'no'"),
        (("iris.csv", "-t", "teacher.kdtab", "-o", "out", "--id-column", "rwo"), 3, "'row'?"),
        (("iris.csv", "-t", "teacher.kdtab", "-o", "out", "--rows-per-part", "0"), 2, "rows_per"),
        (("iris.csv", "-t", "teacher.kdtab", "-o", "."), 3, "a folder of their own"),
    ],
)
def test_mistakes_end_in_a_sentence(
    trained: Trained, arguments: tuple[str, ...], code: int, words: str
) -> None:
    run = kdtab("label", *arguments, folder=trained.folder)
    assert (run.code, words in run.err) == (code, True), run.err
    assert not (trained.folder / "out").exists()


def foreign_teacher(folder: Path, kind: str) -> str:
    """A file of another library that scores the rows of `iris.csv`."""
    frame = pl.read_csv(folder / "iris.csv")
    cells, species = frame.drop("row", "species"), frame["species"].to_list()
    linear = LogisticRegression(max_iter=500).fit(cells.to_pandas(), species)
    shares = linear.predict_proba(cells.to_pandas())
    if kind == "skops":
        skops.io.dump(linear, folder / "linear.skops")
        return "linear.skops"
    if kind == "onnx":
        inputs = [(name, FloatTensorType([None, 1])) for name in cells.columns]
        columns = make_column_transformer(("passthrough", list(cells.columns)))
        model = make_pipeline(columns, LogisticRegression(max_iter=500))
        model.fit(cells.to_pandas(), species)
        graph = to_onnx(model, initial_types=inputs, options={"zipmap": False})
        (folder / "linear.onnx").write_bytes(graph.SerializeToString())
        return "linear.onnx"
    named = {f"probability_{name}": shares[:, at] for at, name in enumerate(sorted(set(species)))}
    pl.DataFrame({"row": frame["row"], **named}).write_parquet(folder / "scores.parquet")
    return "scores.parquet"


@pytest.mark.parametrize("kind", ["onnx", "skops", "scores"])
def test_files_of_other_libraries_label_a_table_that_a_student_learns_from(
    trained: Trained, tmp_path: Path, kind: str
) -> None:
    table = tmp_path / "iris.csv"
    table.write_bytes((trained.folder / "iris.csv").read_bytes())
    teacher = foreign_teacher(tmp_path, kind)
    run = kdtab("label", "iris.csv", "-t", teacher, "-o", "labels", "--json", folder=tmp_path)
    assert run.code == 0, run.err
    ledger = json.loads(run.out)["ledger"]
    assert (ledger["rows"], ledger["output_kind"], ledger["fold"]) == (150, "probabilities", None)
    assert ledger["classes"] == ["setosa", "versicolor", "virginica"]
    student = kdtab(
        "distill", "iris.csv", "--target", "species", "--labels", "labels", "--exclude", "row",
        "--epochs", "2", "--no-gate", "-o", "s.kdtab", "--json", folder=tmp_path,
    )  # fmt: skip
    assert student.code == 0, student.err
    assert json.loads(student.out)["teacher"]["fingerprint"] == ledger["teacher_fingerprint"]


def test_a_teacher_that_is_to_be_fitted_is_sent_to_distill(trained: Trained) -> None:
    run = kdtab("label", "iris.csv", "-t", "forest", "-o", "out", folder=trained.folder)
    assert run.code == 2
    assert "a teacher that is to be fitted belongs to `kdtab distill`" in run.err
