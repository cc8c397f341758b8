"""Beside AutoGluon: the rows both sides get, what its answers come to, and what is recorded of failures."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.quality import autogluon_duel
from benchmarks.quality.autogluon import Failure, duels, failures, section
from benchmarks.quality.autogluon_duel import (
    SINGLE,
    Limits,
    class_name,
    figures_of,
    job_of,
    keep_theirs,
    measure_ours,
    measure_theirs,
    must_have_autogluon,
    probabilities,
    student_of,
    without_markers,
    write_rows,
)
from benchmarks.quality.desk import Desk
from benchmarks.quality.records import TEACHER, Case, Measured, RowFigures, WorkFolder
from benchmarks.quality.sources import Source, drawn_table
from benchmarks.quality.students import GATED
from benchmarks.quality.teaching import Room
from benchmarks.quality.work import room_of

from kdtab.config.columns import ColumnOptions
from test_quality import Fits, small_ladder

ROWS, LIMITS = 100, Limits(1.0, 2.0)
OPTIONS = ColumnOptions(exclude_columns=("id",), missing_markers=("", "?", "-200"))


def frame(target: list[object]) -> pl.DataFrame:
    places = np.arange(ROWS)
    return pl.DataFrame(
        {
            "id": [f"row {place}" for place in places],
            "x": places.astype(np.float64) + 0.5,
            "word": [" ? " if place % 10 == 0 else "ab"[place % 2] for place in places],
            "y": target,
        }
    )


def room(target: list[object]) -> Room:
    source = Source("made", "y", "auto", OPTIONS, lambda: frame(target))
    return room_of(source, drawn_table(source, 0, ROWS), 0)


@pytest.fixture(scope="module")
def classes() -> Room:
    return room(["yes" if place % 3 == 0 else "no" for place in range(ROWS)])


@pytest.fixture(scope="module")
def values() -> Room:
    return room([2.5 * (place % 7) for place in range(ROWS)])


def test_cells_that_mean_missing_are_empty_and_excluded_columns_are_gone() -> None:
    given = pl.DataFrame({"id": ["?"] * 3, "t": [" ? ", "-200", "b"], "n": [1.5, -200.0, 0.0]})
    found = without_markers(given, OPTIONS)
    assert found.to_dict(as_series=False) == {"t": [None, None, "b"], "n": [1.5, None, 0.0]}


def test_both_sides_get_the_rows_of_one_split(classes: Room, tmp_path: Path) -> None:
    write_rows(tmp_path, classes)
    split, labels = classes.prepared.split, classes.frame["y"]
    names = {"no": class_name(0), "yes": class_name(1)}
    for name, places in (("training", split.training), ("validation", split.validation)):
        found = pl.read_csv(tmp_path / f"{name}.csv")
        assert found["x"].to_list() == (places + 0.5).tolist()
        assert found["y"].to_list() == [names[label] for label in labels[places]]
    test = pl.read_csv(tmp_path / "test.csv")
    assert test.columns == ["x", "word"]
    assert test["x"].to_list() == (split.test + 0.5).tolist()
    assert test["word"].null_count() == sum(place % 10 == 0 for place in split.test)


def test_a_regression_gets_its_values_in_their_own_unit(values: Room, tmp_path: Path) -> None:
    write_rows(tmp_path, values)
    found = pl.read_csv(tmp_path / "training.csv")
    assert found["y"].to_list() == values.frame["y"][values.prepared.split.training].to_list()


def test_the_job_names_the_loss_that_is_measured(classes: Room, values: Room) -> None:
    three = room(["abc"[place % 3] for place in range(ROWS)])
    kinds = [(job_of(one, LIMITS)["problem_type"], job_of(one, LIMITS)["metric"])
             for one in (classes, three, values)]  # fmt: skip
    assert kinds == [
        ("binary", "log_loss"),
        ("multiclass", "log_loss"),
        ("regression", "root_mean_squared_error"),
    ]


def test_shares_outside_of_0_to_1_are_counted_and_brought_back() -> None:
    """Classes stand in their order whatever the file's; one that is not there has next to no share."""
    said = pl.DataFrame({class_name(1): [1.25, 0.25], class_name(0): [-0.25, 0.75]})
    shares, outside = probabilities(said, 3)
    assert outside == 1
    assert shares.sum(axis=1) == pytest.approx([1.0, 1.0])
    assert shares[0] == pytest.approx([1e-7, 1.0, 1e-7], rel=1e-5)
    assert shares[1] == pytest.approx([0.75, 0.25, 1e-7], rel=1e-5)


def test_losses_of_classes_are_those_of_numpy(classes: Room) -> None:
    truth = classes.prepared.test.targets.astype(np.int64)
    shares = np.random.default_rng(0).uniform(0.05, 0.95, len(truth))
    said = pl.DataFrame({class_name(0): 1 - shares, class_name(1): shares})
    found = figures_of(said, classes.prepared, np.arange(len(truth)))
    of_truth = np.where(truth == 1, shares, 1 - shares)
    assert found.losses == pytest.approx(-np.log(of_truth), rel=1e-5)
    assert found.right.tolist() == ((shares > 0.5) == (truth == 1)).tolist()
    assert found.said == pytest.approx(np.maximum(shares, 1 - shares), rel=1e-5)


def test_losses_of_values_are_squares_in_the_unit_of_training(values: Room) -> None:
    prepared = values.prepared
    truth = prepared.test.targets.astype(np.float64)
    said = pl.DataFrame({"value": truth + np.linspace(-3, 3, len(truth))})
    found = figures_of(said, prepared, np.arange(len(truth)))
    scale = prepared.training.targets.astype(np.float64).std()
    assert found.losses == pytest.approx((np.linspace(-3, 3, len(truth)) / scale) ** 2, abs=1e-5)


def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> Path:
    """A script in AutoGluon's place; the folder where it is to work."""
    path = tmp_path / "worker.py"
    path.write_text("import pathlib, sys\nfolder = pathlib.Path(sys.argv[1])\n" + program, "utf-8")
    monkeypatch.setattr(autogluon_duel, "WORKER", path)
    return tmp_path / "theirs"


def test_a_worker_that_dies_is_recorded_with_its_last_words_and_not_asked_again(
    classes: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = worker(tmp_path, monkeypatch, "raise ValueError('no such column')")
    measure_theirs(classes, folder, Path(sys.executable), LIMITS)
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert report == {"error": "ValueError: no such column", "students": {}}
    (tmp_path / "worker.py").unlink()
    measure_theirs(classes, folder, Path(sys.executable), LIMITS)
    assert json.loads((folder / "report.json").read_text("utf-8")) == report


def test_a_file_beside_the_worker_is_not_taken_for_the_package(
    classes: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script that starts the worker is called as the package is, and lies beside it."""
    (tmp_path / "json.py").write_text("raise ImportError('the wrong one')", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    folder = worker(tmp_path, monkeypatch, ANSWERS)
    measure_theirs(classes, folder, Path(sys.executable), LIMITS)
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert report["students"]["spunge"]["parameters"] == 70


def test_an_interpreter_without_autogluon_ends_the_run() -> None:
    with pytest.raises(SystemExit, match=r"has no AutoGluon: see autogluon-requirements\.txt"):
        must_have_autogluon(Path(sys.executable))


ANSWERS = """
import json
rows = len((folder / "test.csv").read_text().splitlines()) - 1
for name in ("teacher", "spunge"):
    lines = ["class 0,class 1", *["0.75,0.25"] * rows]
    (folder / f"said-{name}.csv").write_text("\\n".join(lines))
students = {
    "spunge": {
        "cpu": 8.0,
        "wall": 9.0,
        "parameters": 70,
        "loss": "L1Loss",
        "trained": {"num_epochs": 5},
    },
    "munge": {"cpu": 0.0, "wall": 0.0, "error": "TypeError: broken"},
}
report = {"teacher": {"cpu": 4.0, "wall": 5.0}, "students": students}
(folder / "report.json").write_text(json.dumps(report))
"""


def keep_ours(folder: WorkFolder, case: Case, theirs: RowFigures, better: float) -> None:
    """kdtab's teacher and student, so much better than AutoGluon's student on each row."""
    for student, seconds in ((TEACHER, 3.0), (GATED, 2.0), (SINGLE, 1.0)):
        rows = replace(theirs, losses=theirs.losses - better)
        loss = float(rows.losses.mean())
        folder.keep(
            Measured(case.table, case.seed, student, "classification", len(rows.losses), 60, loss,
                     loss, 0.5, None, seconds, None, None),
            rows,
        )  # fmt: skip


def test_a_duel_is_decided_on_the_same_rows_and_failures_are_said(
    classes: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, case = WorkFolder(tmp_path / "work"), Case("made", 0)
    theirs = folder.root / "autogluon" / case.stem
    worker(tmp_path, monkeypatch, ANSWERS)
    measure_theirs(classes, theirs, Path(sys.executable), LIMITS)
    keep_theirs(Desk(case, classes, folder, classes.prepared.split.test), theirs)
    kept = folder.done(case)
    assert set(kept) == {"autogluon_teacher", student_of("spunge")}
    assert (kept[student_of("spunge")].seconds, kept[student_of("spunge")].parameters) == (8.0, 70)

    rows = folder.rows(case, student_of("spunge"))
    keep_ours(folder, case, rows, better=0.1 * float(rows.losses.mean()))
    [duel] = duels(folder, [case], "spunge")
    assert duel.lead(GATED).value == pytest.approx(0.1, abs=1e-5)
    assert (duel.time_share(GATED), duel.time_share(SINGLE)) == (0.25, 0.125)
    assert duel.was_stopped
    assert list(duels(folder, [case], "munge")) == []
    assert list(failures(folder, [case], "munge")) == [
        Failure("made", "munge", "TypeError: broken")
    ]
    assert list(failures(folder, [case], "spunge")) == []

    text = section(folder, [case], "facts")
    assert "1 of 1, 1 beyond chance; 0 lost beyond chance | met |" in text
    assert "1 of 1; 0.25 to 0.25 of the time, 0.25 over all tables | met |" in text
    assert "| 8 (stopped) | 2 (1) | 12, 5 |" in text
    assert "by `L1Loss` on (epochs until it was best): made (5)." in text
    assert "AutoGluon's `munge` failed on made: `TypeError: broken`." in text


def test_ours_is_measured_once_with_a_teacher_that_is_fitted_for_it(
    classes: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = Fits()
    monkeypatch.setattr(autogluon_duel, "ladder", small_ladder)
    monkeypatch.setattr(autogluon_duel, "fitted_teacher", fits)
    folder, case = WorkFolder(tmp_path), Case("made", 0)
    desk = Desk(case, classes, folder, classes.prepared.split.test)
    for _ in range(2):
        measure_ours(desk)
    assert fits.count == 1
    done = folder.done(case)
    assert {TEACHER, GATED, SINGLE} <= set(done)
    assert done[SINGLE].parameters == done["preset"].parameters
    assert folder.rows(case, SINGLE).losses == pytest.approx(folder.rows(case, "preset").losses)


def test_a_student_that_loses_beats_nobody(classes: Room, tmp_path: Path) -> None:
    folder, case = WorkFolder(tmp_path), Case("made", 0)
    count = len(classes.prepared.test.targets)
    said = pl.DataFrame({class_name(0): [0.75] * count, class_name(1): [0.25] * count})
    rows = figures_of(said, classes.prepared, classes.prepared.split.test)
    keep_ours(folder, case, rows, better=-0.1)
    facts = {"outside": 2, "wall": 3.0, "loss": "L1Loss", "trained": {"num_epochs": 5}}
    for name in ("autogluon_teacher", student_of("spunge")):
        folder.keep(
            Measured("made", 0, name, "classification", count, 60, 0.5, 0.5, 0.5, None, 3.0, None,
                     None, facts=facts),
            rows,
        )  # fmt: skip
    (folder.root / "autogluon" / case.stem).mkdir(parents=True)
    job = folder.root / "autogluon" / case.stem / "job.json"
    job.write_text(json.dumps({"distill_seconds": 400}), "utf-8")
    text = section(folder, [case], "facts")
    assert "0 of 1, 0 beyond chance; 1 lost beyond chance | missed |" in text
    assert "0 of 1; 0.67 to 0.67 of the time, 0.67 over all tables | missed |" in text
    assert "before anything was measured: made 2." in text
