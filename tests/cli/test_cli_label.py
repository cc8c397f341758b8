"""`kdtab label`."""

from __future__ import annotations

import json
import os
from unittest.mock import patch

import numpy as np
import pytest

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
        (("iris.csv", "-t", "iris.csv", "-o", "out"), 4, "iris.csv"),
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
