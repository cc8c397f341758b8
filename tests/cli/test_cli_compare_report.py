"""`kdtab compare --report` and its gate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cli.conftest import Ended, kdtab

QUICK = ("--epochs", "6", "--batch-size", "32", "--exclude", "row", "--no-gate", "--quiet")
MODELS = ("-t", "scores.parquet", "-s", "s.kdtab")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, somebody's scores of it, and what `distill --report` makes of both."""
    place = tmp_path_factory.mktemp("comparing")
    generator = np.random.default_rng(0)
    numbers = generator.normal(0, 2, 300)
    lead = 4 * np.sin(4 * numbers)  # more than six epochs can learn
    labels = np.where(lead + generator.logistic(size=300) > 0, "yes", "<no>")
    share = 1 / (1 + np.exp(-lead))
    pl.DataFrame({"row": range(300), "a": numbers, "y": labels}).write_csv(place / "table.csv")
    pl.DataFrame(
        {"row": range(300), "probability_yes": share, "probability_<no>": 1 - share}
    ).reverse().write_parquet(place / "scores.parquet")
    run = kdtab(
        "distill", "table.csv", "--target", "y", "-t", "scores.parquet", "-o", "s.kdtab",
        "--report", "first.json", "--preset", "seed", *QUICK, folder=place,
    )  # fmt: skip
    assert run.code == 0, run.err
    return place


def compared(folder: Path, *more: str) -> Ended:
    return kdtab("compare", "table.csv", *MODELS, *more, folder=folder)


def test_a_later_report_has_the_numbers_of_the_first(folder: Path) -> None:
    """The scratch student is found beside the student, and the classes by their names."""
    run = compared(folder, "--report", "later.json", "--json")
    assert run.code == 0, run.err
    first, later = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("first", "later")
    )
    for name in ("gain", "fidelity", "gaps", "which", "rows", "classes"):
        assert later[name] == first[name], name
    for one, other in zip(later["models"], first["models"], strict=True):
        assert one["quality"] == other["quality"]
    told = json.loads(run.out)
    assert told["report"] == later
    assert told["report"]["gain"]["kind"] == "retained"
    assert told["gate_passed"] is True
    assert told["agreement"] == later["fidelity"][0]["agreement"]["value"]


def test_the_page_is_whole_and_stands_alone(folder: Path) -> None:
    run = compared(folder, "--report", "kept.html", "--segments", "a")
    assert (run.code, run.err) == (0, "")
    assert run.out.splitlines()[9].startswith("60 rows: held out when the student was trained")
    assert run.out.splitlines()[10].split() == ["report", "kept.html"]
    page = (folder / "kept.html").read_text("utf-8")
    assert page.endswith("</html>\n")
    assert "held out from student and scratch student; what the teacher saw is not known" in page
    assert "Segments: accuracy" in page
    assert "Course of training" not in page
    assert "&lt;no&gt;" in page
    assert [word for word in ("<no>", "<script", "http:", "https:", "src=") if word in page] == []


def test_without_a_scratch_student_the_gate_is_missed_and_the_report_says_why(
    folder: Path, tmp_path: Path
) -> None:
    for name in ("table.csv", "scores.parquet", "s.kdtab"):
        shutil.copy(folder / name, tmp_path / name)
    run = compared(tmp_path, "--report", "kept.txt", "--min-gain", "0.1")
    assert run.code == 1, run.err
    text = (tmp_path / "kept.txt").read_text("utf-8")
    assert text.startswith("Gain not known\nWithout a scratch student")
    assert text.splitlines()[1] in run.out
    named = compared(tmp_path, "--min-gain", "-9", "--scratch", str(folder / "s.scratch.kdtab"))
    assert named.code == 0


def test_what_merely_lies_beside_the_student_is_left_out(folder: Path, tmp_path: Path) -> None:
    for name in ("table.csv", "scores.parquet", "s.kdtab"):
        shutil.copy(folder / name, tmp_path / name)
    shutil.copy(folder / "s.kdtab", tmp_path / "s.scratch.kdtab")
    run = compared(tmp_path, "--report", "kept.json")
    assert run.code == 0
    assert run.err == (
        "note: 's.scratch.kdtab' is not the scratch student of this student (it had a teacher): "
        "it was left out, and so is the gain\n"
    )
    told = json.loads((tmp_path / "kept.json").read_text())
    assert told["gain"] is None
    assert told["notes"][-1] in run.err


def test_on_another_table_it_cannot_know(folder: Path) -> None:
    lines = (folder / "table.csv").read_text().splitlines(keepends=True)
    (folder / "other.csv").write_text("".join([lines[0], *reversed(lines[1:])]))
    run = kdtab("compare", "other.csv", *MODELS, folder=folder)
    assert run.out.splitlines()[-1] == (
        "300 rows: all rows with a target; which of them the models were trained on is not known"
    )


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (("--report", "nowhere/k.html"), 6, "cannot write 'nowhere/k.html': there is no folder"),
        (
            ("--report", "s.scratch.kdtab"),
            2,
            "report is a page (.html), data (.json) or text (.txt)",
        ),
        (("--report", "k.html", "--segments", "z"), 3, "segment 'z' is not in the table"),
        (("--segments", "a"), 2, "segments need a report to stand in"),
        (("--scratch", "s.scratch.kdtab"), 2, "--scratch is for a report or a gate"),
        (("--report", "k.html", "--teacher-key", "z"), 3, "key 'z' is not in the table"),
        (("-t", "forest", "--report", "k.html"), 2, "teacher must be a model that is kept"),
    ],
)
def test_bad_input_is_one_clear_error_and_nothing_is_written(
    folder: Path, given: tuple[str, ...], code: int, said: str
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run = compared(folder, *given)
    assert run.code == code
    assert run.err.startswith(f"error: {said}")
    assert (run.err.count("\n"), run.out) == (1, "")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
