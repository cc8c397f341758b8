"""`kdtab distill --report` and its gate."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cli.conftest import Ended, kdtab

ROAD = ("--target", "y", "--teacher", "forest", "--epochs", "8", "--batch-size", "32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("reporting")
    generator = np.random.default_rng(0)
    numbers = generator.normal(size=(400, 2))
    labels = np.where(numbers[:, 0] > 0, "yes", "<no>")
    noise = generator.choice(["yes", "<no>"], size=400)
    pl.DataFrame({"a": numbers[:, 0], "y": labels}).write_csv(place / "clear.csv")
    pl.DataFrame({"a": numbers[:, 0], "y": noise}).write_csv(place / "noise.csv")
    return place


def distilled(folder: Path, table: str, *more: str) -> Ended:
    return kdtab("distill", table, *ROAD, "-o", "s.kdtab", *more, folder=folder)


class _Outside(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        outside = [value for name, value in attrs if name in ("src", "href") and value]
        self.found += [value for value in outside if not value.startswith(("#", "data:"))]
        if tag == "script":
            self.found.append(tag)


def test_the_page_stands_alone_and_the_scratch_student_beside_the_student(folder: Path) -> None:
    run = distilled(folder, "clear.csv", "--report", "kept.html")
    assert run.code == 0, run.err
    page = (folder / "kept.html").read_text("utf-8")
    reader = _Outside()
    reader.feed(page)
    assert reader.found == []
    assert "&lt;no&gt;" in page
    assert "<no>" not in page
    assert (folder / "s.scratch.kdtab").stat().st_size > 1_000


def test_a_gate_that_is_missed_exits_with_1_and_everything_is_written(folder: Path) -> None:
    run = distilled(folder, "noise.csv", "--report", "kept.json", "--min-gain", "0.9", "--json")
    assert run.code == 1
    assert json.loads(run.out)["gate_passed"] is False
    assert json.loads((folder / "kept.json").read_text("utf-8"))["rows"] == 80
    assert (folder / "s.kdtab").exists()


def test_a_share_that_is_not_defined_may_be_allowed(folder: Path) -> None:
    run = distilled(folder, "noise.csv", "--min-gain", "0.9", "--allow-undefined", "--json")
    assert (run.code, json.loads(run.out)["gate_passed"]) == (0, True)


def test_a_report_that_cannot_be_written_is_refused_before_training(folder: Path) -> None:
    run = distilled(folder, "clear.csv", "--report", "nowhere/kept.html")
    assert run.code == 6
    assert run.err == (
        "error: cannot write 'nowhere/kept.html': there is no folder 'nowhere'; create it first\n"
    )


def test_segments_without_a_report_are_refused(folder: Path) -> None:
    run = distilled(folder, "clear.csv", "--segments", "a")
    assert run.code == 2
    assert run.err.startswith("error: segments need a report to stand in")


@pytest.mark.parametrize(
    ("more", "code", "sentence"),
    [
        (("-o", "s.html", "--report", "./s.scratch.html"), 2, "is also the scratch student"),
        (("-o", "./p.html", "--report", "p.html"), 2, "the output 'p.html' is also the student"),
        (("--report", "kept.pdf"), 2, "report is a page (.html), data (.json) or text (.txt)"),
        (("--report", "k.json", "--segments", "b"), 3, "segment 'b' is not in the table"),
    ],
)
def test_a_report_that_cannot_be_is_refused_before_a_teacher_is_fitted(
    folder: Path, tmp_path: Path, more: tuple[str, ...], code: int, sentence: str
) -> None:
    table = str(folder / "clear.csv")
    run = kdtab("distill", table, *ROAD, "-o", "s.kdtab", *more, folder=tmp_path)
    assert run.code == code, run.err
    assert sentence in run.err
    assert "teacher:" not in run.err
    assert list(tmp_path.iterdir()) == []


def test_the_scratch_student_takes_no_teachers_place(folder: Path, tmp_path: Path) -> None:
    scores = tmp_path / "t.scratch.parquet"
    scores.write_bytes(b"kept")
    run = kdtab(
        "distill", str(folder / "clear.csv"), "--target", "y", "-t", "t.scratch.parquet",
        "-o", "t.parquet", "--report", "kept.json", folder=tmp_path,
    )  # fmt: skip
    assert run.code == 2
    assert "'t.scratch.parquet' is also the teacher" in run.err
    assert scores.read_bytes() == b"kept"
